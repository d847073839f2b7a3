//! Objects that a receiver must refuse.
#![allow(clippy::unwrap_used, reason = "a test that fails says where")]

use super::*;
use std::io::Write;
use std::os::unix::fs::FileExt;

fn object(text: &[u8]) -> File {
    let object = writable().unwrap();
    object.write_all_at(text, 0).unwrap();
    object
}

#[test]
fn a_sealed_object_of_the_announced_length_is_accepted() {
    let content = SealedContent::accept(seal(object(b"content")).unwrap(), 7).unwrap();
    assert_eq!(content.length(), 7);
    let empty = SealedContent::accept(seal(object(b"")).unwrap(), 0).unwrap();
    assert_eq!(empty.length(), 0);
}

#[test]
fn a_sealed_object_cannot_be_changed_any_more() {
    let file = object(b"content");
    let other = file.try_clone().unwrap();
    let sealed = seal(file).unwrap();
    assert!(other.write_all_at(b"x", 0).is_err());
    assert!(other.set_len(3).is_err());
    assert!(other.set_len(30).is_err());
    assert_eq!(rustix::fs::fcntl_add_seals(&sealed, SealFlags::FUTURE_WRITE), Err(Errno::PERM));
    assert!(SealedContent::accept(sealed, 7).is_ok());
}

#[test]
fn an_object_without_every_seal_is_refused() {
    let every = [SealFlags::SEAL, SealFlags::SHRINK, SealFlags::GROW, SealFlags::WRITE];
    for missing in every {
        let file = object(b"content");
        rustix::fs::fcntl_add_seals(&file, REQUIRED_SEALS.difference(missing)).unwrap();
        let refused = SealedContent::accept(file.into(), 7).map(|content| content.length());
        assert_eq!(refused, Err(Refused::NotSealed), "without {missing:?}");
    }
    let refused = SealedContent::accept(object(b"content").into(), 7).map(|content| content.length());
    assert_eq!(refused, Err(Refused::NotSealed));
}

#[test]
fn a_seal_against_future_writes_only_is_refused() {
    let file = object(b"content");
    let seals = SealFlags::FUTURE_WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals).unwrap();
    let refused = SealedContent::accept(file.into(), 7).map(|content| content.length());
    assert_eq!(refused, Err(Refused::NotSealed));
}

#[test]
fn an_object_with_a_writable_mapping_cannot_be_sealed() {
    let file = object(&[0; 4096]);
    let protection = rustix::mm::ProtFlags::READ | rustix::mm::ProtFlags::WRITE;
    // SAFETY: a new mapping at an address that the kernel chooses; nothing refers to it.
    let mapping = unsafe {
        rustix::mm::mmap(std::ptr::null_mut(), 4096, protection, rustix::mm::MapFlags::SHARED, &file, 0).unwrap()
    };
    assert_eq!(seal(file).map(|_| ()), Err(Errno::BUSY));
    // SAFETY: the mapping made above, which nothing refers to.
    unsafe { rustix::mm::munmap(mapping, 4096).unwrap() };
}

#[test]
fn another_length_than_announced_is_refused() {
    for announced in [0, 6, 8, u64::MAX] {
        let refused = SealedContent::accept(seal(object(b"content")).unwrap(), announced);
        assert_eq!(refused.map(|content| content.length()), Err(Refused::WrongLength { found: 7, announced }));
    }
}

#[test]
fn what_is_no_memory_file_is_refused() {
    let (reading, writing) = rustix::pipe::pipe().unwrap();
    File::from(writing).write_all(b"content").unwrap();
    let null = File::open("/dev/null").unwrap();
    for fd in [reading, null.into(), File::open("/proc/self/exe").unwrap().into()] {
        let refused = SealedContent::accept(fd, 0).map(|content| content.length());
        assert_eq!(refused, Err(Refused::NotSealed));
    }
}
