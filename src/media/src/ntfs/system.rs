//! The files of the filesystem itself: what each of them holds on an honest volume. That is metadata and not listed;
//! anything else in them is handed over.

use super::file::{Held, Whole};
use super::record::{BITMAP, DATA, INDEX_ALLOCATION, INDEX_ROOT, VOLUME_INFORMATION, VOLUME_NAME};

/// Bytes of a line of $AttrDef.
const DEFINITION: usize = 160;

/// Records that belong to the filesystem whatever they hold: twelve with a name, four in reserve.
pub(super) const RECORDS: u64 = 16;

/// Largest resident stream of a system file: $UpCase:$Info and $UsnJrnl:$Max have 32 bytes, $Repair:$Config 8, $Tops 100.
const NUMBERS: usize = 128;

pub(super) const MFT: u64 = 0;
pub(super) const MFT_MIRROR: u64 = 1;
pub(super) const LOG_FILE: u64 = 2;
pub(super) const VOLUME: u64 = 3;
pub(super) const ROOT: u64 = 5;
pub(super) const BOOT: u64 = 7;
pub(super) const UPCASE: u64 = 10;
pub(super) const EXTEND: u64 = 11;

/// A system file.
#[derive(Debug)]
pub(super) struct Known {
    /// Its name in its folder.
    pub(super) name: &'static str,
    /// What it holds besides what every file may have.
    attributes: &'static [(u32, &'static str)],
    /// For folders: what is known of their entries.
    pub(super) folder: Option<&'static [Known]>,
}

const fn file(name: &'static str, attributes: &'static [(u32, &'static str)]) -> Known {
    Known { name, attributes, folder: None }
}

const fn folder(name: &'static str, entries: &'static [Known]) -> Known {
    Known { name, attributes: &[], folder: Some(entries) }
}

const fn view(name: &'static str) -> [(u32, &'static str); 3] {
    [(INDEX_ROOT, name), (INDEX_ALLOCATION, name), (BITMAP, name)]
}

const CONTENT: &[(u32, &str)] = &[(DATA, "")];
const SECURE: &[(u32, &str)] = {
    let ([a, b, c], [d, e, f]) = (view("$SDH"), view("$SII"));
    &[(DATA, "$SDS"), a, b, c, d, e, f]
};
const QUOTA: &[(u32, &str)] = {
    let ([a, b, c], [d, e, f]) = (view("$O"), view("$Q"));
    &[a, b, c, d, e, f]
};

/// Records 0 to 11.
pub(super) const NAMED: [Known; 12] = [
    file("$MFT", &[(DATA, ""), (BITMAP, "")]),
    file("$MFTMirr", CONTENT),
    file("$LogFile", CONTENT),
    file("$Volume", &[(VOLUME_NAME, ""), (VOLUME_INFORMATION, "")]),
    file("$AttrDef", CONTENT),
    file(".", &[]),
    // $SRAT: how storage tiers are used.
    file("$Bitmap", &[(DATA, ""), (DATA, "$SRAT")]),
    file("$Boot", CONTENT),
    file("$BadClus", &[(DATA, "$Bad")]),
    file("$Secure", SECURE),
    file("$UpCase", &[(DATA, ""), (DATA, "$Info")]),
    folder("$Extend", EXTENSIONS),
];

/// What stands in $Extend, by the version of Windows that made it.
const EXTENSIONS: &[Known] = &[
    file("$ObjId", &view("$O")),
    file("$Quota", QUOTA),
    file("$Reparse", &view("$R")),
    file("$UsnJrnl", &[(DATA, "$J"), (DATA, "$Max")]),
    folder("$Deleted", &[]),
    folder("$RmMetadata", TRANSACTIONS),
];

/// The resource manager of transactions.
const TRANSACTIONS: &[Known] = &[
    file("$Repair", &[(DATA, ""), (DATA, "$Config"), (DATA, "$Corrupt"), (DATA, "$Verify")]),
    folder("$Txf", &[]),
    folder("$TxfLog", LOGS),
];

const LOGS: &[Known] = &[
    file("$Tops", &[(DATA, ""), (DATA, "$T")]),
    file("$TxfLog.blf", CONTENT),
    file("$TxfLogContainer00000000000000000001", CONTENT),
    file("$TxfLogContainer00000000000000000002", CONTENT),
];

impl Known {
    /// Whether a system file of this name is expected to have the attribute. What is too large for the few numbers that
    /// Windows keeps in such a record is content, like any other stream.
    pub(super) fn expects(&self, attribute: &Whole) -> bool {
        let known = match &attribute.held {
            Held::Resident(bytes) if attribute.kind == DATA => bytes.len() <= NUMBERS || is_definitions(bytes),
            _ => true,
        };
        known && self.attributes.iter().any(|(kind, name)| attribute.is(*kind, name))
    }

    /// Whether this is its name.
    pub(super) fn is_called(&self, name: &[u16]) -> bool {
        self.name.encode_utf16().eq(name.iter().copied())
    }
}

/// Whether this is what $AttrDef holds, which fits into a record of 4 KiB: a line of 160 bytes for each type of
/// attributes, of which 128 are its name (linux-ntfs, "$AttrDef"; ATTR_DEF of ntfs-3g's layout.h), ended by an empty one.
fn is_definitions(bytes: &[u8]) -> bool {
    let mut lines = bytes.chunks(DEFINITION);
    lines.all(|line| {
        let (name, rest) = line.split_at_checked(128).unwrap_or((line, &[]));
        let mut letters = super::record::units(name).into_iter();
        let text: Vec<u16> = letters.by_ref().take_while(|unit| *unit != 0).collect();
        let own = |unit: &u16| matches!(u8::try_from(*unit), Ok(b'$' | b'_' | b'A'..=b'Z'));
        let numbers = crate::bytes::Record(rest);
        let kind = numbers.u32(0);
        // Type, display rule, how values are compared, flags.
        let small = kind <= 0x1000 && kind.is_multiple_of(16) && numbers.u32(4) == 0 && numbers.u32(8) < 0x20;
        text.iter().all(own) && letters.all(|unit| unit == 0) && small && numbers.u32(12) <= 0xff
    })
}

/// The system file of a record below [`RECORDS`].
pub(super) fn of_record(number: u64) -> Option<&'static Known> {
    NAMED.get(crate::bytes::index(number))
}
