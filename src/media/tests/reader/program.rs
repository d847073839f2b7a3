//! `blanche-reader` itself: born, confined, reading, and its end.

use crate::images::{exfat, fat, run, tree, write_tree};
use crate::reading::Reading;
use blanche_sandbox::Channel;
use blanche_sandbox::birth::{Birth, Child, Ending, ResourceLimits, Role};
use blanche_sandbox::wire::{Born, Cause, FromReader, ReadJob, ReadLimits, Source};
use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const MIB: u64 = 1 << 20;
const PROGRAM: &str = env!("CARGO_BIN_EXE_blanche-reader");
pub(crate) const PATIENCE: Option<Duration> = Some(Duration::from_secs(120));

pub(crate) fn spawn(kind: &str, medium: &fs::File) -> Child {
    let limits = ResourceLimits { address_space: Some(1 << 30), ..Default::default() };
    let birth = Birth {
        program: Path::new(PROGRAM),
        arguments: &[kind],
        medium: Some(medium.as_fd()),
        limits,
        role: Role::Reader,
    };
    Child::spawn(&birth).expect("a confined reader")
}

/// Gives the job and listens to the end.
fn listen(channel: &Channel, job: &ReadJob, capacity: u64) -> Reading {
    channel.send(job, &[]).unwrap();
    let mut reading = Reading::default();
    while reading.done.is_none() {
        let mut received = channel.receive::<FromReader>(PATIENCE).expect("a message");
        reading.take(received.message, received.fds.pop());
    }
    reading.check(capacity);
    reading
}

#[test]
fn it_reads_images_in_its_sandbox_and_leaves_them_as_they_were() {
    for image in [fat(32, 40 * MIB, &[], &tree()), exfat(16 * MIB, &tree())] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &image).unwrap();
        let capacity = image.len() as u64;
        let child = spawn("medium", &fs::File::open(file.path()).unwrap());
        assert!(child.born().unwrap().no_new_privileges);
        let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits: ReadLimits::default() };
        let reading = listen(child.channel(), &job, capacity);
        assert_eq!((reading.files(0) == tree(), reading.not_read.len()), (true, 0));
        assert_eq!(child.wait_end(Duration::from_secs(60)), Some(Ending::Exited(0)));
        assert!(fs::read(file.path()).unwrap() == image);
    }
}

#[test]
fn it_reads_a_folder_in_its_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    write_tree(folder.path(), &tree());
    let child = spawn("folder", &fs::File::open(folder.path()).unwrap());
    let job = ReadJob { source: Source::Folder, limits: ReadLimits::default() };
    let reading = listen(child.channel(), &job, 0);
    assert_eq!((reading.files(0) == tree(), reading.not_read.len()), (true, 0));
    assert_eq!(child.wait_end(Duration::from_secs(60)), Some(Ending::Exited(0)));
}

#[test]
fn it_does_not_run_ahead_of_a_parent_that_does_not_listen() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..60 {
        fs::write(folder.path().join(format!("{number}.bin")), vec![7; 100 << 10]).unwrap();
    }
    let child = spawn("folder", &fs::File::open(folder.path()).unwrap());
    let limits = ReadLimits { batch_bytes: 64 << 10, ..ReadLimits::default() };
    child.channel().send(&ReadJob { source: Source::Folder, limits }, &[]).unwrap();
    let next = || child.channel().receive::<FromReader>(PATIENCE);
    while !matches!(next().expect("a message").message, FromReader::Planned { .. }) {}
    assert!(child.channel().is_readable(PATIENCE.expect("a limit")).expect("a reader"));
    std::thread::sleep(Duration::from_secs(1));
    // What it said until then still comes.
    child.kill();
    let waiting = std::iter::from_fn(|| next().ok()).filter(|received| !received.fds.is_empty()).count();
    assert!((1..=2).contains(&waiting), "{waiting} objects waited");
}

#[test]
fn a_parent_that_goes_away_ends_it_with_code_3() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), vec![0; 4096]).unwrap();
    let (ours, theirs) = Channel::pair().unwrap();
    let mut child = by_shell("exec \"$0\" medium", file.path(), theirs, &[]);
    ours.receive::<Born>(PATIENCE).expect("born");
    drop(ours);
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn it_refuses_to_start_in_any_other_way() {
    let (_ours, theirs) = Channel::pair().unwrap();
    let mut child = by_shell("exec \"$0\" something", Path::new("/dev/null"), theirs, &[]);
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let alone = Command::new("sh").args(["-c", "exec \"$0\" medium 3<&- 4<&-", PROGRAM]).stderr(Stdio::null()).status();
    assert_eq!(alone.unwrap().code(), Some(2));
}

#[test]
fn what_the_caller_may_not_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("reader");
    let files = folder.path().join("files");
    // Where it can be reached by everybody. A copy would be open for writing in whatever another test starts meanwhile,
    // and the kernel starts no program that is (ETXTBSY).
    if fs::hard_link(PROGRAM, &program).is_err() {
        run("cp", &[PROGRAM, program.to_str().unwrap()], "");
    }
    fs::create_dir_all(files.join("closed")).unwrap();
    fs::write(files.join("closed/file"), b"x").unwrap();
    fs::write(files.join("open"), b"open").unwrap();
    fs::write(files.join("secret"), b"secret").unwrap();
    for (path, mode) in [(folder.path(), 0o755), (&files.join("closed"), 0o700), (&files.join("secret"), 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let (ours, theirs) = Channel::pair().unwrap();
    let command = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$2\" folder";
    let mut child = by_shell(command, &files, theirs, &[program.to_str().unwrap()]);
    ours.receive::<Born>(PATIENCE).expect("born");
    let reading = listen(&ours, &ReadJob { source: Source::Folder, limits: ReadLimits::default() }, 0);
    assert_eq!(reading.notes("closed"), [(0, 0, Cause::PermissionDenied)]);
    assert_eq!(reading.notes("secret"), [(0, 6, Cause::PermissionDenied)]);
    assert_eq!(reading.files(0).into_keys().collect::<Vec<_>>(), ["open"]);
    assert!(child.wait().unwrap().success());
}

/// Starts a command with the medium as descriptor 3 and the channel as descriptor 4.
fn by_shell(command: &str, medium: &Path, channel: Channel, more: &[&str]) -> std::process::Child {
    Command::new("sh")
        .args(["-c", &format!("exec 3<\"$1\" 4<&0; {command}"), PROGRAM])
        .arg(medium)
        .args(more)
        .stdin(channel.into_fd())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The same promise as in `once`, seen by the kernel: no byte of a file is read twice.
#[test]
fn strace_sees_no_byte_of_a_file_read_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (image, log) = (folder.path().join("image"), folder.path().join("log"));
    let bytes = fat(32, 40 * MIB, &[], &tree());
    fs::write(&image, &bytes).unwrap();
    let (ours, theirs) = Channel::pair().unwrap();
    let command = "exec strace -y -o \"$2\" -e trace=pread64,preadv,readv,read \"$0\" medium";
    let mut child = by_shell(command, &image, theirs, &[log.to_str().unwrap()]);
    ours.receive::<Born>(PATIENCE).expect("born");
    let capacity = bytes.len() as u64;
    let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits: ReadLimits::default() };
    let reading = listen(&ours, &job, capacity);
    assert!(reading.files(0) == tree());
    assert!(child.wait().unwrap().success());

    let mut reads = vec![0u8; bytes.len()];
    let of_image = format!("<{}>", image.display());
    for line in fs::read_to_string(&log).unwrap().lines().filter(|line| line.contains(&of_image)) {
        assert!(line.starts_with("pread64("), "{line}");
        let (call, result) = line.rsplit_once(" = ").unwrap();
        let count: usize = result.parse().unwrap();
        let start: usize = call.trim_end().trim_end_matches(')').rsplit_once(", ").unwrap().1.parse().unwrap();
        reads[start..start + count].iter_mut().for_each(|count| *count += 1);
    }
    for (path, content) in tree().iter().filter(|(_, content)| content.len() >= 300) {
        let start = bytes.windows(300).position(|window| window == &content[..300]).unwrap();
        assert!(reads[start..start + content.len()].iter().all(|count| *count == 1), "{path}");
    }
}
