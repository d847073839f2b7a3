//! BLAKE3 chaining values of each MiB of a long content, and the root that they join to (BLAKE3 specification, 2.4, 2.5).

use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};

/// Bytes under one chaining value.
pub const SUBTREE: u64 = 1 << 20;

/// How many chaining values a content of this size has: none up to 1 MiB.
#[must_use]
pub(super) fn count(size: u64) -> u64 {
    if size <= SUBTREE { 0 } else { size.div_ceil(SUBTREE) }
}

/// The chaining value of MiB `number` of a content of more than one MiB.
#[must_use]
pub fn chaining_value(number: u64, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(number.saturating_mul(SUBTREE));
    hasher.update(bytes);
    hasher.finalize_non_root()
}

/// The BLAKE3 of a content with these chaining values; none unless there are two at least.
#[must_use]
pub fn root(values: impl IntoIterator<Item = [u8; 32]>) -> Option<[u8; 32]> {
    let mut subtrees = Subtrees::default();
    values.into_iter().for_each(|value| subtrees.push(value));
    subtrees.root()
}

/// Joins chaining values in the order of the content, holding one per level of the tree.
#[derive(Clone, Debug, Default)]
pub struct Subtrees {
    /// Complete subtrees, the largest first. The last value is kept apart: it may be the right side of the root.
    stack: Vec<[u8; 32]>,
    last: Option<[u8; 32]>,
    /// Values joined into the stack.
    joined: u64,
}

impl Subtrees {
    /// Takes the next value.
    pub fn push(&mut self, value: [u8; 32]) {
        let Some(mut full) = self.last.replace(value) else { return };
        self.joined = self.joined.saturating_add(1);
        // As many trees of equal size end here as the count has trailing zeros.
        for _ in 0..self.joined.trailing_zeros() {
            let Some(left) = self.stack.pop() else { break };
            full = merge_subtrees_non_root(&left, &full, Mode::Hash);
        }
        self.stack.push(full);
    }

    /// The root; none unless two values at least were taken.
    #[must_use]
    pub fn root(mut self) -> Option<[u8; 32]> {
        let mut right = self.last?;
        let left = loop {
            let left = self.stack.pop()?;
            if self.stack.is_empty() {
                break left;
            }
            right = merge_subtrees_non_root(&left, &right, Mode::Hash);
        };
        Some(*merge_subtrees_root(&left, &right, Mode::Hash).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chaining_values_join_to_the_digest_of_the_whole() {
        let content: Vec<u8> = (0..(9 << 20) + 77u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for length in [(1 << 20) + 1, 2 << 20, (2 << 20) + 1, 3 << 20, 7 << 20, 8 << 20, (9 << 20) + 77] {
            let content = &content[..length];
            let values = (0..).zip(content.chunks(1 << 20)).map(|(number, bytes)| chaining_value(number, bytes));
            assert_eq!(root(values), Some(*blake3::hash(content).as_bytes()), "{length}");
            assert_eq!(count(u64::try_from(length).unwrap()), content.chunks(1 << 20).count() as u64);
        }
        assert_eq!(root([[1; 32]]), None);
        assert_eq!((count(0), count(SUBTREE), count(SUBTREE + 1)), (0, 0, 2));
    }
}
