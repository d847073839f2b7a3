//! Typed messages with descriptors on a Unix stream socket.
//!
//! A frame is a little-endian `u32` length, then that many bytes of postcard. Descriptors travel with the first byte
//! of the frame. Both ends refuse a frame that is longer, or carries more descriptors, than its type allows; the
//! receiver also refuses trailing bytes.
//!
//! What was said and nobody has received waits in the kernel, and so do the memory files that were handed over, which no budget
//! counts. So whoever hands them over one after the other narrows its end ([`Channel::narrow`]).

use crate::wire::Message;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// Most descriptors that any message type may carry.
const MAX_FDS: usize = 32;
/// How long the parent waits for a child to take what it is told. A child listens whenever it has answered.
const DEAF: Duration = Duration::from_secs(10);

/// One end of a connection between the parent and a child.
#[derive(Debug)]
pub struct Channel {
    socket: OwnedFd,
    /// How long the other end may take to receive a message; `None` = as long as it lives.
    patience: Option<Duration>,
}

/// A message with the descriptors that came with it.
#[derive(Debug)]
pub struct Received<M> {
    /// The message.
    pub message: M,
    /// Its descriptors, close-on-exec, in the sender's order.
    pub fds: Vec<OwnedFd>,
}

/// Why a message could not be sent or received.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The other end is gone.
    #[error("the other process closed its end")]
    Closed,
    /// Nothing came, or was taken, in time.
    #[error("the other process neither spoke nor listened within the time allowed")]
    TimedOut,
    /// The other end broke the protocol; it must not be listened to any more.
    #[error("protocol violation: {0}")]
    Violation(&'static str),
    /// The socket failed.
    #[error("socket: {0}")]
    Socket(#[from] Errno),
}

impl Channel {
    /// A connected pair: (ours, the child's). Ours waits ten seconds at most for a child that does not listen; the child waits
    /// for us as long as it has to.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn pair() -> Result<(Self, Self), ChannelError> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        Ok((Self { socket: ours, patience: Some(DEAF) }, Self { socket: theirs, patience: None }))
    }

    /// Takes over a socket that was inherited or received.
    #[must_use]
    pub fn from_fd(socket: OwnedFd) -> Self {
        Self { socket, patience: None }
    }

    /// Leaves room for two small messages that nobody has received yet; a longer one goes through part by part. For a child's
    /// first moments: once confined it can make no room again.
    ///
    /// # Errors
    /// The socket's.
    pub fn narrow(&self) -> Result<(), ChannelError> {
        // The least that the kernel gives: socket(7), SO_SNDBUF.
        Ok(rustix::net::sockopt::set_socket_send_buffer_size(&self.socket, 0)?)
    }

    /// Gives the socket away, to be handed to a child.
    #[must_use]
    pub fn into_fd(self) -> OwnedFd {
        self.socket
    }

    /// Sends one message; waits while the other end does not receive those before it.
    ///
    /// # Errors
    /// [`ChannelError::Violation`] when the message is longer than its type allows, [`ChannelError::Closed`] when nobody
    /// listens any more, [`ChannelError::TimedOut`] when a child does not listen: it hangs, and must not be spoken to any more.
    pub fn send<M: Message>(&self, message: &M, fds: &[BorrowedFd<'_>]) -> Result<(), ChannelError> {
        if fds.len() > M::MAX_FDS.min(MAX_FDS) {
            return Err(ChannelError::Violation("too many descriptors for this message"));
        }
        let body = postcard::to_stdvec(message).map_err(|_| ChannelError::Violation("message cannot be encoded"))?;
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        if length > M::MAX_BYTES {
            return Err(ChannelError::Violation("message longer than its type allows"));
        }
        let mut frame = Vec::with_capacity(body.len().saturating_add(4));
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(&body);
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(ChannelError::Violation("too many descriptors for this message"));
        }
        let deadline = self.patience.and_then(|patience| Instant::now().checked_add(patience));
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            // A socket is writable while at most a quarter of its buffer waits, which is a small message: af_unix.c.
            self.wait(PollFlags::OUT, deadline)?;
            let sent = match rustix::net::sendmsg(&self.socket, &[IoSlice::new(rest)], &mut ancillary, flags) {
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(Errno::PIPE | Errno::CONNRESET) => return Err(ChannelError::Closed),
                other => other?,
            };
            ancillary.clear();
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }

    /// Waits at most `limit` for the beginning of a message, or for the other end to close. Between two looks a caller
    /// may see whether it is to stop.
    ///
    /// # Errors
    /// The socket's.
    pub fn is_readable(&self, limit: Duration) -> Result<bool, ChannelError> {
        match self.wait(PollFlags::IN, Instant::now().checked_add(limit)) {
            Ok(()) => Ok(true),
            Err(ChannelError::TimedOut) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Receives one message. `limit` bounds the wait for the whole message; `None` waits for as long as the other end
    /// lives.
    ///
    /// # Errors
    /// See [`ChannelError`]; after a violation or a time-out the channel is out of step and must be dropped.
    pub fn receive<M: Message>(&self, limit: Option<Duration>) -> Result<Received<M>, ChannelError> {
        let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut fds = Vec::new();
        let mut length = [0u8; 4];
        self.fill(&mut length, &mut fds, deadline)?;
        let length = u32::from_le_bytes(length);
        if length > M::MAX_BYTES {
            return Err(ChannelError::Violation("message longer than its type allows"));
        }
        let length = usize::try_from(length).map_err(|_| ChannelError::Violation("message longer than memory"))?;
        let mut body = vec![0u8; length];
        self.fill(&mut body, &mut fds, deadline)?;
        if fds.len() > M::MAX_FDS {
            return Err(ChannelError::Violation("more descriptors than this message may carry"));
        }
        let (message, rest) =
            postcard::take_from_bytes(&body).map_err(|_| ChannelError::Violation("message cannot be decoded"))?;
        if !rest.is_empty() {
            return Err(ChannelError::Violation("bytes after the message"));
        }
        Ok(Received { message, fds })
    }

    /// Fills `buffer` from the socket and collects descriptors that come along, [`MAX_FDS`] at most.
    fn fill(&self, buffer: &mut [u8], fds: &mut Vec<OwnedFd>, deadline: Option<Instant>) -> Result<(), ChannelError> {
        let mut filled = 0usize;
        while filled < buffer.len() {
            self.wait(PollFlags::IN, deadline)?;
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let rest = buffer.get_mut(filled..).unwrap_or_default();
            let received = match rustix::net::recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(rest)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            ) {
                Err(Errno::INTR) => continue,
                Err(Errno::CONNRESET) => return Err(ChannelError::Closed),
                other => other?,
            };
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(rights) = message {
                    fds.extend(rights);
                }
            }
            if received.flags.contains(ReturnFlags::CTRUNC) || fds.len() > MAX_FDS {
                return Err(ChannelError::Violation("more descriptors than this message may carry"));
            }
            if received.bytes == 0 {
                return Err(ChannelError::Closed);
            }
            filled = filled.saturating_add(received.bytes);
        }
        Ok(())
    }

    /// Waits until something can be received or sent.
    fn wait(&self, until: PollFlags, deadline: Option<Instant>) -> Result<(), ChannelError> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let timeout = left.map(|left| Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 }));
            match rustix::event::poll(&mut [PollFd::new(&self.socket, until)], timeout.as_ref()) {
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
                Ok(0) => return Err(ChannelError::TimedOut),
                Ok(_) => return Ok(()),
            }
        }
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests;
