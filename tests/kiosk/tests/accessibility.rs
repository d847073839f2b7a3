//! What assistive technology sees of every view of the kiosk (EN 301 549 V3.2.1, 11.5.2).
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise, and say what it saw"
)]

use blanche_kiosk::words::{pages, results, screens};
use blanche_kiosk_tests::access::{audit, is_control};
use blanche_kiosk_tests::colour::Colour;
use blanche_kiosk_tests::desk::{Desk, Kiosk, Size, eventually};
use blanche_kiosk_tests::tour::{Mode, Tour, VIEWS};

/// Every view has names, roles, states and values; the keyboard is always somewhere.
fn nothing_is_wrong(language: &str, mode: Mode) {
    let mut tour = Tour::new(Size::LANDSCAPE, language, mode);
    let mut wrong = Vec::new();
    for view in VIEWS {
        tour.go(view);
        let tree = tour.access.tree();
        println!("--- {}\n{tree}", view.name);
        wrong.extend(audit(&tree).into_iter().map(|what| format!("{}: {what}", view.name)));
    }
    assert!(wrong.is_empty(), "{language}: {wrong:#?}");
}

#[test]
fn every_control_has_role_name_state_and_value_in_french() {
    nothing_is_wrong("fr", Mode::Usual);
}

#[test]
fn every_control_has_role_name_state_and_value_in_english() {
    nothing_is_wrong("en", Mode::Usual);
}

/// Of each group one choice is the chosen one, by its state and by its name, and every choice says of what.
#[test]
fn a_choice_says_of_what_it_is_one_and_whether_it_is_chosen() {
    let tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    tour.open_settings();
    let tree = tour.access.tree();
    for (label, choices) in [(pages::SETTINGS_LANGUAGE, 3), (pages::SETTINGS_TEXT, 4), (pages::SETTINGS_COLOURS, 3)] {
        let label = tour.word(label);
        let groups = tree.all().into_iter().filter(|node| node.name == label);
        let group = groups.max_by_key(|node| node.children.len()).expect("a group");
        assert_eq!(group.children.len(), choices, "{label}:\n{tree}");
        for choice in &group.children {
            assert!(choice.name.starts_with(&format!("{label}\u{a0}: ")), "{label}:\n{tree}");
            assert_eq!(choice.is("pressed"), choice.name.ends_with(", choisi"), "{label}:\n{tree}");
        }
        assert_eq!(group.children.iter().filter(|choice| choice.is("pressed")).count(), 1, "{label}:\n{tree}");
    }
}

/// EN 301 549 V3.2.1, 5.6.2 and 11.1.4.1: whoever sees no colours sees which one is chosen.
#[test]
fn a_choice_that_is_chosen_begins_with_a_check_mark() {
    let mut tour = Tour::with(Size::LANDSCAPE, "fr", Mode::Usual, Kiosk::measured);
    tour.open_settings();
    let widgets = tour.kiosk.widgets();
    let mut chosen = 0;
    // Behind a button comes the label that stands on it.
    for pair in widgets.windows(2).filter(|pair| pair[0]["type"] == "GtkButton") {
        let (name, text) = (pair[0]["name"].as_str(), pair[1]["text"].as_str());
        let (name, text) = (name.unwrap_or_default(), text.unwrap_or_default());
        let is_chosen = name.ends_with(", choisi");
        assert_eq!(text.starts_with('✓'), is_chosen, "{text:?} stands on {name:?}");
        chosen += usize::from(is_chosen);
    }
    assert_eq!(chosen, 3, "a language, a size, colours: {widgets:?}");
}

/// Once round by Tab, from what has the focus: everything that can have it, in the order in which the tree has it.
fn goes_round(tour: &mut Tour, view: &str) {
    // With its report a result says more.
    let _ = tour.still();
    let mut reached = vec![eventually("something has the focus", || tour.focused())];
    loop {
        let name = tour.tab();
        if reached[0] == name {
            break;
        }
        assert!(!reached.contains(&name), "{view}: {name:?} again, before the first: {reached:?}");
        reached.push(name);
    }
    // Buttons that scroll are there when something is out of sight.
    let _ = tour.still();
    let tree = tour.access.tree();
    let all = tree.all().into_iter().filter(|node| node.is("focusable") && node.role != "frame");
    let mut expected: Vec<String> = all.map(|node| node.name.clone()).collect();
    let first = expected.iter().position(|name| *name == reached[0]).expect("what has the focus is seen");
    expected.rotate_left(first);
    assert_eq!(reached, expected, "{view}:\n{tree}");
}

#[test]
fn the_keyboard_reaches_everything_in_the_order_of_the_tree() {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    for (view, title) in
        [("two-results", results::INFECTED), ("clean", results::CLEAN), ("settings", pages::SETTINGS_TITLE)]
    {
        match view {
            "settings" => tour.press(screens::BUTTON_SETTINGS),
            scene => tour.station.scene(scene),
        }
        let title = tour.word(title);
        eventually(view, || tour.focused().filter(|name| name.starts_with(&title)));
        goes_round(&mut tour, view);
    }
}

/// In large letters buttons stand at the end of the page: the one with the focus is moved there, and goes with its medium; another one is
/// moved back.
#[test]
fn the_keyboard_reaches_everything_when_the_button_that_had_the_focus_was_moved() {
    // What is said while a page of the medium before closes would be one more thing to reach.
    let change = |_: &Desk, text: String| text.replace("farewell = 40", "farewell = 600");
    let start = |desk: &Desk, arguments: &[&str]| desk.kiosk(arguments);
    let mut tour = Tour::configured(Size::LANDSCAPE, "en", Mode::Usual, change, start);
    tour.station.scene("copy-plug");
    tour.press(screens::BUTTON_COPY);
    tour.wait_for(pages::COPY_PLUG);
    tour.station.scene("copy-empty");
    tour.wait_for(pages::OUTCOME_EMPTY);
    let [back, close] = [screens::BUTTON_BACK, screens::BUTTON_HOME].map(|button| tour.word(button));
    let reach = |tour: &Tour, button: &str| (0..9).map(|_| tour.tab()).find(|name| name == button).expect("a button");
    // From 100 % to 150 %, and by 200 % to 100 % again.
    let enlarge = |tour: &mut Tour| {
        let before = (tour.still(), tour.focused());
        tour.desk.keys(&["F9", "F9"]);
        let _ = tour.changed(&before.0);
        assert_eq!(tour.focused(), before.1);
    };
    reach(&tour, &back);
    enlarge(&mut tour);
    tour.station.play("unplug");
    tour.wait_for(screens::BUTTON_HOME);
    goes_round(&mut tour, "gone");
    if tour.focused().as_ref() != Some(&close) {
        reach(&tour, &close);
    }
    enlarge(&mut tour);
    goes_round(&mut tour, "moved");
}

/// Otherwise Enter, meant for one medium, would eject the next.
#[test]
fn the_result_of_another_medium_takes_the_focus_though_it_is_the_same_word() {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    tour.station.scene("two-clean");
    tour.wait_for(results::CLEAN);
    let whose = |tour: &Tour| {
        let tree = tour.access.tree();
        tree.all().iter().find(|node| node.name.starts_with("Support\u{a0}: ")).map(|node| node.name.clone())
    };
    let role = |tour: &Tour| tour.access.tree().focused().map(|node| node.role.clone());
    let first = eventually("one of both", || whose(&tour));
    tour.desk.keys(&["Tab"]);
    eventually("a button", || (role(&tour)? == "button").then_some(()));
    tour.desk.keys(&["F6"]);
    eventually("the other", || (whose(&tour)? != first).then_some(()));
    eventually("its result", || (role(&tour)? == "alert").then_some(()));
}

/// WCAG 2.1, 2.5.3: who says what they read reaches the button.
#[test]
fn the_name_of_a_button_holds_what_stands_on_it() {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    for view in VIEWS {
        tour.go(view);
        let tree = tour.access.tree();
        for button in tree.all().into_iter().filter(|node| is_control(&node.role)) {
            let labels = button.children.iter().filter(|child| child.role == "label");
            for label in labels {
                // The mark of a choice is no word; the name says "chosen".
                let words = label.name.trim_start_matches("✓\u{a0}");
                assert!(button.name.contains(words), "{}: {:?} stands on {:?}", view.name, label.name, button.name);
            }
        }
    }
}

/// The ring is in the picture after every step of the keyboard, in the colour of the theme's focus, also a while later.
#[test]
fn the_focus_is_always_drawn() {
    let mut tour = Tour::new(Size::LANDSCAPE, "fr", Mode::Usual);
    let ring = Colour::of_the_light_theme("focus");
    tour.station.scene("infected");
    tour.wait_for(results::INFECTED);
    for step in 0..6 {
        let before = tour.still();
        tour.tab();
        tour.changed(&before);
        std::thread::sleep(std::time::Duration::from_millis(200));
        let picture = tour.desk.picture();
        let drawn = picture.pixels.iter().filter(|pixel| **pixel == ring.0).count();
        // Five pixels wide around the smallest button.
        assert!(drawn > 4 * 64 * 3, "step {step}: {drawn} pixels of the ring");
    }
}
