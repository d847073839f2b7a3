//! A set of blocks of one volume, one bit each, in pages that appear when they are needed: a page of ones costs
//! nothing, so a volume of terabytes with few fragments takes little.

use crate::bytes::index;
use std::ops::Range;

/// 64-bit words of a page.
const WORDS: usize = 64;
/// Blocks of a page.
pub(super) const PAGE: u32 = 4096;
/// Pages with bits that a set may have: 32 MiB.
const MAX_PAGES: u32 = 1 << 16;

#[derive(Debug, Default)]
enum Page {
    #[default]
    Empty,
    Full,
    Bits(Box<[u64; WORDS]>),
}

/// The set.
#[derive(Debug)]
pub(super) struct BlockSet {
    count: u32,
    pages: Vec<Page>,
    with_bits: u32,
    overflow: bool,
}

impl BlockSet {
    /// An empty set of the blocks 0 to `count` - 1.
    pub(super) fn new(count: u32) -> Self {
        let mut pages = Vec::new();
        pages.resize_with(index(u64::from(count.div_ceil(PAGE))), Page::default);
        Self { count, pages, with_bits: 0, overflow: false }
    }

    /// Adds blocks; returns how many of them are new.
    pub(super) fn insert(&mut self, blocks: Range<u32>) -> u32 {
        let end = blocks.end.min(self.count);
        let mut start = blocks.start;
        let mut fresh = 0u32;
        while start < end {
            let number = start / PAGE;
            let first = number.saturating_mul(PAGE);
            let stop = first.saturating_add(PAGE).min(end);
            let part = start.saturating_sub(first)..stop.saturating_sub(first);
            fresh = fresh.saturating_add(self.insert_in(index(u64::from(number)), &part));
            start = stop;
        }
        fresh
    }

    /// Adds blocks of one page.
    fn insert_in(&mut self, number: usize, part: &Range<u32>) -> u32 {
        let length = part.end.saturating_sub(part.start);
        let Some(page) = self.pages.get_mut(number) else { return 0 };
        if matches!(page, Page::Empty) {
            if length == PAGE {
                *page = Page::Full;
                return PAGE;
            }
            if self.with_bits >= MAX_PAGES {
                self.overflow = true;
                return length;
            }
            self.with_bits = self.with_bits.saturating_add(1);
            *page = Page::Bits(Box::new([0; WORDS]));
        }
        let Page::Bits(bits) = page else { return 0 };
        let mut fresh = 0u32;
        for (word, first) in bits.iter_mut().zip((0u32..).step_by(64)) {
            let mask = ones(part.start.saturating_sub(first), part.end.saturating_sub(first));
            fresh = fresh.saturating_add((!*word & mask).count_ones());
            *word |= mask;
        }
        if fresh > 0 && bits.iter().all(|word| *word == u64::MAX) {
            *page = Page::Full;
            self.with_bits = self.with_bits.saturating_sub(1);
        }
        fresh
    }

    /// The next run of blocks from `from` on that are (or are not) in the set.
    pub(super) fn run(&self, from: u32, present: bool) -> Option<Range<u32>> {
        let start = self.next(from, present);
        let end = self.next(start, !present);
        (start < end).then_some(start..end)
    }

    /// The next block from `from` on that is (or is not) in the set; the number of blocks if there is none.
    fn next(&self, from: u32, present: bool) -> u32 {
        let mut block = from;
        while block < self.count {
            let within = block % PAGE;
            let word = match self.pages.get(index(u64::from(block / PAGE))) {
                Some(Page::Bits(bits)) => bits.get(index(u64::from(within / 64))).copied().unwrap_or(0),
                Some(Page::Full) if !present => {
                    block = block.saturating_sub(within).saturating_add(PAGE);
                    continue;
                }
                Some(Page::Empty) if present => {
                    block = block.saturating_sub(within).saturating_add(PAGE);
                    continue;
                }
                Some(Page::Full) => u64::MAX,
                _ => 0,
            };
            let wanted = if present { word } else { !word } & ones(block % 64, 64);
            block = block.saturating_sub(block % 64);
            if wanted != 0 {
                return block.saturating_add(wanted.trailing_zeros()).min(self.count);
            }
            block = block.saturating_add(64);
        }
        self.count
    }

    /// Whether a block is in the set.
    pub(super) fn contains(&self, block: u32) -> bool {
        block < self.count && self.next(block, true) == block
    }

    /// Whether the set had to leave blocks out since the last question.
    pub(super) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }
}

/// The bits from `start` to `end` - 1 of a word; both may lie beyond it.
fn ones(start: u32, end: u32) -> u64 {
    let below = |bit: u32| 1u64.checked_shl(bit).map_or(u64::MAX, |power| power.wrapping_sub(1));
    below(end) & !below(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_counted_once() {
        let mut set = BlockSet::new(100_000);
        assert_eq!(set.insert(5..70), 65);
        assert_eq!(set.insert(60..80), 10);
        assert_eq!(set.insert(4000..20_000), 16_000);
        assert_eq!(set.insert(0..30_000), 30_000 - 75 - 16_000);
        assert_eq!(set.insert(99_990..u32::MAX), 10);
        assert!(set.contains(29_999) && !set.contains(30_000) && !set.contains(u32::MAX));
        assert_eq!(set.with_bits, 2);
    }

    #[test]
    fn runs_are_found_across_pages() {
        let mut set = BlockSet::new(20_000);
        set.insert(100..200);
        set.insert(4096..12_288);
        assert_eq!(set.run(0, false), Some(0..100));
        assert_eq!(set.run(150, false), Some(200..4096));
        assert_eq!(set.run(4096, false), Some(12_288..20_000));
        assert_eq!(set.run(0, true), Some(100..200));
        assert_eq!(set.run(200, true), Some(4096..12_288));
        assert_eq!(set.run(12_288, true), None);
        assert_eq!(set.run(20_000, false), None);
        set.insert(0..20_000);
        assert_eq!((set.run(0, false), set.run(0, true)), (None, Some(0..20_000)));
    }
}
