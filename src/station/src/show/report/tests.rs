#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use super::*;
use crate::show::samples::{clean, gap, hit, infected, volume};
use blanche_sandbox::wire::Container;
use blanche_scan::report::{FileLine, FindingsLeftOut, Refusal, SealingObstacle};

fn shown(value: &Report, lang: Lang, detail: Detail) -> String {
    let mut out = Vec::new();
    report(value, lang, detail, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("UTF-8").replace('\u{A0}', " ")
}

fn plain(value: &Report, lang: Lang) -> String {
    shown(value, lang, Detail::default())
}

#[test]
fn a_clean_key_in_french_from_the_first_to_the_last_line() {
    let expected = "\
✔ SAIN  key.img
  Tous les fichiers ont été vérifiés et rien de dangereux n'a été trouvé.
  → Vous pouvez utiliser ce support.

Vérifié : image d'un support, 512 Mo, 12 s, session 019a0000-0000-7000-8000-000000000001
  1. FAT32, « KEY », 511 Mo, partition principale

Bilan : 12 fichiers, 34 Mo ; vérifiés en entier : 12, 34 Mo.
Hors des fichiers : lu 512 octets, non regardé 477 Mo (surtout de l'espace libre).
clamav 1.4.6 : blanche.ndb (20 novembre 2026, il y a 2 jours), old.ndb (sans date)
yara-x 1.22.1 : scripts (20 novembre 2026, il y a 2 jours)
";
    assert_eq!(plain(&clean(), Lang::Fr), expected);
}

#[test]
fn an_infected_key_in_english_from_the_first_to_the_last_line() {
    let expected = "\
✖ INFECTED  key.img
  At least one dangerous file was found.
  → Open no file of this medium and take it to the security staff.

Checked: image of a medium, 512 MB, 12 s, session 019a0000-0000-7000-8000-000000000001
  1. FAT32, “KEY”, 511 MB, primary partition

Found: 1 file
  - docs/invoice.zip › eicar.com
      dangerous: Eicar-Test-Signature (clamav)

Not checked: 3 items
  This file (ZIP archive) is protected by a password; what it holds could not be checked.
  → Ask for a copy without a password.
      - a.zip
      - b.zip
  The medium could not be read at this place; it may be damaged.
  → Try once more; if it happens again, ask for a copy on another medium.
      - bad.bin (512 bytes, at position 4,096)

For information:
  - photo.jpg
      for information: Extension.Mismatch (clamav)

Ledger: 12 files, 34 MB; checked in full: 12, 34 MB; not checked: 2 MB; unreadable: 512 bytes.
Outside files: 512 bytes read, 477 MB not looked at (mostly free space).
clamav 1.4.6: blanche.ndb (20 November 2026, 2 days ago), old.ndb (no date)
yara-x 1.22.1: scripts (20 November 2026, 2 days ago)

The check ran with fewer protections than on a station.
  - no network namespace
";
    assert_eq!(plain(&infected(), Lang::En), expected);
}

#[test]
fn long_lists_are_cut_and_say_so() {
    let mut long = infected();
    long.findings = (0..1_234).map(|index| hit(&format!("{index}.exe"), "Bad", Severity::Malicious, &[])).collect();
    long.not_checked =
        (0..100).map(|index| gap(&format!("{index}.rar"), Cause::ContainerUnsupported(Container::Rar))).collect();
    let text = plain(&long, Lang::En);
    assert!(text.contains("… and 1,214 more, see --json") && text.contains("… and 92 more, see --json"), "{text}");
    assert!(text.lines().count() < 80, "{text}");
    assert!(plain(&long, Lang::Fr).contains("… et 1 214 de plus, voir --json"));
}

#[test]
fn what_the_report_itself_leaves_out_is_counted_and_said() {
    let mut bounded = infected();
    bounded.findings = (0..30).map(|index| hit(&format!("{index}.exe"), "Bad", Severity::Malicious, &[])).collect();
    bounded.findings_left_out = Some(FindingsLeftOut { malicious: 900, suspicious: 70, info: 5_000 });
    bounded.not_checked_left_out = Some(934_464);
    let listed = bounded.not_checked.len();
    let text = plain(&bounded, Lang::En);
    assert!(text.contains("Found: 1,000 files"), "{text}");
    assert!(text.contains("  … and 10 more, see --json\n  … and 970 more that the report does not name\n"), "{text}");
    assert!(
        text.contains(&format!("Not checked: {} items", words::number(934_464 + listed as u64, Lang::En))),
        "{text}"
    );
    assert!(text.contains("  … and 934,464 more that the report does not name\n"), "{text}");
    assert!(text.contains("For information:\n  … and 5,000 more that the report does not name\n"), "{text}");
    assert!(plain(&bounded, Lang::Fr).contains("… et 970 de plus, que le rapport ne nomme pas"));
}

#[test]
fn two_engines_that_agree_share_one_line_for_the_place() {
    let mut both = infected();
    for file in &mut both.findings {
        let mut second = file.findings.first().expect("a finding").clone();
        second.engine = "yara-x".into();
        file.findings.push(second);
    }
    let text = plain(&both, Lang::En);
    assert_eq!(text.matches("docs/invoice.zip › eicar.com").count(), 1, "{text}");
    assert!(text.contains("(clamav)\n      dangerous: Eicar-Test-Signature (yara-x)\n"), "{text}");
}

#[test]
fn a_folder_is_not_shown_as_a_volume_of_itself() {
    let mut folder = clean();
    folder.target.kind = TargetKind::Folder;
    folder.target.capacity = None;
    assert!(!plain(&folder, Lang::En).contains("1. FAT32"));
}

#[test]
fn a_refused_medium_says_why_and_claims_nothing_else() {
    let mut refused = clean();
    refused.verdict = Verdict::Refused;
    refused.refusal = Some(Refusal::Mounted("/media/key".into()));
    refused.volumes.clear();
    refused.area.sums.clear();
    let text = plain(&refused, Lang::En);
    assert!(text.starts_with("⊘ REFUSED") && text.contains("already open on the computer (/media/key)"), "{text}");
    assert!(!text.contains("Ledger"), "{text}");
}

#[test]
fn a_suspicious_file_asks_for_a_person() {
    let mut suspicious = clean();
    suspicious.verdict = Verdict::Incomplete;
    suspicious.findings = vec![hit("macro.doc", "Macro", Severity::Suspicious, &[])];
    let text = plain(&suspicious, Lang::En);
    assert!(text.starts_with("◐ INCOMPLETE") && text.contains("a person has to look at it"), "{text}");
    assert!(text.contains("suspicious: Macro"), "{text}");
}

#[test]
fn a_clean_key_without_tag_says_what_stands_against_it() {
    let mut unsealed = clean();
    unsealed.sealing.possible = false;
    unsealed.sealing.obstacles = vec![SealingObstacle::StaleBase("old.ndb".into())];
    let text = plain(&unsealed, Lang::En);
    assert!(text.contains("No tag for this medium:\n  The list of known viruses “old.ndb” is too old"), "{text}");
    unsealed.engines.base_rejected = Some("daily.cvd: broken".into());
    assert!(plain(&unsealed, Lang::En).contains("Newer base rejected: daily.cvd: broken"));
}

#[test]
fn an_incomplete_list_of_files_is_told() {
    let mut partial = clean();
    partial.verdict = Verdict::Incomplete;
    partial.content.listing_complete = false;
    assert!(plain(&partial, Lang::En).contains("the list of files is incomplete"));
}

#[test]
fn places_name_their_part_when_there_are_several() {
    let mut two = infected();
    two.volumes = vec![volume(0), volume(1)];
    two.findings.iter_mut().for_each(|file| file.volume = Some(1));
    let text = plain(&two, Lang::En);
    assert!(text.contains("  2. FAT32, “KEY”, 511 MB, primary partition, hidden"), "{text}");
    assert!(text.contains("- part 2: docs/invoice.zip › eicar.com") && text.contains("- part 1: a.zip"), "{text}");
    two.not_checked.iter_mut().for_each(|line| line.path = None);
    two.not_checked.iter_mut().take(1).for_each(|line| line.volume = None);
    let text = plain(&two, Lang::En);
    assert!(text.contains("- the whole medium") && text.contains("- part 1\n"), "{text}");
}

#[test]
fn files_and_profile_come_when_asked_for() {
    let mut full = clean();
    let line = |path: &str, sha256: Option<String>, verdict| FileLine {
        volume: 0,
        path: path.into(),
        path_bytes: None,
        size: 1,
        sha256,
        blake3: None,
        media_type: None,
        verdict,
    };
    full.files =
        Some(vec![line("a.txt", Some("ab".repeat(32)), Verdict::Clean), line("b.bin", None, Verdict::Incomplete)]);
    let text = shown(&full, Lang::En, Detail { files: true, profile: true, colour: false });
    assert!(text.contains(&format!("{}  CLEAN       a.txt\n", "ab".repeat(32))), "{text}");
    assert!(text.contains(&format!("-{}  INCOMPLETE  b.bin\n", " ".repeat(63))), "{text}");
    assert!(text.contains("Rate of the session: 2.8 MB/s") && text.contains("3.50 s CPU     2.8 MB/s"), "{text}");
    assert!(text.contains("Types, containers       0.10 s CPU     100 MB/s"), "{text}");
    assert!(text.contains("  3 contents known under the same bases, 1.2 kB\n"), "{text}");
    assert!(!plain(&full, Lang::En).contains("a.txt"));
}

#[test]
fn nothing_from_a_medium_is_obeyed_by_the_terminal() {
    let hostile = "\u{1B}[2J\u{202E}\u{7}\u{200B}\n";
    let mut report = infected();
    report.target.path = hostile.into();
    report.session = hostile.into();
    report.volumes.iter_mut().for_each(|volume| volume.label = Some(hostile.into()));
    for file in &mut report.findings {
        file.path = hostile.into();
        for finding in &mut file.findings {
            (finding.name, finding.engine, finding.layer) = (hostile.into(), hostile.into(), vec![hostile.into()]);
        }
    }
    report.not_checked = vec![gap(hostile, Cause::EngineFailed(hostile.into()))];
    for engine in &mut report.engines.engines {
        (engine.name, engine.version) = (hostile.into(), hostile.into());
        engine.bases.iter_mut().for_each(|base| base.name = hostile.into());
    }
    report.engines.base_rejected = Some(hostile.into());
    report.isolation.weaker = vec![hostile.into()];
    report.sealing.obstacles =
        vec![SealingObstacle::StaleBase(hostile.into()), SealingObstacle::MissingBase(hostile.into())];
    for verdict in [Verdict::Infected, Verdict::Clean, Verdict::Refused] {
        report.verdict = verdict;
        report.refusal = Some(Refusal::Mounted(hostile.into()));
        for lang in [Lang::Fr, Lang::En] {
            let text = plain(&report, lang);
            let obeyed = |character: char| {
                character != '\n' && (character.is_control() || "\u{202E}\u{200B}".contains(character))
            };
            assert!(!text.contains(obeyed), "{text:?}");
            assert!(text.contains("\\u{1B}[2J"), "{text}");
        }
    }
}

#[test]
fn colour_is_only_on_the_verdict() {
    let text = shown(&clean(), Lang::En, Detail { colour: true, ..Detail::default() });
    assert!(text.starts_with("\u{1B}[1;32m✔ CLEAN\u{1B}[0m  key.img\n"), "{text:?}");
    assert_eq!(text.matches('\u{1B}').count(), 2);
}
