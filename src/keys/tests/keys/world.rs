//! A ceremony in a temporary folder, typed as an administrator types it.

use crate::claims::Trust;
use blanche_keys::{KeysCommand, KeysError, SignerClient, SignerError, run_to};
use clap::{CommandFactory as _, Parser};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub(crate) const SIGNER: &str = env!("CARGO_BIN_EXE_blanche-signer");
pub(crate) const SITE: &str = "site-a";
pub(crate) const STATION: &str = "station-1";

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: KeysCommand,
}

pub(crate) fn say(french: bool, arguments: &[&str]) -> Result<String, KeysError> {
    let cli = Cli::try_parse_from(std::iter::once("keys").chain(arguments.iter().copied())).expect("arguments");
    let mut out = Vec::new();
    run_to(&cli.command, french, &mut out).map(|()| String::from_utf8(out).unwrap())
}

#[test]
fn the_command_line_is_well_formed_and_every_step_says_what_it_is() {
    let mut command = Cli::command();
    command.build();
    command.clone().debug_assert();
    let about = |step: &clap::Command| step.get_about().map(ToString::to_string).unwrap_or_default();
    let said: Vec<_> = command.get_subcommands().map(|step| (step.get_name().to_owned(), about(step))).collect();
    for (name, words) in [("authority", "Make an authority"), ("request", "At a station"), ("rotate", "At a station")] {
        assert!(said.iter().any(|(step, about)| step == name && about.starts_with(words)), "{said:?}");
    }
    // What asks for a passphrase must never take one as an argument.
    let arguments = command.get_subcommands().flat_map(clap::Command::get_arguments);
    let secret = |name: &str| (name.contains("passphrase") || name.contains("pin")) && !name.ends_with("_file");
    let secrets: Vec<_> = arguments.map(|argument| argument.get_id().to_string()).filter(|id| secret(id)).collect();
    assert_eq!(secrets, ["passphrase_credential"], "the name of a credential is no secret");
}

pub(crate) fn keys(arguments: &[&str]) -> Result<String, KeysError> {
    say(false, arguments)
}

/// A temporary folder with a root, an authority for one site below it, and one station.
pub(crate) struct World {
    folder: tempfile::TempDir,
}

pub(crate) fn secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Names below a folder, modes, and contents of files; folders come before what is in them.
type Tree = Vec<(String, u32, Option<Vec<u8>>)>;

fn read_tree(root: &Path) -> Tree {
    let mut tree = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let status = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let content = status.is_file().then(|| fs::read(&path).unwrap());
            tree.push((name, status.permissions().mode() & 0o7777, content));
            if status.is_dir() {
                folders.push(path);
            }
        }
    }
    tree
}

fn private_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

impl World {
    /// Made once and kept in memory: each key costs a good part of a second.
    fn copy(template: &OnceLock<(String, Tree)>, make: fn() -> Self) -> Self {
        let (old, tree) = template.get_or_init(|| {
            let world = make();
            (world.text("station.pass"), read_tree(world.folder.path()))
        });
        let world = Self { folder: private_folder() };
        for (name, mode, content) in tree {
            let path = world.at(name);
            match content {
                Some(content) => fs::write(&path, content).unwrap(),
                None => fs::create_dir(&path).unwrap(),
            }
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let settings = world.at("station/signer.toml");
        if settings.exists() {
            let text = fs::read_to_string(&settings).unwrap();
            fs::write(settings, text.replace(old, &world.text("station.pass"))).unwrap();
        }
        world
    }

    /// Only a folder with passphrase files in it.
    fn empty() -> Self {
        let folder = private_folder();
        let world = Self { folder };
        secret(&world.at("root.pass"), "the passphrase of the root\n");
        secret(&world.at("site.pass"), "the passphrase of the site\n");
        secret(&world.at("station.pass"), "the passphrase of the station\n");
        world
    }

    /// Root and site.
    pub(crate) fn with_authorities() -> Self {
        static TEMPLATE: OnceLock<(String, Tree)> = OnceLock::new();
        Self::copy(&TEMPLATE, || {
            let world = Self::empty();
            world.root();
            world.site();
            world
        })
    }

    /// Root, site, and a certified station.
    pub(crate) fn with_station() -> Self {
        static TEMPLATE: OnceLock<(String, Tree)> = OnceLock::new();
        Self::copy(&TEMPLATE, || {
            let world = Self::with_authorities();
            world.request();
            world.issue(365);
            world
        })
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.at(name).to_str().unwrap().to_owned()
    }

    fn root(&self) {
        let (folder, pass) = (self.text("root"), self.text("root.pass"));
        keys(&["authority", "--folder", &folder, "--name", "acme", "--passphrase-file", &pass]).unwrap();
    }

    fn site(&self) {
        let (folder, pass) = (self.text("site"), self.text("site.pass"));
        let (root, root_pass) = (self.text("root"), self.text("root.pass"));
        let name = ["authority", "--folder", &folder, "--name", "acme-a", "--site", SITE, "--days", "3000"];
        let from = ["--under", &root, "--under-passphrase-file", &root_pass, "--passphrase-file", &pass];
        keys(&[&name[..], &from[..]].concat()).unwrap();
    }

    pub(crate) fn request(&self) -> String {
        let (folder, pass) = (self.text("station"), self.text("station.pass"));
        keys(&["request", "--folder", &folder, "--station", STATION, "--site", SITE, "--passphrase-file", &pass])
            .unwrap()
    }

    /// Certificates for the requests in `station`, carried back.
    pub(crate) fn issue(&self, days: u64) -> String {
        self.certify("station", days)
    }

    pub(crate) fn certify(&self, folder: &str, days: u64) -> String {
        let (site, pass, out) = (self.text("site"), self.text("site.pass"), self.text(&format!("{folder}.out")));
        let (one, two) =
            (self.text(&format!("{folder}/classical.csr")), self.text(&format!("{folder}/post-quantum.csr")));
        let who = ["issue", "--authority", &site, "--station", STATION, "--site", SITE, "--out", &out];
        let days = days.to_string();
        let rest = ["--days", &days, "--passphrase-file", &pass, &one, &two];
        let said = keys(&[&who[..], &rest[..]].concat()).unwrap();
        for name in ["classical.pem", "post-quantum.pem", "classical.checkpoint.pem", "post-quantum.checkpoint.pem"] {
            fs::rename(Path::new(&out).join(name), self.at(folder).join(name)).unwrap();
        }
        fs::remove_dir(&out).unwrap();
        said
    }

    pub(crate) fn revoke(&self, authority: &str, arguments: &[&str]) -> Result<String, KeysError> {
        let (folder, pass) = (self.text(authority), self.text(&format!("{authority}.pass")));
        keys(&[&["revoke", "--authority", &folder, "--passphrase-file", &pass][..], arguments].concat())
    }

    pub(crate) fn spawn(&self) -> Result<SignerClient, SignerError> {
        SignerClient::spawn(Path::new(SIGNER), &self.at("station"))
    }

    /// What an administrator installs on a workstation.
    pub(crate) fn trust(&self) -> Trust {
        let files = |name: &str| -> Vec<PathBuf> {
            let both = ["root", "site"].map(|authority| self.at(authority).join(name));
            let entries = both.into_iter().flat_map(|folder| fs::read_dir(folder).unwrap());
            entries.map(|entry| entry.unwrap().path()).collect()
        };
        Trust {
            anchors: ["classical", "post-quantum"].map(|name| der(&self.at(&format!("root/{name}.pem")))),
            crls: files("crls").iter().map(|path| der(path)).collect(),
            lists: files("lists").iter().map(|path| fs::read(path).unwrap()).collect(),
        }
    }
}

/// The first block of a PEM file, in DER.
pub(crate) fn der(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    let end = text.find("-----END").unwrap();
    let length = text[end..].find('\n').map_or(text.len(), |line| end + line + 1);
    let (_, document) = x509_cert::der::Document::from_pem(&text[..length]).unwrap();
    document.as_bytes().to_vec()
}

/// Runs a program and gives back whether it succeeded and everything that it said.
pub(crate) fn tool(program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// Runs a program that has to succeed.
pub(crate) fn succeeds(program: &str, arguments: &[&str]) -> String {
    let (succeeded, said) = tool(program, arguments);
    assert!(succeeded, "{program} {arguments:?}: {said}");
    said
}
