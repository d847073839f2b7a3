//! A device in memory that remembers every write and every flush, so that power can be cut after any of them.

use blanche_media::{ReadAt, ReadError};
use blanche_seal::Device;
use std::collections::BTreeMap;
use std::io;

/// What happened to the device.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// One logical block was written: where, and its bytes.
    Block(u64, Vec<u8>),
    /// A flush returned.
    Flush,
}

/// The device.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    pub(crate) bytes: Vec<u8>,
    pub(crate) block: u32,
    pub(crate) events: Vec<Event>,
    /// Blocks after which every write fails.
    pub(crate) fails_after: Option<usize>,
}

impl Recorder {
    pub(crate) fn new(bytes: Vec<u8>, block: u32) -> Self {
        Self { bytes, block, events: Vec::new(), fails_after: None }
    }

    /// The writes between two flushes, in order.
    pub(crate) fn epochs(&self) -> Vec<Vec<(u64, Vec<u8>)>> {
        let mut epochs = vec![Vec::new()];
        for event in &self.events {
            match event {
                Event::Block(offset, bytes) => epochs.last_mut().unwrap().push((*offset, bytes.clone())),
                Event::Flush => epochs.push(Vec::new()),
            }
        }
        assert!(epochs.pop().unwrap().is_empty(), "something was written and not flushed");
        epochs
    }
}

impl ReadAt for Recorder {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let start = offset as usize;
        let source = self.bytes.get(start..start + buffer.len()).ok_or(ReadError::Unreadable { offset })?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    fn capacity(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl Device for Recorder {
    fn block(&self) -> u32 {
        self.block
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let block = self.block as usize;
        assert_eq!((offset as usize % block, bytes.len() % block), (0, 0), "whole blocks only");
        for (number, part) in bytes.chunks(block).enumerate() {
            if self.fails_after.is_some_and(|limit| self.events.len() >= limit) {
                return Err(io::Error::other("the medium was pulled out"));
            }
            let at = offset as usize + number * block;
            self.bytes[at..at + block].copy_from_slice(part);
            self.events.push(Event::Block(at as u64, part.to_vec()));
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.events.push(Event::Flush);
        Ok(())
    }
}

/// Blocks of a state that differ from the medium before, by their first byte.
pub(crate) type State = BTreeMap<u64, Vec<u8>>;

/// Every state in which a power cut may leave the medium, after `sampled` random ones per epoch: writes up to the last
/// flush have happened; of those after it, the first ones (every prefix), or any subset, because a device may reorder
/// what it has not flushed.
pub(crate) fn states(epochs: &[Vec<(u64, Vec<u8>)>], sampled: usize, random: &mut fastrand::Rng) -> Vec<State> {
    let mut durable = State::new();
    let mut all = Vec::new();
    for epoch in epochs {
        let mut prefix = durable.clone();
        all.push(prefix.clone());
        for (offset, bytes) in epoch {
            prefix.insert(*offset, bytes.clone());
            all.push(prefix.clone());
        }
        for _ in 0..sampled {
            let chosen = epoch.iter().filter(|_| random.bool()).cloned();
            let mut state = durable.clone();
            state.extend(chosen);
            all.push(state);
        }
        durable = prefix;
    }
    all
}
