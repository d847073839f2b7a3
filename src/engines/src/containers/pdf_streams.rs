//! PDF (ISO 32000-1): streams that hold a file, a script or a form, and are encoded in a way that libclamav 1.4 leaves as it is.
//!
//! A stream need not say that it holds a file (7.11.4, table 45: `Type` is optional); what refers to it does. So the objects that refer to
//! one are read too, those within compressed streams of objects (7.5.7) included.

use super::pdf_objects::number_before;
use super::pdf_tokens::{Token, Tokens, depth_behind, meaning, means, number, references, value};
use flate2::read::ZlibDecoder;
use memchr::memmem;
use std::collections::{HashMap, HashSet};
use std::io::Read as _;

/// Keys behind which such a stream stands: embedded and related files (7.11.4), scripts (12.6.4.16), forms (12.7.8).
const KEYS: [&[u8]; 4] = [b"EF", b"RF", b"JS", b"XFA"];
/// Filters that libclamav decodes (7.4, table 6; in inline images, 8.9.7).
const FILTERS: [&[u8]; 10] = [
    b"ASCIIHexDecode",
    b"AHx",
    b"ASCII85Decode",
    b"A85",
    b"LZWDecode",
    b"LZW",
    b"FlateDecode",
    b"Fl",
    b"RunLengthDecode",
    b"RL",
];
/// Objects, words of one, references and decoded bytes of one file: with more it is made to keep us busy, and counts as unread.
const MAX_OBJECTS: usize = 1 << 20;
const MAX_WORDS: usize = 1 << 20;
const MAX_REFERENCES: usize = 4 << 20;
const MAX_DECODED: u64 = 256 << 20;

/// Whether there is such a stream, or there may be. At most `limit` bytes (0 = no limit) are decoded to find out.
pub(super) fn are_unread(content: &[u8], limit: u64) -> bool {
    let limit = if limit == 0 { MAX_DECODED } else { limit.min(MAX_DECODED) };
    let mut survey = Survey { budget: content.len().saturating_mul(2), decode: limit, ..Survey::default() };
    const TRAILER: &[u8] = b"trailer";
    let trailers = memmem::find_iter(content, TRAILER)
        .try_for_each(|at| survey.object(None, content.get(at.saturating_add(TRAILER.len())..).unwrap_or_default()));
    let objects = memmem::find_iter(content, b"obj").try_for_each(|at| {
        let (before, behind) = content.split_at(at);
        let (above, generation) = number_before(before);
        let (start, digits) = number_before(above);
        let word = above.get(start.len()..start.len().saturating_add(digits)).unwrap_or_default();
        if before.ends_with(b"end") || generation == 0 || digits == 0 {
            return Some(());
        }
        survey.object(Some(number(word)?), behind.get(3..).unwrap_or_default())
    });
    trailers.is_none() || objects.is_none() || survey.finds_unread()
}

/// What is known of the objects.
#[derive(Default)]
struct Survey {
    /// Of each number: changes to a file add objects with the same one.
    objects: HashMap<u64, Vec<Object>>,
    /// Objects that stand behind one of [`KEYS`].
    wanted: Vec<u64>,
    count: usize,
    references: usize,
    /// Bytes of words that may still be read, and of streams that may still be decoded.
    budget: usize,
    decode: u64,
}

enum Object {
    Stream(Stream),
    /// Anything else: what it refers to.
    Value(Vec<u64>),
}

#[derive(Clone, Copy)]
struct Stream {
    /// Says itself that it holds a file.
    is_file: bool,
    /// Not what libclamav decodes.
    is_unread: bool,
}

impl Survey {
    /// Reads an object, or what has no number and may refer to some; `None` when there are too many, they are too long, or cannot be read.
    fn object(&mut self, number: Option<u64>, text: &[u8]) -> Option<()> {
        let mut tokens = Tokens { rest: text };
        let (mut list, mut depth, mut is_stream) = (Vec::new(), 0usize, false);
        for token in tokens.by_ref() {
            depth = depth_behind(depth, &token);
            match token {
                Token::Word(b"endobj" | b"obj" | b"xref" | b"startxref" | b"trailer") if depth == 0 => break,
                Token::Word(b"stream") if depth == 0 => {
                    is_stream = true;
                    break;
                }
                _ => {}
            }
            list.push(token);
            if list.len() > MAX_WORDS {
                return None;
            }
        }
        self.budget = self.budget.checked_sub(text.len().checked_sub(tokens.rest.len())?)?;
        self.named(&list)?;
        if !is_stream {
            return self.keep(number, Object::Value(references(&list).collect()));
        }
        let dictionary = Dictionary::of(&list);
        // Readers go by what they need.
        let has = |key| dictionary.values(key).next().is_some();
        if dictionary.is(b"Type", b"ObjStm") || (has(b"First") && has(b"N")) {
            self.compressed(&dictionary, tokens.rest)?;
        }
        self.keep(number, Object::Stream(dictionary.stream(tokens.rest)))
    }

    fn keep(&mut self, number: Option<u64>, object: Object) -> Option<()> {
        let Some(number) = number else { return Some(()) };
        if let Object::Value(list) = &object {
            self.references = self.references.checked_add(list.len()).filter(|count| *count <= MAX_REFERENCES)?;
        }
        self.count = self.count.checked_add(1).filter(|count| *count <= MAX_OBJECTS)?;
        self.objects.entry(number).or_default().push(object);
        Some(())
    }

    /// Notes what stands behind one of [`KEYS`].
    fn named(&mut self, tokens: &[Token<'_>]) -> Option<()> {
        let mut at = 0usize;
        while let Some(token) = tokens.get(at) {
            at = at.saturating_add(1);
            if matches!(token, Token::Name(name) if KEYS.iter().any(|key| means(name, key))) {
                // What stands in it is read once, whatever keys are there.
                let value = value(tokens.get(at..).unwrap_or_default());
                self.wanted.extend(references(value));
                at = at.saturating_add(value.len());
            }
        }
        (self.wanted.len() <= MAX_REFERENCES).then_some(())
    }

    /// Reads a stream of objects (7.5.7): pairs of a number and an offset, then the objects. `None` when it is not simply deflated, or
    /// not what its dictionary says: what is in it may refer to anything.
    fn compressed(&mut self, dictionary: &Dictionary<'_, '_>, behind: &[u8]) -> Option<()> {
        let data = data(behind);
        self.budget = self.budget.checked_sub(data.len())?;
        let text = dictionary.decode(data, self.decode)?;
        self.decode = self.decode.saturating_sub(u64::try_from(text.len()).unwrap_or(u64::MAX));
        self.budget = self.budget.saturating_add(text.len().saturating_mul(2));
        let whole = |key| {
            let mut values = dictionary.values(key);
            match (values.next(), values.next()) {
                (Some([Token::Word(word)]), None) => number(word).and_then(|number| usize::try_from(number).ok()),
                _ => None,
            }
        };
        let (first, count) = (whole(b"First")?, whole(b"N")?);
        let head = Tokens { rest: text.get(..first)? };
        let mut numbers = head.map(|token| match token {
            Token::Word(word) => number(word),
            _ => None,
        });
        for _ in 0..count {
            let (number, offset) = (numbers.next()??, numbers.next()??);
            let object = text.get(first.checked_add(usize::try_from(offset).ok()?)?..)?;
            let mut tokens = Tokens { rest: object };
            let (mut list, mut depth) = (Vec::new(), 0usize);
            for token in tokens.by_ref() {
                list.push(token);
                depth = depth_behind(depth, &token);
                // One or two words may be the beginning of a reference.
                if depth == 0 && !matches!(list.as_slice(), [Token::Word(_)] | [Token::Word(_), Token::Word(_)]) {
                    break;
                }
                if list.len() > MAX_WORDS {
                    return None;
                }
            }
            if depth > 0 {
                return None;
            }
            self.budget = self.budget.checked_sub(object.len().checked_sub(tokens.rest.len())?)?;
            self.named(&list)?;
            self.keep(Some(number), Object::Value(references(&list).collect()))?;
        }
        Some(())
    }

    fn finds_unread(&self) -> bool {
        let is_unread_file =
            |object: &Object| matches!(object, Object::Stream(Stream { is_file: true, is_unread: true }));
        if self.objects.values().flatten().any(is_unread_file) {
            return true;
        }
        let (mut waiting, mut seen) = (self.wanted.clone(), HashSet::new());
        while let Some(number) = waiting.pop() {
            if !seen.insert(number) {
                continue;
            }
            // Readers go by the table of offsets, which may call an object otherwise than its head does.
            let Some(objects) = self.objects.get(&number) else { return true };
            for object in objects {
                match object {
                    Object::Stream(stream) if stream.is_unread => return true,
                    Object::Stream(_) => {}
                    Object::Value(further) => waiting.extend(further),
                }
            }
        }
        false
    }
}

/// What stands between the words around a stream (7.3.8.1).
fn data(behind: &[u8]) -> &[u8] {
    let data = behind.strip_prefix(b"\r").unwrap_or(behind);
    let data = data.strip_prefix(b"\n").unwrap_or(data);
    data.get(..memmem::find(data, b"endstream").unwrap_or(data.len())).unwrap_or(data)
}

/// Keys of a dictionary, with their values.
struct Dictionary<'a, 'b>(Vec<(&'a [u8], &'b [Token<'a>])>);

impl<'a, 'b> Dictionary<'a, 'b> {
    fn of(tokens: &'b [Token<'a>]) -> Self {
        let mut entries = Vec::new();
        let mut at = 1usize;
        while let Some(token) = tokens.get(at) {
            at = at.saturating_add(1);
            if let Token::Name(key) = token {
                let value = value(tokens.get(at..).unwrap_or_default());
                entries.push((*key, value));
                at = at.saturating_add(value.len());
            }
        }
        Self(entries)
    }

    fn values(&self, key: &[u8]) -> impl Iterator<Item = &'b [Token<'a>]> {
        self.0.iter().filter(move |(name, _)| means(name, key)).map(|(_, value)| *value)
    }

    fn is(&self, key: &[u8], wanted: &[u8]) -> bool {
        self.values(key).any(|value| matches!(value, [Token::Name(name), ..] if means(name, wanted)))
    }

    /// Names of its filters, as they are written; `None` when they stand elsewhere, or twice.
    fn filters(&self) -> Option<Vec<&'a [u8]>> {
        let mut values = self.values(b"Filter");
        let value = values.next().unwrap_or_default();
        let names = value.iter().filter(|token| !matches!(token, Token::Begin | Token::End | Token::Word(b"null")));
        let names = names.map(|token| if let Token::Name(name) = token { Some(*name) } else { None });
        names.collect::<Option<_>>().filter(|_| values.next().is_none())
    }

    /// Whether a predictor (7.4.4.4) changes what a filter gives, or parameters stand elsewhere: only 1 means none.
    fn has_predictor(&self) -> bool {
        self.values(b"DecodeParms").chain(self.values(b"DP")).any(|value| {
            let tokens = value.iter().zip(value.iter().skip(1));
            let predicts = |(key, value): (&Token<'_>, &Token<'_>)| {
                matches!(key, Token::Name(key) if means(key, b"Predictor")) && *value != Token::Word(b"1")
            };
            references(value).next().is_some() || tokens.into_iter().any(predicts)
        })
    }

    /// What is to be known of the stream whose content begins there.
    fn stream(&self, data: &[u8]) -> Stream {
        let filters = self.filters();
        let is_plain = |name: &&[u8]| FILTERS.contains(name);
        let is_read = filters.as_ref().is_some_and(|filters| filters.iter().all(is_plain));
        // Some readers allow the mark with which this encoding begins elsewhere; libclamav does not.
        let is_marked = data.trim_ascii_start().starts_with(b"<~")
            && filters
                .iter()
                .flatten()
                .next()
                .is_some_and(|name| matches!(meaning(name).as_slice(), b"ASCII85Decode" | b"A85"));
        let predicted = self.has_predictor();
        // The key of a filter that only readers understand.
        let is_hidden = self.0.iter().any(|(name, _)| *name != b"Filter" && means(name, b"Filter"));
        // Some readers take the short form of the key too, which is that of another file here.
        let is_short = self.values(b"F").any(|value| value.iter().any(|token| matches!(token, Token::Name(_))));
        let is_unread = !is_read || is_marked || predicted || is_hidden || is_short;
        Stream { is_file: self.is(b"Type", b"EmbeddedFile"), is_unread }
    }

    /// What a stream holds that is deflated or not encoded at all, if that is no more than `limit` bytes.
    fn decode(&self, data: &[u8], limit: u64) -> Option<Vec<u8>> {
        let filters = self.filters()?;
        if self.has_predictor() || u64::try_from(data.len()).ok()? > limit {
            return None;
        }
        match filters.as_slice() {
            [] => Some(data.to_vec()),
            [name] if means(name, b"FlateDecode") || means(name, b"Fl") => {
                let mut text = Vec::new();
                ZlibDecoder::new(data).take(limit.saturating_add(1)).read_to_end(&mut text).ok()?;
                (u64::try_from(text.len()).ok()? <= limit).then_some(text)
            }
            _ => None,
        }
    }
}
