//! Nothing on the screen is clipped, cut or under something else: what everything got is compared with what it needs.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk_tests::desk::{Kiosk, SOON, Size};
use blanche_kiosk_tests::tour::{Mode, Set, Tour, VIEWS};
use serde_json::Value;
use std::time::Instant;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

fn title(widget: &Value) -> String {
    let text = widget["text"].as_str().or(widget["name"].as_str()).unwrap_or_default();
    format!("{} {text:?}", widget["type"].as_str().unwrap_or_default())
}

/// A pixel is lost by rounding, not by design.
const ROUNDED: f64 = 1.0;

fn too_small(widget: &Value) -> Option<String> {
    let (allocated, least) = (numbers(&widget["allocated"]), numbers(&widget["least"]));
    // A label that breaks its lines needs for its width a height, and has no smaller one.
    // What scrolls is smaller than what is in it, from the top to the bottom only.
    let scrolls = ["GtkViewport", "GtkListView"].contains(&widget["type"].as_str().unwrap_or_default());
    let sides = if scrolls { 1 } else { 2 };
    let small = allocated.iter().zip(&least).take(sides).any(|(got, needed)| got + ROUNDED < *needed);
    let cut = widget["cut"].as_bool() == Some(true);
    let torn = widget["torn"].as_bool() == Some(true);
    (small || cut || torn)
        .then(|| format!("{}: got {allocated:?}, needs {least:?}, cut: {cut}, torn: {torn}", title(widget)))
}

/// A finger does not find what is smaller (WCAG 2.1, 2.5.5): pixels of CSS.
const FINGER: f64 = 44.0;

fn too_small_for_a_finger(widget: &Value) -> Option<String> {
    let allocated = numbers(&widget["allocated"]);
    let small = widget["type"] == "GtkButton" && allocated.iter().any(|side| *side < FINGER);
    small.then(|| format!("{} is too small for a finger: {allocated:?}", title(widget)))
}

/// Outside the screen, without anything that scrolls it into view; or wider than what scrolls it.
fn outside(widget: &Value, all: &[Value], size: Size) -> Option<String> {
    let [left, top, width, height] = numbers(&widget["bounds"])[..] else { return None };
    let within = |[x, y, w, h]: [f64; 4], vertically: bool| {
        let across = left >= x - ROUNDED && left + width <= x + w + ROUNDED;
        across && (!vertically || top >= y - ROUNDED && top + height <= y + h + ROUNDED)
    };
    let view = widget["view"].as_u64().and_then(|number| all.get(usize::try_from(number).ok()?));
    let inside = match view.map(|view| numbers(&view["bounds"])) {
        Some(view) => within([view[0], view[1], view[2], view[3]], false),
        #[allow(clippy::cast_precision_loss, reason = "a screen has some thousand pixels")]
        None => within([0.0, 0.0, size.width as f64, size.height as f64], true),
    };
    (!inside).then(|| format!("{} is outside: {left} {top} {width} {height}", title(widget)))
}

/// Below the end of what scrolls it, on a screen without the buttons that scroll.
fn out_of_reach(widget: &Value, all: &[Value]) -> Option<String> {
    let view = widget["view"].as_u64().and_then(|number| all.get(usize::try_from(number).ok()?))?;
    let ([_, top, _, height], [_, above, _, tall]) = (&numbers(&widget["bounds"])[..], &numbers(&view["bounds"])[..])
    else {
        return None;
    };
    let is_below = top + height > above + tall + ROUNDED;
    let scrolls = all.iter().any(|other| other["id"] == "down");
    (is_below && !scrolls)
        .then(|| format!("{} is below what is seen, and nothing scrolls: {top} {height}", title(widget)))
}

/// Two children of one parent that lie on each other.
fn overlapping(all: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, one) in all.iter().enumerate() {
        for other in &all[number + 1..] {
            // A list recycles its rows, and keeps some beside what is seen.
            let apart =
                one["siblings"] != other["siblings"] || one["siblings"].is_null() || one["parent"] == "GtkListView";
            let ([a, b, c, d], [e, f, g, h]) = (&numbers(&one["bounds"])[..], &numbers(&other["bounds"])[..]) else {
                continue;
            };
            let across = (a + c).min(e + g) - a.max(*e);
            let down = (b + d).min(f + h) - b.max(*f);
            // Each of the two may have been rounded.
            if !apart && across > 2.0 * ROUNDED && down > 2.0 * ROUNDED {
                wrong.push(format!("{} lies on {}", title(other), title(one)));
            }
        }
    }
    wrong
}

fn found(all: &[Value], size: Size) -> Vec<String> {
    let mut found: Vec<String> = all.iter().filter_map(too_small).collect();
    found.extend(all.iter().filter_map(too_small_for_a_finger));
    found.extend(all.iter().filter_map(|widget| outside(widget, all, size)));
    found.extend(all.iter().filter_map(|widget| out_of_reach(widget, all)));
    found.extend(overlapping(all));
    found
}

/// What is wrong in one set.
fn wrong(set: Set) -> Vec<String> {
    let mut tour = Tour::with(set.size, set.language, set.mode, Kiosk::measured);
    let (mut wrong, mut before) = (Vec::new(), Vec::new());
    for view in VIEWS {
        let all = tour.measure(view);
        assert!(all.iter().filter(|widget| widget["text"].is_string()).count() > 3, "{}: {all:?}", view.name);
        assert!(all != before, "{}: what is measured is still the view before it", view.name);
        let mut here = found(&all, set.size);
        let start = Instant::now();
        // On a machine with much to do the frame in which things get their sizes may still be to come.
        while !here.is_empty() && start.elapsed() < SOON / 4 {
            std::thread::sleep(SOON / 120);
            here = found(&tour.kiosk.widgets(), set.size);
        }
        wrong.extend(here.into_iter().map(|what| format!("{}: {}: {what}", set.name(), view.name)));
        before = all;
    }
    wrong
}

/// Every set of a mode, side by side: most of their time they wait, for a screen that stays or a person who reads.
fn nothing_is_clipped(mode: Mode) {
    let sets = Set::all().into_iter().filter(|set| set.mode == mode);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let tours: Vec<_> = sets.map(|set| scope.spawn(move || wrong(set))).collect();
        assert!(tours.len() > 1, "{mode:?} is looked at");
        tours
            .into_iter()
            .flat_map(|tour| tour.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

macro_rules! layouts {
    ($($name:ident: $mode:ident;)*) => {
        const MEASURED: &[Mode] = &[$(Mode::$mode),*];

        $(#[test]
        fn $name() {
            nothing_is_clipped(Mode::$mode);
        })*
    };
}

layouts! {
    nothing_is_clipped_as_it_comes: Usual;
    nothing_is_clipped_in_the_dark: Dark;
    nothing_is_clipped_in_high_contrast: HighContrast;
    nothing_is_clipped_in_letters_of_twice_the_size: Large;
    nothing_is_clipped_in_a_longer_language_from_right_to_left: Pseudo;
}

#[test]
fn whatever_has_pictures_is_measured() {
    assert_eq!(Mode::ALL.into_iter().filter(|mode| !MEASURED.contains(mode)).collect::<Vec<_>>(), []);
}
