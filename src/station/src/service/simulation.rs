//! `org.blanche.Simulation1`: the hand that plugs made-up media in. Only a simulated station has it.

use super::clerk::Clerk;
use super::error::Error;
use super::session::language;
use crate::training::Training;
use std::sync::Arc;
use zbus::interface;

/// Beside the station, on the same object.
#[derive(Debug)]
pub(super) struct SimulationObject {
    training: Arc<Training>,
    clerk: Clerk,
}

impl SimulationObject {
    pub(super) fn new(training: Arc<Training>, clerk: Clerk) -> Self {
        Self { training, clerk }
    }
}

/// Training and demonstration. Its words are listed in docs/training.md.
#[interface(name = "org.blanche.Simulation1")]
impl SimulationObject {
    /// What can be plugged in: kind, name in "fr" or "en", and a sentence on what it shows.
    #[zbus(out_args("media"))]
    async fn media(&self, lang: &str) -> Result<Vec<(String, String, String)>, Error> {
        let (training, lang) = (Arc::clone(&self.training), language(lang)?);
        let media = self.clerk.ask(move || training.media(lang)).await?;
        media.map_err(|error| Error::Failed(format!("the folder with images: {error}")))
    }

    /// The sockets: name, what each is for ("input", "output", "own", "hub"; empty when it is not declared), and the kind
    /// that is plugged in (empty when nothing is).
    #[zbus(out_args("ports"))]
    fn ports(&self) -> Vec<(String, String, String)> {
        self.training.ports().into_iter().map(|(port, role, kind)| (port, role.to_owned(), kind)).collect()
    }

    /// Makes a medium and plugs it in; an empty port stands for the first that is free and fits. Gives the port, by which the
    /// session is found (Medium of org.blanche.Session1).
    #[zbus(out_args("port"))]
    async fn insert(&self, kind: &str, port: &str) -> Result<String, Error> {
        let (training, kind, port) = (Arc::clone(&self.training), kind.to_owned(), port.to_owned());
        Ok(self.clerk.ask(move || training.insert(&kind, &port)).await??)
    }

    /// Pulls out what is plugged in there; an empty port stands for the only one that is taken. Gives the port.
    #[zbus(out_args("port"))]
    async fn remove(&self, port: &str) -> Result<String, Error> {
        let (training, port) = (Arc::clone(&self.training), port.to_owned());
        Ok(self.clerk.ask(move || training.remove(&port)).await??)
    }
}
