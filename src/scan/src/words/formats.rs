//! Names of formats. They stand in brackets inside sentences, hence without article.

use super::Lang;
use blanche_sandbox::wire::{AreaClass, Container, FilesystemKind, Tree, View, VolumeRole};

/// The name of a filesystem or volume format.
#[must_use]
pub fn filesystem(kind: FilesystemKind, lang: Lang) -> &'static str {
    match kind {
        FilesystemKind::Fat12 => "FAT12",
        FilesystemKind::Fat16 => "FAT16",
        FilesystemKind::Fat32 => "FAT32",
        FilesystemKind::ExFat => "exFAT",
        FilesystemKind::Ntfs => "NTFS",
        FilesystemKind::Ext => "ext2/ext3/ext4",
        FilesystemKind::Iso9660 => "ISO 9660",
        FilesystemKind::Udf => "UDF",
        FilesystemKind::HfsPlus => "HFS+",
        FilesystemKind::Apfs => "APFS",
        FilesystemKind::Xfs => "XFS",
        FilesystemKind::Btrfs => "Btrfs",
        FilesystemKind::F2fs => "F2FS",
        FilesystemKind::Refs => "ReFS",
        FilesystemKind::SquashFs => "SquashFS",
        FilesystemKind::Luks => lang.pick("LUKS, chiffré", "LUKS, encrypted"),
        FilesystemKind::BitLocker => lang.pick("BitLocker, chiffré", "BitLocker, encrypted"),
        FilesystemKind::Lvm => "LVM",
        FilesystemKind::LinuxRaid => "RAID Linux",
        FilesystemKind::Swap => lang.pick("mémoire d'échange", "swap space"),
        FilesystemKind::Hfs => "HFS",
        FilesystemKind::Minix => "Minix",
        FilesystemKind::CramFs => "cramfs",
        FilesystemKind::RomFs => "romfs",
        FilesystemKind::Erofs => "EROFS",
        FilesystemKind::Nilfs2 => "NILFS2",
        FilesystemKind::Jfs => "JFS",
        FilesystemKind::ReiserFs => "ReiserFS",
        FilesystemKind::Ufs => "UFS",
        FilesystemKind::Zfs => "ZFS",
        FilesystemKind::Bcachefs => "bcachefs",
        FilesystemKind::Hpfs => "HPFS",
        FilesystemKind::Befs => "BeFS",
        FilesystemKind::Qnx4 => "QNX4",
        FilesystemKind::Gfs2 => "GFS2",
        FilesystemKind::Ocfs2 => "OCFS2",
        FilesystemKind::Vmfs => "VMFS",
        FilesystemKind::Blank => lang.pick("vide", "blank"),
        FilesystemKind::Unknown => lang.pick("inconnu", "unknown"),
        FilesystemKind::MountedFolder => lang.pick("dossier", "folder"),
    }
}

/// The name of a container format.
#[must_use]
pub fn container(kind: Container, lang: Lang) -> &'static str {
    match kind {
        Container::Zip => lang.pick("archive ZIP", "ZIP archive"),
        Container::SevenZip => lang.pick("archive 7z", "7z archive"),
        Container::Rar => lang.pick("archive RAR", "RAR archive"),
        Container::Tar => lang.pick("archive tar", "tar archive"),
        Container::Gzip => lang.pick("fichier compressé gzip", "gzip compressed file"),
        Container::Bzip2 => lang.pick("fichier compressé bzip2", "bzip2 compressed file"),
        Container::Xz => lang.pick("fichier compressé xz", "xz compressed file"),
        Container::LzmaAlone => lang.pick("fichier compressé LZMA", "LZMA compressed file"),
        Container::Zstd => lang.pick("fichier compressé Zstandard", "Zstandard compressed file"),
        Container::Lz4 => lang.pick("fichier compressé LZ4", "LZ4 compressed file"),
        Container::Lzip => lang.pick("fichier compressé lzip", "lzip compressed file"),
        Container::Lzop => lang.pick("fichier compressé lzop", "lzop compressed file"),
        Container::Brotli => lang.pick("fichier compressé Brotli", "Brotli compressed file"),
        Container::Compress => lang.pick("fichier compressé Unix (.Z)", "Unix compressed file (.Z)"),
        Container::Cab => lang.pick("archive CAB", "CAB archive"),
        Container::Arj => lang.pick("archive ARJ", "ARJ archive"),
        Container::Lha => lang.pick("archive LHA", "LHA archive"),
        Container::Ace => lang.pick("archive ACE", "ACE archive"),
        Container::Alz => lang.pick("archive ALZ", "ALZ archive"),
        Container::Egg => lang.pick("archive EGG", "EGG archive"),
        Container::StuffIt => lang.pick("archive StuffIt", "StuffIt archive"),
        Container::Zpaq => lang.pick("archive ZPAQ", "ZPAQ archive"),
        Container::Lrzip => lang.pick("fichier compressé lrzip", "lrzip compressed file"),
        Container::Zoo => lang.pick("archive ZOO", "ZOO archive"),
        Container::Cpio => lang.pick("archive cpio", "cpio archive"),
        Container::Ar => lang.pick("archive ar ou paquet Debian", "ar archive or Debian package"),
        Container::Xar => lang.pick("archive XAR ou paquet macOS", "XAR archive or macOS package"),
        Container::Rpm => lang.pick("paquet RPM", "RPM package"),
        Container::Wim => lang.pick("image Windows WIM", "WIM Windows image"),
        Container::Vhd => lang.pick("disque virtuel VHD", "VHD virtual disk"),
        Container::Vhdx => lang.pick("disque virtuel VHDX", "VHDX virtual disk"),
        Container::Vmdk => lang.pick("disque virtuel VMDK", "VMDK virtual disk"),
        Container::Vdi => lang.pick("disque virtuel VDI", "VDI virtual disk"),
        Container::Qcow2 => lang.pick("disque virtuel QCOW2", "QCOW2 virtual disk"),
        Container::VirtualDisk => lang.pick("disque virtuel d’un autre format", "virtual disk of another format"),
        Container::RawDisk => lang.pick("image de disque", "disk image"),
        Container::SquashFs => lang.pick("image SquashFS", "SquashFS image"),
        Container::CramFs => lang.pick("image CramFS", "CramFS image"),
        Container::Iso9660 => lang.pick("image de CD (ISO)", "CD image (ISO)"),
        Container::Udf => lang.pick("image de DVD (UDF)", "DVD image (UDF)"),
        Container::Dmg => lang.pick("image de disque macOS (DMG)", "macOS disk image (DMG)"),
        Container::Pst => lang.pick("boîte aux lettres Outlook (PST)", "Outlook mailbox (PST)"),
        Container::Mbox => lang.pick("boîte aux lettres (mbox)", "mailbox (mbox)"),
        Container::Eml => lang.pick("message électronique", "e-mail message"),
        Container::Tnef => lang.pick("pièce jointe Outlook (winmail.dat)", "Outlook attachment (winmail.dat)"),
        Container::Ole2 => lang.pick("ancien document Office", "old Office document"),
        Container::Ooxml => lang.pick("document Office", "Office document"),
        Container::OpenDocument => lang.pick("document LibreOffice", "LibreOffice document"),
        Container::OneNote => lang.pick("bloc-notes OneNote", "OneNote notebook"),
        Container::Pdf => lang.pick("document PDF", "PDF document"),
        Container::Rtf => lang.pick("document RTF", "RTF document"),
        Container::Chm => lang.pick("aide Windows (CHM)", "Windows help file (CHM)"),
        Container::Swf => lang.pick("animation Flash", "Flash animation"),
        Container::Msi => lang.pick("installeur Windows (MSI)", "Windows installer (MSI)"),
        Container::InstallShield => lang.pick("installeur InstallShield", "InstallShield installer"),
        Container::Nsis => lang.pick("installeur NSIS", "NSIS installer"),
        Container::AutoIt => lang.pick("programme AutoIt", "AutoIt program"),
        Container::UuEncode => lang.pick("texte UUencode", "UUencoded text"),
        Container::BinHex => lang.pick("fichier BinHex", "BinHex file"),
        Container::EncryptedBlob => lang.pick("fichier chiffré", "encrypted file"),
        Container::Split => lang.pick("partie d’un fichier découpé", "part of a file cut into pieces"),
        Container::Cms => lang.pick("message signé (S/MIME)", "signed message (S/MIME)"),
        Container::EncodedText => lang.pick("fichier codé en texte", "file written as text"),
        Container::Installer => lang.pick("installeur d’un autre format", "installer of another format"),
        Container::Access => lang.pick("base de données Access", "Access database"),
        Container::Warc => lang.pick("archive de pages web (WARC)", "archive of web pages (WARC)"),
    }
}

/// Where a volume was announced.
#[must_use]
pub fn role(role: VolumeRole, lang: Lang) -> &'static str {
    match role {
        VolumeRole::Superfloppy => lang.pick("tout le support", "the whole medium"),
        VolumeRole::Primary => lang.pick("partition principale", "primary partition"),
        VolumeRole::Logical => lang.pick("partition logique", "logical partition"),
        VolumeRole::Gpt => lang.pick("partition GPT", "GPT partition"),
        VolumeRole::Gap => lang.pick("hors des partitions", "outside the partitions"),
        VolumeRole::Folder => lang.pick("dossier", "folder"),
    }
}

/// Which of several ways to see the same part of a medium.
#[must_use]
pub fn view(view: View, lang: Lang) -> String {
    let tree = match view.tree {
        Tree::Iso9660 => lang.pick("noms simples ISO 9660", "plain ISO 9660 names"),
        Tree::RockRidge => lang.pick("noms Rock Ridge", "Rock Ridge names"),
        Tree::Joliet => lang.pick("noms Joliet", "Joliet names"),
        Tree::Enhanced => lang.pick("noms étendus ISO 9660", "enhanced ISO 9660 names"),
        Tree::Udf => lang.pick("vue UDF", "UDF view"),
        Tree::BootSector => lang.pick("vue du secteur de démarrage", "boot sector view"),
        Tree::Ext => lang.pick("vue ext", "ext view"),
        Tree::OtherTable => lang.pick("vue de la seconde table", "second table view"),
    };
    match view.session {
        0 => tree.to_owned(),
        number => format!("{tree}, session {number}"),
    }
}

/// What a part of the medium outside files is used for.
#[must_use]
pub fn area(class: AreaClass, lang: Lang) -> &'static str {
    match class {
        AreaClass::Table => lang.pick("table des partitions", "partition table"),
        AreaClass::Boot => lang.pick("démarrage", "boot area"),
        AreaClass::Metadata => lang.pick("organisation des fichiers", "file organisation"),
        AreaClass::File => lang.pick("contenu des fichiers", "content of files"),
        AreaClass::Slack => lang.pick("restes en fin de fichier", "leftovers at the end of files"),
        AreaClass::Free => lang.pick("espace libre", "free space"),
        AreaClass::Gap => lang.pick("hors de tout volume", "outside every volume"),
        AreaClass::Unknown => lang.pick("volumes non lus", "volumes that were not read"),
    }
}
