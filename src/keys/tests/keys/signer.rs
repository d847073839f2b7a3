//! What the signer refuses, how it is confined, and who can make it end.

use crate::claims::{DAY, claims, encoded, now};
use crate::world::{SIGNER, SITE, STATION, World};
use blanche_keys::protocol::{FromSigner, Refusal, ToSigner};
use blanche_keys::{SignerClient, SignerError};
use blanche_sandbox::birth::{Birth, BirthError, Child, Ending, ResourceLimits, Role};
use blanche_tag::Claims;
use blanche_tag::claims::{Base, ContentException, Engine, Label, Verdict};
use blanche_tag::envelope::{Envelope, SignedClaims as _};
use std::fs;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;

pub(crate) fn refusal(signer: &SignerClient, claims: &[u8]) -> Option<Refusal> {
    match signer.sign(claims) {
        Ok(_) => None,
        Err(SignerError::Refused { refusal, .. }) => Some(refusal),
        Err(other) => panic!("{other}"),
    }
}

/// The refusal of good claims after one change.
fn after(signer: &SignerClient, change: impl FnOnce(&mut Claims)) -> Option<Refusal> {
    let mut claims = claims(STATION, SITE, signer.describe().unwrap().next_counter);
    change(&mut claims);
    refusal(signer, &claims.encode())
}

#[test]
fn only_a_clean_verdict_without_exceptions_is_signed() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    for verdict in [Verdict::Infected, Verdict::Incomplete, Verdict::Refused] {
        assert_eq!(after(&signer, |claims| claims.verdict = verdict), Some(Refusal::Verdict), "{verdict:?}");
    }
    let exception =
        ContentException { identifier: [1; 16], object: [2; 32], cause: "a".into(), skipped: 0, unreadable: 0 };
    assert_eq!(after(&signer, |claims| claims.exceptions.push(exception)), Some(Refusal::Exception));
    assert_eq!(after(&signer, |_| {}), None);
}

#[test]
fn stale_and_future_bases_are_not_signed() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let dated = |claims: &mut Claims, date: u64| claims.how.engines[0].bases[0].date = date;
    assert_eq!(after(&signer, |claims| dated(claims, claims.issued - 7 * DAY - 1)), Some(Refusal::BaseTooOld));
    assert_eq!(after(&signer, |claims| dated(claims, claims.issued - 7 * DAY)), None);
    assert_eq!(after(&signer, |claims| dated(claims, claims.issued + DAY + 1)), Some(Refusal::BaseInFuture));
    assert_eq!(after(&signer, |claims| dated(claims, claims.issued + DAY)), None);
    // Every base of that name counts, and no other one.
    let second = |name: &'static str, date: u64| {
        move |claims: &mut Claims| {
            let mut engine = claims.how.engines[0].clone();
            engine.name = "yara-x".into();
            engine.bases.push(Base { name: name.into(), date, ..engine.bases[0].clone() });
            claims.how.engines.push(engine);
        }
    };
    assert_eq!(after(&signer, second("daily.cld", 0)), Some(Refusal::BaseTooOld));
    assert_eq!(after(&signer, second("main.cvd", 0)), None);
    assert_eq!(after(&signer, second("main.cvd", 9_000_000_000)), Some(Refusal::BaseInFuture));
    assert_eq!(after(&signer, |claims| claims.how.engines[0].bases[0].signatures = 0), Some(Refusal::BaseMissing));
    assert_eq!(
        after(&signer, |claims| claims.how.engines[0].bases[0].name = "main".into()),
        Some(Refusal::BaseMissing)
    );
}

#[test]
fn foreign_names_wrong_clocks_and_long_lives_are_not_signed() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let named = |text: &str| Label::try_from(text).unwrap();
    assert_eq!(after(&signer, |claims| claims.station = named("station-2")), Some(Refusal::Foreign));
    assert_eq!(after(&signer, |claims| claims.site = named("site-b")), Some(Refusal::Foreign));
    let shifted = |claims: &mut Claims, issued: u64| {
        (claims.issued, claims.expires) = (issued, issued + DAY);
        claims.how.engines[0].bases[0].date = issued;
    };
    assert_eq!(after(&signer, |claims| shifted(claims, now() - 620)), Some(Refusal::Clock));
    assert_eq!(after(&signer, |claims| shifted(claims, now() + 620)), Some(Refusal::Clock));
    assert_eq!(after(&signer, |claims| shifted(claims, now() - 580)), None);
    assert_eq!(after(&signer, |claims| claims.expires = claims.issued + 30 * DAY + 1), Some(Refusal::Validity));
    assert_eq!(after(&signer, |claims| claims.expires = claims.issued + 30 * DAY), None);
}

#[test]
fn an_expired_certificate_signs_nothing() {
    let world = World::with_authorities();
    world.request();
    let (site, key) = (world.text("site/classical.pem"), world.text("site/classical.key"));
    world.issue(365);
    // The same classical certificate, but from yesterday to an hour ago.
    let pass = format!("file:{}", world.text("site.pass"));
    let extensions = "keyUsage=critical,digitalSignature\n\
                      extendedKeyUsage=2.25.222243778622752942389732164667255593586.1.1\n\
                      subjectAltName=DNS:station-1.site-a.blanche.invalid\n";
    fs::write(world.at("extensions"), extensions).unwrap();
    let (request, out, file) = (world.text("station/classical.csr"), world.text("old.pem"), world.text("extensions"));
    let from = ["x509", "-req", "-in", &request, "-CA", &site, "-CAkey", &key, "-passin", &pass, "-sha384"];
    let rest = ["-set_serial", "99", "-days", "-1", "-extfile", &file, "-out", &out];
    crate::world::succeeds("openssl", &[&from[..], &rest].concat());
    let issuer = fs::read_to_string(&site).unwrap();
    let old = fs::read_to_string(&out).unwrap();
    fs::write(world.at("station/classical.pem"), format!("{old}{issuer}")).unwrap();
    let signer = world.spawn().unwrap();
    assert!(signer.describe().unwrap().certificate_expires < now());
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 1)), Some(Refusal::Certificate));
}

/// Allowed claims of exactly this length, or one byte less.
fn filled(counter: u64, length: usize) -> Vec<u8> {
    let mut claims = claims(STATION, SITE, counter);
    let base = Base { name: "n".repeat(255), ..claims.how.engines[0].bases[0].clone() };
    let first = claims.how.engines[0].clone();
    claims.how.engines.extend((1..16).map(|number| Engine { name: format!("engine-{number}"), ..first.clone() }));
    // Another base takes 300 bytes, and two texts share what is left.
    let mut now = claims.encode().len();
    for engine in &mut claims.how.engines {
        while engine.bases.len() < 64 && now + 300 <= length {
            engine.bases.push(base.clone());
            now = now.saturating_add(300);
        }
    }
    for at in 0..500 {
        if claims.encode().len() + 1 >= length {
            break;
        }
        let text = if at % 2 == 0 { &mut claims.how.program } else { &mut claims.how.policy };
        text.push('x');
    }
    let bytes = claims.encode();
    assert!((length - 1..=length).contains(&bytes.len()), "{} of {length}", bytes.len());
    bytes
}

#[test]
fn claims_too_large_for_an_envelope_are_not_signed_and_those_that_fit_are() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let Err(SignerError::Refused { refusal: Refusal::TooLarge, detail }) = signer.sign(&filled(1, 262_144)) else {
        panic!("262144 bytes of claims leave no room for signatures");
    };
    let most: usize = detail.rsplit(' ').next().unwrap().parse().unwrap();
    assert!((230_000..262_144 - 4723).contains(&most), "{most}");
    assert_eq!(refusal(&signer, &filled(1, most + 2)), Some(Refusal::TooLarge));
    let envelope = signer.sign(&filled(1, most)).unwrap();
    assert!(envelope.len() <= 262_144 && envelope.len() > 262_144 - 600, "{}", envelope.len());
    world.trust().verify(&envelope, now()).unwrap();
    assert_eq!(refusal(&signer, &vec![0; 262_145]), Some(Refusal::TooLarge));
    assert_eq!(refusal(&signer, &[]), Some(Refusal::Malformed));
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 2)), None, "it is still there");
}

/// A signer without the client that minds the rules.
fn bare(world: &World, credential: Option<&fs::File>) -> Result<Child, BirthError> {
    Child::spawn(&Birth {
        program: Path::new(SIGNER),
        arguments: &["--keys", &world.text("station")],
        medium: credential.map(|file| file.as_fd()),
        limits: ResourceLimits::default(),
        role: Role::Signer { uid: rustix::process::geteuid().as_raw(), gid: rustix::process::getegid().as_raw() },
    })
}

#[test]
fn whoever_breaks_the_protocol_ends_the_signer() {
    let world = World::with_station();
    let frames: [&[u8]; 4] = [
        // 4 GiB are announced; one byte more than a request may have.
        &u32::MAX.to_le_bytes(),
        &(262_144u32 + 17).to_le_bytes(),
        // No such question; a question with something behind it.
        &[1, 0, 0, 0, 3],
        &[2, 0, 0, 0, 0, 0],
    ];
    for frame in frames {
        let child = bare(&world, None).unwrap();
        rustix::io::write(child.channel(), frame).unwrap();
        assert_eq!(child.wait_end(Duration::from_secs(60)), Some(Ending::Exited(5)), "{frame:?}");
    }
    // A channel that closes is the ordinary end.
    let child = bare(&world, None).unwrap();
    rustix::net::shutdown(child.channel(), rustix::net::Shutdown::Write).unwrap();
    assert_eq!(child.wait_end(Duration::from_secs(60)), Some(Ending::Exited(0)));
}

/// One to three random changes of a good request.
fn mutate(random: &mut fastrand::Rng, good: &[u8]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..random.usize(1..=3) {
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..6) {
            0 => bytes[at] ^= 1 << random.u8(..8),
            1 => bytes[at] = random.u8(..),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, random.u8(..)),
            4 => bytes.truncate(at.max(1)),
            _ => {
                let length = random.usize(1..=16).min(bytes.len() - at);
                let piece = bytes[at..at + length].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// What the rules of docs/keys.md say of claims that decode; written apart from the signer's own code.
fn allowed(claims: &Claims, highest: u64) -> bool {
    let bases = || claims.how.engines.iter().flat_map(|engine| &engine.bases);
    let named = |base: &Base| base.signatures > 0 && base.name.split('.').next() == Some("daily");
    let fresh = |base: &Base| !named(base) || base.date + 7 * DAY >= claims.issued;
    claims.station.as_str() == STATION
        && claims.site.as_str() == SITE
        && claims.verdict == Verdict::Clean
        && claims.exceptions.is_empty()
        && bases().any(named)
        && bases().all(|base| fresh(base) && base.date <= claims.issued + DAY)
        && claims.issued.abs_diff(now()) <= 595
        && claims.expires - claims.issued <= 30 * DAY
        && (1..=1 << 20).contains(&claims.counter.saturating_sub(highest))
}

#[test]
fn ten_thousand_mutated_requests_are_signed_only_if_they_are_still_allowed() {
    let world = World::with_station();
    let signer = world.spawn().unwrap();
    let mut random = fastrand::Rng::with_seed(0x7a9_0004);
    let (mut highest, mut signed, mut refused) = (0, 0u32, 0u32);
    for round in 0..10_000 {
        let good = encoded(STATION, SITE, highest + 1);
        let bytes = mutate(&mut random, &good);
        let expected = Claims::decode(&bytes).ok().filter(|claims| allowed(claims, highest));
        match (signer.sign(&bytes), expected) {
            (Ok(envelope), Some(claims)) => {
                assert_eq!(Envelope::<Claims>::open(&envelope).unwrap().payload(), bytes);
                highest = claims.counter;
                signed += 1;
            }
            (Err(SignerError::Refused { .. }), None) => refused += 1,
            (Ok(_), None) => panic!("round {round}: signed what is not allowed: {bytes:02x?}"),
            (Err(error), Some(claims)) => panic!("round {round}: {error}: {claims:?}"),
            (Err(error), None) => panic!("round {round}: {error}"),
        }
    }
    println!("{signed} signed, {refused} refused, highest counter {highest}");
    assert!(refused > 7_000 && signed > 100);
}

#[test]
fn the_signer_is_confined_and_runs_as_the_owner_of_its_keys() {
    let world = World::with_station();
    let me = rustix::process::geteuid();
    let owner = if me.is_root() { 65_534 } else { me.as_raw() };
    if me.is_root() {
        // Everything in the key folder, and the way to it, as packages install it for a user of its own.
        let folder = world.at("station");
        crate::world::succeeds("chown", &["-R", "65534:65534", folder.to_str().unwrap()]);
        crate::world::succeeds("chown", &["65534:65534", &world.text("station.pass")]);
        fs::set_permissions(folder.parent().unwrap(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
    }
    let signer = world.spawn().unwrap();
    let born = signer.born().unwrap();
    assert!(born.no_new_privileges && born.landlock_abi >= 2);
    assert!(born.allowed_system_calls < 60, "{}", born.allowed_system_calls);
    let status = fs::read_to_string(format!("/proc/{}/status", signer.pid())).unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_ascii_whitespace().skip(1).collect::<Vec<_>>()
    };
    assert_eq!(field("Uid:"), vec![owner.to_string(); 4]);
    assert_eq!((field("NoNewPrivs:"), field("Seccomp:")), (vec!["1"], vec!["2"]));
    assert_eq!(field("CapEff:"), ["0000000000000000"]);
    assert_eq!(refusal(&signer, &encoded(STATION, SITE, 1)), None);
}

#[test]
fn the_passphrase_may_come_as_a_credential_that_only_the_parent_can_open() {
    let world = World::with_station();
    let settings = fs::read_to_string(world.at("station/signer.toml")).unwrap();
    let file = format!("file = \"{}\"", world.text("station.pass"));
    assert!(settings.contains(&file), "{settings}");
    fs::write(world.at("station/signer.toml"), settings.replace(&file, "credential = \"blanche-signer\"")).unwrap();
    // Without the service manager there is no credential, and no other way.
    assert!(matches!(world.spawn(), Err(SignerError::Credential { .. })));
    let credential = fs::File::open(world.at("station.pass")).unwrap();
    assert!(bare(&world, None).is_err());
    let child = bare(&world, Some(&credential)).unwrap();
    child.channel().send(&ToSigner::Describe, &[]).unwrap();
    let answer = child.channel().receive::<FromSigner>(Some(Duration::from_secs(60))).unwrap();
    assert!(matches!(answer.message, FromSigner::Described(_)));
}

#[test]
fn the_document_names_every_refusal() {
    let text = include_str!("../../../../docs/keys.md");
    let (_, section) = text.split_once("## What the signer signs").unwrap();
    let words = section.lines().filter_map(|line| line.strip_suffix("` |")?.rsplit('`').next());
    let known: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.as_str()).collect();
    assert_eq!(words.collect::<Vec<_>>(), known);
}
