//! `blanche engines` and `blanche selftest`.

use super::destination::Destination;
use super::{complain, delivered, print};
use crate::exit::Exit;
use crate::{interrupt, show};
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use blanche_scan::words::Lang;
use blanche_scan::{EngineRoom, EngineRoomDescription, ScanError};
use serde::Serialize;
use serde_json::json;

/// Shows engines, bases, limits and containers.
pub(crate) fn show(settings: Result<Settings, ScanError>, json: bool, lang: Lang) -> Exit {
    let (settings, room) = match open(settings, lang) {
        Ok(open) => open,
        Err(exit) => return exit,
    };
    let now = jiff::Timestamp::now().as_second();
    let written = if json {
        Destination::Stdout.write(&Document::new(&room))
    } else {
        print(|out| show::engines(&room, &settings, now, lang, out))
    };
    delivered(written, Exit::Clean, lang)
}

/// Proves the engines. [`EngineRoom::open`] has already refused engines that miss a marker; what it found is shown.
pub(crate) fn self_test(settings: Result<Settings, ScanError>, json: bool, lang: Lang) -> Exit {
    let room = match open(settings, lang) {
        Ok((_, room)) => room,
        Err(exit) => return exit,
    };
    let passed = room.is_proved();
    let exit = if passed { Exit::Clean } else { Exit::Engines };
    let written = if json {
        let document = json!({
            "schema": "blanche-selftest/1",
            "version": env!("CARGO_PKG_VERSION"),
            "passed": passed,
            "self_test": room.self_test,
            "containers": room.containers,
        });
        Destination::Stdout.write(&document)
    } else {
        print(|out| show::self_test(&room, passed, lang, out))
    };
    delivered(written, exit, lang)
}

/// Warm engines, or a complaint.
fn open(settings: Result<Settings, ScanError>, lang: Lang) -> Result<(Settings, EngineRoomDescription), Exit> {
    let cancel = Cancel::default();
    let opened = settings.and_then(|settings| {
        interrupt::watch(&cancel).map_err(|error| ScanError::Station(format!("signals: {error}")))?;
        let room = EngineRoom::open(&settings, &cancel)?;
        let described = room.describe(&cancel)?;
        Ok((settings, described))
    });
    opened.map_err(|error| {
        complain(&error, lang);
        Exit::from(&error)
    })
}

/// The JSON form of a description.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    version: &'static str,
    #[serde(flatten)]
    room: &'a EngineRoomDescription,
}

impl<'a> Document<'a> {
    fn new(room: &'a EngineRoomDescription) -> Self {
        Self { schema: "blanche-engines/1", version: env!("CARGO_PKG_VERSION"), room }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::samples;

    #[test]
    fn one_missed_marker_fails_the_self_test() {
        assert!(samples::room().is_proved());
        let mut missed = samples::room();
        missed.self_test.iter_mut().take(1).for_each(|result| result.found = false);
        assert!(!missed.is_proved());
        let mut closed = samples::room();
        closed.containers.iter_mut().take(1).for_each(|container| container.proved = false);
        assert!(!closed.is_proved());
        let mut untested = samples::room();
        untested.self_test.clear();
        assert!(!untested.is_proved());
    }

    #[test]
    fn a_container_that_nobody_opens_is_no_failure() {
        let room = samples::room();
        assert!(room.containers.iter().any(|container| container.opener.is_none()));
        assert!(room.is_proved());
    }

    #[test]
    fn the_json_form_has_schema_and_hexadecimal_digests() -> Result<(), serde_json::Error> {
        let document = serde_json::to_value(Document::new(&samples::room()))?;
        assert_eq!(document["schema"], "blanche-engines/1");
        assert_eq!(document["engine_set"]["engines"][0]["bases"][0]["sha256"], "11".repeat(32));
        assert_eq!(document["engine_set"]["limits"]["max_recursion"], 17);
        Ok(())
    }
}
