//! Any bytes as a medium: no panic, no endless walk, an area ledger that adds up, contents within their budget.

#![no_main]

use blanche_media::{Input, MemorySource, read};
use blanche_sandbox::wire::{FromReader, ReadJob, ReadLimits, Source};
use libfuzzer_sys::fuzz_target;

const BUDGET: u64 = 16 << 20;

fuzz_target!(|bytes: &[u8]| {
    let capacity = bytes.len() as u64;
    let limits = ReadLimits { max_entries: 5_000, max_bytes: BUDGET, max_volumes: 32, ..ReadLimits::default() };
    let job = ReadJob { source: Source::Medium { capacity, logical_block: 512 }, limits };
    let source = MemorySource::new(bytes.to_vec());
    let (mut content, mut messages) = (0u64, 0u32);
    let totals = read(&job, &Input::Medium(&source), &mut |message, _| {
        messages += 1;
        assert!(messages < 1_000_000, "a flood");
        match message {
            FromReader::Content(object) => content += object.pieces.iter().map(|piece| piece.length).sum::<u64>(),
            FromReader::Chunk(chunk) => content += chunk.length,
            FromReader::Area(area) => {
                assert_eq!(area.sums.iter().map(|sum| sum.bytes).sum::<u64>(), capacity, "{area:?}");
            }
            _ => {}
        }
        Ok(())
    });
    assert!(content <= BUDGET, "{content} bytes of content from {capacity}");
    assert_eq!(totals.expect("nobody stopped the reading").bytes, content);
});
