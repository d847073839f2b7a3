//! The ceremony from the root to a verified tag, and what it refuses.

use crate::claims::{DAY, encoded, now};
use crate::world::{SITE, STATION, World, keys, say, secret};
use blanche_keys::KeysError;
use blanche_tag::Code;
use std::fs;

fn digests(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("SHA-256")).collect()
}

#[test]
fn from_the_root_to_a_tag_that_a_workstation_accepts_and_back_by_revocation() {
    let world = World::with_authorities();
    let asked = world.request();
    let given = world.issue(365);
    assert_eq!(digests(&asked).len(), 2);
    assert_eq!(digests(&asked), digests(&given), "both machines show the same digests");
    let signer = world.spawn().unwrap();
    let described = signer.describe().unwrap();
    assert_eq!((described.station.as_str(), described.site.as_str()), (STATION, SITE));
    assert_eq!((described.next_counter, described.uses_token), (1, false));
    assert!(described.certificate_expires.abs_diff(now() + 365 * DAY) < 120);
    let envelope = signer.sign(&encoded(STATION, SITE, 1)).unwrap();
    world.trust().verify(&envelope, now()).unwrap();

    let listed = keys(&["list", "--authority", &world.text("site")]).unwrap();
    let line = listed.lines().find(|line| line.ends_with("station-1.site-a.blanche.invalid")).unwrap();
    assert!(line.contains("  valid  "), "{line}");
    let said = world.revoke("site", &["--station", STATION, "--site", SITE]).unwrap();
    assert!(said.starts_with("CRL number 2 (2 certificates revoked), list number 2 (0 tags, 0 contents)."), "{said}");
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::RevokedStation);
    let listed = keys(&["list", "--authority", &world.text("site")]).unwrap();
    let line = listed.lines().find(|line| line.ends_with("station-1.site-a.blanche.invalid")).unwrap();
    assert!(line.contains("  revoked 20"), "{line}");
}

#[test]
fn revoked_tags_and_contents_reach_workstations_and_stay_in_every_later_list() {
    let world = World::with_station();
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    world.trust().verify(&envelope, now()).unwrap();
    // With hyphens, as people copy it.
    let said = world.revoke("site", &["--tag", "019ba222-b000-7001-8002-030405060708"]).unwrap();
    assert!(said.contains("list number 2 (1 tags, 0 contents)"), "{said}");
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::RevokedTag);
    let said = world.revoke("site", &["--content", &"ab".repeat(32)]).unwrap();
    assert!(said.contains("list number 3 (1 tags, 1 contents)"), "{said}");
    let said = world.revoke("site", &["--renew"]).unwrap();
    assert!(said.starts_with("CRL number 4 (0 certificates revoked), list number 4 (1 tags, 1 contents)"), "{said}");
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::RevokedTag);
    // The root's list holds for every site.
    let world = World::with_station();
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    world.revoke("root", &["--tag", "019ba222b00070018002030405060708"]).unwrap();
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::RevokedTag);
}

#[test]
fn a_revoked_authority_takes_its_stations_with_it() {
    let world = World::with_station();
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    let listed = keys(&["list", "--authority", &world.text("root")]).unwrap();
    let line = listed.lines().find(|line| line.ends_with("  acme-a")).unwrap();
    world.revoke("root", &["--serial", line.split(' ').next().unwrap()]).unwrap();
    assert_eq!(world.trust().verify(&envelope, now()).unwrap_err().code, Code::RevokedStation);
}

#[test]
fn rotation_keeps_old_tags_valid_and_the_counter_rising() {
    let world = World::with_station();
    let old = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    let rotate = || keys(&["rotate", "--folder", &folder, "--passphrase-file", &pass]);
    let said = rotate().unwrap();
    assert!(said.contains("next/classical.csr"), "{said}");
    // Without certificates nothing changes, and the old keys go on.
    assert!(matches!(rotate(), Err(KeysError::Read { .. })));
    let second = world.spawn().unwrap().sign(&encoded(STATION, SITE, 2)).unwrap();
    world.certify("station/next", 365);
    let said = rotate().unwrap();
    assert!(said.contains("retired-1"), "{said}");
    assert!(!world.at("station/next").exists() && world.at("station/retired-1/classical.key").exists());
    let signer = world.spawn().unwrap();
    assert_eq!(signer.describe().unwrap().next_counter, 3);
    let new = signer.sign(&encoded(STATION, SITE, 3)).unwrap();
    for envelope in [&old, &second, &new] {
        world.trust().verify(envelope, now()).unwrap();
        assert_eq!(world.trust().verify(envelope, now() + 8 * DAY).unwrap_err().code, Code::Expired);
    }
}

#[test]
fn a_rotation_cut_short_goes_on_where_it_stopped() {
    let world = World::with_station();
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    let rotate = || keys(&["rotate", "--folder", &folder, "--passphrase-file", &pass]);
    rotate().unwrap();
    world.certify("station/next", 365);
    // As a power cut leaves it after the first file.
    let retiring = world.at("station/retiring");
    fs::create_dir(&retiring).unwrap();
    fs::set_permissions(&retiring, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    fs::rename(world.at("station/classical.key"), retiring.join("classical.key")).unwrap();
    fs::rename(world.at("station/next/classical.key"), world.at("station/classical.key")).unwrap();
    assert!(world.spawn().is_err(), "keys that do not fit their certificates are not used");
    assert!(rotate().unwrap().contains("retired-1"));
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    world.trust().verify(&envelope, now()).unwrap();
    // And after the last file, before the old folder got its name.
    fs::rename(world.at("station/retired-1"), world.at("station/retiring")).unwrap();
    assert!(rotate().unwrap().contains("retired-1"));
}

#[test]
fn certificates_of_another_station_are_not_put_in_use() {
    let world = World::with_station();
    let (folder, pass) = (world.text("station"), world.text("station.pass"));
    keys(&["rotate", "--folder", &folder, "--passphrase-file", &pass]).unwrap();
    for name in ["classical.pem", "post-quantum.pem"] {
        fs::copy(world.at("station").join(name), world.at("station/next").join(name)).unwrap();
    }
    let error = keys(&["rotate", "--folder", &folder, "--passphrase-file", &pass]).unwrap_err();
    assert!(error.to_string().contains("not for the classical key beside it"), "{error}");
    assert!(world.spawn().is_ok());
}

fn issue(world: &World, authority: &str, station: &str, site: &str, requests: [&str; 2]) -> Result<String, KeysError> {
    let (folder, pass, out) = (world.text(authority), world.text(&format!("{authority}.pass")), world.text("out"));
    let (one, two) = (world.text(requests[0]), world.text(requests[1]));
    let who = ["issue", "--authority", &folder, "--station", station, "--site", site, "--out", &out];
    keys(&[&who[..], &["--passphrase-file", &pass, &one, &two]].concat())
}

#[test]
fn requests_that_prove_nothing_or_name_another_are_refused() {
    let world = World::with_authorities();
    world.request();
    let requests = ["station/classical.csr", "station/post-quantum.csr"];
    let refused = |result: Result<String, KeysError>, words: &str| {
        let error = result.unwrap_err();
        assert_eq!(error.exit_code(), 7, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!world.at("out").exists(), "nothing was issued");
    };
    refused(issue(&world, "site", "station-2", SITE, requests), "another station or site");
    refused(issue(&world, "root", STATION, "site-b", requests), "another station or site");
    refused(issue(&world, "site", STATION, "site-b", requests), "site-b is not among");
    refused(issue(&world, "site", STATION, SITE, [requests[1], requests[0]]), "another algorithm");
    refused(issue(&world, "site", STATION, SITE, ["root.pass", requests[1]]), "not a request");
    // One byte of the public key changed, of the name, of the signature: no proof of possession any more.
    for (name, algorithm) in requests.iter().zip(["classical", "post-quantum"]) {
        let der = crate::world::der(&world.at(name));
        for at in [der.len() / 2, der.len() - 5] {
            let mut bad = der.clone();
            bad[at] ^= 1;
            fs::write(world.at("bad.csr"), bad).unwrap();
            let pair = if algorithm == "classical" { ["bad.csr", requests[1]] } else { [requests[0], "bad.csr"] };
            let error = issue(&world, "site", STATION, SITE, pair).unwrap_err();
            assert_eq!(error.exit_code(), 7, "{algorithm} at {at}: {error}");
        }
    }
}

#[test]
fn names_sites_and_lives_that_no_certificate_may_have_are_refused() {
    let world = World::with_authorities();
    let pass = world.text("station.pass");
    let request = |station: &str, site: &str| {
        let folder = world.text("new");
        let (station, site) = (format!("--station={station}"), format!("--site={site}"));
        keys(&["request", "--folder", &folder, &station, &site, "--passphrase-file", &pass])
    };
    for (station, site) in [("Station", SITE), ("", SITE), ("a.b", SITE), ("-a", SITE), ("a", "authority"), ("a", "é")]
    {
        assert!(matches!(request(station, site), Err(KeysError::Name(_))), "{station} {site}");
    }
    let under = |folder: &str, above: &str, site: &[&str], days: &str| {
        let (folder, pass) = (world.text(folder), world.text("site.pass"));
        let (above, above_pass) = (world.text(above), world.text(&format!("{above}.pass")));
        let first = ["authority", "--folder", &folder, "--name", "deep", "--days", days, "--passphrase-file", &pass];
        keys(&[&first[..], &["--under", &above, "--under-passphrase-file", &above_pass], site].concat())
    };
    assert!(matches!(under("x", "site", &["--site", "site-b"], "100"), Err(KeysError::Site(_))));
    assert!(matches!(under("x", "site", &[], "100"), Err(KeysError::Site(_))));
    assert!(matches!(under("x", "site", &["--site", SITE], "3001"), Err(KeysError::TooLong { most: 2999 | 3000, .. })));
    under("second", "site", &["--site", SITE], "2000").unwrap();
    fs::copy(world.at("site.pass"), world.at("second.pass")).unwrap();
    assert!(matches!(under("x", "second", &["--site", SITE], "100"), Err(KeysError::TooDeep)));
    world.request();
    let error = issue(&world, "root", STATION, SITE, ["station/classical.csr", "station/post-quantum.csr"]);
    assert!(error.is_ok());
    assert!(matches!(world.revoke("site", &["--serial", "00"]), Err(KeysError::NotIssued(_))));
    assert!(matches!(world.revoke("site", &["--station", "nobody", "--site", SITE]), Err(KeysError::NotIssued(_))));
    assert!(matches!(world.revoke("site", &["--tag", "1234"]), Err(KeysError::NotAnIdentifier(_))));
    assert!(matches!(world.revoke("site", &[]), Err(KeysError::NothingAsked)));
}

#[test]
fn a_station_two_steps_below_the_root_is_accepted() {
    let world = World::with_authorities();
    let (folder, pass, above) = (world.text("second"), world.text("site.pass"), world.text("site"));
    let first = ["authority", "--folder", &folder, "--name", "second", "--site", SITE, "--days", "2000"];
    let rest = ["--passphrase-file", &pass, "--under", &above, "--under-passphrase-file", &pass];
    keys(&[&first[..], &rest].concat()).unwrap();
    fs::copy(world.at("site.pass"), world.at("second.pass")).unwrap();
    world.request();
    issue(&world, "second", STATION, SITE, ["station/classical.csr", "station/post-quantum.csr"]).unwrap();
    for name in ["classical.pem", "post-quantum.pem"] {
        fs::rename(world.at("out").join(name), world.at("station").join(name)).unwrap();
    }
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    let mut trust = world.trust();
    for name in ["classical", "post-quantum"] {
        trust.crls.push(crate::world::der(&world.at(&format!("second/crls/second.{name}.crl"))));
    }
    trust.verify(&envelope, now()).unwrap();
}

#[test]
fn a_root_may_be_limited_to_its_sites_for_ever() {
    let world = World::with_authorities();
    let (folder, pass) = (world.text("small"), world.text("root.pass"));
    fs::copy(world.at("root.pass"), world.at("small.pass")).unwrap();
    let arguments = ["authority", "--folder", &folder, "--name", "small", "--site", SITE, "--passphrase-file", &pass];
    let said = keys(&arguments).unwrap();
    assert!(said.contains("as anchors: ") && said.contains("small/classical.pem"), "{said}");
    world.request();
    let requests = ["station/classical.csr", "station/post-quantum.csr"];
    assert!(matches!(issue(&world, "small", STATION, "site-b", requests), Err(KeysError::Site(_))));
    issue(&world, "small", STATION, SITE, requests).unwrap();
    for name in ["classical.pem", "post-quantum.pem"] {
        fs::rename(world.at("out").join(name), world.at("station").join(name)).unwrap();
    }
    let envelope = world.spawn().unwrap().sign(&encoded(STATION, SITE, 1)).unwrap();
    let kinds = ["classical", "post-quantum"];
    let trust = crate::claims::Trust {
        anchors: kinds.map(|kind| crate::world::der(&world.at(&format!("small/{kind}.pem")))),
        crls: kinds.map(|kind| crate::world::der(&world.at(&format!("small/crls/small.{kind}.crl")))).to_vec(),
        lists: vec![fs::read(world.at(&format!("small/lists/small.{SITE}.cose"))).unwrap()],
    };
    trust.verify(&envelope, now()).unwrap();
}

#[test]
fn passphrases_are_demanded_long_right_and_never_guessed() {
    let world = World::with_station();
    secret(&world.at("short"), "eleven char\n");
    secret(&world.at("empty"), "\n");
    let make = |pass: &str| {
        let (folder, pass) = (world.text("new"), world.text(pass));
        keys(&["authority", "--folder", &folder, "--name", "new", "--passphrase-file", &pass])
    };
    assert!(matches!(make("short"), Err(KeysError::PassphraseShort(12))));
    assert!(matches!(make("empty"), Err(KeysError::Content { .. })));
    assert!(matches!(make("missing"), Err(KeysError::Read { .. })));
    let (site, pass) = (world.text("site"), world.text("root.pass"));
    let error = keys(&["revoke", "--authority", &site, "--renew", "--passphrase-file", &pass]).unwrap_err();
    assert!(matches!(error, KeysError::Passphrase { .. }) && error.exit_code() == 6, "{error}");
    secret(&world.at("station.pass"), "another passphrase\n");
    assert!(world.spawn().is_err(), "the signer has no way round its passphrase");
    // Every key on a disk is encrypted.
    for key in ["root/classical.key", "site/post-quantum.key", "station/classical.key", "station/post-quantum.key"] {
        let text = fs::read_to_string(world.at(key)).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{key}");
    }
}

#[test]
fn what_is_said_is_said_in_french_and_english() {
    let world = World::with_station();
    let site = world.text("site");
    let french = say(true, &["list", "--authority", &site]).unwrap();
    assert!(french.contains("  valable  "), "{french}");
    let error = say(true, &["list", "--authority", &world.text("nowhere")]).unwrap_err();
    assert!(error.sentence(true).contains("vérifiez le chemin"), "{}", error.sentence(true));
    assert!(error.sentence(false).contains("check the path"), "{}", error.sentence(false));
}
