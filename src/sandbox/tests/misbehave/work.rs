//! What children do that is allowed, or that ends them by other means than the filter.

use crate::child::{Outcome, say};
use blanche_sandbox::birth::{CHANNEL_FD, MEDIUM_FD};
use blanche_sandbox::{Channel, content};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// Does `act`, and ends.
pub(crate) fn perform(channel: &Channel, act: &str, folder: &Path) -> ! {
    match act {
        "read" => read(channel),
        "write" => write(channel),
        "list" => list(channel),
        "temporary files" => temporary_files(channel, folder),
        "counter" => counter(channel, folder),
        "threads that work" => threads(channel),
        "abort" => std::process::abort(),
        "panic" => panic!("on request"),
        // SAFETY: none; that is what this act is about.
        "segv" => unsafe { std::ptr::without_provenance_mut::<u8>(8).write_volatile(1) },
        "hang" => std::thread::sleep(Duration::from_secs(600)),
        "spin" => spin(),
        "flood" => flood(channel),
        "garbage" => raw(&[0xff; 64]),
        "undecodable" => raw(&[3, 0, 0, 0, 0xff, 0xff, 0xff]),
        "truncated" => raw(&[200, 0, 0, 0, 1, 2, 3]),
        "descriptors" => descriptors(channel),
        "unsealed" => unsealed(channel),
        "memory" => memory(channel),
        "big file" => big_file(channel),
        "many files" => many_files(channel),
        other => say(channel, &format!("nothing known as '{other}'")),
    }
    std::process::exit(0);
}

/// What an unconfined child finds around itself.
pub(crate) fn facts() -> String {
    let mut fds: Vec<i32> = fs::read_dir("/proc/self/fd")
        .expect("/proc")
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            // The listing itself is open too.
            let listing = fs::read_link(&path).is_ok_and(|target| target.ends_with("fd"));
            if listing { None } else { path.file_name()?.to_str()?.parse().ok() }
        })
        .collect();
    fds.sort_unstable();
    let environment: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    let status = fs::read_to_string("/proc/self/status").expect("/proc");
    let line = |name: &str| status.lines().find(|line| line.starts_with(name)).unwrap_or_default().replace('\t', " ");
    let core = rustix::process::getrlimit(rustix::process::Resource::Core).maximum;
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    format!(
        "fds {fds:?}; env {environment:?}; cwd {:?}; {}; core {core:?}; files {files:?}; {}; map {:?}",
        std::env::current_dir().expect("a folder"),
        line("NoNewPrivs"),
        line("Groups"),
        fs::read_to_string("/proc/self/uid_map").unwrap_or_default().split_whitespace().collect::<Vec<_>>(),
    )
}

fn medium() -> File {
    // SAFETY: the parent put the medium there, and each child takes it once.
    unsafe { File::from_raw_fd(MEDIUM_FD) }
}

/// A reader's day: sizes, reads, hashing maps, time, a sealed object.
fn read(channel: &Channel) -> ! {
    let medium = medium();
    let length = medium.metadata().expect("a size").len();
    assert_eq!(rustix::fs::seek(&medium, rustix::fs::SeekFrom::End(0)).expect("a size"), length);
    let mut bytes = vec![0; usize::try_from(length).expect("a small medium")];
    medium.read_exact_at(&mut bytes, 0).expect("the medium's bytes");
    let started = Instant::now();
    let counts = bytes.iter().fold(HashMap::<u8, u64>::new(), |mut counts, byte| {
        *counts.entry(*byte).or_default() += 1;
        counts
    });
    let object = content::writable().expect("a memory file");
    object.set_len(length).expect("room");
    object.write_all_at(&bytes, 0).expect("room");
    let sealed = content::seal(object).expect("seals");
    let text = format!("{length} bytes, {} values, {:?}", counts.len(), started.elapsed() < Duration::from_secs(9));
    channel.send(&Outcome { text }, &[sealed.as_fd()]).expect("a parent");
    std::process::exit(0);
}

/// A sealer's day: the order came, the medium is written, flushed and read again.
fn write(channel: &Channel) -> ! {
    let medium = medium();
    medium.write_all_at(&[9; 4096], 8192).expect("a medium that can be written");
    let flushed = medium.sync_data().is_ok();
    let mut back = [0; 4096];
    medium.read_exact_at(&mut back, 8192).expect("the medium's bytes");
    let text = format!("wrote 4096 at 8192, read back {}, flushed {flushed}", back == [9; 4096]);
    say(channel, &text)
}

/// A folder reader's day, and what it cannot reach.
fn list(channel: &Channel) -> ! {
    let folder = medium();
    let names: Vec<String> = rustix::fs::Dir::read_from(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let open = |path: &str, flags| rustix::fs::openat(&folder, path, flags | OFlags::CLOEXEC, Mode::empty());
    let mut text = String::new();
    File::from(open("file", OFlags::RDONLY).expect("a file below")).read_to_string(&mut text).expect("its text");
    let inside = rustix::fs::openat2(&folder, "file", OFlags::RDONLY, Mode::empty(), ResolveFlags::BENEATH);
    let status = rustix::fs::statat(&folder, "file", AtFlags::SYMLINK_NOFOLLOW).expect("its status");
    let write = rustix::fs::openat2(&folder, "file", OFlags::RDWR, Mode::empty(), ResolveFlags::empty());
    let create = rustix::fs::openat2(&folder, "new", OFlags::CREATE | OFlags::RDWR, Mode::RUSR, ResolveFlags::empty());
    let link = rustix::fs::readlinkat(&folder, "link", Vec::new()).expect("a link");
    say(
        channel,
        &format!(
            "{names:?} {text} {} {} {link:?}; write {:?}, create {:?}, outside {:?}, above {:?}, by link {:?}",
            inside.is_ok(),
            status.st_size,
            write.err(),
            create.err(),
            open("/etc/passwd", OFlags::RDONLY).err(),
            open("../outside", OFlags::RDONLY).err(),
            open("link", OFlags::RDONLY).err(),
        ),
    )
}

/// What libclamav does with its temporary files, and what it cannot reach.
fn counter(channel: &Channel, folder: &Path) -> ! {
    let mut beside = File::create(folder.join("new")).expect("a file");
    beside.write_all(b"42\n").expect("room");
    beside.sync_all().expect("a disk");
    let here = rustix::fs::CWD;
    rustix::fs::renameat(here, folder.join("new"), here, folder.join("highest")).expect("another name");
    let denied = |path: &str| File::open(path).err().map(|error| error.kind()) == Some(ErrorKind::PermissionDenied);
    let outside = denied("/etc/passwd") && denied("/dev/null") && denied("/proc/self/status") && denied("/");
    let create = File::create("/var/tmp/blanche-outside").err().and_then(|error| error.raw_os_error());
    let create = create == Some(libc::EACCES);
    say(channel, &format!("outside denied {outside}, create outside {create}"))
}

fn temporary_files(channel: &Channel, folder: &Path) -> ! {
    let below = folder.join("clamav-1.tmp");
    fs::create_dir(&below).expect("a folder");
    let file = below.join("part");
    let mut part = File::options().create(true).truncate(true).read(true).write(true).open(&file).expect("a file");
    part.write_all(b"unpacked").expect("room");
    part.set_len(4).expect("a shorter file");
    fs::rename(&file, folder.join("moved")).expect("another name");
    assert_eq!(fs::read(folder.join("moved")).expect("the file"), b"unpa");
    assert_eq!(fs::read_dir(folder).expect("a folder").count(), 2);
    let copy = part.try_clone().expect("a copy");
    let full = (0..64u64).find_map(|block| copy.write_all_at(&[1; 64 << 10], block << 16).err());
    fs::remove_file(folder.join("moved")).expect("no file");
    fs::remove_dir(&below).expect("no folder");
    let denied = |path: &str| File::open(path).err().map(|error| error.kind()) == Some(ErrorKind::PermissionDenied);
    let outside = denied("/etc/passwd") && denied("/dev/null") && denied("/proc/self/status") && denied("/");
    let create = File::create("/var/tmp/blanche-outside").err().and_then(|error| error.raw_os_error());
    say(
        channel,
        &format!(
            "outside denied {outside}, create outside {}, full {:?}",
            create == Some(libc::EACCES),
            full.and_then(|error| error.raw_os_error()) == Some(libc::ENOSPC)
        ),
    )
}

/// Threads run; they are confined like the process that starts them.
fn threads(channel: &Channel) -> ! {
    let open = std::thread::spawn(|| File::open("/etc/passwd").err().map(|error| error.kind()));
    let sum = std::thread::Builder::new().name("timeout".to_owned()).spawn(|| (1..=100u64).sum::<u64>());
    let sum = sum.expect("a thread").join().expect("its sum");
    // SAFETY: a null pointer, which the kernel never reads: the call is refused before.
    let clone3 = unsafe { libc::syscall(libc::SYS_clone3, std::ptr::null::<u8>(), 0) };
    let refused = clone3 == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS);
    say(channel, &format!("{sum} {:?} {refused}", open.join().expect("an answer")))
}

fn spin() {
    let mut number = 0u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn flood(channel: &Channel) {
    let message = Outcome { text: "x".repeat(60_000) };
    while channel.send(&message, &[]).is_ok() {}
}

/// Bytes on the channel that no `Channel` would send.
fn raw(bytes: &[u8]) {
    // SAFETY: the channel outlives this borrow.
    let channel = unsafe { BorrowedFd::borrow_raw(CHANNEL_FD) };
    let slice = [std::io::IoSlice::new(bytes)];
    let mut none = rustix::net::SendAncillaryBuffer::default();
    rustix::net::sendmsg(channel, &slice, &mut none, rustix::net::SendFlags::empty()).expect("a parent");
}

/// More descriptors than the message may carry.
fn descriptors(channel: &Channel) {
    let objects: Vec<OwnedFd> = (0..5).map(|_| content::writable().expect("a memory file").into()).collect();
    let fds: Vec<BorrowedFd<'_>> = objects.iter().map(AsFd::as_fd).collect();
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(5))];
    let mut ancillary = rustix::net::SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(rustix::net::SendAncillaryMessage::ScmRights(&fds)));
    let frame = [1u8, 0, 0, 0, 0];
    let slice = [std::io::IoSlice::new(&frame)];
    rustix::net::sendmsg(channel, &slice, &mut ancillary, rustix::net::SendFlags::empty()).expect("a parent");
}

/// A content object that is still open to change.
fn unsealed(channel: &Channel) {
    let object = content::writable().expect("a memory file");
    object.write_all_at(b"changeable", 0).expect("room");
    channel.send(&Outcome { text: "10".to_owned() }, &[object.as_fd()]).expect("a parent");
}

fn memory(channel: &Channel) {
    let mut blocks = Vec::new();
    for _ in 0..256 {
        blocks.push(vec![1u8; 16 << 20]);
    }
    say(channel, &format!("holds {} blocks", blocks.len()))
}

fn big_file(channel: &Channel) {
    let object = content::writable().expect("a memory file");
    let error = (0..64u64).find_map(|block| object.write_all_at(&[1; 64 << 10], block << 16).err());
    say(channel, &format!("came back with {error:?}"))
}

fn many_files(channel: &Channel) {
    let objects: Vec<_> = (0..1000).map_while(|_| content::writable().ok()).collect();
    say(channel, &format!("{}", objects.len()))
}
