//! Which clusters belong to an entry already.
//!
//! One bit per cluster in pages that appear when they are needed; a page of ones costs nothing either. So a 2 TB
//! volume with one large file takes kilobytes, and no volume takes more than [`MAX_PAGES`] pages.

use super::FIRST_CLUSTER;
use crate::bytes::index;

/// 64-bit words of a page.
const PAGE_WORDS: usize = 64;
/// Clusters of a page.
const PAGE_CLUSTERS: u32 = 4096;
/// Pages with bits that one volume may have: 64 MiB. Enough for every FAT32 volume (at most 2^28 clusters, 32 MiB)
/// and for an exFAT volume of 64 TB in clusters of 128 KiB.
const MAX_PAGES: u32 = 1 << 17;

#[derive(Debug, Default)]
enum Page {
    #[default]
    Empty,
    Full,
    Bits(Box<[u64; PAGE_WORDS]>),
}

/// The account of claimed clusters of one volume.
#[derive(Debug)]
pub(crate) struct Claims {
    pages: Vec<Page>,
    allocated: u32,
    overflow: bool,
    shared_left: u64,
}

impl Claims {
    /// For a heap of `count` clusters.
    pub(crate) fn new(count: u32) -> Self {
        let pages = count.saturating_add(FIRST_CLUSTER).div_ceil(PAGE_CLUSTERS);
        let mut list = Vec::new();
        list.resize_with(index(u64::from(pages)), Page::default);
        // Honest chains never share. Hostile ones may make us follow the whole heap twice more, not once per entry.
        let shared_left = u64::from(count).saturating_mul(2).saturating_add(65_536);
        Self { pages: list, allocated: 0, overflow: false, shared_left }
    }

    /// Claims a cluster; false when it was claimed before.
    pub(crate) fn claim(&mut self, cluster: u32) -> bool {
        let (number, word, mask) = place(cluster);
        if matches!(self.pages.get(number), Some(Page::Empty)) {
            if self.allocated >= MAX_PAGES {
                self.overflow = true;
                return true;
            }
            self.allocated = self.allocated.saturating_add(1);
            if let Some(page) = self.pages.get_mut(number) {
                *page = Page::Bits(Box::new([0; PAGE_WORDS]));
            }
        }
        let Some(page) = self.pages.get_mut(number) else { return true };
        let Page::Bits(bits) = page else { return false };
        let Some(found) = bits.get_mut(word) else { return true };
        let fresh = *found & mask == 0;
        *found |= mask;
        if *found == u64::MAX && bits.iter().all(|word| *word == u64::MAX) {
            *page = Page::Full;
            self.allocated = self.allocated.saturating_sub(1);
        }
        fresh
    }

    /// Whether a cluster was claimed.
    pub(crate) fn contains(&self, cluster: u32) -> bool {
        let (number, word, mask) = place(cluster);
        match self.pages.get(number) {
            Some(Page::Full) => true,
            Some(Page::Bits(bits)) => bits.get(word).is_some_and(|word| *word & mask != 0),
            _ => false,
        }
    }

    /// Claims a page at once if `cluster` begins one of which nothing is claimed and `count` covers it.
    pub(crate) fn claim_page(&mut self, cluster: u32, count: u32) -> bool {
        let (number, ..) = place(cluster);
        if cluster.checked_rem(PAGE_CLUSTERS) != Some(0) || count < PAGE_CLUSTERS {
            return false;
        }
        match self.pages.get_mut(number) {
            Some(page @ Page::Empty) => {
                *page = Page::Full;
                true
            }
            _ => false,
        }
    }

    /// Clusters of a page, as claimed by [`Claims::claim_page`].
    pub(crate) const PAGE: u32 = PAGE_CLUSTERS;

    /// Whether one more step through another entry's cluster is allowed.
    pub(crate) fn may_share(&mut self) -> bool {
        let allowed = self.shared_left > 0;
        self.shared_left = self.shared_left.saturating_sub(1);
        allowed
    }

    /// Whether the account had to be given up since the last question.
    pub(crate) fn take_overflow(&mut self) -> bool {
        std::mem::take(&mut self.overflow)
    }
}

/// Page, word and bit of a cluster.
fn place(cluster: u32) -> (usize, usize, u64) {
    let page = index(u64::from(cluster / PAGE_CLUSTERS));
    let word = index(u64::from((cluster % PAGE_CLUSTERS) / 64));
    (page, word, 1u64.checked_shl(cluster % 64).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_claimed_once() {
        let mut claims = Claims::new(100_000);
        assert!(claims.claim(5));
        assert!(!claims.claim(5));
        assert!(claims.contains(5) && !claims.contains(6));
        for cluster in PAGE_CLUSTERS..2 * PAGE_CLUSTERS {
            assert!(claims.claim(cluster));
        }
        assert!(!claims.claim(PAGE_CLUSTERS + 7));
        assert!(claims.claim_page(3 * PAGE_CLUSTERS, PAGE_CLUSTERS));
        assert!(!claims.claim(3 * PAGE_CLUSTERS + 1));
        assert_eq!(claims.allocated, 1);
    }
}
