//! The engines themselves: test files of ClamAV, limits, time limits, loading.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on must stop and say where"
)]

mod station;

use blanche_engines::selftest::{eicar, eicar_html};
use blanche_sandbox::wire::{Cause, Container, EngineLimit, EngineLimits, Severity};
use station::{Bases, LIMITS, Station, causes, folder, load, looks_clean, malicious, run};
use std::fs;

/// The published MD5 of clam.exe, the only signature that ClamAV's test files need.
const CLAM_EXE: &str = "aa15bcf478d165efd2065190eb473bcb:544:ClamAV-Test-File\n";
/// Debian's package clamav-testfiles.
const TEST_FILES: &str = "/usr/share/clamav-testfiles";

#[test]
fn all_test_files_of_clamav_are_found() {
    let bases = Bases::eicar();
    fs::write(bases.clamav.path().join("clam.hdb"), CLAM_EXE).unwrap();
    let matcher = Station::armed_with(&bases, LIMITS).matcher();
    let mut missed = Vec::new();
    let mut count = 0;
    for file in fs::read_dir(TEST_FILES).expect("install clamav-testfiles (make deps)") {
        let path = file.unwrap().path();
        count += 1;
        let scanned = matcher.scan(&fs::read(&path).unwrap(), "");
        if !malicious(&scanned).iter().any(|finding| finding.name.starts_with("ClamAV-Test-File")) {
            missed.push(path);
        }
    }
    assert_eq!((count, missed), (44, vec![]));
}

/// The signature for normalised HTML proves that libclamav converts UTF-16 inside the sandbox, where it cannot load
/// an encoding any more; the one for raw content proves our own conversion.
#[test]
fn eicar_in_utf16_html_is_found_inside_the_sandbox() {
    let bases = Bases::eicar();
    let lower: String = eicar().to_ascii_lowercase().iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(bases.clamav.path().join("html.ndb"), format!("Eicar-Html:3:*:{lower}\n")).unwrap();
    let scanned = Station::armed_with(&bases, LIMITS).matcher().scan(&eicar_html(), "html");
    let names: Vec<_> =
        scanned.findings.iter().map(|finding| (finding.engine.as_str(), finding.name.as_str())).collect();
    assert!(names.contains(&("clamav", "Eicar-Html.UNOFFICIAL")), "{names:?}");
    assert!(names.contains(&("clamav", "Eicar-Test.UNOFFICIAL")), "{names:?}");
    assert!(names.contains(&("yara-x", "eicar_test_file")), "{names:?}");
}

/// Content of types that libclamav does not match at all, or only in a normalised form.
#[test]
fn eicar_behind_a_type_that_libclamav_ignores_is_found() {
    let matcher = Station::armed().matcher();
    for (extension, front) in [("mp3", "ID3"), ("ogg", "OggS"), ("db", "SQLite format 3\0"), ("html", "<html><!-- ")] {
        let content = [front.as_bytes(), &eicar()].concat();
        let found = malicious(&matcher.scan(&content, extension)).iter().any(|finding| finding.engine == "clamav");
        assert!(found, "{extension}");
    }
}

#[test]
fn empty_and_tiny_contents_are_answered_in_order() {
    let matcher = Station::armed().matcher();
    let contents: [(&[u8], &str); 4] = [(b"", "txt"), (b"a", "txt"), (&eicar(), "com"), (b"", "")];
    let scanned = matcher.scan_all(&contents);
    assert_eq!(scanned.iter().map(|s| (s.entry, s.bytes)).collect::<Vec<_>>(), [(0, 0), (1, 1), (2, 68), (3, 0)]);
    assert!(looks_clean(&scanned[0]) && looks_clean(&scanned[1]) && looks_clean(&scanned[3]));
    assert_eq!(malicious(&scanned[2]).len(), 2);
    // FIPS 180-4: SHA-256 of nothing.
    assert_eq!(scanned[0].digests.sha256[..4], [0xe3, 0xb0, 0xc4, 0x42]);
}

#[test]
fn limits_are_read_back_and_an_impossible_one_is_refused() {
    let station = Station::eicar();
    assert_eq!(station.set.limits, LIMITS);
    let huge = EngineLimits { max_file_size: 4_000_000_000, ..LIMITS };
    let failure = load(&Bases::eicar(), huge).err().unwrap();
    assert!(failure.reason.contains("max_file_size"), "{failure:?}");
    let endless = EngineLimits { max_recursion: 0, ..LIMITS };
    assert!(load(&Bases::eicar(), endless).is_err());
}

#[test]
fn bases_and_rules_state_version_date_and_digest() {
    let station = Station::eicar();
    let bases: Vec<_> = station.set.engines.iter().flat_map(|engine| &engine.bases).collect();
    assert_eq!(bases.len(), 2);
    for base in bases {
        assert_eq!(
            (base.version.as_deref(), base.date, base.signatures),
            (Some("7"), Some(1_795_305_600), 1),
            "{base:?}"
        );
        assert_ne!(base.sha256, [0; 32]);
    }
}

#[test]
fn a_broken_a_slow_and_an_including_rule_are_refused_with_file_and_line() {
    let broken = "rule ok { condition: true }\nrule broken { condition: nothing }\n";
    let slow = "rule slow { strings: $a = /[A-Za-z0-9+\\/]{400,}/ condition: $a }\n";
    let include = "include \"other.yar\"\n";
    for (text, line) in [(broken, "rules/bad.yar:2"), (slow, "rules/bad.yar:1"), (include, "rules/bad.yar:1")] {
        let failure =
            load(&Bases::eicar().with_rule("bad.yar", text), LIMITS).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(failure.path, line, "{}", failure.reason);
    }
}

#[test]
fn a_broken_base_or_manifest_is_refused() {
    let bases = Bases::eicar();
    fs::write(bases.clamav.path().join("broken.ndb"), "this is no signature\n").unwrap();
    assert!(load(&bases, LIMITS).is_err());
    let bases = Bases::eicar();
    fs::write(bases.rules.path().join("manifest.toml"), "name = 'x'\nversion = '1'\ndate = 2026-11-22\nother = 1\n")
        .unwrap();
    assert!(load(&bases, LIMITS).err().unwrap().reason.contains("other"));
}

/// yara-x starts its timeout thread once per process: a zygote that had used it would leave this hanging for ever.
#[test]
fn a_slow_rule_times_out_in_the_second_child_too() {
    let slow = "rule slow { condition: for all i in (0..filesize - 1) : \
                (for all j in (0..filesize - 1) : (uint8(i) + uint8(j) >= 0)) }\n";
    let limits = EngineLimits { max_rules_time: 1, ..LIMITS };
    let station = load(&Bases::eicar().with_rule("slow.yar", slow), limits).unwrap();
    let content = vec![1u8; 1 << 20];
    for child in 0..2 {
        let scanned = station.matcher().scan(&content, "bin");
        assert!(causes(&scanned).contains(&Cause::EngineTimeout), "child {child}: {scanned:?}");
    }
}

#[test]
fn severity_comes_from_the_rule() {
    let rules = "rule info { meta: severity = \"info\" condition: uint8(0) == 0x41 }\n\
                 rule person { meta: severity = \"suspicious\" condition: uint8(0) == 0x41 }\n\
                 rule bare { condition: uint8(0) == 0x41 }\n";
    let station = load(&Bases::eicar().with_rule("s.yar", rules), LIMITS).unwrap();
    let scanned = station.matcher().scan(b"A text of no interest", "txt");
    let seen: Vec<_> = scanned.findings.iter().map(|finding| (finding.name.as_str(), finding.severity)).collect();
    assert_eq!(seen, [("bare", Severity::Malicious), ("person", Severity::Suspicious), ("info", Severity::Info)]);
}

#[test]
fn nested_archives_beyond_the_limit_are_not_checked() {
    let folder = folder();
    fs::write(folder.path().join("0"), eicar()).unwrap();
    for depth in 1..=20 {
        run(folder.path(), "zip", &["-q", "-0", &depth.to_string(), &(depth - 1).to_string()]);
        fs::rename(folder.path().join(format!("{depth}.zip")), folder.path().join(depth.to_string())).unwrap();
    }
    let scanned = Station::armed().matcher().scan(&fs::read(folder.path().join("20")).unwrap(), "zip");
    assert!(causes(&scanned).contains(&Cause::EngineLimit(EngineLimit::Recursion)), "{scanned:?}");
}

#[test]
fn an_archive_of_too_many_files_is_not_checked() {
    let folder = folder();
    fs::create_dir(folder.path().join("many")).unwrap();
    for index in 0..10_051 {
        fs::write(folder.path().join(format!("many/{index}")), format!("content {index}")).unwrap();
    }
    run(folder.path(), "zip", &["-q", "-r", "many.zip", "many"]);
    let scanned = Station::armed().matcher().scan(&fs::read(folder.path().join("many.zip")).unwrap(), "zip");
    assert!(causes(&scanned).contains(&Cause::EngineLimit(EngineLimit::Files)), "{:?}", scanned.not_checked);
}

#[test]
fn a_bomb_is_not_checked() {
    let folder = folder();
    fs::write(folder.path().join("zeros"), vec![0u8; 64 << 20]).unwrap();
    run(folder.path(), "zip", &["-q", "bomb.zip", "zeros"]);
    let limits = EngineLimits { max_scan_size: 16 << 20, ..LIMITS };
    let scanned = Station::armed_with(&Bases::eicar(), limits)
        .matcher()
        .scan(&fs::read(folder.path().join("bomb.zip")).unwrap(), "zip");
    assert!(causes(&scanned).contains(&Cause::EngineLimit(EngineLimit::ScanSize)), "{:?}", scanned.not_checked);
}

#[test]
fn a_file_above_the_size_limit_is_not_checked() {
    let limits = EngineLimits { max_file_size: 1 << 20, ..LIMITS };
    let mut content = vec![b'a'; 2 << 20];
    content.extend(eicar());
    let scanned = Station::armed_with(&Bases::eicar(), limits).matcher().scan(&content, "txt");
    assert_eq!(causes(&scanned), [Cause::EngineLimit(EngineLimit::FileSize)]);
    assert_eq!(scanned.findings, [], "no engine looks at it");
}

#[test]
fn an_encrypted_office_document_is_not_checked() {
    let mut document = blanche_engines::containers::samples::sample(Container::Ole2, &eicar()).unwrap();
    let name: Vec<u8> = "EncryptedPackage\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    // The second directory entry is the stream.
    document[1024 + 128..1024 + 128 + name.len()].copy_from_slice(&name);
    let scanned = Station::armed().matcher().scan(&document, "docx");
    assert!(causes(&scanned).contains(&Cause::Encrypted(Container::Ole2)), "{scanned:?}");
}
