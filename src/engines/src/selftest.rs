//! The self-test: what was loaded finds its markers, and every container that has an opener is really opened.
//!
//! It runs in a confined matcher of its own, never in the zygote: what works outside the sandbox proves nothing.

use crate::containers::{OPENERS, Opened, Opener, samples};
use crate::examine::{CLAMAV, Engines, Examined, YARA};
use blanche_sandbox::wire::{ContainerProof, FromMatcher, SelfTestResult, Severity};

/// The test file of EICAR (eicar.org), in two halves so that no scanner finds this program.
pub const EICAR_HALVES: [&str; 2] = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR", "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
/// Name of the marker in results.
pub const EICAR: &str = "EICAR";
/// The same in an HTML page in UTF-16: libclamav must be able to convert encodings inside the sandbox.
pub const EICAR_HTML: &str = "EICAR in UTF-16 HTML";

/// The test file of EICAR: 68 bytes.
#[must_use]
pub fn eicar() -> Vec<u8> {
    EICAR_HALVES.concat().into_bytes()
}

/// An HTML page in UTF-16 (little-endian, with byte order mark) that shows the marker.
#[must_use]
pub fn eicar_html() -> Vec<u8> {
    let page = format!("<html><body><p>{}</p></body></html>", EICAR_HALVES.concat());
    std::iter::once(0xfeff).chain(page.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Runs the self-test and leaves what counts as opened as it was.
#[must_use]
pub fn run(engines: &mut Engines<'_>) -> FromMatcher {
    let before = std::mem::replace(&mut engines.opened, Opened::claimed());
    let plain = engines.examine(&eicar(), &["com".to_owned()], None);
    let html = engines.examine(&eicar_html(), &["html".to_owned()], None);
    let result = |engine: &str, marker: &str, examined: &Examined| SelfTestResult {
        engine: engine.to_owned(),
        marker: marker.to_owned(),
        found: examined
            .findings
            .iter()
            .any(|finding| finding.engine == engine && finding.severity == Severity::Malicious),
    };
    let results = vec![result(CLAMAV, EICAR, &plain), result(YARA, EICAR, &plain), result(CLAMAV, EICAR_HTML, &html)];
    let containers = OPENERS.iter().map(|row| prove(engines, row)).collect();
    engines.opened = before;
    FromMatcher::SelfTested { results, containers }
}

/// Opens the sample of one container: the marker must come out as a layer of its own, and nothing be left unchecked.
fn prove(engines: &mut Engines<'_>, row: &Opener) -> ContainerProof {
    let sample = row.engine.and_then(|_| samples::sample(row.container, &eicar()));
    let proved = sample.is_some_and(|sample| {
        let examined = engines.examine(&sample, &[], Some(&eicar()));
        let found = examined.findings.iter().any(|finding| finding.engine == CLAMAV);
        examined.marker_seen && found && examined.not_checked.is_empty()
    });
    ContainerProof { container: row.container, opener: row.engine.map(str::to_owned), proved }
}
