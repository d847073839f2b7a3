//! A workstation with a trust folder of test keys, and a station that it trusts.

use crate::program::{self, Answer};
use base64ct::{Base64, Encoding};
use blanche_tag::envelope::Algorithm;
use blanche_tag::testing::{
    Certificate, DAY, Keys, Station, both, end_certificate, issuer_certificate, root_certificate,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) station: Station,
    pub(crate) root: Keys,
    pub(crate) issuer: Keys,
    /// When the tags of this world are issued: a day ago.
    pub(crate) issued: u64,
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = Base64::encode_string(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Installs an authority in a trust folder.
pub(crate) fn install(trust: &Path, name: &str, anchors: &[Vec<u8>; 2]) {
    let folder = trust.join("authorities").join(name);
    fs::create_dir_all(&folder).unwrap();
    for (file, der) in ["classical.pem", "post-quantum.pem"].iter().zip(anchors) {
        fs::write(folder.join(file), pem("CERTIFICATE", der)).unwrap();
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let (root, issuer, station) = (Keys::new("root"), Keys::new("issuer"), Keys::new("station"));
        let valid =
            |certificate: Certificate<'static>| Certificate { from: now - 30 * DAY, to: now + 90 * DAY, ..certificate };
        let chains = Algorithm::BOTH.map(|algorithm| {
            vec![
                valid(end_certificate()).make(algorithm, &station, &issuer),
                valid(issuer_certificate()).make(algorithm, &issuer, &root),
            ]
        });
        let station = Station { keys: station, chains };
        let world = Self { folder: tempfile::tempdir().unwrap(), station, root, issuer, issued: now - DAY };
        let anchors =
            both(|algorithm| valid(root_certificate("TEST authority")).make(algorithm, &world.root, &world.root));
        install(&world.trust(), "test", &anchors);
        world.publish(5, &[]);
        world
    }

    /// Writes the CRLs of both CAs under this number.
    pub(crate) fn publish(&self, number: u8, revoked: &[u8]) {
        let folder = self.trust().join("crls");
        fs::create_dir_all(&folder).unwrap();
        for (algorithm, kind) in Algorithm::BOTH.into_iter().zip(["classical", "post-quantum"]) {
            let at = self.issued - DAY;
            let root = self.root.crl(algorithm, "TEST authority", number, at, &[]);
            // One form of each.
            fs::write(folder.join(format!("root-{kind}.crl")), root).unwrap();
            let issuer = self.issuer.crl(algorithm, "TEST site-a", number, at, revoked);
            fs::write(folder.join(format!("site-{kind}.crl")), pem("X509 CRL", &issuer)).unwrap();
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn trust(&self) -> PathBuf {
        self.path("trust")
    }

    /// Runs the program with its memory in this world.
    pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Answer {
        let mut command = program::command();
        command.arg("--trust").arg(self.trust()).arg("--memory").arg(self.path("memory/memory.json"));
        command.args(arguments);
        program::finish(command)
    }

    /// Verifies a target, as JSON.
    pub(crate) fn verify(&self, target: &Path, more: &[&str]) -> Answer {
        let mut arguments = vec!["--json".into(), target.as_os_str().to_owned()];
        arguments.extend(more.iter().map(Into::into));
        self.run(&arguments)
    }
}
