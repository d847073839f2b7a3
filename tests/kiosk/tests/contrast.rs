//! Contrast of everything that the style sheets of the kiosk put on top of each other, in every theme (EN 301 549 V3.2.1,
//! 11.1.4.3: text 4.5; 11.1.4.11: graphics and what shows the focus 3), and the size of letters (5.1.4).
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_kiosk_tests::colour::Colour;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const TEXT: f64 = 4.5;
const GRAPHICS: f64 = 3.0;

/// What stands on what: colours by their names, and the contrast that it needs. A rule of the style sheet that names a colour and its
/// ground is found by itself; this is what comes from one widget standing on another.
const PAIRS: &[(&str, &str, f64)] = &[
    ("text", "ground", TEXT),
    ("text", "band", TEXT),
    ("text", "button", TEXT),
    ("quiet", "ground", TEXT),
    // Titles of verdicts, and the word on a button that cannot be taken back.
    ("good", "ground", TEXT),
    ("doubt", "ground", TEXT),
    ("danger", "ground", TEXT),
    ("danger", "button", TEXT),
    ("refused", "ground", TEXT),
    ("fault", "ground", TEXT),
    // Drawings.
    ("calm", "ground", GRAPHICS),
    ("busy", "ground", GRAPHICS),
    // The bar and what is left of it.
    ("busy", "trough", GRAPHICS),
    ("line", "ground", GRAPHICS),
    // The edge of a button, and of a button that stands out by its colour.
    ("main", "ground", GRAPHICS),
    // The ring of the focus on the page.
    ("focus", "ground", GRAPHICS),
    // Bands that must be noticed.
    ("training", "training_text", TEXT),
    ("warning", "warning_text", TEXT),
];

fn styles() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/style")
}

fn sheet(name: &str) -> String {
    let file = styles().join(name);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    // Without comments.
    let parts = text.split("/*").enumerate().map(|(number, part)| match part.split_once("*/") {
        Some((_, after)) if number > 0 => after,
        _ => part,
    });
    parts.collect()
}

/// The colours of a theme (GTK CSS, "Named colors").
fn theme(name: &str) -> BTreeMap<String, Colour> {
    let definition = |line: &str| {
        let (name, value) = line.trim().strip_prefix("@define-color ")?.strip_suffix(';')?.split_once(' ')?;
        Some((name.to_owned(), value.parse().unwrap_or_else(|error| panic!("{name}: {error}"))))
    };
    sheet(name).lines().filter_map(definition).collect()
}

fn themes() -> BTreeMap<String, BTreeMap<String, Colour>> {
    let files = fs::read_dir(styles()).expect("the style sheets").flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let themes = names.filter(|name| name.ends_with(".css") && name != "kiosk.css");
    themes.map(|name| (name.clone(), theme(&name))).collect()
}

/// The declarations of every rule of the common sheet.
fn rules() -> Vec<BTreeMap<String, String>> {
    let text = sheet("kiosk.css");
    let bodies = text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let declaration =
        |text: &str| text.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    bodies.map(|body| body.split(';').filter_map(declaration).collect()).collect()
}

fn colours_in(value: &str) -> impl Iterator<Item = &str> {
    value.split_whitespace().filter_map(|word| word.strip_prefix('@'))
}

/// [`PAIRS`], and what a rule of the style sheet puts on each other by itself.
fn pairs() -> Vec<(String, String, f64)> {
    let owned = |&(one, other, least): &(&str, &str, f64)| (one.to_owned(), other.to_owned(), least);
    let mut pairs: Vec<_> = PAIRS.iter().map(owned).collect();
    for rule in rules() {
        let named = |property: &str| rule.get(property).and_then(|value| value.strip_prefix('@')).map(str::to_owned);
        pairs.extend(named("color").zip(named("background")).map(|(letters, ground)| (letters, ground, TEXT)));
    }
    pairs
}

#[test]
fn everything_has_contrast_in_every_theme() {
    let themes = themes();
    assert_eq!(themes.len(), 3, "light, dark, high contrast: {:?}", themes.keys());
    let pairs = pairs();
    let mut wrong = Vec::new();
    for (theme, colours) in &themes {
        let colour = |name: &str| *colours.get(name).unwrap_or_else(|| panic!("{theme} has no {name}"));
        for (one, other, least) in &pairs {
            let contrast = colour(one).contrast(colour(other));
            if contrast < *least {
                wrong.push(format!("{theme}: {one} on {other} has {contrast:.2}, not {least}"));
            }
        }
    }
    println!("{} pairs in {} themes", pairs.len(), themes.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The value of a property in the rule with exactly this selector.
fn declared(selector: &str, property: &str) -> Option<String> {
    let text = sheet("kiosk.css");
    let (_, rule) = text.split_once(&format!("{selector} {{"))?;
    let declarations = rule.split('}').next()?.split(';').filter_map(|declaration| declaration.split_once(':'));
    declarations.into_iter().find(|(name, _)| name.trim() == property).map(|(_, value)| value.trim().to_owned())
}

/// Each of these bands holds a button, and is what its ring lies on.
#[test]
fn the_ring_of_the_focus_is_seen_on_every_band() {
    for band in ["header", "banner", "strip", "warning"] {
        let ground = declared(&format!(".kiosk .{band}"), "background").expect("a band has a ground");
        let ring = declared(&format!(".kiosk .{band} button:focus"), "outline-color").unwrap_or("@focus".to_owned());
        for (theme, colours) in themes() {
            let colour = |name: &str| colours[name.trim_start_matches('@')];
            let contrast = colour(&ring).contrast(colour(&ground));
            assert!(contrast >= GRAPHICS, "{theme}: {ring} on {ground} has {contrast:.2}");
        }
    }
}

#[test]
fn every_colour_that_is_used_was_compared_and_every_theme_has_the_same() {
    let pairs = pairs();
    let compared: BTreeSet<&str> = pairs.iter().flat_map(|(one, other, _)| [one.as_str(), other.as_str()]).collect();
    let rules = rules();
    let used: BTreeSet<&str> = rules.iter().flat_map(BTreeMap::values).flat_map(|value| colours_in(value)).collect();
    assert!(used.len() > 10, "{used:?}");
    for name in &used {
        assert!(compared.contains(name), "{name} is used and compared with nothing");
    }
    for (theme, colours) in themes() {
        let defined: BTreeSet<&str> = colours.keys().map(String::as_str).collect();
        assert_eq!(defined, used, "{theme}");
    }
}

#[test]
fn a_colour_is_never_written_where_a_theme_cannot_change_it() {
    for rule in rules() {
        for (property, value) in rule {
            // The square code is black on white everywhere, for telephones; a screen that went dark is black everywhere.
            let fixed = ["white", "black", "none"].contains(&value.as_str());
            assert!(fixed || !value.contains('#') && !value.contains("rgb"), "{property}: {value}");
        }
    }
}

#[test]
fn nothing_flashes() {
    for name in ["kiosk.css"].into_iter().map(str::to_owned).chain(themes().into_keys()) {
        let sheet = sheet(&name);
        for moving in ["animation", "transition", "@keyframes"] {
            assert!(!sheet.contains(moving), "{name}: {moving}");
        }
    }
}
