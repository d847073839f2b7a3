//! Secrets that others can read, and settings that others can change, are refused with what to do.

use crate::claims::encoded;
use crate::world::{SITE, STATION, World, keys, succeeds};
use blanche_keys::KeysError;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_the_ceremony_makes_is_for_its_user_only() {
    let world = World::with_station();
    for folder in ["root", "site", "station", "station/counter"] {
        assert_eq!(mode(&world.at(folder)), 0o700, "{folder}");
    }
    let secrets = ["root/classical.key", "root/post-quantum.key", "station/classical.key", "station/post-quantum.key"];
    for secret in secrets.into_iter().chain(["station/signer.toml", "station/counter/highest"]) {
        assert_eq!(mode(&world.at(secret)), 0o600, "{secret}");
    }
}

#[test]
fn keys_and_passphrases_that_others_may_read_are_refused_with_the_remedy() {
    let world = World::with_station();
    for (file, bad) in [("site/classical.key", 0o640), ("site/post-quantum.key", 0o604), ("site.pass", 0o644)] {
        let path = world.at(file);
        set(&path, bad);
        let error = world.revoke("site", &["--renew"]).unwrap_err();
        let remedy = format!("chmod 0600 {}", path.display());
        assert!(matches!(error, KeysError::Mode { .. }) && error.exit_code() == 2, "{error}");
        assert!(error.to_string().ends_with(&remedy), "{error}");
        assert!(error.sentence(true).ends_with(&remedy), "{}", error.sentence(true));
        set(&path, 0o600);
    }
    world.revoke("site", &["--renew"]).unwrap();
}

#[test]
fn the_signer_does_not_start_with_files_that_others_may_read_or_write() {
    let world = World::with_station();
    let files = [
        ("station/classical.key", 0o640, 0o600),
        ("station/post-quantum.key", 0o602, 0o600),
        ("station/classical.pem", 0o664, 0o644),
        ("station/post-quantum.pem", 0o646, 0o644),
        ("station/signer.toml", 0o620, 0o600),
        ("station/counter/highest", 0o606, 0o600),
        ("station/counter", 0o720, 0o700),
        ("station.pass", 0o640, 0o600),
    ];
    for (file, bad, good) in files {
        set(&world.at(file), bad);
        assert!(world.spawn().is_err(), "{file} with mode {bad:o}");
        set(&world.at(file), good);
    }
    world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
}

#[test]
fn a_link_in_the_place_of_a_key_is_refused() {
    let world = World::with_station();
    let key = world.at("site/classical.key");
    fs::rename(&key, world.at("elsewhere")).unwrap();
    symlink(world.at("elsewhere"), &key).unwrap();
    assert!(matches!(world.revoke("site", &["--renew"]), Err(KeysError::Owner { .. })));
}

#[test]
fn a_key_or_folder_of_another_user_is_refused() {
    let world = World::with_station();
    for file in ["site/classical.key", "site.pass", "site/classical.pem", "site"] {
        succeeds("chown", &["65534", &world.text(file)]);
        let error = world.revoke("site", &["--renew"]).unwrap_err();
        assert!(matches!(error, KeysError::Owner { .. }) && error.exit_code() == 2, "{file}: {error}");
        succeeds("chown", &["0", &world.text(file)]);
    }
    world.revoke("site", &["--renew"]).unwrap();
}

#[test]
fn nothing_that_exists_is_overwritten() {
    let world = World::with_station();
    let pass = world.text("site.pass");
    for folder in ["site", "station"] {
        let before = fs::read(world.at(folder).join("classical.key")).unwrap();
        let path = world.text(folder);
        let authority = keys(&["authority", "--folder", &path, "--name", "new", "--passphrase-file", &pass]);
        assert!(matches!(authority, Err(KeysError::Exists { .. })));
        let arguments = ["request", "--folder", &path, "--station", "new", "--site", SITE, "--passphrase-file", &pass];
        assert!(matches!(keys(&arguments), Err(KeysError::Exists { .. })));
        assert_eq!(fs::read(world.at(folder).join("classical.key")).unwrap(), before);
    }
}

#[test]
fn settings_are_strict_and_name_the_line() {
    let world = World::with_station();
    let path = world.at("station/signer.toml");
    let good = fs::read_to_string(&path).unwrap();
    let wrong = [
        (good.replace("counter =", "countr ="), "line 3"),
        (good.replace("\"7 days\"", "7"), "line"),
        (good.replace("\"7 days\"", "\"7 weeks\""), "7 weeks"),
        (good.replace("[policy]", "[policy]\nmin_engines = 1"), "min_engines"),
        (good.replace("station-1", "Station 1"), "Station 1"),
        (good.replace("[\"daily\"]", "[\"daily.cvd\"]"), "without extension"),
        (good.replace("[policy]", ""), ""),
        (format!("{good}\n[more]\n"), "more"),
    ];
    for (text, words) in wrong {
        assert_ne!(text, good);
        fs::write(&path, &text).unwrap();
        let error = blanche_keys::signer::Settings::read(&world.at("station")).unwrap_err();
        assert!(matches!(error, KeysError::Settings { .. }), "{error}");
        assert!(error.to_string().contains(words), "{error} should say {words}");
        assert!(world.spawn().is_err(), "{text}");
    }
    fs::write(&path, good.replace("station-1", "station-2")).unwrap();
    assert!(world.spawn().is_err(), "certificates of another station");
}
