//! Both catalogues say everything, and only what the program says.

#![allow(clippy::expect_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::words;
use std::collections::BTreeSet;

/// What stands between braces.
fn placeholders(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

#[test]
fn every_message_is_in_both_catalogues_and_no_other_is() {
    let said: BTreeSet<&str> = words::all().map(Message::key).collect();
    for catalog in [Catalog::french(), Catalog::english()] {
        let known: BTreeSet<&str> = catalog.keys().collect();
        assert_eq!(said.difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new(), "{}", catalog.language());
        assert_eq!(known.difference(&said).collect::<Vec<_>>(), Vec::<&&str>::new(), "{}", catalog.language());
    }
}

#[test]
fn a_translation_uses_the_arguments_of_its_message() {
    for catalog in [Catalog::french(), Catalog::english()] {
        for message in words::all() {
            let (before, after) = (placeholders(message.key()), placeholders(catalog.word(message)));
            assert_eq!(before, after, "{}", message.key());
        }
    }
}

#[test]
fn french_sentences_are_short_and_plain() {
    const TRADE: [&str; 14] = [
        "chemin",
        "fichier système",
        "octets bruts",
        "daemon",
        "démon",
        "partition",
        "hash",
        "empreinte",
        "signature",
        "moteur",
        "secteur",
        "matcher",
        "session D-Bus",
        "volume logique",
    ];
    // Who does not see the screen, or sees it otherwise arranged, finds nothing by its place, shape or colour.
    const PLACE: [&str; 11] =
        ["à droite", "à gauche", "en haut", "en bas", "dessus", "dessous", "à côté", "rond ", "rouge", "jaune", "bleu"];
    let catalog = Catalog::french();
    for message in words::all() {
        let text = catalog.word(message);
        for sentence in text.split_inclusive(['.', '?', '!']) {
            assert!(sentence.split_whitespace().count() <= 20, "too long: {sentence}");
        }
        for word in TRADE.into_iter().chain(PLACE) {
            assert!(!text.to_lowercase().contains(word), "{word}: {text}");
        }
    }
}

/// Imprimerie nationale, "Lexique des règles typographiques": a sign of two parts stands behind a blank at which no line ends, and so do
/// units and the hours of the clock.
#[test]
fn french_is_set_as_a_printer_would() {
    let catalog = Catalog::french();
    let mut wrong = Vec::new();
    for text in words::all().filter(|message| message.key() != "default:LTR").map(|message| catalog.word(message)) {
        let letters: Vec<char> = text.chars().collect();
        for pair in letters.windows(2) {
            let loose = match pair {
                [before, ':' | ';' | '?' | '!' | '»' | '%'] => *before != '\u{A0}',
                ['«', after] => *after != '\u{A0}',
                _ => false,
            };
            if loose {
                wrong.push(format!("{pair:?} in {text}"));
            }
        }
        for sign in ["'", "\"", "“", "”", "...", "  ", " \u{A0}", "\u{A0} "] {
            if text.contains(sign) {
                wrong.push(format!("{sign:?} in {text}"));
            }
        }
        for unit in ["octets", "ko", "Mo", "Go", "To", "h", "min"] {
            if text.split_whitespace().any(|word| word == unit) && text.contains(&format!(" {unit}")) {
                wrong.push(format!("a line may end before {unit}: {text}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_english_sentence_has_the_signs_of_english() {
    let catalog = Catalog::english();
    for text in words::all().map(|message| catalog.word(message)) {
        assert!(!text.contains(['\'', '"', '«', '»']), "{text}");
    }
}

/// Words that people who are no specialists have asked about, and English ones.
#[test]
fn french_has_no_english_words() {
    const ENGLISH: [&str; 12] =
        ["scan", "check", "tag", "hub", "login", "mail", "reset", "update", "backup", "driver", "kiosk", "print"];
    for text in words::all().map(|message| Catalog::french().word(message).to_lowercase()) {
        let mut words = text.split(|letter: char| !letter.is_alphabetic());
        assert!(!words.any(|word| ENGLISH.contains(&word)), "{text}");
    }
}

#[test]
fn what_is_no_catalogue_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(Languages::with_folder(&folder.path().join("none")).expect("as it comes").iter().count(), 2);
    std::fs::write(folder.path().join("de.po"), "msgid \"Help\nmsgstr").expect("written");
    let error = Languages::with_folder(folder.path()).expect_err("it is broken");
    assert!(error.to_string().contains("de.po"), "{error}");
}

#[test]
fn a_language_is_a_file_and_what_it_does_not_say_is_english() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\n\
                msgid \"English\"\nmsgstr \"Deutsch\"\n\nmsgid \"Help\"\nmsgstr \"Hilfe\"\n\n\
                #, fuzzy\nmsgid \"Back\"\nmsgstr \"unsure\"\n";
    std::fs::write(folder.path().join("de.po"), text).expect("written");
    let languages = Languages::with_folder(folder.path()).expect("a language");
    let german = languages.find("de").expect("it is there");
    assert_eq!(german.name(), "Deutsch");
    assert_eq!(german.render(&words::screens::BUTTON_HELP.into()), "Hilfe");
    assert_eq!(german.render(&words::screens::BUTTON_BACK.into()), "Back");
    assert_eq!(languages.after("en").language(), "de");
    assert_eq!(languages.after("de").language(), "fr");
    assert_eq!(languages.only(&["xx".to_owned()]).err().as_deref(), Some("xx"));
}

#[test]
fn an_argument_is_not_read_as_a_pattern() {
    let catalog = Catalog::english();
    let text = words::screens::CONTACT.with([("contact", "{contact} {x} }{".into())]);
    assert_eq!(catalog.render(&text), "Contact: {contact} {x} }{");
}
