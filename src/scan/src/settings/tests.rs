#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use blanche_sandbox::wire::BaseInfo;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// The message for a document, with its place in front.
fn refused(text: &str) -> String {
    match Settings::parse(text, Path::new("blanche.toml")) {
        Err(error) => error.to_string(),
        Ok(settings) => panic!("accepted {text:?} as {settings:?}"),
    }
}

/// The first TOML block of docs/configuration.md that holds sections.
fn documented() -> String {
    let text = include_str!("../../../../docs/configuration.md");
    let block = text.split("```toml").skip(1).find(|block| block.contains("[bases]")).expect("a TOML block");
    block.split("```").next().expect("the end of the block").to_owned()
}

#[test]
fn the_documented_configuration_is_exactly_the_default() {
    let parsed = Settings::parse(&documented(), Path::new("docs/configuration.md")).expect("the documented block");
    assert_eq!(parsed, Settings::default());
    assert_eq!(Settings::parse("", Path::new("empty")).expect("an empty document"), Settings::default());
}

#[test]
fn every_key_is_documented_and_no_other() {
    let block = documented();
    let table = block.parse::<toml::Table>().expect("TOML");
    for (section, keys) in &table {
        for key in keys.as_table().expect("a section").keys() {
            let misspelt = format!("[{section}]\n{key}x = 1\n");
            let message = refused(&misspelt);
            assert!(message.contains(&format!("`{key}`")), "{section}.{key} is not among the known keys: {message}");
            // The list of known keys in that message is as long as the documented section, plus the optional ones.
            let known = message.matches('`').count() / 2 - 1;
            let optional = block.matches(&format!("# {section}.")).count();
            assert_eq!(known, keys.as_table().map_or(0, toml::Table::len) + optional, "{section}: {message}");
        }
    }
}

/// The block of docs/configuration.md that declares ports.
fn documented_ports() -> Settings {
    let text = include_str!("../../../../docs/configuration.md");
    let mut blocks = text.split("```toml").skip(1).filter_map(|block| block.split("```").next());
    let block = blocks.find(|block| block.contains("[[ports]]")).expect("a block with ports");
    Settings::parse(block, Path::new("docs/configuration.md")).expect("valid")
}

#[test]
fn the_documented_ports_show_every_key_and_every_role() {
    let ports = documented_ports().ports;
    assert_eq!(ports.iter().map(|port| port.role).collect::<Vec<_>>(), [PortRole::Input, PortRole::Own]);
    assert_eq!((ports[1].vendor, ports[1].product), (Some(0x04e7), Some(0x0126)));
    let message = refused("[[ports]]\nprot = \"x\"\n");
    assert!(message.starts_with("blanche.toml:2:1: unknown field `prot`"), "{message}");
    for key in ["port", "role", "name", "vendor", "product"] {
        assert!(message.contains(&format!("`{key}`")), "{key}: {message}");
    }
    assert_eq!(message.matches('`').count() / 2 - 1, 5, "{message}");
    for role in ["input", "output", "own", "hub"] {
        let text = format!("[[ports]]\nport = \"p\"\nrole = \"{role}\"\n");
        assert_eq!(Settings::parse(&text, Path::new("x")).expect("a role").ports.len(), 1);
        assert!(include_str!("../../../../docs/configuration.md").contains(&format!("\"{role}\"")), "{role}");
    }
}

#[test]
fn ports_and_lists_of_devices_are_strict() {
    for (text, part) in [
        ("[[ports]]\nport = \"p\"\n", "missing field `role`"),
        ("[[ports]]\nrole = \"input\"\n", "missing field `port`"),
        ("[[ports]]\nport = \"\"\nrole = \"input\"\n", "ID_PATH"),
        ("[[ports]]\nport = \"p\"\nrole = \"both\"\n", "unknown variant `both`"),
        ("[[ports]]\nport = \"p\"\nrole = \"own\"\nvendor = 951\n", "four hexadecimal digits"),
        ("[[ports]]\nport = \"p\"\nrole = \"own\"\n[[ports]]\nport = \"p\"\nrole = \"hub\"\n", "declared twice"),
        ("[admit]\ndeny = [{ product = \"1666\" }]\n", "missing field `vendor`"),
        ("[admit]\ndeny = [{ vendor = \"+951\" }]\n", "four hexadecimal digits"),
        ("[admit]\nallow = [{ vendor = \"951\" }]\n", "four hexadecimal digits"),
        ("[admit]\nallow = [{ vendor = \"0951\", model = \"x\" }]\n", "unknown field `model`"),
    ] {
        let message = refused(text);
        assert!(message.contains(part), "{text}: {message}");
    }
    let text =
        "[admit]\nallow = [{ vendor = \"0951\", product = \"16Ab\", serial = \"S 1\" }, { vendor = \"0781\" }]\n";
    let allow = Settings::parse(text, Path::new("x")).expect("valid").admit.allow;
    assert_eq!(allow[0], DeviceEntry { vendor: 0x0951, product: Some(0x16AB), serial: Some("S 1".into()) });
    assert_eq!(allow[1], DeviceEntry { vendor: 0x0781, product: None, serial: None });
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_column() {
    let message = refused("[engines]\nmax_files = 5\n  max_file = 3\n");
    assert!(message.starts_with("blanche.toml:3:3: unknown field `max_file`"), "{message}");
    assert!(message.contains("max_file_size"), "{message}");
    let message = refused("[bases]\n[banana]\n");
    assert!(message.starts_with("blanche.toml:2:2: unknown field `banana`"), "{message}");
}

#[test]
fn an_identifier_of_a_policy_fits_into_a_tag() {
    let written = |length: usize| format!("[seal]\npolicy = \"{}\"\n", "x".repeat(length));
    let message = refused(&written(256));
    assert!(message.contains("256 bytes are too long for a tag; write at most 255"), "{message}");
    assert!(Settings::parse(&written(255), Path::new("blanche.toml")).is_ok());
}

#[test]
fn a_number_without_unit_is_refused_with_an_example() {
    for text in ["[engines]\nmax_scan_size = 4096\n", "[engines]\nmax_scan_size = \"4096\"\n"] {
        let message = refused(text);
        assert!(message.starts_with("blanche.toml:2:17: "), "{message}");
        assert!(message.contains("has no unit") && message.contains("\"64 MiB\""), "{message}");
    }
    let message = refused("[engines]\nmax_scan_time = 120\n");
    assert!(message.contains("120 has no unit") && message.contains("\"120 s\""), "{message}");
}

#[test]
fn wrong_units_and_wrong_types_are_refused() {
    for (text, part) in [
        ("[engines]\nmax_scan_time = \"4 GiB\"", "\"GiB\" is not a unit"),
        ("[engines]\nmax_scan_size = \"4 s\"", "\"s\" is not a unit"),
        ("[engines]\nmax_scan_size = \"4 gib\"", "\"gib\" is not a unit"),
        ("[engines]\nmax_scan_size = \"1.5 GiB\"", "is not a unit"),
        ("[engines]\nmax_scan_size = \"-1 GiB\"", "only whole numbers"),
        ("[engines]\nmax_scan_size = \"99999999999999 TiB\"", "too large"),
        ("[engines]\nmax_scan_size = 1.5", "expected"),
        ("[engines]\nmax_scan_size = true", "expected"),
        ("[matchers]\ncount = \"many\"", "auto"),
        ("[verdict]\nsuspicious = \"clean\"", "needs-person"),
        ("[verdict]\nsuspicious = \"needs_person\"", "needs-person"),
        ("bases = 3", "expected"),
        ("[bases", "expected"),
    ] {
        let message = refused(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn a_file_limit_that_libclamav_would_silently_lower_is_refused() {
    let message = refused("[engines]\nmax_file_size = \"2 GiB\"\n");
    assert!(message.contains("2147483645") && message.contains("none"), "{message}");
    let kept = Settings::parse("[engines]\nmax_file_size = \"2147483645 B\"\n", Path::new("x")).expect("the largest");
    assert_eq!(kept.engines.limits.max_file_size, LARGEST_FILE_LIMIT);
    let none = Settings::parse("[engines]\nmax_file_size = \"none\"\n", Path::new("x")).expect("none");
    assert_eq!(none.engines.limits.max_file_size, 0);
}

#[test]
fn values_out_of_range_are_refused() {
    for (text, part) in [
        ("[engines]\nmax_recursion = 0", "1 to 100"),
        ("[engines]\nmax_recursion = 101", "1 to 100"),
        ("[engines]\nmax_scan_time = \"0 s\"", "write 1 s to 86400 s"),
        ("[engines]\nmax_rules_time = \"1500 ms\"", "whole number of seconds"),
        ("[engines]\nmax_files = 0", "none"),
        ("[engines]\nmax_scan_size = \"0 B\"", "1 MiB"),
        ("[engines]\ntmpfs = \"1 MiB\"", "16 MiB"),
        ("[matchers]\ncount = 0", "1 to 256"),
        ("[matchers]\ncount = 257", "1 to 256"),
        ("[bases]\nmax_age = \"5 min\"", "3600 s"),
        ("[bases]\nfresh = [\"daily.cvd\"]", "without extension"),
        ("[bases]\nrequired = [\"\"]", "without extension"),
        ("[reader]\nmax_volumes = 70000", "4096"),
        ("[reader]\nmax_memory_object = \"8 GiB\"", "2 GiB"),
    ] {
        let message = refused(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn values_that_contradict_each_other_are_refused_where_they_stand() {
    let message =
        refused("[reader]\nmax_memory_object = \"4 MiB\"\nbatch_bytes = \"1 MiB\"\nchunk_bytes = \"8 MiB\"\n");
    assert!(message.starts_with("blanche.toml:4:15: chunk_bytes (8 MiB)"), "{message}");
    // The default of chunk_bytes is the culprit here: its section is named.
    let message = refused("\n[reader]\nmax_memory_object = \"4 MiB\"\n");
    assert!(message.starts_with("blanche.toml:2:"), "{message}");
}

#[test]
fn units_are_understood_with_and_without_a_space() {
    let text = "[bases]\nmax_age = \"1 day\"\n[engines]\nmax_scan_size = \"3GB\"\nmax_scan_time = \"2 min\"\n\
                max_files = \"none\"\n[matchers]\ncount = 3\n[spool]\nquota = \"1 TiB\"\n[admit]\nmax_capacity = \"2 TB\"\n\
                [verdict]\nsuspicious = \"infected\"\n";
    let settings = Settings::parse(text, Path::new("x")).expect("valid");
    assert_eq!(settings.bases.max_age, Duration::from_secs(86_400));
    assert_eq!(settings.engines.limits.max_scan_size, 3_000_000_000);
    assert_eq!(settings.engines.limits.max_scan_time, 120_000);
    assert_eq!(settings.engines.limits.max_files, 0);
    assert_eq!(settings.matchers.resolved(), 3);
    assert_eq!(settings.spool.quota_bytes(), 1 << 40);
    assert_eq!(settings.admit.max_capacity, Some(2_000_000_000_000));
    assert_eq!(settings.verdict.suspicious, SuspiciousPolicy::Infected);
}

#[test]
fn automatic_values_follow_the_machine() {
    let settings = Settings::default();
    assert_eq!(settings.matchers.resolved() as usize, std::thread::available_parallelism().expect("cores").get());
    assert_eq!(settings.spool.quota_bytes(), memory_bytes().expect("MemTotal") / 2);
}

#[test]
fn notations_can_be_read_back() {
    for bytes in [1, 1023, 1 << 20, 3 << 30, 5 << 40, LARGEST_FILE_LIMIT, 1_000_000] {
        let text = format!("[admit]\nmax_capacity = \"{}\"\n", size_notation(bytes));
        match Settings::parse(&text, Path::new("x")) {
            Ok(settings) => assert_eq!(settings.admit.max_capacity, Some(bytes)),
            Err(error) => assert!(bytes < 1 << 20, "{error}"),
        }
    }
    assert_eq!(size_notation(1 << 30), "1 GiB");
    assert_eq!(size_notation(1_000_000), "1000000 B");
    assert_eq!(time_notation(Duration::from_secs(7 * 86_400)), "7 days");
    assert_eq!(time_notation(Duration::from_millis(1500)), "1500 ms");
    assert_eq!(time_notation(Duration::from_secs(120)), "120 s");
}

#[test]
fn relative_folders_start_at_the_configuration_file() {
    let home = tempfile::tempdir().expect("a folder");
    fs::create_dir(home.path().join("rules")).expect("a folder");
    let file = home.path().join("blanche.toml");
    fs::write(&file, "[bases]\nrules = [\"rules\"]\n").expect("written");
    let settings = Settings::load(&file).expect("valid");
    assert_eq!(settings.bases.rules, [home.path().join("rules")]);
    assert_eq!(settings.bases.rules_present(), [home.path().join("rules")]);
}

#[test]
fn a_named_folder_that_is_missing_is_an_error_with_its_place() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("blanche.toml");
    for text in
        ["[bases]\nclamav = [\"absent\"]\n", "[bases]\nrules  = [\"absent\"]\n", "[children]\ndirectory = \"absent\"\n"]
    {
        fs::write(&file, text).expect("written");
        let message = Settings::load(&file).expect_err("an absent folder").to_string();
        assert!(message.contains("blanche.toml:2:1") && message.contains("no such folder"), "{message}");
    }
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("blanche.toml");
    fs::write(&file, "").expect("written");
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    mode(&file, 0o644);
    Settings::load(&file).expect("only the owner may write it");
    mode(&file, 0o646);
    let message = Settings::load(&file).expect_err("world-writable").to_string();
    assert!(message.contains("anybody may write it") && message.contains("chmod go-w"), "{message}");
    mode(&file, 0o644);
    mode(home.path(), 0o777);
    let message = Settings::load(&file).expect_err("world-writable folder").to_string();
    assert!(message.contains("anybody may write it"), "{message}");
    mode(home.path(), 0o700);
    // Only root may give a file to another group or owner; CI runs this as root.
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&file, Some(0), Some(4242)).expect("chown");
        mode(&file, 0o664);
        let message = Settings::load(&file).expect_err("group-writable").to_string();
        assert!(message.contains("its group may write it"), "{message}");
        mode(&file, 0o644);
        std::os::unix::fs::chown(&file, Some(4242), Some(0)).expect("chown");
        let message = Settings::load(&file).expect_err("of another user").to_string();
        assert!(message.contains("belongs to another user"), "{message}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_an_error_not_a_default() {
    let home = tempfile::tempdir().expect("a folder");
    let missing = home.path().join("missing.toml");
    assert!(matches!(Settings::discover(Some(&missing)), Err(SettingsError::Unreadable { .. })));
    assert!(matches!(Settings::load(home.path()), Err(SettingsError::Unreadable { .. })));
    let file = home.path().join("binary.toml");
    fs::write(&file, b"\xFF\xFE").expect("written");
    assert!(matches!(Settings::load(&file), Err(SettingsError::Unreadable { .. })));
}

#[test]
fn a_required_base_is_missing_unless_it_is_loaded() {
    let bases = Bases::default();
    let missing = |names: &[&str]| -> Vec<String> {
        let loaded: Vec<_> = names.iter().map(|name| base(name, Some(0))).collect();
        bases.missing(loaded.iter()).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(missing(&[]), ["daily", "main"]);
    assert_eq!(missing(&["daily.cld", "mainline.cvd"]), ["main"]);
    assert!(missing(&["daily.cvd", "main.cvd", "bytecode.cvd"]).is_empty());
    let fresh =
        Bases { fresh: vec!["daily".into(), "rules".into()], required: vec!["main".into()], ..Bases::default() };
    let loaded = [base("rules", Some(0))];
    assert_eq!(fresh.missing(loaded.iter()), ["main", "daily"], "what must be fresh must be there");
}

#[test]
fn the_age_of_named_bases_counts_and_a_date_of_every_one() {
    let bases = Bases::default();
    let now = 1_795_000_000;
    let stale = |name: &str, age: i64| bases.is_stale(&base(name, Some(now - age)), now);
    let week = 7 * 86_400;
    for (name, age, expected) in [
        ("daily.cvd", week, false),
        ("daily.cld", week + 1, true),
        ("daily", week + 1, true),
        ("dailylike.cvd", week + 1, false),
        ("main.cvd", 5 * 365 * 86_400, false),
        ("main.cvd", -86_400, false),
        ("main.cvd", -86_401, true),
        ("daily.cvd", -86_401, true),
    ] {
        assert_eq!(stale(name, age), expected, "{name} {age}");
    }
    for date in [None, Some(-1)] {
        assert!(bases.is_stale(&base("main.cvd", date), now) && bases.is_stale(&base("daily.cvd", date), now));
    }
    let empty = BaseInfo { signatures: 0, ..base("daily.ign2", Some(0)) };
    assert_eq!(bases.missing([&empty, &base("main.cvd", Some(0))].into_iter()), ["daily"]);
    assert!(!bases.is_stale(&empty, now), "it is no base of that name");
}

fn base(name: &str, date: Option<i64>) -> BaseInfo {
    BaseInfo { name: name.to_owned(), version: None, date, signatures: 1, sha256: [0; 32] }
}
