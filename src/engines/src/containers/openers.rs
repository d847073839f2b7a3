//! Who opens each container in this build. docs/containers.md shows this table to people; a test compares both.

use blanche_sandbox::wire::Container;
use std::collections::BTreeSet;

/// libclamav, as engine of that name.
pub const CLAMAV: &str = "clamav";

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opener {
    /// The container.
    pub container: Container,
    /// Who is meant to open it; [`crate::selftest`] proves each with a sample. `None`: it is *not checked*.
    pub engine: Option<&'static str>,
}

const fn clamav(container: Container) -> Opener {
    Opener { container, engine: Some(CLAMAV) }
}

const fn nobody(container: Container) -> Opener {
    Opener { container, engine: None }
}

/// Every container of the wire contract, once.
pub const OPENERS: [Opener; 66] = [
    clamav(Container::Zip),
    clamav(Container::SevenZip),
    nobody(Container::Rar),
    clamav(Container::Tar),
    clamav(Container::Gzip),
    clamav(Container::Bzip2),
    clamav(Container::Xz),
    nobody(Container::LzmaAlone),
    nobody(Container::Zstd),
    nobody(Container::Lz4),
    nobody(Container::Lzip),
    nobody(Container::Lzop),
    nobody(Container::Brotli),
    nobody(Container::Compress),
    clamav(Container::Cab),
    clamav(Container::Arj),
    clamav(Container::Lha),
    nobody(Container::Ace),
    nobody(Container::Alz),
    nobody(Container::Egg),
    nobody(Container::Zoo),
    clamav(Container::Cpio),
    nobody(Container::Ar),
    clamav(Container::Xar),
    nobody(Container::Rpm),
    nobody(Container::Wim),
    nobody(Container::Vhd),
    nobody(Container::Vhdx),
    nobody(Container::Vmdk),
    nobody(Container::Vdi),
    nobody(Container::Qcow2),
    nobody(Container::VirtualDisk),
    nobody(Container::RawDisk),
    nobody(Container::SquashFs),
    nobody(Container::CramFs),
    clamav(Container::Iso9660),
    nobody(Container::Udf),
    nobody(Container::Dmg),
    nobody(Container::Pst),
    clamav(Container::Mbox),
    clamav(Container::Eml),
    clamav(Container::Tnef),
    clamav(Container::Ole2),
    clamav(Container::Ooxml),
    clamav(Container::OpenDocument),
    nobody(Container::OneNote),
    clamav(Container::Pdf),
    clamav(Container::Rtf),
    nobody(Container::Chm),
    clamav(Container::Swf),
    clamav(Container::Msi),
    nobody(Container::InstallShield),
    nobody(Container::Nsis),
    nobody(Container::AutoIt),
    clamav(Container::UuEncode),
    clamav(Container::BinHex),
    nobody(Container::EncryptedBlob),
    nobody(Container::StuffIt),
    nobody(Container::Zpaq),
    nobody(Container::Lrzip),
    nobody(Container::Split),
    nobody(Container::Cms),
    nobody(Container::EncodedText),
    nobody(Container::Installer),
    nobody(Container::Access),
    nobody(Container::Warc),
];

/// The containers that count as opened in this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened(BTreeSet<Container>);

impl Opened {
    /// None: how a matcher begins that nobody armed.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every container that has an opener: for the self-test, which finds out whether that is true.
    #[must_use]
    pub fn claimed() -> Self {
        Self(OPENERS.iter().filter(|row| row.engine.is_some()).map(|row| row.container).collect())
    }

    /// Those whose sample passed the self-test. One that has no opener in this build never counts.
    #[must_use]
    pub fn proved(containers: &[Container]) -> Self {
        let claimed = Self::claimed();
        Self(containers.iter().copied().filter(|container| claimed.contains(*container)).collect())
    }

    /// Whether this container counts as opened.
    #[must_use]
    pub fn contains(&self, container: Container) -> bool {
        self.0.contains(&container)
    }
}
