//! What somebody needs of a result stands on the smallest screen without scrolling: what it is, what to do, whom to call, the number
//! of the session; however long the names are that media give themselves.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk::words::screens;
use blanche_kiosk_tests::desk::{Kiosk, Size};
use blanche_kiosk_tests::scene;
use blanche_kiosk_tests::tour::{Mode, Tour};
use serde_json::Value;

/// The parts of a statement (ui/src/parts/statement.ui) that nobody may have to look for.
const ESSENTIAL: [&str; 3] = ["title", "next", "more"];

fn rectangle(widget: &Value) -> [f64; 4] {
    let numbers: Vec<f64> = widget["bounds"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    numbers.try_into().unwrap_or_else(|_| panic!("no bounds: {widget}"))
}

/// What is essential and not wholly to be seen.
fn hidden(all: &[Value]) -> Vec<String> {
    let essential = |widget: &&Value| {
        let text = widget["text"].as_str().is_some_and(|text| !text.is_empty());
        let within = [&widget["id"], &widget["inside"]];
        text && within.into_iter().filter_map(Value::as_str).any(|id| ESSENTIAL.contains(&id))
    };
    let found: Vec<&Value> = all.iter().filter(essential).collect();
    // A result has a title, and something else.
    assert!(found.len() > 1, "{all:?}");
    let out = |widget: &&&Value| {
        let view = widget["view"].as_u64().and_then(|number| all.get(usize::try_from(number).ok()?));
        let [_, top, _, height] = rectangle(view.unwrap_or_else(|| panic!("nothing scrolls {widget}")));
        let [_, above, _, tall] = rectangle(widget);
        above < top - 1.0 || above + tall > top + height + 1.0
    };
    found.iter().filter(out).map(|widget| format!("{} {}", widget["text"], widget["bounds"])).collect()
}

/// Every scene that shows a result, or what became of a medium.
fn results() -> Vec<String> {
    let begins = ["clean", "infected", "incomplete", "refused-", "failed-", "removed", "pulled"];
    scene::names().into_iter().filter(|name| begins.iter().any(|begin| name.starts_with(begin))).collect()
}

/// What stands on the screen of a result, and not on that of the one before: the number of its session, or the title
/// where no number is said.
fn mark(tour: &Tour, name: &str) -> String {
    match name {
        "removed" => tour.word(screens::REMOVED_TITLE),
        "pulled" => tour.word(screens::PULLED_TITLE),
        name => {
            let scene = scene::scene(name).expect("a scene");
            let number = scene.sessions.first().expect("a session").id.to_string();
            format!("…{}", number[number.len() - 6..].to_uppercase())
        }
    }
}

fn nothing_essential_is_out_of_sight(language: &str) {
    let mut tour = Tour::with(Size::LANDSCAPE, language, Mode::Usual, Kiosk::measured);
    let mut wrong = Vec::new();
    let results = results();
    assert!(results.len() > 25, "{results:?}");
    for name in results {
        let mark = mark(&tour, &name);
        wrong.extend(hidden(&tour.measure_scene(&name, &mark)).into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(wrong.is_empty(), "{language}: {wrong:#?}");
}

#[test]
fn a_result_needs_no_scrolling_in_french() {
    nothing_essential_is_out_of_sight("fr");
}

#[test]
fn a_result_needs_no_scrolling_in_english() {
    nothing_essential_is_out_of_sight("en");
}
