//! Rules for claims that the CDDL cannot say (sections 6 and 10 of the specification).

use super::{Area, AreaKind, Claims, Filesystem, Medium, Role, Volume};
use std::collections::BTreeSet;

/// One area.
const MAX_AREA: u64 = 16 << 20;
/// All areas of a tag.
const MAX_AREAS: u64 = 64 << 20;
/// Every program can count as far, JavaScript's included.
const MAX_COUNTER: u64 = 1 << 53;
/// The area of a filesystem without a boot area of its own.
const HEAD: u64 = 64 << 10;
/// Bytes at the start of the medium that must be accounted for.
const FIRST: u64 = 1 << 20;

type Checked = Result<(), &'static str>;

fn need(holds: bool, what: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(what) }
}

/// The sum, unless it exceeds 64 bits.
fn sum(numbers: impl IntoIterator<Item = u64>) -> Option<u64> {
    numbers.into_iter().try_fold(0u64, u64::checked_add)
}

/// The first byte after a range.
fn end(start: u64, length: u64) -> Option<u64> {
    start.checked_add(length)
}

fn inside(start: u64, length: u64, capacity: u64) -> bool {
    end(start, length).is_some_and(|end| end <= capacity)
}

impl Claims {
    /// What is wrong with the claims as a whole.
    pub(super) fn check(&self) -> Checked {
        need(self.expires > self.issued, "expires is not later than issued")?;
        need((1..=MAX_COUNTER).contains(&self.counter), "counter is not 1 to 2^53")?;
        need(self.medium.capacity > 0, "capacity is 0")?;
        need([512, 1024, 2048, 4096].contains(&self.medium.block), "impossible block size")?;
        let volumes = self.volumes.len();
        let known = |volume: u32| usize::try_from(volume).is_ok_and(|volume| volume < volumes);
        need(self.medium.tag_volume.is_none_or(known), "tag in an unknown volume")?;
        let names: BTreeSet<_> = self.how.engines.iter().map(|engine| &engine.name).collect();
        need(names.len() == self.how.engines.len(), "an engine occurs twice")?;
        self.check_volumes()?;
        self.check_content()?;
        self.check_sums(known)?;
        self.medium.check_areas(&self.volumes)
    }

    fn check_volumes(&self) -> Checked {
        let lies = |volume: &Volume| volume.length > 0 && inside(volume.start, volume.length, self.medium.capacity);
        need(self.volumes.iter().all(lies), "a volume reaches outside the medium")?;
        let rising = self.volumes.windows(2).all(|pair| matches!(pair, [a, b] if a.key() < b.key()));
        need(rising, "volumes out of order or repeated")
    }

    fn check_content(&self) -> Checked {
        let content = &self.content;
        let kinds = [content.files, content.streams, content.folders, content.links, content.others];
        need(sum(kinds) == Some(content.entries), "kinds of entries do not add up")?;
        let bytes = [content.checked, content.skipped, content.unreadable];
        need(sum(bytes) == Some(content.bytes), "checked, skipped and unreadable do not add up")?;
        let skipped = sum(self.exceptions.iter().map(|exception| exception.skipped));
        let unreadable = sum(self.exceptions.iter().map(|exception| exception.unreadable));
        need(skipped == Some(content.skipped), "skipped bytes that no exception explains")?;
        need(unreadable == Some(content.unreadable), "unreadable bytes that no exception explains")
    }

    fn check_sums(&self, known: impl Fn(u32) -> bool) -> Checked {
        let mut seen = BTreeSet::new();
        for line in &self.areas {
            need(line.volume.is_none_or(&known), "an area sum of an unknown volume")?;
            need(line.looked_at <= line.bytes, "more looked at than there is")?;
            need(seen.insert((line.class, line.volume)), "an area sum occurs twice")?;
        }
        let all = sum(self.areas.iter().map(|line| line.bytes));
        need(all == Some(self.medium.capacity), "area sums do not add up to the capacity")
    }
}

impl Medium {
    fn check_areas(&self, volumes: &[Volume]) -> Checked {
        let rising = self
            .areas
            .is_sorted_by(|a, b| (a.start, a.length, a.kind, a.volume) < (b.start, b.length, b.kind, b.volume));
        need(rising, "areas out of order or repeated")?;
        for area in &self.areas {
            let fits = (1..=MAX_AREA).contains(&area.length) && inside(area.start, area.length, self.capacity);
            need(fits, "an area is too long or reaches outside the medium")?;
            need(belongs(area, volumes), "an area is not where its kind must be")?;
        }
        let all = sum(self.areas.iter().map(|area| area.length));
        need(all.is_some_and(|all| all <= MAX_AREAS), "areas are too long together")?;
        self.check_tables(volumes)?;
        self.check_boots(volumes)?;
        self.check_gaps(volumes)?;
        self.check_start(volumes)
    }

    fn count(&self, kind: AreaKind) -> usize {
        self.areas.iter().filter(|area| area.kind == kind).count()
    }

    fn check_tables(&self, volumes: &[Volume]) -> Checked {
        let has = |roles: &[Role]| volumes.iter().any(|volume| roles.contains(&volume.role));
        let gpt = has(&[Role::Gpt]);
        let mbr = has(&[Role::Primary, Role::Logical]);
        let (mbrs, primary, backup) =
            (self.count(AreaKind::Mbr), self.count(AreaKind::GptPrimary), self.count(AreaKind::GptBackup));
        need(mbrs <= 1 && primary <= 1 && backup <= 1, "a partition table occurs twice")?;
        need(!mbr || mbrs == 1, "the area of the master boot record is missing")?;
        need(!gpt || (primary == 1 && backup == 1), "an area of the GUID partition table is missing")?;
        let block = u64::from(self.block);
        let whole = |area: &Area| match area.kind {
            AreaKind::Mbr => area.start == 0 && area.length == block,
            AreaKind::Ebr => area.length == block,
            _ => true,
        };
        need(self.areas.iter().all(whole), "a boot record is not one block")
    }

    /// Each range with volumes has the area of the filesystem that comes first.
    fn check_boots(&self, volumes: &[Volume]) -> Checked {
        let mut before = None;
        for (at, volume) in volumes.iter().enumerate() {
            let range = Some((volume.start, volume.length));
            let kind = boot_kind(volume.filesystem);
            let own =
                |area: &&Area| area.kind == kind && area.volume.is_some_and(|named| usize::try_from(named) == Ok(at));
            let count = self.areas.iter().filter(own).count();
            need(count == 1 || (count == 0 && before == range), "a volume has not the one boot area that it must")?;
            before = range;
        }
        Ok(())
    }

    /// The areas of gaps are those that the volumes and tables leave, no more and no less.
    fn check_gaps(&self, volumes: &[Volume]) -> Checked {
        use AreaKind::{Ebr, Gap, GptBackup, GptPrimary, Mbr};
        let tables = self.areas.iter().filter(|area| matches!(area.kind, Mbr | Ebr | GptPrimary | GptBackup));
        let tables = tables.map(|area| (area.start, area.length));
        let mut used: Vec<_> = volumes.iter().map(|volume| (volume.start, volume.length)).chain(tables).collect();
        used.sort_unstable();
        let (mut expected, mut reached) = (Vec::new(), 0u64);
        for (start, length) in used.into_iter().chain([(self.capacity, 0)]) {
            match start.saturating_sub(reached) {
                0 => {}
                whole if whole <= FIRST.saturating_mul(2) => expected.push((reached, whole)),
                _ => expected.extend([(reached, FIRST), (start.saturating_sub(FIRST), FIRST)]),
            }
            reached = reached.max(start.saturating_add(length));
        }
        let found = self.areas.iter().filter(|area| area.kind == Gap).map(|area| (area.start, area.length));
        need(found.eq(expected), "the areas of the gaps are not those between volumes and tables")
    }

    /// No byte of the first MiB is unaccounted for.
    fn check_start(&self, volumes: &[Volume]) -> Checked {
        let areas = self.areas.iter().map(|area| (area.start, area.length));
        let mut ranges: Vec<_> = volumes.iter().map(|volume| (volume.start, volume.length)).chain(areas).collect();
        ranges.sort_unstable();
        let reached = ranges.into_iter().fold(0u64, |reached, (start, length)| {
            if start <= reached { reached.max(start.saturating_add(length)) } else { reached }
        });
        need(reached >= FIRST.min(self.capacity), "something in the first MiB is in no area")
    }
}

/// The area that a filesystem demands.
fn boot_kind(filesystem: Filesystem) -> AreaKind {
    match filesystem {
        Filesystem::Fat12 | Filesystem::Fat16 | Filesystem::Fat32 => AreaKind::Fat,
        Filesystem::ExFat => AreaKind::ExFat,
        Filesystem::Ntfs => AreaKind::Ntfs,
        Filesystem::Ext => AreaKind::Ext,
        Filesystem::Iso9660 | Filesystem::Udf | Filesystem::Blank => AreaKind::Head,
    }
}

/// Lengths that do not depend on what the volume says of itself.
fn fixed_length(area: &Area, volume: &Volume) -> bool {
    match area.kind {
        AreaKind::Ntfs => area.length == 8192,
        AreaKind::Ext => area.length == 2048,
        AreaKind::Head => area.length == volume.length.min(HEAD),
        _ => true,
    }
}

/// Whether an area names the volume that it must, or none, and lies in it.
fn belongs(area: &Area, volumes: &[Volume]) -> bool {
    use AreaKind::{Ebr, Gap, GptBackup, GptPrimary, Mbr, NtfsBackup};
    let outside = matches!(area.kind, Mbr | Ebr | GptPrimary | GptBackup | Gap);
    let Some(number) = area.volume else { return outside };
    let volume = usize::try_from(number).ok().and_then(|number| volumes.get(number));
    let (Some(volume), false) = (volume, outside) else { return false };
    let (Some(area_end), Some(volume_end)) = (end(area.start, area.length), end(volume.start, volume.length)) else {
        return false;
    };
    let within = area.start >= volume.start && area_end <= volume_end;
    let kind = boot_kind(volume.filesystem);
    match area.kind {
        NtfsBackup => kind == AreaKind::Ntfs && (within || area.start == volume_end),
        _ => kind == area.kind && within && area.start == volume.start && fixed_length(area, volume),
    }
}
