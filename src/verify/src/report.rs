//! The JSON document `blanche-verification/1` (docs/verify.md).

use crate::exit::Exit;
use crate::failure::{Failure, shown};
use crate::lang::Lang;
use crate::policy::level_name;
use crate::target::Kind;
use crate::verification::{Accepted, Verification};
use crate::words::{self, hex};
use blanche_tag::visible::{harmless, visible, visible_path};
use blanche_tag::{Compared, Comparison, DifferenceKind, Level, Refusal};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    version: &'static str,
    verdict: &'static str,
    exit_code: u8,
    level: &'static str,
    target: Target,
    refusal: Option<RefusalLine>,
    tag: Option<TagLine>,
    compared: Option<ComparedLine>,
    differences: Differences,
    tolerated: Vec<Name>,
    clock: String,
    notices: Vec<NoticeLine>,
}

#[derive(Serialize)]
struct Target {
    path: String,
    kind: &'static str,
    capacity: Option<u64>,
    logical_block: Option<u32>,
}

/// A refusal, for people and programs.
#[derive(Serialize)]
pub(crate) struct RefusalLine {
    code: &'static str,
    step: u8,
    detail: String,
    what: &'static str,
    next: &'static str,
}

#[derive(Serialize)]
struct TagLine {
    tag: String,
    station: String,
    site: String,
    issued: String,
    expires: String,
    counter: u64,
    detached: bool,
    files: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct ComparedLine {
    capacity: &'static str,
    usb: &'static str,
    boot: &'static str,
    streams: &'static str,
}

#[derive(Default, Serialize)]
struct Differences {
    count: u64,
    listed: Vec<DifferenceLine>,
}

#[derive(Serialize)]
struct DifferenceLine {
    difference: &'static str,
    #[serde(flatten)]
    name: Name,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize)]
struct Name {
    volume: u32,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    /// Components joined by zero bytes, as in a manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
}

#[derive(Serialize)]
struct NoticeLine {
    notice: &'static str,
    sentence: String,
}

#[derive(Serialize)]
struct FailureDocument {
    schema: &'static str,
    target: String,
    error: &'static str,
    message: String,
    exit_code: u8,
}

impl RefusalLine {
    pub(crate) fn new(refusal: &Refusal, lang: Lang) -> Self {
        let sentences = lang.of(refusal.code.french(), refusal.code.english());
        Self {
            code: refusal.code.as_str(),
            step: refusal.step,
            detail: harmless(&refusal.detail),
            what: sentences.what,
            next: sentences.next,
        }
    }
}

impl Name {
    fn new(volume: u32, path: &[u8], stream: Option<&[u8]>) -> Self {
        let names = path.split(|byte| *byte == 0);
        let plain = path.iter().all(|byte| matches!(byte, b' '..=b'~' | 0) && !matches!(byte, b'\\' | b'/'));
        Self { volume, path: visible_path(names), stream: stream.map(visible), path_bytes: (!plain).then(|| hex(path)) }
    }
}

/// As a difference is called.
pub(crate) const fn difference_name(kind: &DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Added => "added",
        DifferenceKind::Removed => "removed",
        DifferenceKind::Changed => "changed",
        DifferenceKind::Altered => "altered",
        DifferenceKind::Unreadable(_) => "unreadable",
    }
}

const fn compared_name(compared: Compared) -> &'static str {
    match compared {
        Compared::Match => "match",
        Compared::NotAvailable => "not_available",
        Compared::NotClaimed => "not_claimed",
    }
}

/// Whether streams were compared.
pub(crate) const fn streams(level: Level, kind: Kind) -> &'static str {
    match (level, kind) {
        (Level::Identity, _) => "not_compared",
        (_, Kind::Folder) => "not_available",
        _ => "compared",
    }
}

fn tag_line(Accepted { claims, .. }: &Accepted) -> TagLine {
    TagLine {
        tag: words::uuid(&claims.tag),
        station: claims.station.to_string(),
        site: claims.site.to_string(),
        issued: words::time(claims.issued),
        expires: words::time(claims.expires),
        counter: claims.counter,
        detached: claims.medium.tag_volume.is_none(),
        files: claims.content.files,
        bytes: claims.content.bytes,
    }
}

fn differences(comparison: &Comparison) -> Differences {
    let listed = comparison.differences.iter().map(|difference| DifferenceLine {
        difference: difference_name(&difference.kind),
        name: Name::new(difference.volume, &difference.path, difference.stream.as_deref()),
        why: match &difference.kind {
            DifferenceKind::Unreadable(why) => Some(harmless(why)),
            _ => None,
        },
    });
    Differences { count: comparison.count, listed: listed.collect() }
}

/// The document of a verification.
pub(crate) fn document(verification: &Verification, lang: Lang) -> String {
    let Verification { target, level, outcome, tag, comparison, clock, notices } = verification;
    let exit = exit(outcome);
    let tolerated = comparison.iter().flat_map(|comparison| &comparison.tolerated);
    let document = Document {
        schema: "blanche-verification/1",
        version: env!("CARGO_PKG_VERSION"),
        verdict: if outcome.is_ok() { "accepted" } else { "refused" },
        exit_code: exit.code(),
        level: level_name(*level),
        target: Target {
            path: shown(&target.path),
            kind: target.kind.as_str(),
            capacity: target.size.map(|(capacity, _)| capacity),
            logical_block: target.size.map(|(_, block)| block),
        },
        refusal: outcome.as_ref().err().map(|refusal| RefusalLine::new(refusal, lang)),
        tag: tag.as_ref().map(tag_line),
        compared: tag.as_ref().map(|tag| ComparedLine {
            capacity: compared_name(tag.capacity),
            usb: compared_name(tag.usb),
            boot: compared_name(tag.boot),
            streams: streams(*level, target.kind),
        }),
        differences: comparison.as_ref().map(differences).unwrap_or_default(),
        tolerated: tolerated.map(|(volume, path)| Name::new(*volume, path, None)).collect(),
        clock: words::time(*clock),
        notices: notices
            .iter()
            .map(|notice| NoticeLine { notice: notice.code(), sentence: notice.sentence(lang) })
            .collect(),
    };
    pretty(&document)
}

/// The document of a target without an answer (docs/report.md, `blanche-failure/1`).
pub(crate) fn failure(failure: &Failure, target: &Path, lang: Lang) -> String {
    let advice = failure.advice(lang);
    pretty(&FailureDocument {
        schema: "blanche-failure/1",
        target: shown(target),
        error: failure.kind(),
        message: format!("{} {}", advice.what, advice.next),
        exit_code: failure.exit().code(),
    })
}

/// What the caller of the program sees.
pub(crate) fn exit(outcome: &Result<(), Refusal>) -> Exit {
    outcome.as_ref().map_or_else(|refusal| Exit::from(refusal.code), |()| Exit::Accepted)
}

/// JSON with a line end. Texts, numbers and lists only: nothing that JSON could not hold.
pub(crate) fn pretty(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
