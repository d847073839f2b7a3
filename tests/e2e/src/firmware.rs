//! Media whose firmware lies: what QEMU reads comes from this program.
//!
//! A server of the NBD protocol (NetworkBlockDevice/nbd, doc/proto.md) on a Unix socket: fixed newstyle negotiation, one
//! export, simple replies.

use crate::failure::{Failure, Result};
use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

const SECTOR: usize = 512;

/// What a medium answers.
#[derive(Debug)]
pub enum Firmware {
    /// Shows each sector honestly when it is read for the first time, and another one from then on. A sector into which
    /// something else is written than it showed is shown as it was written.
    Switcher {
        /// First reading.
        honest: Vec<u8>,
        /// Every later one.
        evil: Vec<u8>,
        /// Sectors that were read.
        shown: BTreeSet<usize>,
    },
    /// Says that it holds `claimed` bytes, has room for fewer, and begins again at its start where they end.
    Liar {
        /// What it really holds.
        real: Vec<u8>,
        /// What it says that it holds, bytes.
        claimed: usize,
    },
}

impl Firmware {
    /// A medium that shows `evil` when it is read again.
    #[must_use]
    pub fn switcher(honest: Vec<u8>, evil: Vec<u8>) -> Self {
        Self::Switcher { honest, evil, shown: BTreeSet::new() }
    }

    fn size(&self) -> usize {
        match self {
            Self::Switcher { honest, .. } => honest.len(),
            Self::Liar { claimed, .. } => *claimed,
        }
    }

    /// One sector, as the host gets it now.
    fn read(&mut self, sector: usize) -> &[u8] {
        let at = sector * SECTOR;
        match self {
            Self::Switcher { honest, evil, shown } => {
                let source = if shown.insert(sector) { honest } else { evil };
                &source[at..at + SECTOR]
            }
            Self::Liar { real, .. } => {
                let at = at % real.len();
                &real[at..at + SECTOR]
            }
        }
    }

    fn write(&mut self, sector: usize, bytes: &[u8]) {
        let at = sector * SECTOR;
        match self {
            // The neighbours of what somebody changes are written back as they were read.
            Self::Switcher { honest, .. } if honest[at..at + SECTOR] == *bytes => {}
            Self::Switcher { honest, evil, .. } => {
                honest[at..at + SECTOR].copy_from_slice(bytes);
                evil[at..at + SECTOR].copy_from_slice(bytes);
            }
            Self::Liar { real, .. } => {
                let at = at % real.len();
                real[at..at + SECTOR].copy_from_slice(bytes);
            }
        }
    }

    /// What somebody finds who reads it from its start to its end now.
    fn image(&mut self) -> Vec<u8> {
        (0..self.size() / SECTOR).flat_map(|sector| self.read(sector).to_vec()).collect()
    }
}

/// A medium that answers; it ends with the program.
#[derive(Clone, Debug)]
pub struct Medium {
    socket: PathBuf,
    firmware: Arc<Mutex<Firmware>>,
}

impl Medium {
    /// Lets `firmware` answer on `socket`.
    ///
    /// # Errors
    /// [`Failure::Host`] when the socket cannot be made.
    pub fn insert(socket: &Path, firmware: Firmware) -> Result<Self> {
        let listener = UnixListener::bind(socket).map_err(Failure::file(socket))?;
        let medium = Self { socket: socket.to_owned(), firmware: Arc::new(Mutex::new(firmware)) };
        let firmware = Arc::clone(&medium.firmware);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // The end of a connection is the end of QEMU's interest, whatever its reason.
                let _ = serve(stream, &firmware);
            }
        });
        Ok(medium)
    }

    /// Where it answers.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What a workstation finds that reads it now.
    #[must_use]
    pub fn image(&self) -> Vec<u8> {
        self.firmware.lock().unwrap_or_else(PoisonError::into_inner).image()
    }
}

const OPTION: u64 = 0x4948_4156_454f_5054; // "IHAVEOPT"
const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
const GO: u32 = 7;
const ACKNOWLEDGED: u32 = 1;
const INFORMATION: u32 = 3;
const UNSUPPORTED: u32 = (1 << 31) + 1;
/// NBD_FLAG_HAS_FLAGS, NBD_FLAG_SEND_FLUSH.
const TRANSMISSION_FLAGS: u16 = 1 | 1 << 2;
const REQUEST: u32 = 0x2560_9513;
const REPLY: u32 = 0x6744_6698;
const READ: u16 = 0;
const WRITE: u16 = 1;
const DISCONNECT: u16 = 2;
const FLUSH: u16 = 3;
const INVALID: u32 = 22;

fn serve(mut stream: UnixStream, firmware: &Mutex<Firmware>) -> io::Result<()> {
    let size = firmware.lock().unwrap_or_else(PoisonError::into_inner).size();
    negotiate(&mut stream, size as u64)?;
    while let Some(request) = Request::read(&mut stream)? {
        let mut firmware = firmware.lock().unwrap_or_else(PoisonError::into_inner);
        let (error, data) = request.answer(&mut firmware);
        let mut reply = [REPLY.to_be_bytes(), error.to_be_bytes()].concat();
        reply.extend(request.handle);
        reply.extend(data);
        stream.write_all(&reply)?;
    }
    Ok(())
}

/// Until the client goes over to transmission.
fn negotiate(stream: &mut UnixStream, size: u64) -> io::Result<()> {
    // NBD_FLAG_FIXED_NEWSTYLE and NBD_FLAG_NO_ZEROES.
    stream.write_all(&[b"NBDMAGICIHAVEOPT".as_slice(), &3_u16.to_be_bytes()].concat())?;
    let _client_flags: [u8; 4] = array(stream)?;
    loop {
        if u64::from_be_bytes(array(stream)?) != OPTION {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no NBD option"));
        }
        let option = u32::from_be_bytes(array(stream)?);
        let length = u32::from_be_bytes(array(stream)?);
        io::copy(&mut stream.take(length.into()), &mut io::sink())?;
        let mut reply = |kind: u32, data: &[u8]| {
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let numbers = [option, kind, length].map(u32::to_be_bytes).concat();
            stream.write_all(&[&OPTION_REPLY.to_be_bytes()[..], &numbers, data].concat())
        };
        if option != GO {
            reply(UNSUPPORTED, &[])?;
            continue;
        }
        // NBD_INFO_EXPORT is kind 0.
        let export = [&0_u16.to_be_bytes()[..], &size.to_be_bytes(), &TRANSMISSION_FLAGS.to_be_bytes()].concat();
        reply(INFORMATION, &export)?;
        return reply(ACKNOWLEDGED, &[]);
    }
}

struct Request {
    kind: u16,
    handle: [u8; 8],
    offset: u64,
    length: u32,
    data: Vec<u8>,
}

impl Request {
    /// Nothing at the end of the connection.
    fn read(stream: &mut UnixStream) -> io::Result<Option<Self>> {
        if u32::from_be_bytes(array(stream)?) != REQUEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no NBD request"));
        }
        let _flags: [u8; 2] = array(stream)?;
        let kind = u16::from_be_bytes(array(stream)?);
        let handle = array(stream)?;
        let (offset, length) = (u64::from_be_bytes(array(stream)?), u32::from_be_bytes(array(stream)?));
        let mut data = Vec::new();
        if kind == WRITE {
            stream.take(length.into()).read_to_end(&mut data)?;
        }
        Ok((kind != DISCONNECT).then_some(Self { kind, handle, offset, length, data }))
    }

    /// Error number and data. QEMU asks for whole sectors.
    fn answer(&self, firmware: &mut Firmware) -> (u32, Vec<u8>) {
        let end = self.offset.checked_add(self.length.into());
        let (Some(end), Ok(start)) = (end.and_then(|end| usize::try_from(end).ok()), usize::try_from(self.offset))
        else {
            return (INVALID, Vec::new());
        };
        if !start.is_multiple_of(SECTOR) || !end.is_multiple_of(SECTOR) || end > firmware.size() {
            return (INVALID, Vec::new());
        }
        let sectors = start / SECTOR..end / SECTOR;
        match self.kind {
            READ => (0, sectors.flat_map(|sector| firmware.read(sector).to_vec()).collect()),
            WRITE => {
                for (sector, bytes) in sectors.zip(self.data.chunks(SECTOR)) {
                    firmware.write(sector, bytes);
                }
                (0, Vec::new())
            }
            FLUSH => (0, Vec::new()),
            _ => (INVALID, Vec::new()),
        }
    }
}

fn array<const N: usize>(stream: &mut UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switcher_shows_something_else_the_second_time_and_keeps_what_is_written() {
        let mut firmware = Firmware::switcher(vec![1; 1024], vec![2; 1024]);
        assert_eq!(firmware.read(1)[0], 1);
        assert_eq!(firmware.read(1)[0], 2);
        assert_eq!(firmware.image()[..2], [1, 1], "the first sector was not read before");
        firmware.write(1, &[1; 512]);
        assert_eq!(firmware.read(1)[0], 2, "nothing new");
        firmware.write(1, &[3; 512]);
        assert_eq!(firmware.read(1)[0], 3);
    }

    #[test]
    fn a_liar_begins_again_where_its_room_ends() {
        let mut firmware = Firmware::Liar { real: [vec![1; 512], vec![2; 512]].concat(), claimed: 2048 };
        firmware.write(3, &[9; 512]);
        let starts: Vec<u8> = firmware.image().chunks(512).map(|sector| sector[0]).collect();
        assert_eq!(starts, [1, 9, 1, 9]);
    }
}
