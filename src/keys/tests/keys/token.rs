//! The classical key in a token: SoftHSM2 with Debian's own settings (/var/lib/softhsm/tokens; root or group softhsm).

use crate::claims::{encoded, now};
use crate::world::{SITE, STATION, World, keys, secret, succeeds};
use blanche_keys::KeysError;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// One test at a time: a module is started once in a process (PKCS #11, `C_Initialize`), and both tests are in
/// this one.
static ONE: Mutex<()> = Mutex::new(());

const FOLDER: &str = "/var/lib/softhsm/tokens";
const PIN: &str = "4711-0815";

fn module() -> &'static str {
    let places = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"];
    places.into_iter().find(|path| Path::new(path).exists()).expect("Debian's package softhsm2 is missing")
}

/// A token of its own for one test; deleted at its end.
struct Token(String);

impl Token {
    fn new(name: &str) -> Self {
        let label = format!("blanche-{name}-{}", std::process::id());
        let arguments = ["--init-token", "--free", "--label", &label, "--pin", PIN, "--so-pin", PIN];
        succeeds("softhsm2-util", &arguments);
        Self(label)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        let _ = std::process::Command::new("softhsm2-util").args(["--delete-token", "--token", &self.0]).output();
    }
}

fn request(world: &World, token: &Token, key: &str) -> Result<String, KeysError> {
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    let who = ["request", "--folder", &folder, "--station", STATION, "--site", SITE, "--passphrase-file", &pass];
    let token = ["--token-module", module(), "--token", &token.0, "--token-key", key, "--token-folder", FOLDER];
    keys(&[&who[..], &token].concat())
}

#[test]
fn a_key_in_a_token_signs_and_never_stands_on_the_disk() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::with_authorities();
    secret(&world.at("station.pass"), &format!("the passphrase of the station\n{PIN}\n"));
    let token = Token::new("signs");
    request(&world, &token, "first").unwrap();
    assert!(!world.at("station/classical.key").exists());
    world.issue(365);
    let signer = world.spawn().unwrap();
    assert!(signer.describe().unwrap().uses_token);
    for counter in 1..=3 {
        let envelope = signer.sign(&encoded(STATION, SITE, counter)).unwrap();
        world.trust().verify(&envelope, now()).unwrap();
    }
    let born = signer.born().unwrap();
    assert!(born.no_new_privileges && born.landlock_abi >= 2 && born.allowed_system_calls > 0);
    drop(signer);
    // A rotation makes the new key in the token too, under another label.
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    let rotate = |key: &[&str]| keys(&[&["rotate", "--folder", &folder, "--passphrase-file", &pass], key].concat());
    assert!(matches!(rotate(&["--token-key", "first"]), Err(KeysError::Token(_))));
    rotate(&["--token-key", "second"]).unwrap();
    world.certify("station/next", 365);
    rotate(&[]).unwrap();
    assert!(fs::read_to_string(world.at("station/signer.toml")).unwrap().contains("\"second\""));
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 4)).unwrap();
    world.trust().verify(&envelope, now()).unwrap();
}

#[test]
fn a_wrong_pin_a_missing_pin_and_an_unknown_token_are_refused() {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::with_authorities();
    let token = Token::new("pins");
    let refused = |pass: &str, label: &Token, words: &str| {
        secret(&world.at("station.pass"), pass);
        let error = request(&world, label, "first").unwrap_err();
        assert!(matches!(error, KeysError::Token(_)) && error.to_string().contains(words), "{error}");
        let _ = fs::remove_dir_all(world.at("station"));
    };
    refused("the passphrase of the station\n", &token, "second line");
    refused("the passphrase of the station\n0000\n", &token, "check the PIN");
    refused(&format!("the passphrase of the station\n{PIN}\n"), &Token("unknown".into()), "0 tokens have the label");
}
