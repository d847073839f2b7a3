//! Plugs real USB devices into a whole station and compares what comes of it: `make e2e`.

#![forbid(unsafe_code)]

use blanche_e2e::{cases, run};
use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;

/// Plugs USB devices of every kind into a station in a virtual machine, and prints for each what was expected and seen.
#[derive(Debug, Parser)]
struct Arguments {
    /// List the cases and end
    #[arg(long)]
    list: bool,
    /// Run this case only; may be given again
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Run the cases of each machine so many times, one round after the other
    #[arg(long, value_name = "N", default_value_t = 1)]
    times: usize,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut machines = cases::machines();
    if let Some(unknown) = arguments.only.iter().find(|name| !machines.iter().flatten().any(|case| case.name == **name))
    {
        let _ = writeln!(io::stderr(), "no case is called {unknown}: see --list");
        return ExitCode::from(2);
    }
    for cases in &mut machines {
        cases.retain(|case| arguments.only.is_empty() || arguments.only.iter().any(|name| name == case.name));
        *cases = cases.repeat(arguments.times);
    }
    let done = if arguments.list {
        let mut all = machines.iter().flatten();
        all.try_for_each(|case| run::say(&format!("{:<16} {}", case.name, case.device))).map(|()| true)
    } else {
        run::run(machines)
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::FAILURE
        }
    }
}
