//! Both digests of a content, and the BLAKE3 chaining values of its MiBs, from one pass over its bytes.

use crate::bytes::{index, wide};
use blake3::hazmat::{HasherExt, Mode, merge_subtrees_non_root, merge_subtrees_root};
use blanche_sandbox::wire::{Digests, SUBTREE, Subtree};
use sha2::Digest;

/// Takes a content in parts of any length.
pub(crate) struct Hasher {
    sha256: sha2::Sha256,
    /// The MiB that is being read.
    current: blake3::Hasher,
    /// Bytes of it.
    filled: u64,
    /// MiBs before it.
    complete: u64,
    /// Trees of equal size are joined as soon as there are two: what is left, the largest first.
    trees: Vec<Subtree>,
    /// Not yet asked for.
    subtrees: Vec<Subtree>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self {
            sha256: sha2::Sha256::new(),
            current: blake3::Hasher::new(),
            filled: 0,
            complete: 0,
            trees: Vec::new(),
            subtrees: Vec::new(),
        }
    }

    pub(crate) fn update(&mut self, mut bytes: &[u8]) {
        self.sha256.update(bytes);
        while !bytes.is_empty() {
            // A MiB is over only when something follows: the last one may be the root itself.
            if self.filled == SUBTREE {
                self.next();
            }
            let room = index(SUBTREE.saturating_sub(self.filled)).min(bytes.len());
            let (part, rest) = bytes.split_at(room);
            self.current.update(part);
            self.filled = self.filled.saturating_add(wide(part.len()));
            bytes = rest;
        }
    }

    fn next(&mut self) {
        let value = self.current.finalize_non_root();
        self.subtrees.push(value);
        self.complete = self.complete.saturating_add(1);
        let mut tree = value;
        // As many trees of equal size end here as the count has trailing zeros.
        for _ in 0..self.complete.trailing_zeros() {
            let Some(left) = self.trees.pop() else { break };
            tree = merge_subtrees_non_root(&left, &tree, Mode::Hash);
        }
        self.trees.push(tree);
        self.current = blake3::Hasher::new();
        self.current.set_input_offset(self.complete.saturating_mul(SUBTREE));
        self.filled = 0;
    }

    /// The chaining values that are known since the last call.
    pub(crate) fn subtrees(&mut self) -> Vec<Subtree> {
        std::mem::take(&mut self.subtrees)
    }

    /// The digests, and the chaining values that were not yet asked for.
    pub(crate) fn finish(mut self) -> (Digests, Vec<Subtree>) {
        let sha256 = self.sha256.finalize().into();
        let Some(first) = (!self.trees.is_empty()).then(|| self.trees.remove(0)) else {
            return (Digests { sha256, blake3: self.current.finalize().into() }, self.subtrees);
        };
        let last = self.current.finalize_non_root();
        self.subtrees.push(last);
        let right = self.trees.iter().rev().fold(last, |right, left| merge_subtrees_non_root(left, &right, Mode::Hash));
        let blake3 = merge_subtrees_root(&first, &right, Mode::Hash).into();
        (Digests { sha256, blake3 }, self.subtrees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_any_parts_the_digests_are_those_of_the_whole() {
        let content: Vec<u8> = (0..(7 << 20) + 99u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        for length in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20, 3 << 20, 5 << 20, (7 << 20) + 99] {
            for step in [1 << 20, 700_001, 3 << 20] {
                let content = &content[..length];
                let (mut hasher, mut subtrees) = (Hasher::new(), Vec::new());
                for part in content.chunks(step) {
                    hasher.update(part);
                    subtrees.extend(hasher.subtrees());
                }
                let (digests, rest) = hasher.finish();
                subtrees.extend(rest);
                assert_eq!(digests.blake3, *blake3::hash(content).as_bytes(), "{length} bytes in parts of {step}");
                assert_eq!(digests.sha256[..], sha2::Sha256::digest(content)[..]);
                let expected: Vec<Subtree> = (0..)
                    .zip(content.chunks(1 << 20))
                    .map(|(number, part)| {
                        let mut hasher = blake3::Hasher::new();
                        hasher.set_input_offset(number << 20);
                        hasher.update(part).finalize_non_root()
                    })
                    .collect();
                assert_eq!(subtrees, if length > 1 << 20 { expected } else { Vec::new() });
            }
        }
    }
}
