//! The door between the bus and the service: a socket that lets in only what [`Flood`] lets in.
//!
//! zbus answers the standard interfaces (Properties, ObjectManager, Introspectable, Peer) by itself, so the only place that every
//! call passes is the socket. What is refused here is freed at once and answered with an error; nothing else sees it.
//! No method takes a descriptor: those that come go with their message, and are closed with it.

use super::flood::{Flood, Judgement};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;
use zbus::connection::socket::{ReadHalf, Socket, Split, WriteHalf};
use zbus::export::async_trait::async_trait;
use zbus::message::{Flags, Header, Type};
use zbus::{Address, Connection, Message};
use zruntime::{AsyncIo, Shared, SharedRuntime};

/// The sender of what the bus itself says (D-Bus specification, "Message Bus Messages").
const BUS: &str = "org.freedesktop.DBus";

type Stream = Arc<AsyncIo<UnixStream, Shared>>;

/// Through which connection refusals are answered; empty until it is built, and again once it is given up, because a
/// connection and its own door must not keep each other alive.
#[derive(Clone, Debug, Default)]
pub(super) struct Answering(Arc<Mutex<Option<Connection>>>);

impl Answering {
    /// From now on refusals are answered, or no longer.
    pub(super) fn set(&self, connection: Option<Connection>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    fn connection(&self) -> Option<Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A socket to a bus, before its handshake.
#[derive(Debug)]
pub(super) struct Door {
    stream: Stream,
    answering: Answering,
}

impl Door {
    /// Connects to a bus of this machine.
    pub(super) fn open(address: &Address, answering: Answering) -> io::Result<Self> {
        let Transport::Unix(unix) = address.transport() else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "the bus is not a Unix socket of this machine"));
        };
        let place = match unix.path() {
            UnixSocket::File(path) => SocketAddr::from_pathname(path)?,
            UnixSocket::Abstract(name) => SocketAddr::from_abstract_name(name.as_bytes())?,
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "the address names a folder, not a socket")),
        };
        let stream = AsyncIo::new(&SharedRuntime::current()?, UnixStream::connect_addr(&place)?)?;
        Ok(Self { stream: Arc::new(stream), answering })
    }
}

impl Socket for Door {
    type ReadHalf = Entrance;
    type WriteHalf = Exit;

    fn split(self) -> Split<Entrance, Exit> {
        let inner = Inner(Arc::clone(&self.stream));
        Split::new(Entrance { inner, flood: Flood::default(), answering: self.answering }, Exit(self.stream))
    }
}

/// Reads messages as zbus does.
#[derive(Debug)]
struct Inner(Stream);

#[async_trait]
impl ReadHalf for Inner {
    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        self.0.read_with(|stream| with_descriptors(stream, &mut *buffer)).await
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

/// Descriptors with one message, at most (unix(7), SCM_RIGHTS).
const MOST_DESCRIPTORS: usize = 253;

/// Receives bytes and the descriptors that came with them. No method here takes a descriptor, but a message whose descriptors
/// are missing would be a broken connection to zbus: they go with the message, and are closed with it.
fn with_descriptors(stream: &UnixStream, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let parts = &mut [IoSliceMut::new(buffer)];
    let received = rustix::net::recvmsg(stream, parts, &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok((received.bytes, descriptors.flatten().collect()))
}

/// Lets messages in, or not.
#[derive(Debug)]
pub(super) struct Entrance {
    inner: Inner,
    flood: Flood,
    answering: Answering,
}

#[async_trait]
impl ReadHalf for Entrance {
    async fn receive_message(
        &mut self,
        sequence: u64,
        bytes: &mut Vec<u8>,
        descriptors: &mut Vec<OwnedFd>,
    ) -> zbus::Result<Message> {
        loop {
            let message = self.inner.receive_message(sequence, bytes, descriptors).await?;
            let header = message.header();
            let sender = header.sender().map_or(BUS, |sender| sender.as_str());
            if sender == BUS {
                return Ok(message);
            }
            if header.message_type() != Type::MethodCall {
                // We ask nobody but the bus: an answer or a signal of somebody else answers nothing.
                continue;
            }
            match self.flood.judge(sender, message.data().bytes().len(), Instant::now()) {
                Judgement::Answer => return Ok(message),
                Judgement::TooMany => {
                    self.refuse(&header, "org.blanche.Error.TooMany", "too many calls; wait a second").await?
                }
                Judgement::TooLarge => {
                    self.refuse(&header, "org.blanche.Error.TooLarge", "the call is too large").await?
                }
            }
        }
    }

    async fn recvmsg(&mut self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        self.inner.recvmsg(buffer).await
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}

impl Entrance {
    async fn refuse(&self, call: &Header<'_>, name: &str, text: &str) -> zbus::Result<()> {
        if call.primary().flags().contains(Flags::NO_REPLY_EXPECTED) {
            return Ok(());
        }
        match self.answering.connection() {
            Some(connection) => connection.send(&Message::error(call, name).build(&(text,))?).await,
            None => Ok(()),
        }
    }
}

/// Writes messages, with at most one descriptor each: a report.
#[derive(Debug)]
pub(super) struct Exit(Stream);

#[async_trait]
impl WriteHalf for Exit {
    async fn sendmsg(&mut self, buffer: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let send = |stream: &UnixStream| {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(descriptors)) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "more than one descriptor in a message"));
            }
            Ok(rustix::net::sendmsg(stream, &[IoSlice::new(buffer)], &mut ancillary, SendFlags::NOSIGNAL)?)
        };
        self.0.write_with(send).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    async fn close(&mut self) -> io::Result<()> {
        self.0.get_ref().shutdown(std::net::Shutdown::Both)
    }

    fn can_pass_unix_fd(&self) -> bool {
        true
    }
}
