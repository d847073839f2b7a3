//! NTFS volumes made by mkntfs and ntfs-3g: what goes in comes out, once; what others show is shown; and nothing is
//! hidden. Needs root for mounting (FUSE), and setfattr and getfattr (attr).

#[path = "ntfs_aged.rs"]
mod aged;
#[path = "ntfs_damage.rs"]
mod damage;
#[path = "ntfs_edit.rs"]
mod edit;
#[path = "ntfs_folders.rs"]
mod folders;
#[path = "ntfs_hidden.rs"]
mod hidden;
#[path = "ntfs_honest.rs"]
mod honest;
#[path = "ntfs_records.rs"]
mod records;
#[path = "ntfs_system.rs"]
mod system;
#[path = "ntfs_volume.rs"]
pub(crate) mod volume;
