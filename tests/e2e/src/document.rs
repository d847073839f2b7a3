//! The report of a session, fetched from the bus by hand: `busctl` cannot read what a descriptor leads to.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::process::ExitCode;

/// Prints the report of `session`.
#[must_use]
pub fn print(session: &str) -> ExitCode {
    let copied = fetch(session)
        .map_err(|error| io::Error::other(error.to_string()))
        .and_then(|mut document| io::copy(&mut document, &mut io::stdout()));
    match copied {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "the report of {session}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn fetch(session: &str) -> zbus::Result<File> {
    let path = format!("/org/blanche/Station1/sessions/{}", session.replace('-', "_"));
    let reply = zbus::block_on(async {
        let bus = zbus::connection::Builder::address(zbus::Address::system()?).build().await?;
        let station = Some("org.blanche.Station1");
        bus.call_method(station, path.as_str(), Some("org.blanche.Session1"), "Report", &()).await
    })?;
    let received: zbus::OwnedFd = reply.body().deserialize()?;
    Ok(File::from(OwnedFd::from(received)))
}
