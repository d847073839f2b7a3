//! Reading and changing the allocation table (FAT specification 1.03, "FAT Data Structure"; exFAT 4.1).

use crate::draft::{Draft, index, wide};
use crate::refusal::Refusal;
use crate::space::Run;

/// Bytes compared at once: a multiple of the entries of every width.
const STEP: u64 = 3 << 18;

/// Size of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
}

impl Width {
    /// The mark of a last cluster.
    pub(crate) fn end_mark(self) -> u32 {
        match self {
            Self::Fat12 => 0xfff,
            Self::Fat16 => 0xffff,
            Self::Fat32 => 0x0fff_ffff,
            Self::ExFat => u32::MAX,
        }
    }

    /// Offset and length of an entry in bytes.
    fn place(self, cluster: u32) -> (u64, u64) {
        let number = u64::from(cluster);
        match self {
            Self::Fat12 => (number.saturating_add(number / 2), 2),
            Self::Fat16 => (number.saturating_mul(2), 2),
            Self::Fat32 | Self::ExFat => (number.saturating_mul(4), 4),
        }
    }

    /// The value in the bytes of an entry.
    fn decode(self, cluster: u32, bytes: &[u8]) -> u32 {
        let raw = bytes.iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        match self {
            Self::Fat12 if cluster.is_multiple_of(2) => raw & 0xfff,
            Self::Fat12 => raw >> 4 & 0xfff,
            Self::Fat32 => raw & 0x0fff_ffff,
            Self::Fat16 | Self::ExFat => raw,
        }
    }

    /// The bytes of an entry with another value; the nibble of a neighbour and the reserved bits of FAT32 stay.
    fn encode(self, cluster: u32, old: &[u8], value: u32) -> Vec<u8> {
        let raw = old.iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        let new = match self {
            Self::Fat12 if cluster.is_multiple_of(2) => raw & 0xf000 | value & 0xfff,
            Self::Fat12 => raw & 0x000f | (value & 0xfff) << 4,
            Self::Fat32 => raw & 0xf000_0000 | value & 0x0fff_ffff,
            Self::Fat16 | Self::ExFat => value,
        };
        new.to_le_bytes().into_iter().take(old.len()).collect()
    }
}

/// The table with its copies.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// First byte of each copy on the medium; the first one is read, all are written.
    pub(crate) copies: Vec<u64>,
    pub(crate) width: Width,
    /// Clusters of the heap.
    pub(crate) clusters: u32,
}

impl Table {
    /// Highest number of a cluster.
    pub(crate) fn last(&self) -> u32 {
        self.clusters.saturating_add(1)
    }

    /// Whether this is a cluster of the heap.
    pub(crate) fn holds(&self, cluster: u32) -> bool {
        (2..=self.last()).contains(&cluster)
    }

    /// First byte of the first copy.
    pub(crate) fn start(&self) -> u64 {
        self.copies.first().copied().unwrap_or(0)
    }

    /// What the first copy says.
    pub(crate) fn get(&self, draft: &mut Draft<'_>, cluster: u32) -> Result<u32, Refusal> {
        let (offset, length) = self.width.place(cluster);
        let bytes = draft.read(self.start().saturating_add(offset), length)?;
        Ok(self.width.decode(cluster, &bytes))
    }

    /// Changes an entry in every copy.
    pub(crate) fn set(&self, draft: &mut Draft<'_>, cluster: u32, value: u32) -> Result<(), Refusal> {
        let (offset, length) = self.width.place(cluster);
        for copy in &self.copies {
            let at = copy.saturating_add(offset);
            let old = draft.read(at, length)?;
            draft.patch(at, &self.width.encode(cluster, &old, value))?;
        }
        Ok(())
    }

    /// Chains the clusters of `runs`, in this order, up to an end mark.
    pub(crate) fn chain(&self, draft: &mut Draft<'_>, runs: &[Run]) -> Result<(), Refusal> {
        let mut clusters = runs.iter().flat_map(|run| run.clusters()).peekable();
        while let Some(cluster) = clusters.next() {
            let next = clusters.peek().copied().unwrap_or_else(|| self.width.end_mark());
            self.set(draft, cluster, next)?;
        }
        Ok(())
    }

    /// Marks clusters as free.
    pub(crate) fn free(&self, draft: &mut Draft<'_>, runs: &[Run]) -> Result<(), Refusal> {
        runs.iter().flat_map(|run| run.clusters()).try_for_each(|cluster| self.set(draft, cluster, 0))
    }

    /// The clusters of a chain up to its end mark, at most `most` of them.
    pub(crate) fn follow(&self, draft: &mut Draft<'_>, first: u32, most: u64) -> Result<Vec<Run>, Refusal> {
        let mut runs: Vec<Run> = Vec::new();
        let (mut cluster, mut count) = (first, 0u64);
        loop {
            let offset = self.start().saturating_add(self.width.place(cluster).0);
            if !self.holds(cluster) {
                return Err(Refusal::Damaged { what: "a chain leaves the volume", offset });
            }
            count = count.saturating_add(1);
            if count > most.min(u64::from(self.clusters)) {
                return Err(Refusal::Damaged { what: "a chain is longer than its file", offset });
            }
            Run::push(&mut runs, cluster);
            let next = self.get(draft, cluster)?;
            // FFF8h to FFFFh end a chain in every width; FFF7h is a defective cluster.
            if next > self.width.end_mark().saturating_sub(8) {
                return Ok(runs);
            }
            cluster = next;
        }
    }

    /// Hands every entry of the heap to `visit` in order, and refuses copies that differ in any of them.
    pub(crate) fn for_each(&self, draft: &Draft<'_>, visit: &mut dyn FnMut(u32, u32)) -> Result<(), Refusal> {
        let (last, size) = self.width.place(self.last());
        let length = last.saturating_add(size);
        let mut cluster = 2u32;
        let mut start = 0u64;
        while start < length {
            let count = length.saturating_sub(start).min(STEP);
            let mut bytes = vec![0u8; index(count)];
            draft.read_raw(self.start().saturating_add(start), &mut bytes)?;
            self.compare(draft, start, &bytes)?;
            while cluster <= self.last() {
                let (offset, size) = self.width.place(cluster);
                let from = index(offset.saturating_sub(start));
                let Some(entry) = bytes.get(from..from.saturating_add(index(size))) else { break };
                visit(cluster, self.width.decode(cluster, entry));
                cluster = cluster.saturating_add(1);
            }
            start = start.saturating_add(count);
        }
        Ok(())
    }

    /// Compares the other copies with `bytes` of the first, but for the two entries that are flags.
    fn compare(&self, draft: &Draft<'_>, start: u64, bytes: &[u8]) -> Result<(), Refusal> {
        let flags = if start == 0 { index(self.width.place(2).0) } else { 0 };
        // The last entry of FAT12 may end in the middle of its last byte.
        let half = self.width == Width::Fat12 && self.last().is_multiple_of(2);
        for copy in self.copies.iter().skip(1) {
            let mut other = vec![0u8; bytes.len()];
            draft.read_raw(copy.saturating_add(start), &mut other)?;
            let at = other.iter().zip(bytes).skip(flags).position(|(one, two)| one != two);
            let Some(at) = at.map(|at| at.saturating_add(flags)) else { continue };
            let only_half = half && at.saturating_add(1) == bytes.len();
            if only_half && other.last().map(|byte| byte & 0xf) == bytes.last().map(|byte| byte & 0xf) {
                continue;
            }
            let offset = copy.saturating_add(start).saturating_add(wide(at));
            return Err(Refusal::Damaged { what: "the copies of the allocation table differ", offset });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use blanche_media::MemorySource;

    #[test]
    fn neighbours_of_an_entry_stay() {
        for (width, cluster, value) in [
            (Width::Fat12, 4u32, 0xabc),
            (Width::Fat12, 5, 0xabc),
            (Width::Fat16, 4, 0xabcd),
            (Width::Fat32, 4, 0xabcdef0),
        ] {
            let source = MemorySource::new(vec![0x5a; 1024]);
            let mut draft = Draft::new(&source, 512);
            let table = Table { copies: vec![0, 512], width, clusters: 100 };
            let before = [3, 5, 6].map(|one| table.get(&mut draft, one).unwrap());
            let others: Vec<u32> = [3, 5, 6].into_iter().filter(|one| *one != cluster).collect();
            table.set(&mut draft, cluster, value).unwrap();
            assert_eq!(table.get(&mut draft, cluster).unwrap(), value);
            for (one, old) in [3, 5, 6].into_iter().zip(before) {
                assert!(!others.contains(&one) || table.get(&mut draft, one).unwrap() == old, "{width:?} {one}");
            }
            if width == Width::Fat32 {
                assert_eq!(draft.read(19, 1).unwrap(), [0x5a], "reserved bits");
            }
            assert_eq!(draft.read(0, 512).unwrap(), draft.read(512, 512).unwrap());
        }
    }

    #[test]
    fn a_long_table_is_compared_to_its_end() {
        let clusters = 400_000u32;
        let length = (clusters as usize + 2) * 4;
        let size = length.next_multiple_of(512);
        let mut bytes = vec![0u8; 2 * size];
        bytes[4 * 399_999] = 7;
        bytes[size + 4 * 399_999] = 7;
        let table = Table { copies: vec![0, size as u64], width: Width::Fat32, clusters };
        let mut seen = 0u32;
        let source = MemorySource::new(bytes.clone());
        let mut used = Vec::new();
        let mut visit = |cluster, value| {
            seen += 1;
            if value != 0 {
                used.push((cluster, value));
            }
        };
        table.for_each(&Draft::new(&source, 512), &mut visit).unwrap();
        assert_eq!((seen, used), (clusters, vec![(399_999, 7)]));
        bytes[size + length - 2] = 1;
        let source = MemorySource::new(bytes);
        let refusal = table.for_each(&Draft::new(&source, 512), &mut |_, _| {}).unwrap_err();
        let offset = (size + length - 2) as u64;
        assert_eq!(refusal, Refusal::Damaged { what: "the copies of the allocation table differ", offset });
    }
}
