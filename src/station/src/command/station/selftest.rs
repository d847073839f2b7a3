//! `blanche station selftest`: the engines of the running station, and no others.

use super::{NoAnswer, StationArguments, json, print};
use crate::exit::Exit;
use crate::show;
use blanche_bus::{Client, LONG_PATIENCE};
use blanche_scan::words::Lang;
use serde::Serialize;

/// What `selftest --json` prints.
#[derive(Debug, Serialize)]
struct Document {
    schema: &'static str,
    passed: bool,
    results: Vec<Line>,
}

/// One engine on one marker.
#[derive(Debug, Serialize)]
struct Line {
    engine: String,
    marker: String,
    found: bool,
}

/// Asks for a self-test, and waits for its result.
pub(super) async fn run(arguments: &StationArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let client = Client::patient(&arguments.bus, LONG_PATIENCE).await?;
    let (passed, results) = client.station().run_self_test().await?;
    if arguments.json {
        let results = results.into_iter().map(|(engine, marker, found)| Line { engine, marker, found }).collect();
        print(|out| json(out, &Document { schema: "blanche-station-selftest/1", passed, results }))?;
    } else {
        print(|out| {
            for (engine, marker, found) in &results {
                show::tested(engine, marker, *found, lang, out)?;
            }
            show::self_test_result(passed, lang, out)
        })?;
    }
    Ok(if passed { Exit::Clean } else { Exit::Engines })
}
