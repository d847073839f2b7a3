//! A set of byte ranges: what of a volume belongs to whom. Ranges that touch become one, so a medium on which files lie
//! behind each other takes a few bytes however large it is.

use std::collections::BTreeMap;
use std::ops::Range;

/// Ranges that one set may hold (about 32 MiB). Beyond it the set says so and forgets.
const MAX_SPANS: usize = 1 << 20;

/// Disjoint ranges that do not touch.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans {
    /// First byte, first byte behind it.
    map: BTreeMap<u64, u64>,
    overflow: bool,
}

impl Spans {
    /// Adds a range; returns how many of its bytes were not in the set.
    pub(super) fn insert(&mut self, range: &Range<u64>) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let (mut start, mut end) = (range.start, range.end);
        let mut known = 0u64;
        while let Some((from, to)) = self.map.range(..=end).next_back().map(|(from, to)| (*from, *to)) {
            if to < start {
                break;
            }
            self.map.remove(&from);
            known = known.saturating_add(to.saturating_sub(from));
            start = start.min(from);
            end = end.max(to);
        }
        if self.map.len() >= MAX_SPANS {
            self.overflow = true;
        } else {
            self.map.insert(start, end);
        }
        end.saturating_sub(start).saturating_sub(known)
    }

    /// The end of the range that holds `position`.
    pub(super) fn end_of(&self, position: u64) -> Option<u64> {
        self.map.range(..=position).next_back().map(|(_, to)| *to).filter(|to| *to > position)
    }

    /// The ranges, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.map.iter().map(|(from, to)| *from..*to)
    }

    /// What of `whole` is not in the set, in order.
    pub(super) fn gaps(&self, whole: &Range<u64>) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        let mut at = whole.start;
        for span in self.iter() {
            let end = span.start.min(whole.end);
            if at < end {
                gaps.push(at..end);
            }
            at = at.max(span.end);
        }
        if at < whole.end {
            gaps.push(at..whole.end);
        }
        gaps
    }

    /// Whether ranges were forgotten since the last question.
    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_overlap_or_touch_become_one() {
        let mut spans = Spans::default();
        assert_eq!(spans.insert(&(10..20)), 10);
        assert_eq!(spans.insert(&(30..40)), 10);
        assert_eq!(spans.insert(&(20..25)), 5);
        assert_eq!(spans.insert(&(12..18)), 0);
        assert_eq!(spans.insert(&(15..35)), 5);
        assert_eq!(spans.iter().map(|span| (span.start, span.end)).collect::<Vec<_>>(), [(10, 40)]);
        assert_eq!(spans.insert(&(50..50)), 0);
        assert_eq!((spans.end_of(39), spans.end_of(40), spans.end_of(9)), (Some(40), None, None));
        spans.insert(&(60..70));
        assert_eq!(spans.gaps(&(0..100)), [0..10, 40..60, 70..100]);
        assert_eq!(spans.gaps(&(15..61)).first(), Some(&(40..60)));
    }
}
