//! Every byte of a file is read from the medium exactly once, and nothing else overlaps files.

use crate::images::{disk, exfat, fat, tree};
use crate::reading::read_with;
use blanche_media::MemorySource;
use blanche_sandbox::wire::ReadLimits;

const MIB: u64 = 1 << 20;

fn check(name: &str, image: Vec<u8>, limits: ReadLimits) {
    let source = MemorySource::new(image);
    let reading = read_with(&source, limits);
    assert_eq!(reading.not_read, [], "{name}");
    let mut reads = vec![0u8; source.bytes.len()];
    for range in source.log.borrow().iter() {
        for count in &mut reads[range.start as usize..range.end as usize] {
            *count = count.saturating_add(1);
        }
    }
    for (path, content) in tree().iter().filter(|(_, content)| content.len() >= 300) {
        // Contents are random, so the first bytes tell where a file lies; none of these is fragmented.
        let found = source.bytes.windows(300).position(|window| window == &content[..300]);
        let start = found.unwrap_or_else(|| panic!("{path} is not on the medium"));
        assert_eq!(source.bytes[start..start + content.len()], content[..], "{path} lies in one piece");
        assert!(reads[start..start + content.len()].iter().all(|count| *count == 1), "{name}: {path}");
    }
}

#[test]
fn no_byte_of_a_file_is_read_twice() {
    let tree = tree();
    let small =
        ReadLimits { max_memory_object: 100_000, chunk_bytes: 40_000, batch_bytes: 10_000, ..Default::default() };
    for limits in [ReadLimits::default(), small] {
        check("FAT12", fat(12, 4 * MIB, &[], &tree), limits);
        check("FAT16", fat(16, 16 * MIB, &[], &tree), limits);
        check("FAT32", fat(32, 40 * MIB, &[], &tree), limits);
        check("exFAT", exfat(16 * MIB, &tree), limits);
        let volume = fat(16, 16 * MIB, &[], &tree);
        check("MBR to the last sector", disk(17 * MIB, "label: dos\n2048,,c\n", &[(2048, &volume)]), limits);
        check("GPT", disk(19 * MIB, "label: gpt\n2048,32768\n", &[(2048, &volume)]), limits);
    }
}
