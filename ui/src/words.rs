//! Everything that the kiosk says. A message is an English sentence, which is its key in the catalogues (po/*.po, GNU gettext
//! manual, "The Format of PO Files"); a text is a message with what stands between its braces, or something as it came.
//!
//! No message counts: numbers stand behind a label, so no language needs plural forms here.

pub mod amounts;
pub mod causes;
pub mod pages;
pub mod results;
pub mod screens;

/// A message: the English sentence, which is also the key. `{name}` is replaced by an argument of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Message(&'static str);

impl Message {
    /// The English sentence.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.0
    }

    /// The message with arguments.
    #[must_use]
    pub fn with<const N: usize>(self, arguments: [(&'static str, Text); N]) -> Text {
        Text::Said(self, arguments.into())
    }
}

/// What is shown or spoken, in no language yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// A message and what stands between its braces.
    Said(Message, Vec<(&'static str, Text)>),
    /// Something that is the same in every language: a name, a version. Made harmless when it is shown.
    Raw(String),
    /// A number, with the separators of the language.
    Number(u64),
    /// A number of two digits at least, as in a time.
    Digits(u64),
    /// A number with tenths, times ten.
    Tenths(u64),
}

impl From<Message> for Text {
    fn from(message: Message) -> Self {
        Self::Said(message, Vec::new())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Raw(text.to_owned())
    }
}

impl From<u64> for Text {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

/// Defines messages, and lists them for the tests of the catalogues.
macro_rules! messages {
    ($($name:ident = $text:literal;)*) => {
        $(
            #[doc = $text]
            pub const $name: $crate::words::Message = $crate::words::Message($text);
        )*
        /// All of this file.
        pub const ALL: &[$crate::words::Message] = &[$($name),*];
    };
}
pub(crate) use messages;

/// Every message.
pub fn all() -> impl Iterator<Item = Message> {
    [screens::ALL, pages::ALL, results::ALL, causes::ALL, amounts::ALL].into_iter().flatten().copied()
}
