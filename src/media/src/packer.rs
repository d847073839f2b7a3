//! Contents into sealed objects: small ones gathered, middle ones alone, long ones in chunks; hashed on the way.

use crate::bytes::{index, wide};
use crate::hasher::Hasher;
use crate::object::{Draft, Object};
use crate::outbox::{Halt, Outbox, bytes_of};
use blanche_sandbox::wire::{Chunk, Content, Digests, EntryId, FromReader, Piece, ReadLimits};

/// Bytes read, hashed and written at once.
pub(crate) const STEP: u64 = 1 << 20;

/// Fills a buffer with the content from an offset on; zeros where it cannot be read, and says so to the outbox.
pub(crate) type Fill<'f> = &'f mut dyn FnMut(&mut Outbox<'_>, u64, &mut [u8]) -> Result<(), Halt>;

/// Small contents that wait for company.
#[derive(Debug)]
struct Batch {
    object: Draft,
    pieces: Vec<Piece>,
    bytes: u64,
}

/// Bytes, and objects, of contents that wait for the end of the walk at most.
const MAX_HELD: u64 = 64 << 20;
/// See [`MAX_HELD`].
const MAX_HELD_OBJECTS: usize = 64;

/// Hands contents over. Before [`Packer::release`] they wait, as far as memory allows, so that the plan is known before
/// the first of them is worked on.
pub(crate) struct Packer<'p> {
    limits: &'p ReadLimits,
    batch: Option<Batch>,
    buffer: Vec<u8>,
    held: Option<Vec<(Content, Object)>>,
    held_bytes: u64,
}

impl<'p> Packer<'p> {
    pub(crate) fn new(limits: &'p ReadLimits) -> Self {
        Self { limits, batch: None, buffer: vec![0; index(STEP)], held: Some(Vec::new()), held_bytes: 0 }
    }

    /// The walk is over: what waited is handed over, and nothing waits from here on.
    pub(crate) fn release(&mut self, outbox: &mut Outbox<'_>) -> Result<(), Halt> {
        for (content, object) in self.held.take().unwrap_or_default() {
            outbox.send(FromReader::Content(content), Some(object))?;
        }
        Ok(())
    }

    /// Hands over a content that is in memory.
    pub(crate) fn deliver_inline(&mut self, outbox: &mut Outbox<'_>, entry: EntryId, bytes: &[u8]) -> Result<(), Halt> {
        self.deliver(outbox, entry, wide(bytes.len()), &mut |_, offset, buffer| {
            let source = bytes.get(index(offset)..).unwrap_or_default();
            for (to, from) in buffer.iter_mut().zip(source) {
                *to = *from;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Reads and hands over `length` bytes of `entry`.
    pub(crate) fn deliver(
        &mut self,
        outbox: &mut Outbox<'_>,
        entry: EntryId,
        length: u64,
        fill: Fill<'_>,
    ) -> Result<Digests, Halt> {
        let digests = if length > self.limits.max_memory_object {
            self.finish(outbox)?;
            self.chunks(outbox, entry, length, fill)?
        } else if length > self.limits.batch_bytes {
            self.finish(outbox)?;
            let digests = self.gather(outbox, entry, length, fill)?;
            self.finish(outbox)?;
            digests
        } else {
            let full = |batch: &Batch| {
                batch.bytes.saturating_add(length) > self.limits.batch_bytes
                    || wide(batch.pieces.len()) >= u64::from(self.limits.batch_files)
            };
            if self.batch.as_ref().is_some_and(full) {
                self.finish(outbox)?;
            }
            self.gather(outbox, entry, length, fill)?
        };
        outbox.count_content(length);
        Ok(digests)
    }

    /// Hands over what was gathered.
    pub(crate) fn finish(&mut self, outbox: &mut Outbox<'_>) -> Result<(), Halt> {
        let Some(mut batch) = self.batch.take().filter(|batch| !batch.pieces.is_empty()) else { return Ok(()) };
        // What a failed read left behind the last whole piece does not belong to anybody.
        batch.object.cut(batch.bytes)?;
        let content = Content { pieces: batch.pieces };
        let object = batch.object.finish()?;
        self.held_bytes = self.held_bytes.saturating_add(batch.bytes);
        match &mut self.held {
            Some(held) if self.held_bytes <= MAX_HELD && held.len() < MAX_HELD_OBJECTS => held.push((content, object)),
            _ => outbox.send(FromReader::Content(content), Some(object))?,
        }
        Ok(())
    }

    fn gather(
        &mut self,
        outbox: &mut Outbox<'_>,
        entry: EntryId,
        length: u64,
        fill: Fill<'_>,
    ) -> Result<Digests, Halt> {
        let mut batch = match self.batch.take() {
            Some(batch) => batch,
            None => Batch { object: Draft::new(outbox.objects())?, pieces: Vec::new(), bytes: 0 },
        };
        let mut hasher = Hasher::new();
        if let Err(halt) = self.copy(outbox, &mut batch.object, &mut hasher, 0, length, fill) {
            // The contents that were gathered before are whole.
            self.batch = Some(batch);
            return Err(halt);
        }
        let (digests, subtrees) = hasher.finish();
        batch.pieces.push(Piece { entry, offset: batch.bytes, length, digests, subtrees });
        batch.bytes = batch.bytes.saturating_add(length);
        self.batch = Some(batch);
        Ok(digests)
    }

    fn chunks(&mut self, outbox: &mut Outbox<'_>, entry: EntryId, total: u64, fill: Fill<'_>) -> Result<Digests, Halt> {
        let mut hasher = Hasher::new();
        let mut offset = 0u64;
        loop {
            let length = self.limits.chunk_bytes.max(1).min(total.saturating_sub(offset));
            let mut object = Draft::new(outbox.objects())?;
            self.copy(outbox, &mut object, &mut hasher, offset, length, fill)?;
            let end = offset.saturating_add(length);
            let object = object.finish()?;
            if end >= total {
                let (digests, subtrees) = hasher.finish();
                let chunk = Chunk { entry, offset, length, last: Some(digests), subtrees };
                outbox.send(FromReader::Chunk(chunk), Some(object))?;
                return Ok(digests);
            }
            let chunk = Chunk { entry, offset, length, last: None, subtrees: hasher.subtrees() };
            outbox.send(FromReader::Chunk(chunk), Some(object))?;
            offset = end;
        }
    }

    fn copy(
        &mut self,
        outbox: &mut Outbox<'_>,
        object: &mut Draft,
        hasher: &mut Hasher,
        start: u64,
        length: u64,
        fill: Fill<'_>,
    ) -> Result<(), Halt> {
        let mut done = 0u64;
        while done < length {
            let count = STEP.min(length.saturating_sub(done));
            let Some(part) = self.buffer.get_mut(..index(count)) else { break };
            fill(outbox, start.saturating_add(done), part)?;
            hasher.update(part);
            object.append(part)?;
            done = done.saturating_add(bytes_of(part));
        }
        Ok(())
    }
}
