//! What is where, and the hand that plugs things in and pulls them out.

use super::image;
use super::kinds::{Content, KEY, Kind};
use crate::admit::{MadeUp, Role};
use crate::detect::simulated::{Plug, Sockets, Unit, descriptors_of};
use crate::detect::{DevPath, Disk, DiskKind};
use blanche_scan::settings::{PortRole, Settings};
use blanche_scan::words::{Lang, visible};
use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// idVendor and idProduct that nobody's device has (pid.codes: for tests at home).
const VENDOR: u16 = 0x1209;
const PRODUCT: u16 = 0x0001;
/// Things plugged in at the same time.
const MOST: usize = 16;
/// Letters of a port's name; udev's ID_PATH has fewer.
const LONGEST: usize = 128;
/// Images of the trainer's folder that are offered.
const MOST_IMAGES: usize = 1000;

/// What can be plugged in: the word with which it is ordered, what people call it, and what it shows.
pub(super) type Offer = (String, String, String);
/// A socket: its name, what it is for (empty when it is not declared), and what is in it (empty when nothing is).
pub(super) type Socket = (String, &'static str, String);

/// Why nothing was plugged in or pulled out.
#[derive(Debug, thiserror::Error)]
pub enum PlugError {
    /// There is no such kind.
    #[error("there is no such medium; Media lists those that can be plugged in")]
    NoSuchMedium,
    /// Not the name of a socket, or none is free that is for such media.
    #[error("no such port, or none is free for this medium; Ports lists them")]
    NoSuchPort,
    /// Something is in it, or the image is in another one.
    #[error("the port, or this image, is in use already; remove what is plugged in first")]
    PortTaken,
    /// Nothing is in it, or nobody said which of several.
    #[error("nothing is plugged in there, or several things are: say which port")]
    NothingThere,
    /// The trainer's folder cannot be read.
    #[error("the folder with images: {0}")]
    Images(#[source] io::Error),
    /// The image could not be made.
    #[error("the medium could not be made: {0}")]
    Image(#[from] io::Error),
}

/// A thing in a socket.
#[derive(Clone, Debug)]
struct Plugged {
    kind: String,
    /// Nothing while it is being made.
    device: Option<DevPath>,
    image: Option<PathBuf>,
    /// The image was made for this, and goes with it.
    own: bool,
    /// Bytes per second.
    pace: Option<NonZeroU64>,
}

/// What is ordered to be plugged in.
enum Medium {
    Made(Kind),
    /// An image of the trainer.
    Image(PathBuf),
}

/// The sockets of a training station.
#[derive(Debug)]
pub struct Training {
    sockets: Sockets,
    declared: Vec<(String, PortRole)>,
    /// Where images are made.
    media: PathBuf,
    /// The folder of the trainer.
    images: Option<PathBuf>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plugged: BTreeMap<String, Plugged>,
    /// Things that were ever plugged in.
    number: u64,
}

impl Training {
    pub(super) fn new(sockets: Sockets, settings: &Settings, media: PathBuf, images: Option<PathBuf>) -> Self {
        let declared = settings.ports.iter().map(|port| (port.port.clone(), port.role)).collect();
        Self { sockets, declared, media, images, state: Mutex::default() }
    }

    /// A panic of another thread leaves at most a socket that is taken by nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What can be plugged in.
    ///
    /// # Errors
    /// When the folder of the trainer cannot be read.
    pub fn media(&self, lang: Lang) -> io::Result<Vec<Offer>> {
        let made =
            Kind::ALL.map(|kind| (kind.word().to_owned(), kind.name(lang).to_owned(), kind.shows(lang).to_owned()));
        let shows = lang.pick("Une image du formateur.", "An image of the trainer's.");
        let images = self.names()?.into_iter().map(|name| {
            let shown = visible(name.as_bytes());
            (name, shown, shows.to_owned())
        });
        Ok(made.into_iter().chain(images).collect())
    }

    /// Names of the trainer's images, `*.img`: as they stand in the folder, if they are text.
    fn names(&self) -> io::Result<Vec<String>> {
        let Some(folder) = &self.images else { return Ok(Vec::new()) };
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string()
                && name.ends_with(".img")
                && fs::metadata(entry.path()).is_ok_and(|found| found.is_file())
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        names.truncate(MOST_IMAGES);
        Ok(names)
    }

    /// The sockets that are declared, then others in which something is.
    #[must_use]
    pub fn ports(&self) -> Vec<Socket> {
        let plugged: BTreeMap<String, String> =
            self.state().plugged.iter().map(|(port, plugged)| (port.clone(), plugged.kind.clone())).collect();
        let kind = |port: &str| plugged.get(port).cloned().unwrap_or_default();
        let declared = self.declared.iter().map(|(port, role)| (port.clone(), word(*role), kind(port)));
        let others = plugged.iter().filter(|(port, _)| self.declared.iter().all(|(known, _)| known != *port));
        declared.chain(others.map(|(port, kind)| (port.clone(), "", kind.clone()))).collect()
    }

    /// Plugs something in, and says where: in `port`, or in the first free one that is for such media if it is empty.
    ///
    /// # Errors
    /// [`PlugError`].
    pub fn insert(&self, kind: &str, port: &str) -> Result<String, PlugError> {
        let medium = self.medium(kind)?;
        let (port, number) = self.take(kind, port, &medium)?;
        let plugged = self.plug(&medium, &port, number);
        if plugged.is_err() {
            let taken = self.state().plugged.remove(&port);
            throw_away(taken);
        }
        plugged.map(|()| port)
    }

    fn medium(&self, kind: &str) -> Result<Medium, PlugError> {
        if let Some(kind) = Kind::named(kind) {
            return Ok(Medium::Made(kind));
        }
        // Only what was listed: a name must not lead out of the folder.
        let known = self
            .names()
            .map_err(PlugError::Images)?
            .into_iter()
            .find(|name| name == kind)
            .ok_or(PlugError::NoSuchMedium)?;
        let path = self.images.as_ref().map(|folder| folder.join(known)).ok_or(PlugError::NoSuchMedium)?;
        Ok(Medium::Image(fs::canonicalize(path)?))
    }

    /// Reserves a socket.
    fn take(&self, kind: &str, port: &str, medium: &Medium) -> Result<(String, u64), PlugError> {
        let mut state = self.state();
        let port =
            if port.is_empty() { self.free(&state, medium).ok_or(PlugError::NoSuchPort)? } else { port.to_owned() };
        if port.len() > LONGEST || !port.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/') {
            return Err(PlugError::NoSuchPort);
        }
        let image = match medium {
            Medium::Image(path) => Some(path.clone()),
            Medium::Made(_) => None,
        };
        let in_use = |plugged: &Plugged| image.is_some() && plugged.image == image;
        if state.plugged.contains_key(&port) || state.plugged.values().any(in_use) {
            return Err(PlugError::PortTaken);
        }
        if state.plugged.len() >= MOST {
            return Err(PlugError::NoSuchPort);
        }
        state.number = state.number.saturating_add(1);
        let plugged = Plugged { kind: kind.to_owned(), device: None, image, own: false, pace: None };
        state.plugged.insert(port.clone(), plugged);
        Ok((port, state.number))
    }

    /// The first socket that is declared for such media and free.
    fn free(&self, state: &State, medium: &Medium) -> Option<String> {
        let wanted = match medium {
            Medium::Made(kind) if kind.role() == Role::Output => PortRole::Output,
            Medium::Made(_) | Medium::Image(_) => PortRole::Input,
        };
        let fits = |(port, role): &&(String, PortRole)| *role == wanted && !state.plugged.contains_key(port);
        self.declared.iter().find(fits).map(|(port, _)| port.clone())
    }

    /// Makes the medium and plugs it in. What the daemon will ask about it is known before the daemon hears of it.
    fn plug(&self, medium: &Medium, port: &str, number: u64) -> Result<(), PlugError> {
        let (image, interfaces, pace) = match medium {
            Medium::Image(path) => (Some(path.clone()), KEY, None),
            Medium::Made(kind) => (self.made(*kind, number)?, kind.interfaces(), kind.pace()),
        };
        if let Some(plugged) = self.state().plugged.get_mut(port) {
            plugged.image.clone_from(&image);
            (plugged.own, plugged.pace) = (matches!(medium, Medium::Made(_)), pace);
        }
        let unit = |image: PathBuf| Unit { image: Some(image), read_only: false, kind: DiskKind::Disk };
        let plug = Plug {
            descriptors: descriptors_of(VENDOR, PRODUCT, interfaces),
            manufacturer: Some("Blanche".to_owned()),
            name: Some("Simulation".to_owned()),
            serial: Some(format!("SIMULATED-{number}")),
            units: image.into_iter().map(unit).collect(),
        };
        let device = self.sockets.insert(port, &plug)?;
        if let Some(plugged) = self.state().plugged.get_mut(port) {
            plugged.device = Some(device);
        }
        Ok(())
    }

    /// A new image; nothing for a device without a disk.
    fn made(&self, kind: Kind, number: u64) -> io::Result<Option<PathBuf>> {
        let content = kind.content();
        if matches!(content, Content::None) {
            return Ok(None);
        }
        let path = self.media.join(format!("{number}-{}.img", kind.word()));
        let made = image::make(&path, kind.capacity(), &content);
        if made.is_err() {
            // What was begun of it takes room.
            let _ = fs::remove_file(&path);
        }
        made.map(|()| Some(path))
    }

    /// Pulls something out, and says where it was: of `port`, or the only thing that is plugged in if it is empty.
    ///
    /// # Errors
    /// [`PlugError::NothingThere`].
    pub fn remove(&self, port: &str) -> Result<String, PlugError> {
        let mut state = self.state();
        let port = match (port, state.plugged.keys().next(), state.plugged.len()) {
            ("", Some(only), 1) => only.clone(),
            ("", ..) => return Err(PlugError::NothingThere),
            (named, ..) => named.to_owned(),
        };
        let found = state.plugged.get(&port).and_then(|plugged| plugged.device.clone());
        let device = found.ok_or(PlugError::NothingThere)?;
        let plugged = state.plugged.remove(&port);
        drop(state);
        self.sockets.remove(&device);
        throw_away(plugged);
        Ok(port)
    }
}

impl MadeUp for Arc<Training> {
    /// The disk goes; the device stays in its socket, as a real one does.
    fn release(&self, disk: &Disk) {
        self.sockets.remove(&disk.path);
    }

    fn pace(&self, disk: &Disk) -> Option<NonZeroU64> {
        let (state, node) = (self.state(), Some(disk.node.as_path()));
        state.plugged.values().find(|plugged| plugged.image.as_deref() == node).and_then(|plugged| plugged.pace)
    }
}

/// An image that was made for this goes with it.
fn throw_away(plugged: Option<Plugged>) {
    if let Some(image) = plugged.filter(|plugged| plugged.own).and_then(|plugged| plugged.image) {
        pull_away(&image);
    }
}

/// Nobody reads or writes a medium that was pulled out: whoever still has it open finds nothing there any more.
fn pull_away(image: &Path) {
    let emptied = OpenOptions::new().write(true).truncate(true).open(image);
    if let Err(error) = emptied.and_then(|_| fs::remove_file(image)) {
        tracing::warn!("{}: {error}", image.display());
    }
}

/// The stable word of what a socket is for.
const fn word(role: PortRole) -> &'static str {
    match role {
        PortRole::Input => "input",
        PortRole::Output => "output",
        PortRole::Own => "own",
        PortRole::Hub => "hub",
    }
}
