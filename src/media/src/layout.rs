//! The structures of FAT and exFAT, for the crate that writes them (`blanche-seal`): one understanding of the bytes, so
//! that the writer cannot differ from the reader.

pub use crate::bytes::Record;
pub use crate::exfat::Boot as ExFatBoot;
pub use crate::exfat::entry_set;
pub use crate::exfat::upcase;
pub use crate::fat::Boot as FatBoot;
pub use crate::fat::LongName;
