//! One table for how much a hit weighs (security rule 1): names of libclamav's heuristics become causes or severities;
//! everything else that has a name is malicious.

use blanche_sandbox::wire::{Cause, Container, EngineLimit, Severity};

/// What a name of ClamAV means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A finding.
    Finding(Severity),
    /// Not a finding: something was not looked at.
    NotChecked(Cause),
}

/// What a row of the table says.
#[derive(Clone, Copy)]
enum Row {
    Weighs(Severity),
    Limit(EngineLimit),
    Encrypted(Container),
}

/// Names by their beginning; the first row that fits counts. Source: the names in libclamav 1.4 (`cli_append_*`).
const TABLE: &[(&str, Row)] = &[
    // What libclamav did not look at.
    ("Heuristics.Limits.Exceeded.MaxFileSize", Row::Limit(EngineLimit::FileSize)),
    ("Heuristics.Limits.Exceeded.MaxScanSize", Row::Limit(EngineLimit::ScanSize)),
    ("Heuristics.Limits.Exceeded.MaxFiles", Row::Limit(EngineLimit::Files)),
    ("Heuristics.Limits.Exceeded.MaxRecursion", Row::Limit(EngineLimit::Recursion)),
    ("Heuristics.Limits.Exceeded.MaxScanTime", Row::Limit(EngineLimit::Time)),
    ("Heuristics.Limits.Exceeded", Row::Limit(EngineLimit::Other)),
    ("Heuristics.XZ.DicSizeLimit", Row::Limit(EngineLimit::Other)),
    ("Heuristics.Encrypted.Zip", Row::Encrypted(Container::Zip)),
    ("Heuristics.Encrypted.7Zip", Row::Encrypted(Container::SevenZip)),
    ("Heuristics.Encrypted.RAR", Row::Encrypted(Container::Rar)),
    ("Heuristics.Encrypted.ARJ", Row::Encrypted(Container::Arj)),
    ("Heuristics.Encrypted.Arj", Row::Encrypted(Container::Arj)),
    ("Heuristics.Encrypted.EGG", Row::Encrypted(Container::Egg)),
    ("Heuristics.Encrypted.ALZ", Row::Encrypted(Container::Alz)),
    ("Heuristics.Encrypted.PDF", Row::Encrypted(Container::Pdf)),
    // Office documents and whatever later versions add.
    ("Heuristics.Encrypted", Row::Encrypted(Container::Ole2)),
    // What needs a person.
    ("Heuristics.Broken", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.OLE2.ContainsMacros", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.Macro", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.Phishing", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.Structured", Row::Weighs(Severity::Info)),
    ("Heuristics.Zip.OverlappingFiles", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.PDF.ObfuscatedNameObject", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.MBRPartition", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.GPTPartition", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.APMPartition", Row::Weighs(Severity::Suspicious)),
    ("Heuristics.BoundsCheck", Row::Weighs(Severity::Suspicious)),
    ("PUA.", Row::Weighs(Severity::Suspicious)),
    // What libclamav recognises by code instead of by a signature: worms, viruses, exploits.
    ("Heuristics.", Row::Weighs(Severity::Malicious)),
];

/// What a name of ClamAV means. Official bases put ".UNOFFICIAL" behind local names; the beginning decides.
#[must_use]
pub fn of_clamav(name: &str) -> Meaning {
    let row = TABLE.iter().find(|(beginning, _)| name.starts_with(beginning));
    match row.map(|(_, row)| *row) {
        Some(Row::Weighs(severity)) => Meaning::Finding(severity),
        Some(Row::Limit(limit)) => Meaning::NotChecked(Cause::EngineLimit(limit)),
        Some(Row::Encrypted(container)) => Meaning::NotChecked(Cause::Encrypted(container)),
        None => Meaning::Finding(Severity::Malicious),
    }
}

/// What the `severity` metadata of a rule means. A rule weighs less than malicious only if it says so.
#[must_use]
pub fn of_rule(stated: Option<&str>) -> Severity {
    match stated {
        Some("suspicious") => Severity::Suspicious,
        Some("info") => Severity::Info,
        _ => Severity::Malicious,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_passwords_are_not_checked_rather_than_found() {
        for (name, cause) in [
            ("Heuristics.Limits.Exceeded.MaxFiles", Cause::EngineLimit(EngineLimit::Files)),
            ("Heuristics.Limits.Exceeded.MaxRecursion", Cause::EngineLimit(EngineLimit::Recursion)),
            ("Heuristics.Limits.Exceeded.EmailHeaders", Cause::EngineLimit(EngineLimit::Other)),
            ("Heuristics.Encrypted.Zip", Cause::Encrypted(Container::Zip)),
            ("Heuristics.Encrypted.Doc", Cause::Encrypted(Container::Ole2)),
        ] {
            assert_eq!(of_clamav(name), Meaning::NotChecked(cause), "{name}");
        }
    }

    #[test]
    fn a_real_signature_is_malicious_and_a_heuristic_only_if_it_names_malware() {
        for (name, severity) in [
            ("Win.Test.EICAR_HDB-1", Severity::Malicious),
            ("Clam.Test.UNOFFICIAL", Severity::Malicious),
            ("Heuristics.W32.Kriz", Severity::Malicious),
            ("Heuristics.Broken.Executable", Severity::Suspicious),
            ("Heuristics.OLE2.ContainsMacros.VBA", Severity::Suspicious),
            ("PUA.Win.Packer.X", Severity::Suspicious),
        ] {
            assert_eq!(of_clamav(name), Meaning::Finding(severity), "{name}");
        }
    }

    #[test]
    fn a_rule_is_malicious_unless_it_says_less() {
        assert_eq!(of_rule(None), Severity::Malicious);
        assert_eq!(of_rule(Some("harmless")), Severity::Malicious);
        assert_eq!(of_rule(Some("suspicious")), Severity::Suspicious);
        assert_eq!(of_rule(Some("info")), Severity::Info);
    }
}
