//! PDF (ISO 32000-1): words of its objects, as its readers take them (7.2 and 7.3).

use super::pdf_objects::{is_line_end, is_regular, is_space, string_length};

/// A word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, without its slash and as it is written.
    Name(&'a [u8]),
    /// A number or a keyword.
    Word(&'a [u8]),
    /// A dictionary or an array begins.
    Begin,
    /// One ends.
    End,
    /// A string, or anything else.
    Other,
}

/// The words of some text.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    /// What was not read yet.
    pub(super) rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, &[]));
        self.rest = rest;
        taken
    }

    fn length(&self, which: impl Fn(u8) -> bool) -> usize {
        self.rest.iter().take_while(|byte| which(**byte)).count()
    }

    fn skip_space(&mut self) {
        loop {
            let space = self.length(is_space);
            self.take(space);
            if self.rest.first() != Some(&b'%') {
                return;
            }
            let comment = self.length(|byte| !is_line_end(byte));
            self.take(comment);
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let token = match (self.rest.first()?, self.rest.get(1)) {
            (b'/', _) => {
                self.take(1);
                let length = self.length(is_regular);
                Token::Name(self.take(length))
            }
            (b'(', _) => {
                self.take(string_length(self.rest));
                Token::Other
            }
            (b'<', Some(b'<')) => {
                self.take(2);
                Token::Begin
            }
            (b'>', Some(b'>')) => {
                self.take(2);
                Token::End
            }
            (b'<', _) => {
                let length = self.length(|byte| byte != b'>');
                self.take(length.saturating_add(1));
                Token::Other
            }
            (b'[', _) => {
                self.take(1);
                Token::Begin
            }
            (b']', _) => {
                self.take(1);
                Token::End
            }
            (byte, _) if is_regular(*byte) => {
                let length = self.length(is_regular);
                Token::Word(self.take(length))
            }
            _ => {
                self.take(1);
                Token::Other
            }
        };
        Some(token)
    }
}

/// What a name means: `#` and two hexadecimal digits stand for a byte (7.3.5).
pub(super) fn meaning(name: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| first == b'#').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    bytes
}

/// Whether a name means this.
pub(super) fn means(name: &[u8], wanted: &[u8]) -> bool {
    name == wanted || (name.contains(&b'#') && meaning(name) == wanted)
}

/// How many dictionaries and arrays are open behind a word.
pub(super) fn depth_behind(depth: usize, token: &Token<'_>) -> usize {
    match token {
        Token::Begin => depth.saturating_add(1),
        Token::End => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Numbers of the objects that are referred to (7.3.10).
pub(super) fn references<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = u64> + 'a {
    tokens.windows(3).filter_map(|three| match three {
        [Token::Word(object), Token::Word(_), Token::Word(b"R")] => number(object),
        _ => None,
    })
}

/// What belongs to the key before it: one word, a reference, or everything up to the end of a dictionary or an array.
pub(super) fn value<'a, 'b>(behind: &'b [Token<'a>]) -> &'b [Token<'a>] {
    let mut depth = 0usize;
    let end = behind.iter().position(|token| {
        depth = depth_behind(depth, token);
        depth == 0
    });
    let reference = matches!(behind, [Token::Word(_), Token::Word(_), Token::Word(b"R"), ..]);
    let length = if reference { 3 } else { end.map_or(behind.len(), |end| end.saturating_add(1)) };
    behind.get(..length).unwrap_or(behind)
}

/// A whole number.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_readers_take_them_for() {
        let text = b"<</Type/A#42 %c\n/L 12 0 R[(a\\)]>>)<41 42>]>>stream";
        let tokens: Vec<_> = Tokens { rest: text }.collect();
        assert_eq!(tokens.get(..2), Some(&[Token::Begin, Token::Name(b"Type")][..]));
        assert!(matches!(tokens.get(2), Some(Token::Name(name)) if means(name, b"AB")), "{tokens:?}");
        assert_eq!(references(&tokens).collect::<Vec<_>>(), [12]);
        let list = tokens.iter().rposition(|token| *token == Token::Begin).unwrap_or_default();
        assert_eq!(
            value(tokens.get(list..).unwrap_or_default()),
            [Token::Begin, Token::Other, Token::Other, Token::End]
        );
        assert_eq!(tokens.last(), Some(&Token::Word(b"stream")));
    }
}
