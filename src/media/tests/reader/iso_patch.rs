//! Finds and changes fields of an image.

/// Bytes of a sector.
pub(super) const SECTOR: usize = 2048;
/// The primary descriptor.
pub(super) const PRIMARY: usize = 16 * SECTOR;

/// An image that is easy to damage.
#[derive(Clone)]
pub(super) struct Iso(pub(super) Vec<u8>);

impl Iso {
    pub(super) fn u32(&self, at: usize) -> usize {
        u32::from_le_bytes(self.0[at..at + 4].try_into().unwrap()) as usize
    }

    /// Writes a number in both byte orders.
    pub(super) fn set32(&mut self, at: usize, value: u32) {
        self.0[at..at + 4].copy_from_slice(&value.to_le_bytes());
        self.0[at + 4..at + 8].copy_from_slice(&value.to_be_bytes());
    }

    /// The descriptor of this type (behind the first `skip` of them).
    pub(super) fn descriptor(&self, kind: u8) -> usize {
        (PRIMARY..).step_by(SECTOR).find(|at| self.0[*at] == kind).unwrap()
    }

    /// Places of the records of the folder that a record describes.
    pub(super) fn records(&self, folder: usize) -> Vec<usize> {
        let (start, length) = (self.u32(folder + 2) * SECTOR, self.u32(folder + 10));
        let mut records = Vec::new();
        let mut at = start;
        while at < start + length {
            match usize::from(self.0[at]) {
                0 => at = (at / SECTOR + 1) * SECTOR,
                size => {
                    records.push(at);
                    at += size;
                }
            }
        }
        records
    }

    pub(super) fn identifier(&self, record: usize) -> &[u8] {
        &self.0[record + 33..record + 33 + usize::from(self.0[record + 32])]
    }

    /// The record of a path in the tree of the primary descriptor.
    pub(super) fn record(&self, path: &str) -> usize {
        path.split('/').fold(PRIMARY + 156, |folder, name| {
            let mut records = self.records(folder).into_iter();
            records.find(|record| self.identifier(*record) == name.as_bytes()).unwrap_or_else(|| panic!("no {name}"))
        })
    }

    /// Where the content of a record begins.
    pub(super) fn start(&self, record: usize) -> usize {
        self.u32(record + 2) * SECTOR
    }

    /// Adds sectors at the end, and counts them to the volume; returns the first one.
    pub(super) fn append(&mut self, bytes: &[u8]) -> u32 {
        let at = self.0.len().next_multiple_of(SECTOR);
        self.0.resize(at, 0);
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(SECTOR), 0);
        let sectors = (self.0.len() / SECTOR) as u32;
        self.set32(PRIMARY + 80, sectors);
        (at / SECTOR) as u32
    }

    /// Offset of the first system use entry with this signature in the record.
    pub(super) fn entry(&self, record: usize, signature: &[u8; 2]) -> usize {
        let identifier = self.identifier(record).len();
        let mut at = record + 33 + identifier + (identifier + 1) % 2;
        let end = record + usize::from(self.0[record]);
        while at + 4 <= end {
            if self.0[at..at + 2] == signature[..] {
                return at;
            }
            at += usize::from(self.0[at + 2]);
        }
        panic!("no such entry");
    }
}
