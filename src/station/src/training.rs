//! Training: a whole station without hardware, for those who learn, those who show and those who test.
//!
//! Everything behind the sockets is what a real station has: the daemon, the engines in their sandboxes, the journal, the
//! bus. Only devices are made up ([`Training`]): media are image files, and what is plugged in is ordered on the bus.
//!
//! A tag of such a station must be worth nothing elsewhere. So it never sees a station's keys: `authority` makes an
//! authority for this one run, has it certify this one station, and destroys its keys. Journal, tags and images are in a
//! private folder ([`Home`]), whatever the configuration says.
//!
//! | module | what |
//! |---|---|
//! | `kinds` | what can be plugged in, and what it shows |
//! | `files`, `archive` | what is on it |
//! | `image` | the medium itself |
//! | `sockets` | what is where, the hand that plugs, and how slow each medium is meant to be |
//! | `home`, `authority` | the private folder, and the keys of one run |

mod archive;
mod authority;
mod files;
mod home;
mod image;
mod kinds;
mod sockets;

pub use home::Home;
pub use kinds::Kind;
pub use sockets::{PlugError, Training};

use crate::daemon::{AskSigner, MachineClocks, Parts};
use crate::detect::simulated;
use crate::session::Rules;
use blanche_keys::KeysError;
use blanche_scan::settings::{PortRole, PortSettings, Seal, Settings};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Name and site of the station in its certificates and tags.
const STATION: &str = "training";
/// The policy that stands in every tag of a training station.
const POLICY: &str = "training";
/// A tag that is worth nothing is not kept for long.
const VALIDITY: Duration = Duration::from_secs(24 * 3600);
/// Small files are handed over in such parts, so that a person sees the slow medium move.
const BATCH: u64 = 256 << 10;

/// Sockets of a station whose configuration declares none: name, and what each is for.
const PORTS: [(&str, PortRole); 3] =
    [("front-1", PortRole::Input), ("front-2", PortRole::Input), ("output-1", PortRole::Output)];

/// What is asked of a training station.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// Folder with more media: each image in it is one.
    pub images: Option<PathBuf>,
    /// Folder with `clamav` and `rules` in place of the bases of the configuration.
    pub bases: Option<PathBuf>,
    /// Folder that stays after the end; must not exist, or be empty.
    pub state: Option<PathBuf>,
}

/// Why there is no training station.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// A folder cannot be used.
    #[error("{}: {source}; choose another folder", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The state of an earlier run is there.
    #[error("{}: is not empty; --state needs a new folder for each run", .0.display())]
    NotEmpty(PathBuf),
    /// The throw-away authority could not be made.
    #[error("the throw-away authority: {0}")]
    Keys(#[from] KeysError),
}

impl TrainingError {
    fn folder(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Folder { path, source }
    }
}

/// Everything of a training station but its bus.
#[derive(Debug)]
pub struct Prepared {
    /// The configuration, with everything replaced that a real station would be hurt by.
    pub settings: Arc<Settings>,
    /// What the daemon is made of.
    pub parts: Parts,
    /// The hand that plugs.
    pub training: Arc<Training>,
    /// The private folder; removed when this is dropped, unless it was asked for.
    pub home: Home,
}

/// Makes a training station out of a configuration. `signer` asks whether its signer answers.
///
/// # Errors
/// [`TrainingError`].
pub fn prepare(
    mut settings: Settings,
    wishes: &Wishes,
    signer: impl FnOnce(Arc<Settings>) -> AskSigner,
) -> Result<Prepared, TrainingError> {
    if let Some(images) = &wishes.images {
        std::fs::read_dir(images).map_err(TrainingError::folder(images))?;
    }
    let home = Home::make(wishes.state.as_deref())?;
    let seal = authority::make(home.path())?;
    tame(&mut settings, wishes, seal, home.path());
    let settings = Arc::new(settings);
    let (source, sockets) = simulated::machine();
    let training = Arc::new(Training::new(sockets, &settings, home.media(), wishes.images.clone()));
    let parts = Parts {
        settings: Arc::clone(&settings),
        source: Box::new(source),
        gate: Box::new(Arc::clone(&training)),
        rules: Rules::of(&settings),
        signer: Some(signer(Arc::clone(&settings))),
        clocks: Box::new(MachineClocks),
        logind: None,
        simulated: true,
    };
    Ok(Prepared { settings, parts, training, home })
}

/// The hand alone, and nobody who looks at what it plugs in: for whoever plays a station. `media`: where images are made.
#[must_use]
pub fn hand(settings: &Settings, media: PathBuf) -> Arc<Training> {
    let (_, sockets) = simulated::machine();
    Arc::new(Training::new(sockets, settings, media, None))
}

/// Takes out of a configuration what belongs to a real station, and what a beginner would only stumble over.
fn tame(settings: &mut Settings, wishes: &Wishes, seal: Seal, home: &Path) {
    if let Some(bases) = &wishes.bases {
        settings.bases.clamav = vec![bases.join("clamav")];
        settings.bases.rules = vec![bases.join("rules")];
    }
    // The bases of this repository are as old as they are.
    settings.bases.fresh = Vec::new();
    settings.bases.required = Vec::new();
    settings.known_results.file = None;
    settings.seal = seal;
    settings.journal.folder = home.join("journal");
    // Made-up devices are on nobody's list.
    settings.admit.allow = Vec::new();
    settings.reader.batch_bytes = settings.reader.batch_bytes.min(BATCH);
    if settings.ports.is_empty() {
        let declared = |(port, role): (&str, PortRole)| PortSettings {
            port: port.to_owned(),
            role,
            name: String::new(),
            vendor: None,
            product: None,
        };
        settings.ports = PORTS.map(declared).to_vec();
    }
}
