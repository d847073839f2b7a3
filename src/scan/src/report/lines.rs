//! The lists of a report. A medium can have millions of files with paths of 32 KiB each: what passes the bounds is counted, and
//! no path of it is built.

use super::{FileFindings, LeftOut, NotChecked, Renamed};

/// Lines of one list, at most.
pub const MOST_LINES: usize = 65_536;
/// Bytes of one list in memory, at most, but for the last line.
pub const MOST_BYTES: usize = 16 << 20;

/// One line of a list.
pub trait Line {
    /// Bytes of its texts.
    fn text(&self) -> usize;
}

/// A list that is being made; the lines that matter most have to come first.
#[derive(Debug)]
pub struct Lines<L> {
    lines: Vec<L>,
    bytes: usize,
    left_out: u64,
}

impl<L: Line> Lines<L> {
    /// Adds a line. Where there is no room it is not built, only counted, and the answer is false.
    pub fn add(&mut self, line: impl FnOnce() -> L) -> bool {
        if self.lines.len() >= MOST_LINES || self.bytes >= MOST_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        let line = line();
        self.bytes = self.bytes.saturating_add(size_of::<L>()).saturating_add(line.text());
        self.lines.push(line);
        true
    }

    /// The lines, and how many more there are.
    #[must_use]
    pub fn finish(self) -> (Vec<L>, Option<u64>) {
        (self.lines, Some(self.left_out).filter(|left_out| *left_out > 0))
    }
}

impl<L> Default for Lines<L> {
    fn default() -> Self {
        Self { lines: Vec::new(), bytes: 0, left_out: 0 }
    }
}

/// Bytes of a path and of its exact form.
fn path(visible: &str, exact: Option<&String>) -> usize {
    visible.len().saturating_add(exact.map_or(0, String::len))
}

impl Line for FileFindings {
    fn text(&self) -> usize {
        let own = path(&self.path, self.path_bytes.as_ref()).saturating_add(self.sha256.len());
        let texts = |finding: &blanche_sandbox::wire::Finding| {
            let layers = finding.layer.iter().map(|name| size_of::<String>().saturating_add(name.len()));
            let names = finding.engine.len().saturating_add(finding.name.len());
            layers.fold(size_of_val(finding).saturating_add(names), usize::saturating_add)
        };
        self.findings.iter().map(texts).fold(own.saturating_add(self.media_type.len()), usize::saturating_add)
    }
}

impl Line for NotChecked {
    fn text(&self) -> usize {
        path(self.path.as_deref().unwrap_or_default(), self.path_bytes.as_ref())
    }
}

impl Line for Renamed {
    fn text(&self) -> usize {
        path(&self.path, self.path_bytes.as_ref()).saturating_add(self.to.len())
    }
}

impl Line for LeftOut {
    fn text(&self) -> usize {
        path(&self.path, self.path_bytes.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Omission;

    fn lines(number: usize, length: usize) -> (usize, Option<u64>) {
        let mut lines = Lines::default();
        for _ in 0..number {
            let line = || LeftOut {
                volume: 0,
                path: "x".repeat(length),
                path_bytes: Some("78".repeat(length)),
                because: Omission::Link,
            };
            lines.add(line);
        }
        let (lines, left_out) = lines.finish();
        (lines.len(), left_out)
    }

    #[test]
    fn a_list_has_a_bounded_number_of_lines_and_of_bytes_and_counts_the_others() {
        assert_eq!(lines(0, 9), (0, None));
        assert_eq!(lines(MOST_LINES, 9), (MOST_LINES, None));
        assert_eq!(lines(MOST_LINES + 7, 9), (MOST_LINES, Some(7)));
        let (listed, left_out) = lines(1000, 32 << 10);
        let room = MOST_BYTES / (96 << 10);
        assert!((room..=room + 1).contains(&listed), "{listed}");
        assert_eq!(left_out, Some(1000 - u64::try_from(listed).expect("small")));
    }
}
