//! `blanche station insert` and `remove`: the hand that plugs made-up media into a simulated station.

use super::{NoAnswer, StationArguments, code, json, print};
use crate::exit::Exit;
use blanche_bus::{Client, LONG_PATIENCE, SimulationProxy};
use blanche_scan::words::{self, Lang, harmless};
use clap::Args;
use serde::Serialize;
use std::io::{self, Write};

/// What is plugged in, and where.
#[derive(Args, Debug)]
pub struct InsertArguments {
    /// Kind of medium [default: list all kinds and ports]
    #[arg(value_name = "KIND")]
    pub kind: Option<String>,
    /// Port [default: the first that is free and fits]
    #[arg(value_name = "PORT")]
    pub port: Option<String>,
    /// How the station is reached.
    #[command(flatten)]
    pub station: StationArguments,
}

/// What is pulled out.
#[derive(Args, Debug)]
pub struct RemoveArguments {
    /// Port [default: the only one that is taken]
    #[arg(value_name = "PORT")]
    pub port: Option<String>,
    /// How the station is reached.
    #[command(flatten)]
    pub station: StationArguments,
}

/// What `insert --json` and `remove --json` print.
#[derive(Debug, Serialize)]
struct Plugged<'a> {
    kind: &'a str,
    port: &'a str,
}

/// What `insert --json` prints without a kind.
#[derive(Debug, Serialize)]
struct Choice {
    schema: &'static str,
    media: Vec<Medium>,
    ports: Vec<Port>,
}

/// One kind of medium.
#[derive(Debug, Serialize)]
struct Medium {
    kind: String,
    name: String,
    shows: String,
}

/// One socket; nothing is in it when `kind` is empty.
#[derive(Debug, Serialize)]
struct Port {
    port: String,
    role: String,
    kind: String,
}

/// Plugs a medium in, or lists what there is.
pub(super) async fn insert(arguments: &InsertArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let simulation = simulation(&arguments.station).await?;
    let Some(kind) = &arguments.kind else {
        return list(&simulation, arguments.station.json, lang).await;
    };
    let port = simulation.insert(kind, arguments.port.as_deref().unwrap_or_default()).await?;
    say(arguments.station.json, &Plugged { kind, port: &port }, lang.pick("branché", "plugged in"), lang)
}

/// Pulls a medium out.
pub(super) async fn remove(arguments: &RemoveArguments, lang: Lang) -> Result<Exit, NoAnswer> {
    let simulation = simulation(&arguments.station).await?;
    let ports = simulation.ports().await?;
    let port = simulation.remove(arguments.port.as_deref().unwrap_or_default()).await?;
    let kind = ports.iter().find(|(known, ..)| *known == port).map(|(.., kind)| kind.as_str()).unwrap_or_default();
    say(arguments.station.json, &Plugged { kind, port: &port }, lang.pick("retiré", "pulled out"), lang)
}

/// The simulation of a station that has one.
async fn simulation(arguments: &StationArguments) -> Result<SimulationProxy<'static>, NoAnswer> {
    let client = Client::patient(&arguments.bus, LONG_PATIENCE).await?;
    let (station, _) = client.everything().await?;
    if !station.simulated {
        return Err(NoAnswer::NotSimulated);
    }
    Ok(client.simulation().await?)
}

async fn list(simulation: &SimulationProxy<'_>, as_json: bool, lang: Lang) -> Result<Exit, NoAnswer> {
    let (media, ports) = (simulation.media(code(lang)).await?, simulation.ports().await?);
    if as_json {
        let media = media.into_iter().map(|(kind, name, shows)| Medium { kind, name, shows }).collect();
        let ports = ports.into_iter().map(|(port, role, kind)| Port { port, role, kind }).collect();
        print(|out| json(out, &Choice { schema: "blanche-simulation/1", media, ports }))?;
        return Ok(Exit::Clean);
    }
    print(|out| {
        for (kind, name, shows) in &media {
            writeln!(out, "{:<17} {}. {}", harmless(kind), harmless(name), harmless(shows))?;
        }
        for (port, role, kind) in &ports {
            let kind = if kind.is_empty() { lang.pick("libre", "free").to_owned() } else { harmless(kind) };
            writeln!(out, "{} {} ({}): {kind}", lang.pick("prise", "port"), harmless(port), harmless(role))?;
        }
        Ok(())
    })?;
    Ok(Exit::Clean)
}

fn say(as_json: bool, plugged: &Plugged<'_>, done: &str, lang: Lang) -> Result<Exit, NoAnswer> {
    print(|out: &mut dyn Write| -> io::Result<()> {
        if as_json {
            return json(out, plugged);
        }
        writeln!(out, "{}{} {} {done}", harmless(plugged.port), words::colon(lang), harmless(plugged.kind))
    })?;
    Ok(Exit::Clean)
}
