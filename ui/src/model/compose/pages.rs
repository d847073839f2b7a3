//! Pages that a person opens.

use super::super::choices::LETTERS;
use super::super::screen::{Action, Button, Choice, Colours, Details, Fact, Page, Place, ReportState, Weight};
use super::super::{Kiosk, Known, SelfTest};
use super::{back, button, voice_label};
use crate::amounts;
use crate::report::MOST_ROWS;
use crate::words::{Message, Text, pages as words, screens};

/// How the station is used.
pub(super) fn help(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let sentences = [
        words::HELP_1,
        words::HELP_2,
        words::HELP_3,
        words::HELP_4,
        words::HELP_5,
        words::HELP_6,
        words::HELP_7,
        words::HELP_KEYS,
        words::HELP_KEYS_VOICE,
        words::HELP_KEYS_VIEW,
    ];
    let sentences = sentences.into_iter().map(Text::from).chain(super::contact(kiosk)).collect();
    let about = button(Action::Open(Place::About), screens::BUTTON_ABOUT, Weight::Plain);
    (Page::Help(words::HELP_TITLE.into(), sentences), vec![back(), about])
}

/// What the station is, how old its bases are, and whether its antivirus finds what it must.
pub(super) fn about(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let mut facts = Vec::new();
    let mut fact = |label: Message, value: Text| facts.push(Fact { label: label.into(), value });
    // Who has just asked for it is not made to look for it.
    for line in self_test(&kiosk.self_test) {
        fact(words::ABOUT_TEST, line);
    }
    if let Some(station) = &kiosk.station {
        let version = Text::Raw(station.version.clone());
        fact(screens::FACT_VERSION, words::ABOUT_STATION.with([("version", version)]));
        for engine in &station.engines {
            let (name, version) = (engine.name.as_str().into(), engine.version.as_str().into());
            fact(words::ABOUT_ENGINES, words::ABOUT_ENGINE.with([("name", name), ("version", version)]));
        }
        for base in &station.bases {
            let (name, version) = (base.name.as_str().into(), base.version.as_str().into());
            let text = match amounts::day(base.date).map(amounts::date) {
                Some(date) => words::ABOUT_BASE.with([("name", name), ("version", version), ("date", date)]),
                None => words::ABOUT_BASE_UNDATED.with([("name", name), ("version", version)]),
            };
            fact(words::ABOUT_BASES, text);
        }
        let ready = match (station.engines.is_empty(), station.can_seal) {
            (true, _) => words::ABOUT_NOT,
            (false, true) => words::ABOUT_READY,
            (false, false) => words::ABOUT_CHECKS,
        };
        fact(screens::BRAND, ready.into());
    }
    let test = button(Action::SelfTest, screens::BUTTON_SELF_TEST, Weight::Plain);
    let test = (kiosk.station.is_some() && kiosk.self_test != SelfTest::Running).then_some(test);
    (Page::About(words::ABOUT_TITLE.into(), facts), std::iter::once(back()).chain(test).collect())
}

fn self_test(test: &SelfTest) -> Vec<Text> {
    match test {
        SelfTest::Unasked => Vec::new(),
        SelfTest::Running => vec![words::TEST_RUNNING.into()],
        SelfTest::Failed => vec![words::TEST_FAILED.into()],
        SelfTest::Done(results) => {
            let passed = !results.is_empty() && results.iter().all(|(.., found)| *found);
            let lines = results.iter().map(|(engine, marker, found)| {
                let line = if *found { words::TEST_FOUND } else { words::TEST_MISSED };
                line.with([("engine", engine.as_str().into()), ("marker", marker.as_str().into())])
            });
            let first = if passed { words::TEST_PASSED } else { words::TEST_FAILED };
            std::iter::once(first.into()).chain(lines).collect()
        }
    }
}

/// Language, letters, colours, voice.
pub(super) fn settings(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let chosen = &kiosk.choices;
    let option = |action, label: Text, chosen| Button { action, label, weight: Weight::Plain, chosen: Some(chosen) };
    let languages = kiosk.policy.languages.iter().map(|(language, name)| {
        option(Action::Language(language.clone()), name.as_str().into(), *language == chosen.language)
    });
    let letters = LETTERS.into_iter().map(|percent| {
        let label = words::SETTINGS_TEXT_VALUE.with([("percent", u64::from(percent).into())]);
        option(Action::Letters(percent), label, percent == chosen.letters)
    });
    let colours = [
        (Colours::Light, words::COLOURS_LIGHT),
        (Colours::Dark, words::COLOURS_DARK),
        (Colours::HighContrast, words::COLOURS_CONTRAST),
    ];
    let colours = colours
        .into_iter()
        .map(|(colours, label)| option(Action::Colours(colours), label.into(), colours == chosen.colours));
    let mut voice = vec![button(Action::Voice, voice_label(kiosk), Weight::Plain)];
    if chosen.voice {
        voice.push(button(Action::Volume(-10), words::VOICE_QUIETER, Weight::Plain));
        voice.push(button(Action::Volume(10), words::VOICE_LOUDER, Weight::Plain));
        voice.push(button(Action::Repeat, words::VOICE_REPEAT, Weight::Plain));
    }
    let volume = super::volume(chosen);
    let groups = vec![
        Choice { label: words::SETTINGS_LANGUAGE.into(), buttons: languages.collect() },
        Choice { label: words::SETTINGS_TEXT.into(), buttons: letters.collect() },
        Choice { label: words::SETTINGS_COLOURS.into(), buttons: colours.collect() },
        Choice { label: if chosen.voice { volume } else { words::SETTINGS_VOICE.into() }, buttons: voice },
    ];
    (Page::Settings(words::SETTINGS_TITLE.into(), groups), vec![back()])
}

/// Made-up media, in the words of the station: in its French or English.
pub(super) fn training(kiosk: &Kiosk) -> (Page, Vec<Button>) {
    let training = &kiosk.training;
    let media = training.media.get(&kiosk.choices.language).or_else(|| training.media.get("en"));
    let media = media.map(Vec::as_slice).unwrap_or_default();
    let name = |kind: &str| {
        let known = media.iter().find(|(known, _)| known == kind);
        Text::Raw(known.map_or(kind, |(_, name)| name).to_owned())
    };
    let inserts = media.iter().map(|(kind, _)| {
        let label = words::TRAINING_INSERT.with([("name", name(kind))]);
        button(Action::Insert(kind.clone()), label, Weight::Plain)
    });
    let pulls = training.plugged.iter().map(|(port, kind)| {
        let label = words::TRAINING_REMOVE.with([("name", name(kind))]);
        button(Action::PullOut(port.clone()), label, Weight::Plain)
    });
    let mut choices = vec![Choice { label: words::TRAINING_MEDIA.into(), buttons: inserts.collect() }];
    if media.is_empty() {
        choices = vec![Choice { label: words::TRAINING_NOTHING.into(), buttons: Vec::new() }];
    }
    if !training.plugged.is_empty() {
        choices.insert(0, Choice { label: words::TRAINING_PLUGGED.into(), buttons: pulls.collect() });
    }
    (Page::Training(words::TRAINING_TITLE.into(), choices), vec![back()])
}

/// What was found and left out.
pub(super) fn details(known: &Known) -> (Page, Vec<Button>) {
    let session = &known.session;
    let most = u64::try_from(MOST_ROWS).unwrap_or(u64::MAX);
    // An empty list says that nothing is wrong only of a medium that is clean.
    let none = match session.verdict.as_str() {
        "clean" => words::DETAILS_NONE,
        "refused" => words::DETAILS_DEVICE,
        _ => words::DETAILS_UNFINISHED,
    };
    let status = match &known.report {
        ReportState::Unasked => none.into(),
        ReportState::Reading(summary) => words::DETAILS_LOADING.with([("number", summary.rows.into())]),
        ReportState::Read(summary) if summary.rows == 0 => none.into(),
        ReportState::Read(summary) if summary.rows > most || summary.left_out > 0 => {
            words::DETAILS_CUT.with([("number", summary.rows.min(most).into())])
        }
        ReportState::Read(summary) => words::DETAILS_COUNT.with([("number", summary.rows.into())]),
        ReportState::Failed => words::DETAILS_FAILED.into(),
    };
    let rows = matches!(known.report, ReportState::Reading(_) | ReportState::Read(_));
    let details = Details {
        title: words::DETAILS_TITLE.into(),
        whose: None,
        status,
        session: rows.then(|| session.path.clone()),
    };
    (Page::Details(details), vec![back()])
}
