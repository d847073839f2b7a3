//! A small parent for the tests: starts the real `blanche-matcher`, loads bases made here, and scans bytes.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test binary uses a part of it, and a station that cannot be built must stop the test"
)]

use blanche_engines::selftest::eicar;
use blanche_sandbox::birth::{Birth, Child, ResourceLimits, Role};
use blanche_sandbox::wire::{
    Answer, Cause, Container, ContainerProof, EngineLimits, EngineSet, Finding, FromMatcher, FromZygote, LoadFailure,
    ScanPiece, Scanned, SelfTestResult, Severity, ToMatcher, ToZygote, ZygoteJob,
};
use blanche_sandbox::{Channel, content};
use std::fs;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a loaded machine, short enough to notice a hang.
const PATIENCE: Duration = Duration::from_secs(120);

pub const LIMITS: EngineLimits = EngineLimits {
    max_file_size: 0,
    max_scan_size: 1 << 30,
    max_files: 10_000,
    max_recursion: 17,
    max_scan_time: 60_000,
    max_rules_time: 10,
    max_matcher_memory: 2 << 30,
};

/// A rule file that finds EICAR without holding its text.
pub const EICAR_RULE: &str = r#"
rule eicar_test_file {
    meta:
        severity = "malicious"
    strings:
        $a = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD/
    condition:
        $a
}
"#;

/// Folders with bases and rules, readable by the service user.
pub struct Bases {
    pub clamav: TempDir,
    pub rules: TempDir,
}

pub fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

impl Bases {
    /// EICAR anywhere in content (ClamAV and YARA), with dated manifests.
    pub fn eicar() -> Self {
        let (clamav, rules) = (folder(), folder());
        let digits: String = eicar().iter().map(|byte| format!("{byte:02x}")).collect();
        fs::write(clamav.path().join("test.ndb"), format!("Eicar-Test:0:*:{digits}\n")).unwrap();
        fs::write(rules.path().join("eicar.yar"), EICAR_RULE).unwrap();
        for (folder, name) in [(&clamav, "test"), (&rules, "test rules")] {
            let manifest = format!("name = '{name}'\nversion = '7'\ndate = 2026-11-22\n");
            fs::write(folder.path().join("manifest.toml"), manifest).unwrap();
        }
        Self { clamav, rules }
    }

    pub fn with_rule(self, file: &str, text: &str) -> Self {
        fs::write(self.rules.path().join(file), text).unwrap();
        self
    }
}

/// A zygote that has loaded.
pub struct Station {
    zygote: Rc<Child>,
    pub set: EngineSet,
}

/// The program, and how long a child may wait for anything.
fn zygote() -> Rc<Child> {
    let program = Path::new(env!("CARGO_BIN_EXE_blanche-matcher"));
    let limits = ResourceLimits::default();
    Rc::new(Child::spawn(&Birth { program, arguments: &[], medium: None, limits, role: Role::Zygote }).unwrap())
}

pub fn load(bases: &Bases, limits: EngineLimits) -> Result<Station, LoadFailure> {
    let zygote = zygote();
    let job =
        ZygoteJob { clamav: vec!["clamav".to_owned()], rules: vec!["rules".to_owned()], limits, tmpfs_bytes: 1 << 30 };
    let folders = [fs::File::open(bases.clamav.path()).unwrap(), fs::File::open(bases.rules.path()).unwrap()];
    zygote.channel().send(&ToZygote::Load(job), &[folders[0].as_fd(), folders[1].as_fd()]).unwrap();
    match zygote.channel().receive::<FromZygote>(Some(PATIENCE)).unwrap().message {
        FromZygote::Loaded(set) => Ok(Station { zygote, set }),
        FromZygote::LoadFailed(failure) => Err(failure),
        other => panic!("{other:?}"),
    }
}

impl Station {
    pub fn eicar() -> Self {
        load(&Bases::eicar(), LIMITS).unwrap()
    }

    /// A zygote whose proved containers count.
    pub fn armed() -> Self {
        Self::armed_with(&Bases::eicar(), LIMITS)
    }

    pub fn armed_with(bases: &Bases, limits: EngineLimits) -> Self {
        let station = load(bases, limits).unwrap();
        let proofs = station.matcher().self_test().1;
        station.arm(&proofs.iter().filter(|proof| proof.proved).map(|proof| proof.container).collect::<Vec<_>>());
        station
    }

    pub fn arm(&self, containers: &[Container]) {
        self.zygote.channel().send(&ToZygote::Arm(containers.to_vec()), &[]).unwrap();
    }

    pub fn matcher(&self) -> Matcher {
        let (ours, theirs) = Channel::pair().unwrap();
        let theirs = theirs.into_fd();
        self.zygote.channel().send(&ToZygote::Fork, &[theirs.as_fd()]).unwrap();
        drop(theirs);
        let received = self.zygote.channel().receive::<FromZygote>(Some(PATIENCE)).unwrap();
        let FromZygote::Forked { pid } = received.message else { panic!("{:?}", received.message) };
        let pidfd = received.fds.into_iter().next().unwrap();
        Matcher(Child::adopt(ours, pid, pidfd).unwrap(), Rc::clone(&self.zygote))
    }
}

/// A confined matcher, and its zygote, with which it would die.
pub struct Matcher(pub Child, Rc<Child>);

impl Matcher {
    pub fn self_test(&self) -> (Vec<SelfTestResult>, Vec<ContainerProof>) {
        self.0.channel().send(&ToMatcher::SelfTest, &[]).unwrap();
        match self.0.channel().receive::<FromMatcher>(Some(PATIENCE)).unwrap().message {
            FromMatcher::SelfTested { results, containers } => (results, containers),
            other => panic!("{other:?}"),
        }
    }

    pub fn scan(&self, bytes: &[u8], extension: &str) -> Scanned {
        self.scan_all(&[(bytes, extension)]).remove(0)
    }

    /// Many pieces in one object, in their order.
    pub fn scan_all(&self, contents: &[(&[u8], &str)]) -> Vec<Scanned> {
        let mut file = content::writable().unwrap();
        let mut pieces = Vec::new();
        let mut offset = 0;
        for (entry, (bytes, extension)) in contents.iter().enumerate() {
            file.write_all(bytes).unwrap();
            let length = bytes.len() as u64;
            pieces.push(ScanPiece {
                area: false,
                entry: entry as u32,
                offset,
                length,
                extensions: vec![(*extension).to_owned()],
                hash_only: false,
            });
            offset += length;
        }
        let object = content::seal(file).unwrap();
        self.0.channel().send(&ToMatcher::Scan { pieces, prompt: false }, &[object.as_fd()]).unwrap();
        let mut scanned = Vec::new();
        while scanned.len() < contents.len() {
            let message = self.0.channel().receive::<FromMatcher>(Some(PATIENCE)).unwrap().message;
            let FromMatcher::Answers(answers) = message else { panic!("{message:?}") };
            scanned.extend(answers.into_iter().map(|answer| match answer {
                Answer::Scanned(scanned) => *scanned,
                Answer::Hashed(other) => panic!("{other:?}"),
            }));
        }
        scanned
    }
}

pub fn malicious(scanned: &Scanned) -> Vec<&Finding> {
    scanned.findings.iter().filter(|finding| finding.severity == Severity::Malicious).collect()
}

/// Nothing found and nothing left out: what a person would read as clean.
pub fn looks_clean(scanned: &Scanned) -> bool {
    scanned.not_checked.is_empty() && scanned.findings.iter().all(|finding| finding.severity == Severity::Info)
}

pub fn causes(scanned: &Scanned) -> &[Cause] {
    &scanned.not_checked
}

/// Runs a tool in a folder; a tool that is missing or fails stops the test.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; install it (make deps)"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
