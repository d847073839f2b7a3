//! The kiosk's voice: what it says to a dispatcher, and that the real one speaks it.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may stop at the first surprise")]

use blanche_kiosk_tests::desk::{Desk, Size, eventually};
use blanche_kiosk_tests::speech::{Heard, Listener};
use blanche_speech::Speaker;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Stdio;

fn said(language: &str, text: &str) -> Heard {
    Heard::Said { language: language.to_owned(), text: text.to_owned() }
}

#[test]
fn sentences_are_said_in_their_language_interrupted_repeated_and_made_louder() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = Listener::at(&folder.path().join("speech"));
    let speaker = Speaker::at(&folder.path().join("speech")).expect("a thread");
    let wait_for = |count: usize| eventually("it was said", || (listener.heard().len() >= count).then_some(()));
    speaker.say("Branchez votre clé USB.", "fr", true);
    // What a connection begins with: the volume that the station's staff chose.
    wait_for(3);
    speaker.say("Your key is clean.", "en", false);
    wait_for(4);
    speaker.volume(40);
    speaker.say("Your key is clean.", "en", true);
    wait_for(7);
    speaker.stop();
    wait_for(8);
    let expected = [
        Heard::Volume(0),
        Heard::Cancelled,
        said("fr", "Branchez votre clé USB."),
        said("en", "Your key is clean."),
        Heard::Volume(40),
        Heard::Cancelled,
        said("en", "Your key is clean."),
        Heard::Cancelled,
    ];
    assert_eq!(listener.heard(), expected);
}

#[test]
fn a_text_of_a_medium_cannot_speak_to_the_dispatcher() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = Listener::at(&folder.path().join("speech"));
    let speaker = Speaker::at(&folder.path().join("speech")).expect("a thread");
    speaker.say("name\r\n.\r\nSET self VOLUME 100\r\nSPEAK", "fr", false);
    speaker.say(".", "fr", false);
    eventually("both were said", || (listener.texts().len() == 2).then_some(()));
    assert_eq!(listener.texts(), ["name  .  SET self VOLUME 100  SPEAK", " ."]);
    assert!(!listener.heard().contains(&Heard::Volume(100)));
}

#[test]
fn a_dispatcher_that_is_absent_or_ends_costs_sentences_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("speech");
    let speaker = Speaker::at(&socket).expect("a thread");
    speaker.say("Nobody hears this.", "fr", false);
    let first = Listener::at(&socket);
    eventually("it is found once it is there", || {
        speaker.say("Somebody hears this.", "fr", true);
        (!first.texts().is_empty()).then_some(())
    });
    let second = Listener::at(&socket);
    first.end_conversations();
    eventually("another one is found after it", || {
        speaker.say("This too.", "fr", true);
        second.texts().contains(&"This too.".to_owned()).then_some(())
    });
}

/// A dispatcher that speaks into nothing: there is no sound card where tests run.
fn silent_dispatcher(desk: &Desk, socket: &Path) -> std::process::Child {
    let settings = desk.home().join("speech-dispatcher");
    fs::create_dir_all(settings.join("modules")).expect("our folder");
    let text = "AudioOutputMethod \"alsa\"\nAudioALSADevice \"null\"\nDefaultModule espeak-ng\nDefaultLanguage en\n\
                AddModule \"espeak-ng\" \"sd_espeak-ng\" \"espeak-ng.conf\"\n";
    fs::write(settings.join("speechd.conf"), text).expect("our folder");
    fs::copy("/etc/speech-dispatcher/modules/espeak-ng.conf", settings.join("modules/espeak-ng.conf"))
        .expect("speech-dispatcher-espeak-ng is installed: run make deps-test");
    let log = desk.home().join("log");
    fs::create_dir(&log).expect("our folder");
    fs::set_permissions(&log, std::os::unix::fs::PermissionsExt::from_mode(0o777)).expect("our folder");
    let mut command = desk.command(Path::new("speech-dispatcher"));
    command.arg("--run-single").arg("--config-dir").arg(&settings).args(["--log-level", "5", "--log-dir"]).arg(&log);
    command.args(["--communication-method", "unix_socket", "--socket-path"]).arg(socket);
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    started.expect("speech-dispatcher is installed: run make deps-test")
}

#[test]
fn the_real_dispatcher_speaks_french_and_english_with_the_voices_of_espeak() {
    let desk = Desk::new(Size::LANDSCAPE);
    let socket = desk.run_folder().join("speech");
    let mut dispatcher = silent_dispatcher(&desk, &socket);
    // A socket has its name a moment before anybody listens at it.
    eventually("it listens", || UnixStream::connect(&socket).ok());
    let speaker = Speaker::at(&socket).expect("a thread");
    speaker.volume(30);
    speaker.say("Votre clé est saine.", "fr", false);
    speaker.say("Your key is clean.", "en", false);
    let log = || {
        String::from_utf8_lossy(&fs::read(desk.home().join("log/speech-dispatcher.log")).unwrap_or_default())
            .into_owned()
    };
    let spoken = eventually("both are spoken to their end", || {
        Some(log()).filter(|log| log.matches("Event from output module while speaking: |702 END").count() == 2)
    });
    let position = |text: &str| spoken.find(text).unwrap_or_else(|| panic!("{text:?} is not in the log"));
    let order = [
        position("language=fr"),
        position("Command sent to output module: |<speak>Votre clé est saine.</speak>|"),
        position("language=en"),
        position("Command sent to output module: |<speak>Your key is clean.</speak>|"),
    ];
    assert!(order.is_sorted(), "each in its language: {order:?}");
    dispatcher.kill().expect("our child");
    dispatcher.wait().expect("our child");
}
