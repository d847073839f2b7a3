//! Run lists ("mapping pairs"): where the clusters of a non-resident attribute lie.

use crate::bytes::Record;

/// Where a run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// From this cluster on.
    At(u64),
    /// Nowhere: zeros.
    Hole,
    /// Outside the volume.
    Outside,
}

/// A number of clusters in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) place: Place,
    /// At least one.
    pub(super) count: u64,
}

/// Decodes a run list of a volume with so many clusters. False when it ends without its end mark or says nonsense.
///
/// Each run: a byte with the sizes of two fields, the number of clusters, and the signed distance from the run before;
/// a run without a distance is a hole.
pub(super) fn decode(list: &[u8], clusters: u64) -> (Vec<Run>, bool) {
    let mut runs = Vec::new();
    let (mut at, mut current) = (0usize, 0i64);
    loop {
        let Some(sizes) = list.get(at).copied() else { return (runs, false) };
        if sizes == 0 {
            return (runs, true);
        }
        let (count_size, distance_size) = (usize::from(sizes & 0x0f), usize::from(sizes >> 4));
        let count_at = at.saturating_add(1);
        let distance_at = count_at.saturating_add(count_size);
        at = distance_at.saturating_add(distance_size);
        let count = signed(Record(list).slice(count_at, count_size));
        let sizes_hold = (1..=8).contains(&count_size) && distance_size <= 8 && at <= list.len();
        let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0 && sizes_hold) else {
            return (runs, false);
        };
        if distance_size == 0 {
            runs.push(Run { place: Place::Hole, count });
            continue;
        }
        current = current.wrapping_add(signed(Record(list).slice(distance_at, distance_size)));
        let first = u64::try_from(current).unwrap_or(u64::MAX);
        let inside = clusters.saturating_sub(first).min(count);
        if inside > 0 {
            runs.push(Run { place: Place::At(first), count: inside });
        }
        if count > inside {
            runs.push(Run { place: Place::Outside, count: count.saturating_sub(inside) });
        }
    }
}

/// A little-endian number of up to eight bytes with its sign.
fn signed(bytes: &[u8]) -> i64 {
    let negative = bytes.last().is_some_and(|byte| *byte & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 8];
    for (to, from) in whole.iter_mut().zip(bytes) {
        *to = *from;
    }
    i64::from_le_bytes(whole)
}

/// Clusters of all runs.
pub(super) fn total(runs: &[Run]) -> u64 {
    runs.iter().map(|run| run.count).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(first: u64, count: u64) -> Run {
        Run { place: Place::At(first), count }
    }

    #[test]
    fn forward_backward_and_holes() {
        let list = [0x21, 0x18, 0x34, 0x56, 0x01, 0x20, 0x11, 0x05, 0xff, 0x00];
        let hole = Run { place: Place::Hole, count: 0x20 };
        assert_eq!(decode(&list, 1 << 20), (vec![at(0x5634, 0x18), hole, at(0x5633, 5)], true));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let outside = |count| Run { place: Place::Outside, count };
        assert_eq!(decode(&[0x11, 0x10, 0x08, 0], 16), (vec![at(8, 8), outside(8)], true));
        assert_eq!(decode(&[0x11, 0x10, 0xf0, 0], 16), (vec![outside(16)], true));
    }

    #[test]
    fn nonsense_ends_the_list() {
        for list in [&[][..], &[0x11], &[0x10, 0], &[0x19, 1, 1], &[0x91, 1, 1], &[0x11, 0, 1, 0], &[0x11, 0x80, 1, 0]]
        {
            assert_eq!(decode(list, 16), (vec![], false), "{list:?}");
        }
        assert_eq!(decode(&[0x11, 1, 1], 16), (vec![at(1, 1)], false));
    }
}
