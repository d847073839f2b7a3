//! Names of a source, as they are written on an output medium: every host shows them, and shows them as they are.
//!
//! A name that cannot stay is changed in a way that depends on nothing but the names before it in the order of the manifest,
//! and every change is reported.

use blanche_sandbox::wire::MAX_COPIED_NAME;
use blanche_scan::report::NameChange;
use blanche_scan::words;
use blanche_seal::format::names::{fold, is_device, is_forbidden};
use blanche_tag::TAG_NAME;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Stands for what cannot stay.
const INSTEAD: char = '_';
/// Longest extension that is kept when a name is cut, with its dot, in UTF-16 units.
const EXTENSION: usize = 17;
/// Room for the number of a name that is taken, with its `~`, in UTF-16 units.
const MARK: usize = 8;

/// A name on the output medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// UTF-16 units.
    pub(super) units: Vec<u16>,
    /// Why it is not the name on the source; empty when it is.
    pub(super) because: Vec<NameChange>,
}

/// Gives names, folder by folder; a folder is known by its number on the output medium, the root by none.
#[derive(Debug, Default)]
pub(super) struct Namer {
    taken: HashSet<(Option<u32>, Vec<u16>)>,
    /// The last number that was tried for names that are taken, by what of them stays beside the number: long names of one
    /// beginning share their numbers, or each would try all those of the others again.
    tried: HashMap<(Option<u32>, Vec<u16>), u32>,
}

impl Namer {
    /// The name of the next entry of `folder`; `name` as the source has it.
    pub(super) fn name(&mut self, folder: Option<u32>, name: &[u8]) -> Named {
        let mut because = BTreeSet::new();
        let text = safe(name, &mut because);
        let mut units: Vec<u16> = text.encode_utf16().collect();
        let tag = folder.is_none() && fold(&units) == fold(&TAG_NAME.encode_utf16().collect::<Vec<_>>());
        for (found, why) in [(is_device(&units), NameChange::Device), (tag, NameChange::Tag)] {
            if found {
                units.insert(0, u16::try_from(u32::from(INSTEAD)).unwrap_or(0));
                because.insert(why);
            }
        }
        if units.len() > MAX_COPIED_NAME {
            units = cut(&units);
            because.insert(NameChange::TooLong);
        }
        let wanted = (folder, fold(&units));
        if !self.taken.insert(wanted) {
            units = self.another(folder, &units);
            because.insert(NameChange::Collision);
        }
        Named { units, because: because.into_iter().collect() }
    }

    /// The first name with a number that nobody has.
    fn another(&mut self, folder: Option<u32>, units: &[u16]) -> Vec<u16> {
        let (base, extension) = parts(units);
        let base = shortened(base, MAX_COPIED_NAME.saturating_sub(extension.len()).saturating_sub(MARK));
        let with = |mark: &str| [base, &mark.encode_utf16().collect::<Vec<u16>>(), extension].concat();
        let tried = self.tried.entry((folder, fold(&with("~")))).or_default();
        loop {
            *tried = tried.saturating_add(1);
            let candidate = with(&format!("~{tried}"));
            if self.taken.insert((folder, fold(&candidate))) {
                return candidate;
            }
        }
    }
}

/// A name as text in which every character can be written and seen.
fn safe(name: &[u8], because: &mut BTreeSet<NameChange>) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            match refused(character, text.is_empty()) {
                None => text.push(character),
                Some(why) => {
                    because.insert(why);
                    text.push(INSTEAD);
                }
            }
        }
        if !chunk.invalid().is_empty() {
            because.insert(NameChange::Encoding);
            text.push(INSTEAD);
        }
    }
    let kept = text.trim_end_matches([' ', '.']).len();
    if kept < text.len() || text.is_empty() {
        because.insert(NameChange::Edge);
        let lost = text.split_off(kept).chars().count().max(1);
        text.extend(std::iter::repeat_n(INSTEAD, lost));
    }
    text
}

/// Why a character cannot stay. `first`: it begins the name.
fn refused(character: char, first: bool) -> Option<NameChange> {
    if character.is_ascii_alphanumeric() {
        return None;
    }
    let mut units = [0u16; 2];
    let forbidden = character.encode_utf16(&mut units).iter().any(|unit| is_forbidden(*unit));
    if character.is_control() {
        return Some(NameChange::Invisible);
    }
    if forbidden {
        return Some(NameChange::Forbidden);
    }
    if character == ' ' {
        return first.then_some(NameChange::Edge);
    }
    let shown = if first { format!("{character}a") } else { format!("a{character}a") };
    (words::visible(shown.as_bytes()) != shown).then_some(NameChange::Invisible)
}

/// A name that is too long, without the end of its base.
fn cut(units: &[u16]) -> Vec<u16> {
    let (base, extension) = parts(units);
    let mut base = shortened(base, MAX_COPIED_NAME.saturating_sub(extension.len()));
    let is_edge = |unit: &u16| *unit == u16::from(b'.') || *unit == u16::from(b' ');
    while let Some((_, rest)) = base.split_last().filter(|(last, _)| extension.is_empty() && is_edge(last)) {
        base = rest;
    }
    [base, extension].concat()
}

/// The base of a name, and its extension with the dot.
fn parts(units: &[u16]) -> (&[u16], &[u16]) {
    let dot = units.iter().rposition(|unit| *unit == u16::from(b'.'));
    let dot = dot.filter(|dot| *dot > 0 && units.len().saturating_sub(*dot) <= EXTENSION).unwrap_or(units.len());
    units.split_at(dot)
}

/// The first `room` units, or one fewer: half a surrogate pair says nothing.
fn shortened(units: &[u16], room: usize) -> &[u16] {
    let units = units.get(..room).unwrap_or(units);
    match units.split_last() {
        Some((last, rest)) if (0xd800..0xdc00).contains(last) => rest,
        _ => units,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use blanche_seal::format::names::is_writable;
    use proptest::prelude::*;

    fn named(names: &[&[u8]]) -> Vec<(String, Vec<NameChange>)> {
        let mut namer = Namer::default();
        let one = |name: &&[u8]| {
            let named = namer.name(None, name);
            (String::from_utf16(&named.units).unwrap(), named.because)
        };
        names.iter().map(one).collect()
    }

    #[test]
    fn good_names_stay() {
        for name in ["a", "Été 2026.txt", ".profile", "日本語", "😀.bin", "a.b.c", "e\u{301}.txt", "x~1"] {
            assert_eq!(named(&[name.as_bytes()]), [(name.to_owned(), vec![])]);
        }
    }

    #[test]
    fn every_hostile_name_becomes_one_that_all_hosts_show_and_says_why() {
        use NameChange::{Device, Edge, Encoding, Forbidden, Invisible, Tag};
        for (name, wanted, why) in [
            (&b"a:b?.txt"[..], "a_b_.txt", &[Forbidden][..]),
            (b"trailing. .", "trailing___", &[Edge]),
            (b" leading", "_leading", &[Edge]),
            (b"..", "__", &[Edge]),
            (b"con", "_con", &[Device]),
            (b"Nul.tar.gz", "_Nul.tar.gz", &[Device]),
            (b"com1 .txt", "_com1 .txt", &[Device]),
            (b"line\nfeed\x1b[2J", "line_feed_[2J", &[Invisible]),
            ("exe\u{202e}txt.doc".as_bytes(), "exe_txt.doc", &[Invisible]),
            ("\u{200b}x".as_bytes(), "_x", &[Invisible]),
            (b"\xff\xfe.bin", "__.bin", &[Encoding]),
            (b"half \xed\xa0\x80", "half ___", &[Encoding]),
            (b"Blanche.TAG", "_Blanche.TAG", &[Tag]),
        ] {
            assert_eq!(named(&[name]), [(wanted.to_owned(), why.to_vec())]);
        }
        let in_a_folder = Namer::default().name(Some(0), b"blanche.tag");
        assert!(in_a_folder.because.is_empty(), "only the root carries the tag");
    }

    #[test]
    fn names_that_hosts_take_for_the_same_get_numbers_in_order() {
        let all: [&[u8]; 5] = [b"README.txt", b"readme.TXT", b"readme~1.txt", b"Readme.txt", b"a?"];
        let names: Vec<String> = named(&all).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["README.txt", "readme~1.TXT", "readme~1~1.txt", "Readme~2.txt", "a_"]);
        let mut namer = Namer::default();
        let names: HashSet<Vec<u16>> = (0..20_000).map(|_| namer.name(None, b"?").units).collect();
        assert_eq!(names.len(), 20_000);
    }

    /// Names that differ only where their numbers stand: were each counted alone, this would take some minutes.
    #[test]
    fn long_names_that_are_taken_share_their_numbers() {
        let mut namer = Namer::default();
        let mut names = HashSet::new();
        for number in 0..10_000u32 {
            for first in ['\u{200b}', '\u{200c}'] {
                let name = format!("{first}{}{number:05}", "x".repeat(249));
                names.insert(namer.name(None, name.as_bytes()).units);
            }
        }
        assert_eq!((names.len(), namer.tried.len()), (20_000, 1));
    }

    #[test]
    fn long_names_are_cut_and_keep_their_extension() {
        let long = format!("{}.docx", "x".repeat(400));
        let (name, why) = named(&[long.as_bytes()]).remove(0);
        assert_eq!((name.len(), name.ends_with("x.docx"), why), (255, true, vec![NameChange::TooLong]));
        let pairs = "😀".repeat(200);
        let (name, _) = named(&[pairs.as_bytes()]).remove(0);
        assert_eq!(name, "😀".repeat(127));
    }

    proptest! {
        #[test]
        fn any_bytes_become_names_that_can_be_written_each_once(names in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 1..20)) {
            let mut namer = Namer::default();
            let mut seen = HashSet::new();
            for name in &names {
                let named = namer.name(None, name);
                prop_assert!(is_writable(&named.units), "{:?} became {:?}", name, String::from_utf16_lossy(&named.units));
                prop_assert!(seen.insert(fold(&named.units)));
                let same = String::from_utf16_lossy(&named.units).as_bytes() == &name[..];
                prop_assert_eq!(same, named.because.is_empty());
            }
        }

        #[test]
        fn any_text_becomes_a_name_that_can_be_written(name in "[ .a~:\u{1}\u{202e}😀eCOoNn1]{1,300}") {
            prop_assert!(is_writable(&Namer::default().name(None, name.as_bytes()).units), "{:?}", name);
        }
    }
}
