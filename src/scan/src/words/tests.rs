#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::error::ScanError;
use crate::judge::Verdict;
use crate::progress::Stage;
use crate::report::{Refusal, SealingObstacle, TargetKind};
use crate::settings::{Settings, SettingsError};
use blanche_sandbox::wire::{AreaClass, Cause, Container, FilesystemKind, Severity, VolumeRole};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Words that an agent cannot be expected to know. Names of formats are not among them: they are names.
const JARGON: &[&str] = &[
    "cluster",
    "inode",
    "memfd",
    "hash",
    "digest",
    "sandbox",
    "seccomp",
    "offset",
    "timeout",
    "parser",
    "tmpfs",
    "matcher",
    "reader",
    "spool",
    "daemon",
    "kernel",
    "noyau",
    "mbr",
    "gpt",
    "superblock",
    "empreinte",
    "bac à sable",
    "processus",
    "descriptor",
    "socket",
    "buffer",
    "extent",
    "filesystem",
    "système de fichiers",
    "checksum",
    "somme de contrôle",
    "metadata",
    "métadonnées",
    "payload",
    "heuristic",
    "heuristique",
    "recursion",
    "récursion",
    "container",
    "conteneur",
    "volume",
    "zygote",
    "fork",
    "signature",
    "byte",
    "octet",
    "mount",
    "monté",
    "string",
    "thread",
    "i/o",
    "fat table",
    "layer",
    "unmount",
    "démont",
];

/// The names of all variants of an enum, as serde knows them: it lists them when it meets an unknown one.
fn variants<T: DeserializeOwned>(probe: Value) -> Vec<String> {
    let message = serde_json::from_value::<T>(probe).err().expect("an unknown variant").to_string();
    let (_, list) = message.split_once("expected one of ").expect("a list of variants");
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// All values of an enum without data.
fn all<T: DeserializeOwned>() -> Vec<T> {
    let names = variants::<T>(json!("no such variant"));
    assert!(names.len() > 1, "{names:?}");
    names.into_iter().map(|name| serde_json::from_value(json!(name)).expect("a variant of its own list")).collect()
}

/// All causes with all their details. Nothing is listed by hand, so nothing can be forgotten.
fn all_causes() -> Vec<Cause> {
    let names = variants::<Cause>(json!({"cause": "no such variant"}));
    let mut details: BTreeSet<String> = ["The engine said so.".to_owned()].into();
    details.extend(variants::<Container>(json!("?")));
    details.extend(variants::<FilesystemKind>(json!("?")));
    details.extend(variants::<blanche_sandbox::wire::Corruption>(json!("?")));
    details.extend(variants::<blanche_sandbox::wire::Feature>(json!("?")));
    details.extend(variants::<blanche_sandbox::wire::ReadLimit>(json!("?")));
    details.extend(variants::<blanche_sandbox::wire::EngineLimit>(json!("?")));
    let mut causes = BTreeSet::new();
    for name in names {
        let before = causes.len();
        causes.extend(serde_json::from_value::<Cause>(json!({"cause": name})));
        for detail in &details {
            causes.extend(serde_json::from_value::<Cause>(json!({"cause": name, "detail": detail})));
        }
        assert!(causes.len() > before, "no value found for {name}");
    }
    // A text can be anything: one is enough.
    causes.retain(|cause| !matches!(cause, Cause::EngineFailed(text) if text != "The engine said so."));
    causes.into_iter().collect()
}

fn obstacles() -> Vec<SealingObstacle> {
    // A new obstacle does not compile here until it is added to the list below.
    let _complete = |obstacle: SealingObstacle| match obstacle {
        SealingObstacle::NotClean
        | SealingObstacle::StaleBase(_)
        | SealingObstacle::MissingBase(_)
        | SealingObstacle::BaseRejected
        | SealingObstacle::WeakIsolation => {}
    };
    vec![
        SealingObstacle::NotClean,
        SealingObstacle::StaleBase("daily.cvd".into()),
        SealingObstacle::MissingBase("main".into()),
        SealingObstacle::BaseRejected,
        SealingObstacle::WeakIsolation,
    ]
}

fn refusals() -> Vec<Refusal> {
    let _complete = |refusal: Refusal| match refusal {
        Refusal::Empty | Refusal::TooLarge(_) | Refusal::Mounted(_) => {}
    };
    vec![Refusal::Empty, Refusal::TooLarge(64_000_000_000), Refusal::Mounted("/media/key".into())]
}

fn errors() -> Vec<ScanError> {
    let _complete = |error: ScanError| match error {
        ScanError::TargetMissing { .. }
        | ScanError::TargetUnreadable { .. }
        | ScanError::TargetUnsupported { .. }
        | ScanError::Engines(_)
        | ScanError::Children { .. }
        | ScanError::Settings(_)
        | ScanError::Cancelled
        | ScanError::Station(_) => {}
    };
    let path = PathBuf::from("/dev/sdb");
    let source = || io::Error::from_raw_os_error(13);
    let parse = |text| Settings::parse(text, Path::new("blanche.toml")).expect_err("a mistake");
    vec![
        ScanError::TargetMissing { path: path.clone(), source: source() },
        ScanError::TargetUnreadable { path: path.clone(), source: source() },
        ScanError::TargetUnsupported { path: path.clone() },
        ScanError::Engines("no signature base was found.".into()),
        ScanError::Children { program: "blanche-reader".into(), reason: "no such file".into() },
        ScanError::Settings(parse("x = 1")),
        ScanError::Settings(parse("[engines]\nmax_scan_time = 3")),
        ScanError::Settings(SettingsError::Unreadable { file: path.clone(), source: source() }),
        ScanError::Settings(SettingsError::Place { file: path.clone(), source: source() }),
        ScanError::Settings(SettingsError::Insecure {
            file: path,
            weakness: "anybody may write it",
            remedy: "chmod go-w".into(),
        }),
        ScanError::Cancelled,
        ScanError::Station("no memory".into()),
    ]
}

/// Checks what every sentence has to be.
fn check_sentence(text: &str, jargon_allowed: bool) {
    assert!(text.ends_with('.') && !text.ends_with(".."), "no full stop: {text:?}");
    assert!(
        text.chars().next().is_some_and(|first| first.is_uppercase() || "«“".contains(first)),
        "no capital: {text:?}"
    );
    // Mistakes in a configuration are for administrators, and name every key that there is.
    let most = if jargon_allowed { 320 } else { 240 };
    assert!(text.chars().count() <= most, "too long: {text:?}");
    assert!(!text.contains("  ") && !text.contains('\n') && !text.contains('{'), "badly put together: {text:?}");
    if !jargon_allowed {
        let lower = text.to_lowercase();
        let tokens: Vec<&str> = lower.split(|character: char| !character.is_alphanumeric()).collect();
        for word in JARGON {
            let found = if word.contains(' ') || word.contains('/') {
                lower.contains(word)
            } else {
                tokens.iter().any(|token| token.starts_with(word))
            };
            assert!(!found, "jargon {word:?}: {text:?}");
        }
    }
}

/// Both languages exist, differ, and are whole sentences.
fn check(advice: impl Fn(Lang) -> Advice, jargon_allowed: bool) {
    let (french, english) = (advice(Lang::Fr), advice(Lang::En));
    for text in [&french.what, &french.next, &english.what, &english.next] {
        check_sentence(text, jargon_allowed);
    }
    assert_ne!(french.what, english.what);
    assert_ne!(french.next, english.next);
    assert!(!english.what.contains(['é', 'è', 'ê', 'à', '«']), "French in English: {english:?}");
}

#[test]
fn every_cause_has_a_plain_sentence_and_advice_in_both_languages() {
    let causes = all_causes();
    // Three causes for each of some fifty containers, and about sixty others: fewer means that the search is broken.
    assert!(causes.len() > 200, "only {} causes were found", causes.len());
    for value in &causes {
        check(|lang| cause(value, lang), false);
    }
}

#[test]
fn no_two_causes_say_the_same() {
    for lang in [Lang::Fr, Lang::En] {
        let causes = all_causes();
        let sentences: BTreeSet<String> = causes.iter().map(|value| cause(value, lang).what).collect();
        assert_eq!(sentences.len(), causes.len());
    }
}

#[test]
fn verdicts_refusals_obstacles_and_errors_are_plain_too() {
    for value in all::<Verdict>() {
        let (french, english) = (verdict(value, Lang::Fr), verdict(value, Lang::En));
        for words in [french, english] {
            assert!(!words.word.is_empty() && words.word.chars().all(char::is_uppercase), "{words:?}");
            check_sentence(words.sentence, false);
            check_sentence(words.next, false);
        }
        assert_ne!(french, english);
    }
    check(suspicious, false);
    check_sentence(weaker_isolation(Lang::Fr), false);
    check_sentence(weaker_isolation(Lang::En), false);
    refusals().iter().for_each(|value| check(|lang| refusal(value, lang), false));
    obstacles().iter().for_each(|value| check(|lang| obstacle(value, lang), false));
    errors().iter().for_each(|value| check(|lang| scan_error(value, lang), true));
}

#[test]
fn labels_exist_in_both_languages() {
    let stages = [Stage::Walking, Stage::Checking, Stage::Judging];
    let kinds = [TargetKind::Device, TargetKind::Image, TargetKind::Folder];
    let mut labels: Vec<[&str; 2]> = Vec::new();
    labels.extend(stages.map(|value| [stage(value, Lang::Fr), stage(value, Lang::En)]));
    labels.extend(kinds.map(|value| [target_kind(value, Lang::Fr), target_kind(value, Lang::En)]));
    labels.extend(all::<Severity>().into_iter().map(|value| [severity(value, Lang::Fr), severity(value, Lang::En)]));
    labels.extend(all::<Container>().into_iter().map(|value| [container(value, Lang::Fr), container(value, Lang::En)]));
    labels.extend(all::<AreaClass>().into_iter().map(|value| [area(value, Lang::Fr), area(value, Lang::En)]));
    labels.extend(all::<VolumeRole>().into_iter().map(|value| [role(value, Lang::Fr), role(value, Lang::En)]));
    for [french, english] in labels {
        assert!(!french.is_empty() && !english.is_empty() && french != english, "{french:?} {english:?}");
        assert!(!french.ends_with('.') && !english.ends_with('.'));
    }
}

#[test]
fn formats_have_names_of_their_own() {
    for lang in [Lang::Fr, Lang::En] {
        let names: BTreeSet<&str> = all::<Container>().into_iter().map(|value| container(value, lang)).collect();
        assert_eq!(names.len(), all::<Container>().len());
        let names: BTreeSet<&str> = all::<FilesystemKind>().into_iter().map(|value| filesystem(value, lang)).collect();
        assert_eq!(names.len(), all::<FilesystemKind>().len());
    }
}

#[test]
fn an_engine_cannot_speak_to_the_terminal() {
    let advice = cause(&Cause::EngineFailed("\u{1B}[2J\u{202E}gone".into()), Lang::Fr);
    assert!(advice.what.contains("\\u{1B}[2J\\u{202E}gone"), "{advice:?}");
}

#[test]
fn the_language_follows_posix() {
    let chosen = |set: &[(&str, &str)]| {
        Lang::from_variables(|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    };
    assert_eq!(chosen(&[]), Lang::Fr);
    assert_eq!(chosen(&[("LANG", "en_GB.UTF-8")]), Lang::En);
    assert_eq!(chosen(&[("LANG", "en")]), Lang::En);
    assert_eq!(chosen(&[("LANG", "C.UTF-8")]), Lang::Fr);
    assert_eq!(chosen(&[("LANG", "de_DE.UTF-8")]), Lang::Fr);
    assert_eq!(chosen(&[("LC_ALL", "fr_FR.UTF-8"), ("LANG", "en_US.UTF-8")]), Lang::Fr);
    assert_eq!(chosen(&[("LC_ALL", ""), ("LC_MESSAGES", "en_US.UTF-8"), ("LANG", "fr_FR")]), Lang::En);
    assert_eq!("en".parse(), Ok(Lang::En));
    assert!("EN_US".parse::<Lang>().is_err());
}
