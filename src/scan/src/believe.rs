//! What a matcher answers, checked before anybody believes it (security rules 2 and 5).

use blanche_sandbox::wire::{Cause, Digests, Hashed, ScanPiece, Scanned};

/// Bytes of the longest free text in an answer.
pub(crate) const MAX_TEXT: usize = 256;
/// Most lines of one answer.
pub(crate) const MAX_LINES: usize = 64;

/// Checks an answer against what was asked and what the reader said.
pub(crate) fn believe(mut scanned: Scanned, piece: &ScanPiece, digests: &Digests) -> Result<Box<Scanned>, Cause> {
    let short = |text: &str| text.len() <= MAX_TEXT;
    let bounded_cause = |cause: &Cause| !matches!(cause, Cause::EngineFailed(text) if !short(text));
    let bounded = scanned.findings.len() <= MAX_LINES
        && scanned.not_checked.len() <= MAX_LINES
        && scanned.not_checked.iter().all(bounded_cause)
        && scanned.content_type.media_type.len() <= 128
        && scanned.content_type.expected_extension.as_deref().is_none_or(short)
        && scanned.findings.iter().all(|finding| {
            finding.name.len() <= 256
                && finding.engine.len() <= 32
                && finding.layer.len() <= 32
                && finding.layer.iter().all(|name| name.len() <= 256)
        });
    if scanned.entry != piece.entry || !bounded {
        tracing::error!("a matcher answered something else than what it was asked");
        return Err(Cause::MatcherCrashed);
    }
    same_content(scanned.bytes, &scanned.digests, piece, digests)?;
    scanned.findings.sort_by(|left, right| {
        right.severity.cmp(&left.severity).then_with(|| (&left.layer, &left.name).cmp(&(&right.layer, &right.name)))
    });
    Ok(Box::new(scanned))
}

/// Checks the digests of a content that was only hashed.
pub(crate) fn believe_hashed(hashed: &Hashed, piece: &ScanPiece, digests: &Digests) -> Result<(), Cause> {
    if hashed.entry != piece.entry {
        tracing::error!("a matcher answered something else than what it was asked");
        return Err(Cause::MatcherCrashed);
    }
    same_content(hashed.bytes, &hashed.digests, piece, digests)
}

/// Reader and matcher must have seen the same bytes.
fn same_content(bytes: u64, computed: &Digests, piece: &ScanPiece, digests: &Digests) -> Result<(), Cause> {
    if bytes != piece.length || computed != digests {
        tracing::error!("station alarm: reader and matcher disagree about the content of entry {}", piece.entry);
        return Err(Cause::DigestsDiffer);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_sandbox::wire::{ContentType, EngineCpu, Finding, Severity};

    const DIGESTS: Digests = Digests { sha256: [3; 32], blake3: [4; 32] };

    fn piece() -> ScanPiece {
        ScanPiece { area: false, entry: 7, offset: 0, length: 5, extensions: Vec::new(), hash_only: false }
    }

    fn answer() -> Scanned {
        Scanned {
            entry: 7,
            bytes: 5,
            digests: DIGESTS,
            content_type: ContentType::default(),
            findings: Vec::new(),
            not_checked: Vec::new(),
            layers: 1,
            disk_image: false,
            cpu: EngineCpu::default(),
        }
    }

    #[test]
    fn a_matcher_that_hashed_something_else_is_caught() {
        assert!(believe(answer(), &piece(), &DIGESTS).is_ok());
        let sha256 = Scanned { digests: Digests { sha256: [0; 32], ..DIGESTS }, ..answer() };
        let blake3 = Scanned { digests: Digests { blake3: [0; 32], ..DIGESTS }, ..answer() };
        let short = Scanned { bytes: 4, ..answer() };
        for lie in [sha256, blake3, short] {
            assert_eq!(believe(lie, &piece(), &DIGESTS), Err(Cause::DigestsDiffer));
        }
    }

    #[test]
    fn an_answer_about_something_else_or_beyond_bounds_is_not_believed() {
        let finding =
            Finding { engine: "clamav".to_owned(), name: "x".to_owned(), severity: Severity::Info, layer: Vec::new() };
        let other = Scanned { entry: 8, ..answer() };
        let flood = Scanned { findings: vec![finding.clone(); MAX_LINES + 1], ..answer() };
        let long = Scanned { findings: vec![Finding { name: "x".repeat(257), ..finding }], ..answer() };
        for lie in [other, flood, long] {
            assert_eq!(believe(lie, &piece(), &DIGESTS), Err(Cause::MatcherCrashed));
        }
    }

    #[test]
    fn a_content_that_was_only_hashed_must_be_the_same() {
        let hashed = Hashed { entry: 7, bytes: 5, digests: DIGESTS, cpu: 0 };
        assert_eq!(believe_hashed(&hashed, &piece(), &DIGESTS), Ok(()));
        let other = Hashed { entry: 8, ..hashed };
        assert_eq!(believe_hashed(&other, &piece(), &DIGESTS), Err(Cause::MatcherCrashed));
        for lie in [Hashed { bytes: 4, ..hashed }, Hashed { digests: Digests { sha256: [0; 32], ..DIGESTS }, ..hashed }]
        {
            assert_eq!(believe_hashed(&lie, &piece(), &DIGESTS), Err(Cause::DigestsDiffer));
        }
    }
}
