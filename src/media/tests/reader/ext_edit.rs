//! A volume to be tampered with: debugfs keeps the checksums right, so that what is found is the trick itself.

use super::{debugfs, ext, text};
use crate::images::run;
use crate::reading::{Reading, read_image};
use std::collections::BTreeMap;
use std::fs;

/// What nobody must miss.
pub(super) const MARKER: &[u8] = b"MARKER-that-must-not-pass-unseen";
pub(super) const MIB: u64 = 1 << 20;

/// Without checksums, so that any byte may be changed by hand.
pub(super) const PLAIN: &str = "-t ext4 -b 1024 -O ^metadata_csum,^has_journal";

pub(super) struct Edit {
    pub(super) bytes: Vec<u8>,
}

impl Edit {
    /// A small volume with these files, each full of its own letter.
    pub(super) fn new(options: &str, files: &[(&str, usize)]) -> Self {
        let letters = b'a'..=b'z';
        let tree = files.iter().zip(letters.cycle());
        let tree: BTreeMap<_, _> =
            tree.map(|((path, size), letter)| ((*path).to_owned(), vec![letter; *size])).collect();
        Self { bytes: ext(6 * MIB, options, &tree) }
    }

    pub(super) fn of(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// Lets debugfs change it.
    pub(super) fn debugfs(mut self, commands: &str) -> Self {
        let changed = debugfs(&self.bytes, commands);
        assert!(changed != self.bytes, "debugfs changed nothing: {commands}");
        self.bytes = changed;
        self
    }

    /// Puts a file with this content into the volume.
    pub(super) fn write(self, name: &str, content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::write(&source, content).unwrap();
        self.debugfs(&format!("write {} {name}\n", text(&source)))
    }

    /// Sets an attribute of a file.
    pub(super) fn attribute(self, file: &str, name: &str, value: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::write(&source, value).unwrap();
        self.debugfs(&format!("ea_set -f {} {file} {name}\n", text(&source)))
    }

    fn ask(&self, question: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let image = folder.path().join("volume.img");
        fs::write(&image, &self.bytes).unwrap();
        run("debugfs", &["-R", question, text(&image)], "")
    }

    fn number(&self, question: &str, before: &str) -> u64 {
        let said = self.ask(question);
        let rest = said.split_once(before).unwrap_or_else(|| panic!("{question}: {said}")).1.trim_start();
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    }

    pub(super) fn inode(&self, path: &str) -> u64 {
        self.number(&format!("stat {path}"), "Inode:")
    }

    /// The block that holds a block of a file.
    pub(super) fn block(&self, path: &str, number: u64) -> u64 {
        self.number(&format!("bmap {path} {number}"), "")
    }

    pub(super) fn block_bytes(&self) -> usize {
        1024 << self.bytes[1024 + 0x18]
    }

    /// First byte of a block of a file in the image.
    pub(super) fn place(&self, path: &str, number: u64) -> usize {
        self.block(path, number) as usize * self.block_bytes()
    }

    /// First byte of an inode in the image.
    pub(super) fn inode_place(&self, path: &str) -> usize {
        let said = self.ask(&format!("imap {path}"));
        let block = said.split("at block ").nth(1).unwrap().split(',').next().unwrap().parse::<usize>().unwrap();
        let offset = said.split("offset 0x").nth(1).unwrap().trim();
        block * self.block_bytes() + usize::from_str_radix(offset, 16).unwrap()
    }

    /// First byte of the entry with this name in the first block of a folder.
    pub(super) fn entry(&self, folder: &str, name: &str) -> usize {
        let start = self.place(folder, 0);
        let block = &self.bytes[start..start + self.block_bytes()];
        start + block.windows(name.len()).position(|window| window == name.as_bytes()).unwrap() - 8
    }

    pub(super) fn put(mut self, place: usize, bytes: &[u8]) -> Self {
        self.bytes[place..place + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(super) fn put_u32(self, place: usize, value: u64) -> Self {
        self.put(place, &(value as u32).to_le_bytes())
    }

    pub(super) fn read(self) -> Reading {
        read_image(self.bytes)
    }
}
