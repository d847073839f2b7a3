//! What a hostile other end may do to a channel.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails says where")]

use super::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicUsize, Ordering};

const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));
const SHORT: Option<Duration> = Some(Duration::from_millis(50));

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Words(String);

impl Message for Words {
    const MAX_BYTES: u32 = 1024;
    const MAX_FDS: usize = 2;
}

/// A type of which every byte string of length zero is a value.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Nothing;

impl Message for Nothing {
    const MAX_BYTES: u32 = 16;
    const MAX_FDS: usize = 0;
}

fn words(text: &str) -> Words {
    Words(text.to_owned())
}

/// Sends bytes as they are, with `fds` copies of the socket itself.
fn raw(channel: &Channel, bytes: &[u8], fds: usize) {
    let own = vec![channel.as_fd(); fds];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(fds == 0 || ancillary.push(SendAncillaryMessage::ScmRights(&own)));
    let sent = rustix::net::sendmsg(channel, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::NOSIGNAL).unwrap();
    assert_eq!(sent, bytes.len());
}

fn violation<M: Message + std::fmt::Debug>(channel: &Channel) -> &'static str {
    match channel.receive::<M>(PATIENCE) {
        Err(ChannelError::Violation(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// How many descriptors this process holds that are one end of `channel`'s pair.
fn open_copies(channel: &Channel) -> usize {
    use std::os::fd::AsRawFd;
    let ours = std::fs::read_link(format!("/proc/self/fd/{}", channel.as_fd().as_raw_fd())).unwrap();
    let fds = std::fs::read_dir("/proc/self/fd").unwrap();
    fds.filter(|fd| std::fs::read_link(fd.as_ref().unwrap().path()).is_ok_and(|target| target == ours)).count()
}

#[test]
fn a_message_arrives_with_its_descriptors() {
    let (ours, theirs) = Channel::pair().unwrap();
    let object = crate::content::writable().unwrap();
    theirs.send(&words("one"), &[object.as_fd(), theirs.as_fd()]).unwrap();
    theirs.send(&words("two"), &[]).unwrap();
    let first = ours.receive::<Words>(PATIENCE).unwrap();
    assert_eq!((first.message, first.fds.len()), (words("one"), 2));
    assert!(rustix::fs::fcntl_get_seals(&first.fds[0]).is_ok());
    for fd in &first.fds {
        assert!(rustix::io::fcntl_getfd(fd).unwrap().contains(rustix::io::FdFlags::CLOEXEC));
    }
    let second = ours.receive::<Words>(PATIENCE).unwrap();
    assert_eq!((second.message, second.fds.len()), (words("two"), 0));
}

#[test]
fn an_oversized_length_prefix_is_refused_before_any_memory_is_taken() {
    for length in [1025u32, 1 << 20, u32::MAX] {
        let (ours, theirs) = Channel::pair().unwrap();
        raw(&theirs, &length.to_le_bytes(), 0);
        assert_eq!(violation::<Words>(&ours), "message longer than its type allows");
    }
}

#[test]
fn bytes_after_the_message_are_refused() {
    let (ours, theirs) = Channel::pair().unwrap();
    raw(&theirs, &[3, 0, 0, 0, 1, b'a', b'b'], 0);
    assert_eq!(violation::<Words>(&ours), "bytes after the message");
    raw(&theirs, &[1, 0, 0, 0, 7], 0);
    assert_eq!(violation::<Nothing>(&ours), "bytes after the message");
}

#[test]
fn a_message_that_does_not_decode_is_refused() {
    for body in [&[][..], &[5, b'a'], &[1, 0xff], &[0xff; 12]] {
        let (ours, theirs) = Channel::pair().unwrap();
        let mut frame = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
        frame.extend_from_slice(body);
        raw(&theirs, &frame, 0);
        assert_eq!(violation::<Words>(&ours), "message cannot be decoded", "{body:?}");
    }
}

#[test]
fn too_many_descriptors_are_refused_and_closed() {
    for fds in [3, 32, 33, 60] {
        let (ours, theirs) = Channel::pair().unwrap();
        raw(&theirs, &[2, 0, 0, 0, 1, b'a'], fds);
        assert_eq!(violation::<Words>(&ours), "more descriptors than this message may carry");
        assert_eq!(open_copies(&theirs), 1, "of {fds} descriptors some stayed open");
    }
}

#[test]
fn descriptors_spread_over_one_frame_are_counted_together() {
    let (ours, theirs) = Channel::pair().unwrap();
    raw(&theirs, &[2], 1);
    raw(&theirs, &[0, 0, 0], 1);
    raw(&theirs, &[1], 1);
    raw(&theirs, b"a", 0);
    assert_eq!(violation::<Words>(&ours), "more descriptors than this message may carry");
    assert_eq!(open_copies(&theirs), 1);
}

#[test]
fn a_truncated_frame_is_a_time_out_while_the_other_end_lives_and_the_end_when_it_dies() {
    let (ours, theirs) = Channel::pair().unwrap();
    raw(&theirs, &[200, 0, 0, 0, 1, 2, 3], 0);
    assert!(matches!(ours.receive::<Words>(SHORT), Err(ChannelError::TimedOut)));
    let (ours, theirs) = Channel::pair().unwrap();
    raw(&theirs, &[200, 0], 0);
    drop(theirs);
    assert!(matches!(ours.receive::<Words>(PATIENCE), Err(ChannelError::Closed)));
}

#[test]
fn a_frame_in_drops_does_not_stretch_the_time_allowed() {
    let (ours, theirs) = Channel::pair().unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let dripping = std::thread::spawn(move || {
        raw(&theirs, &[255, 3, 0, 0], 0);
        while stopped.recv_timeout(Duration::from_millis(5)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            raw(&theirs, &[0], 0);
        }
    });
    let late = ours.receive::<Words>(Some(Duration::from_millis(100)));
    drop(stop);
    dripping.join().unwrap();
    assert!(matches!(late, Err(ChannelError::TimedOut)), "{late:?}");
}

#[test]
fn a_flood_waits_in_the_sender() {
    let (ours, theirs) = Channel::pair().unwrap();
    let text = words(&"x".repeat(1000));
    let sender = std::thread::spawn(move || {
        let mut sent = 0u32;
        while theirs.send(&text, &[]).is_ok() {
            sent += 1;
        }
        sent
    });
    for _ in 0..500 {
        assert_eq!(ours.receive::<Words>(PATIENCE).unwrap().message.0.len(), 1000);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(!sender.is_finished(), "an endless sender must block");
    drop(ours);
    let sent = sender.join().unwrap();
    assert!((500..5000).contains(&sent), "{sent} messages went through");
}

/// As long as a message of a reader may be.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bulk(String);

impl Message for Bulk {
    const MAX_BYTES: u32 = 4 << 20;
    const MAX_FDS: usize = 1;
}

#[test]
fn a_child_that_runs_ahead_hands_over_two_objects_and_waits() {
    for length in [0, 100, 5_000, 20_000] {
        let (ours, theirs) = Channel::pair().unwrap();
        theirs.narrow().unwrap();
        let sent = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..50 {
                    let object = crate::content::writable().unwrap();
                    let text = format!("{number}:{}", "x".repeat(length));
                    theirs.send(&Bulk(text), &[object.as_fd()]).unwrap();
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
            std::thread::sleep(Duration::from_millis(200));
            let ahead = sent.load(Ordering::Relaxed);
            assert!(ahead <= 2, "{ahead} objects of {length} bytes wait in the kernel");
            for number in 0..50 {
                let received = ours.receive::<Bulk>(PATIENCE).unwrap();
                assert!(received.message.0.starts_with(&format!("{number}:")) && received.fds.len() == 1);
                let ahead = sent.load(Ordering::Relaxed).saturating_sub(number + 1);
                assert!(ahead <= 3, "{ahead} objects of {length} bytes wait in the kernel");
            }
        });
    }
}

#[test]
fn the_longest_message_goes_through_the_smallest_buffer() {
    let (ours, theirs) = Channel::pair().unwrap();
    theirs.narrow().unwrap();
    let text = "x".repeat((4 << 20) - 4);
    let sender = std::thread::spawn(move || theirs.send(&Bulk(text), &[]));
    assert_eq!(ours.receive::<Bulk>(PATIENCE).unwrap().message.0.len(), (4 << 20) - 4);
    sender.join().unwrap().unwrap();
}

#[test]
fn a_child_that_does_not_listen_holds_nobody_up() {
    let (mut ours, theirs) = Channel::pair().unwrap();
    assert_eq!((ours.patience, theirs.patience), (Some(DEAF), None));
    ours.patience = Some(Duration::from_millis(100));
    let text = Bulk("x".repeat(1 << 20));
    let begun = Instant::now();
    assert!(matches!(ours.send(&text, &[]), Err(ChannelError::TimedOut)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    // One that reads byte after byte is no better.
    let (mut ours, theirs) = Channel::pair().unwrap();
    ours.patience = Some(Duration::from_millis(300));
    let (told, stop) = std::sync::mpsc::channel::<()>();
    let dripping = std::thread::spawn(move || {
        while stop.recv_timeout(Duration::from_millis(1)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            rustix::io::read(&theirs, &mut [0; 64]).unwrap();
        }
    });
    assert!(matches!(ours.send(&text, &[]), Err(ChannelError::TimedOut)));
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop((told, ours));
    dripping.join().unwrap();
}

#[test]
fn a_sender_refuses_what_the_receiver_would() {
    let (ours, theirs) = Channel::pair().unwrap();
    let long = theirs.send(&words(&"x".repeat(1023)), &[]);
    assert!(matches!(long, Err(ChannelError::Violation("message longer than its type allows"))), "{long:?}");
    let many = theirs.send(&words("x"), &[theirs.as_fd(); 3]);
    assert!(matches!(many, Err(ChannelError::Violation("too many descriptors for this message"))), "{many:?}");
    theirs.send(&words(&"x".repeat(1022)), &[]).unwrap();
    assert_eq!(ours.receive::<Words>(PATIENCE).unwrap().message.0.len(), 1022);
}

#[test]
fn nobody_at_the_other_end_is_an_error_and_no_signal() {
    let (ours, theirs) = Channel::pair().unwrap();
    drop(theirs);
    assert!(matches!(ours.send(&words("x"), &[]), Err(ChannelError::Closed)));
    assert!(matches!(ours.receive::<Words>(None), Err(ChannelError::Closed)));
}
