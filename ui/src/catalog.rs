//! The words of one language, and the languages that there are: French and English in the program, others as further .po
//! files in a folder (GNU gettext manual, "The Format of PO Files"). Looking a word up is a pure function: switching the language is
//! asking another catalogue.

use crate::words::{Message, Text, amounts, screens};
use blanche_tag::visible::harmless;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Keeps what stands inside from turning round what stands around it (Unicode 15, UAX #9: FSI and PDI).
const ISOLATE: [char; 2] = ['\u{2068}', '\u{2069}'];

/// Why a file of words cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file or folder cannot be read.
    #[error("{path}: {source}; correct the path in the configuration, or the rights of the file", path = path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no catalogue.
    #[error("{place}: {what}; msgfmt --check shows where")]
    Parse {
        /// Which.
        place: String,
        /// Why.
        what: String,
    },
}

/// The words of one language.
#[derive(Clone, Debug)]
pub struct Catalog {
    language: String,
    words: HashMap<String, String>,
    group: char,
    point: char,
}

impl Catalog {
    /// French.
    #[must_use]
    pub fn french() -> Self {
        Self::built_in("fr", include_str!("../po/fr.po"))
    }

    /// English.
    #[must_use]
    pub fn english() -> Self {
        Self::built_in("en", include_str!("../po/en.po"))
    }

    /// What cannot be read falls back to the sentences in the program, which are English; a test reads both catalogues.
    fn built_in(language: &str, text: &str) -> Self {
        Self::parse(language, text.as_bytes()).unwrap_or_else(|_| Self::of(language, HashMap::new()))
    }

    /// Reads a catalogue.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(language: &str, text: impl Read) -> Result<Self, CatalogError> {
        let parsed = polib::po_file::parse_from_reader(text);
        let parsed =
            parsed.map_err(|error| CatalogError::Parse { place: format!("{language}.po"), what: error.to_string() })?;
        let translated = parsed.messages().filter(|message| message.is_translated() && !message.is_fuzzy());
        let words =
            translated.filter_map(|message| Some((message.msgid().to_owned(), message.msgstr().ok()?.to_owned())));
        Ok(Self::of(language, words.collect()))
    }

    fn of(language: &str, words: HashMap<String, String>) -> Self {
        let mut catalog = Self { language: language.to_owned(), words, group: ',', point: '.' };
        // The sample is 12,345.6: what stands third and sixth are the separators.
        let sample: Vec<char> = catalog.word(amounts::NUMBER_SAMPLE).chars().collect();
        if let [_, _, group, _, _, _, point, _] = sample[..] {
            (catalog.group, catalog.point) = (group, point);
        }
        catalog
    }

    /// The language, as its file is called: ISO 639.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// What the language calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        self.word(screens::LANGUAGE_NAME)
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub fn right_to_left(&self) -> bool {
        self.word(screens::DIRECTION) == "default:RTL"
    }

    /// Every message that the catalogue has words for.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.words.keys().map(String::as_str)
    }

    fn word(&self, message: Message) -> &str {
        self.words.get(message.key()).map_or(message.key(), String::as_str)
    }

    /// A text in this language.
    #[must_use]
    pub fn render(&self, text: &Text) -> String {
        match text {
            Text::Raw(raw) if self.right_to_left() => format!("{}{}{}", ISOLATE[0], self.shown(raw), ISOLATE[1]),
            Text::Raw(raw) => self.shown(raw),
            Text::Number(number) => self.grouped(*number),
            Text::Digits(number) => format!("{number:02}"),
            Text::Tenths(tenths) => format!("{}{}{}", self.grouped(tenths / 10), self.point, tenths % 10),
            Text::Said(message, arguments) => self.filled(self.word(*message), arguments),
        }
    }

    /// Several texts, one after the other, each with the stop that makes a voice pause.
    #[must_use]
    pub fn render_all(&self, texts: &[Text]) -> String {
        let sentence = |text: String| if text.ends_with(['.', '?', '!', ':']) { text } else { text + "." };
        texts.iter().map(|text| sentence(self.render(text))).collect::<Vec<_>>().join(" ")
    }

    /// Names from media arrive harmless; that is not taken on trust. Blanks that keep words together are ours.
    fn shown(&self, raw: &str) -> String {
        raw.split('\u{A0}').map(harmless).collect::<Vec<_>>().join("\u{A0}")
    }

    /// Replaces `{name}`; a name that is no argument stays as it is, and shows.
    fn filled(&self, pattern: &str, arguments: &[(&'static str, Text)]) -> String {
        let mut filled = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = after.split_once('}').and_then(|(name, behind)| {
                let (_, argument) = arguments.iter().find(|(known, _)| *known == name)?;
                Some((argument, behind))
            });
            match found {
                Some((argument, behind)) => {
                    filled.push_str(&self.render(argument));
                    rest = behind;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn grouped(&self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
                grouped.push(self.group);
            }
            let _ = write!(grouped, "{digit}");
        }
        grouped
    }
}

/// The languages that a person can choose.
#[derive(Clone, Debug)]
pub struct Languages(Vec<Rc<Catalog>>);

impl Languages {
    /// Those of the program, and every other .po file of a folder. A file `fr.po` replaces the French of the program.
    ///
    /// # Errors
    /// When a file or the folder cannot be read; a folder that does not exist holds none.
    pub fn with_folder(folder: &Path) -> Result<Self, CatalogError> {
        let mut catalogs = vec![Catalog::french(), Catalog::english()];
        let read = |source| CatalogError::Read { path: folder.to_owned(), source };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            other => Some(other.map_err(read)?),
        };
        let mut paths = Vec::new();
        for entry in entries.into_iter().flatten() {
            let path = entry.map_err(read)?.path();
            paths.extend(path.extension().is_some_and(|kind| kind == "po").then_some(path));
        }
        paths.sort();
        for path in paths {
            let language = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            let text = std::fs::read(&path).map_err(|source| CatalogError::Read { path: path.clone(), source })?;
            let catalog = Catalog::parse(&language, text.as_slice())?;
            catalogs.retain(|known| known.language != catalog.language);
            catalogs.push(catalog);
        }
        Ok(Self(catalogs.into_iter().map(Rc::new).collect()))
    }

    /// Only those that are named, in that order; all when none is.
    ///
    /// # Errors
    /// The first name that is no language here.
    pub fn only(self, names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(self);
        }
        let chosen = names.iter().map(|name| self.find(name).ok_or_else(|| name.clone()));
        Ok(Self(chosen.collect::<Result<_, _>>()?))
    }

    /// One of them.
    #[must_use]
    pub fn find(&self, language: &str) -> Option<Rc<Catalog>> {
        self.0.iter().find(|catalog| catalog.language == language).cloned()
    }

    /// The first, in which the kiosk begins.
    #[must_use]
    pub fn first(&self) -> Rc<Catalog> {
        self.0.first().cloned().unwrap_or_else(|| Rc::new(Catalog::french()))
    }

    /// The one behind `language`, round and round.
    #[must_use]
    pub fn after(&self, language: &str) -> Rc<Catalog> {
        let behind = self.0.iter().skip_while(|catalog| catalog.language != language).nth(1);
        behind.cloned().unwrap_or_else(|| self.first())
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Rc<Catalog>> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
