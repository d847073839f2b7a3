//! Keys for tests, made as an administrator makes them: with `blanche keys`, in folders of their own.

use crate::station::{Station, program};
use crate::tools::{run, try_run};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// An authority, its stations, and what a workstation that trusts it has.
#[derive(Debug)]
pub struct Ceremony {
    folder: PathBuf,
}

impl Ceremony {
    /// A new authority in `folder`, which is to be empty.
    ///
    /// # Panics
    /// When a step of the ceremony fails.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        private(folder);
        let ceremony = Self { folder: folder.to_owned() };
        let secret = ceremony.passphrase();
        std::fs::write(&secret, "correct horse battery staple\n").expect("a writable folder");
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("our own file");
        ceremony.keys(&["authority", "--name", "test"], &[("--folder", &ceremony.authority())]);
        ceremony
    }

    fn passphrase(&self) -> PathBuf {
        self.folder.join("passphrase")
    }

    /// The folder of the authority.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.join("authority")
    }

    /// `blanche keys WORDS`, with the passphrase.
    ///
    /// # Panics
    /// When it fails.
    pub fn keys(&self, words: &[&str], folders: &[(&str, &Path)]) -> String {
        let output = self.try_keys(words, folders);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(output.status.success(), "{words:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The same, whatever comes out.
    #[must_use]
    pub fn try_keys(&self, words: &[&str], folders: &[(&str, &Path)]) -> Output {
        let mut arguments: Vec<PathBuf> = ["--lang", "en", "keys"].iter().chain(words).map(PathBuf::from).collect();
        for (name, folder) in folders {
            arguments.extend([PathBuf::from(name), (*folder).to_owned()]);
        }
        if words.first() != Some(&"list") {
            arguments.extend(["--passphrase-file".into(), self.passphrase()]);
        }
        let blanche = program("blanche");
        try_run(&self.folder, blanche.to_str().expect("UTF-8"), arguments)
    }

    /// Keys of a station, with certificates; returns their folder.
    ///
    /// # Panics
    /// When a step of the ceremony fails.
    #[must_use]
    pub fn certify(&self, station: &str, site: &str) -> PathBuf {
        let (keys, issued) =
            (self.folder.join(format!("keys-{station}")), self.folder.join(format!("issued-{station}")));
        let name = ["--station", station, "--site", site];
        self.keys(&[&["request"][..], &name].concat(), &[("--folder", &keys)]);
        let requests = ["classical.csr", "post-quantum.csr"].map(|request| keys.join(request));
        let requests: Vec<&str> = requests.iter().map(|request| request.to_str().expect("UTF-8")).collect();
        let words = [&["issue"][..], &name, &requests].concat();
        self.keys(&words, &[("--authority", &self.authority()), ("--out", &issued)]);
        for chain in ["classical.pem", "post-quantum.pem", "classical.checkpoint.pem", "post-quantum.checkpoint.pem"] {
            std::fs::copy(issued.join(chain), keys.join(chain)).expect("an issued chain");
        }
        keys
    }

    /// A trust folder with what the authority publishes now, under this name.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn trust(&self, name: &str) -> PathBuf {
        let (trust, authority) = (self.folder.join(name), self.authority());
        let anchors = trust.join("authorities/test");
        for folder in [&trust, &trust.join("authorities"), &anchors, &trust.join("crls"), &trust.join("lists")] {
            private(folder);
        }
        for anchor in ["classical.pem", "post-quantum.pem"] {
            std::fs::copy(authority.join(anchor), anchors.join(anchor)).expect("an anchor");
        }
        for published in ["crls", "lists"] {
            for entry in std::fs::read_dir(authority.join(published)).into_iter().flatten() {
                let entry = entry.expect("a published file");
                std::fs::copy(entry.path(), trust.join(published).join(entry.file_name())).expect("room");
            }
        }
        trust
    }

    /// Lets `station` seal under this name, and trust its own authority.
    ///
    /// # Panics
    /// When a step of the ceremony fails.
    pub fn equip(&self, station: &mut Station, name: &str, site: &str) {
        let detached = self.folder.join("tags");
        private(&detached);
        let set = |station: &mut Station, key: &str, folder: &Path| {
            station.set("seal", key, &format!("{:?}", folder.to_str().expect("UTF-8")));
        };
        set(station, "keys", &self.certify(name, site));
        set(station, "trust", &self.trust("trust"));
        set(station, "detached", &detached);
    }
}

/// A folder that only we may enter.
fn private(folder: &Path) {
    std::fs::create_dir_all(folder).expect("a writable folder");
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).expect("our own folder");
}

/// The trust folder in the form that the second verifier reads: DER, one file per anchor and CRL.
///
/// # Panics
/// When openssl is missing or a file is none of its kind.
#[must_use]
pub fn in_der(trust: &Path, to: &Path) -> (PathBuf, PathBuf) {
    let (authority, crls) = (to.join("authority"), to.join("crls"));
    std::fs::create_dir_all(&authority).and_then(|()| std::fs::create_dir_all(&crls)).expect("a writable folder");
    let convert = |kind: &str, from: &Path, to: &Path| {
        let arguments = [kind.as_ref(), "-in".as_ref(), from.as_os_str(), "-outform".as_ref(), "der".as_ref()];
        run(Path::new("/"), "openssl", arguments.into_iter().chain(["-out".as_ref(), to.as_os_str()]));
    };
    let anchors = trust.join("authorities/test");
    convert("x509", &anchors.join("classical.pem"), &authority.join("classical.der"));
    convert("x509", &anchors.join("post-quantum.pem"), &authority.join("post_quantum.der"));
    for (number, entry) in std::fs::read_dir(trust.join("crls")).expect("CRLs").enumerate() {
        convert("crl", &entry.expect("a CRL").path(), &crls.join(number.to_string()));
    }
    (authority, crls)
}
