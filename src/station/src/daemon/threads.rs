//! The threads beside the daemon's own that wait for something outside: devices, bases, the signer. Each tries again, until the
//! station ends.

use super::{AskSigner, LOOK, Message};
use crate::detect::Source;
use crate::session::Input;
use blanche_scan::EngineRoom;
use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// Between the first two attempts to open the engine room; each further pause is twice as long, up to [`LONGEST`].
const AGAIN: Duration = Duration::from_secs(1);
/// See [`AGAIN`].
const LONGEST: Duration = Duration::from_secs(30);
/// How often the signer is asked whether it is there: starting it costs half a second of a processor.
const ASK_SIGNER: Duration = Duration::from_secs(600);
/// How often while it does not answer.
const ASK_SIGNER_AGAIN: Duration = Duration::from_secs(30);

/// The thread that waits for devices. What it waits for may come back: it tries again, until the station ends.
pub(super) fn detect(mut source: Box<dyn Source>, sender: Sender<Message>, stop: Cancel) -> std::io::Result<()> {
    let listen = move || {
        let mut pause = AGAIN;
        let mut failed = false;
        while !stop.is_cancelled() {
            let message = match source.next(LOOK) {
                Ok(event) => {
                    if std::mem::take(&mut failed) && sender.send(Message::Detection(Ok(()))).is_err() {
                        return;
                    }
                    pause = AGAIN;
                    event.map(|event| Message::Input(Input::Event(event)))
                }
                Err(error) => {
                    failed = true;
                    Some(Message::Detection(Err(error)))
                }
            };
            if message.is_some_and(|message| sender.send(message).is_err()) {
                return;
            }
            if failed {
                wait(pause, &stop);
                pause = longer(pause);
            }
        }
    };
    std::thread::Builder::new().name("detection".to_owned()).spawn(listen).map(|_| ())
}

/// The thread that opens the engine room. Engines that are not trusted any more go first, with everything that is known by them.
pub(super) fn open_engines(
    mut distrusted: Option<Arc<EngineRoom>>,
    settings: Arc<Settings>,
    sender: Sender<Message>,
    stop: Cancel,
) -> std::io::Result<()> {
    let open = move || {
        let mut pause = AGAIN;
        while !stop.is_cancelled() {
            let forgotten = distrusted.as_ref().map_or(Ok(()), |room| room.distrust(&settings));
            if forgotten.is_ok() {
                distrusted = None;
            }
            let opened = forgotten.and_then(|()| EngineRoom::open(&settings, &stop));
            let opened = opened.map(Arc::new).map_err(|error| error.to_string());
            let failed = opened.is_err();
            if sender.send(Message::Engines(opened)).is_err() || !failed {
                return;
            }
            wait(pause, &stop);
            pause = longer(pause);
        }
    };
    std::thread::Builder::new().name("engines".to_owned()).spawn(open).map(|_| ())
}

/// The thread that asks whether the signer answers.
pub(super) fn ask_signer(signer: AskSigner, sender: Sender<Message>, stop: Cancel) -> std::io::Result<()> {
    let ask = move || {
        while !stop.is_cancelled() {
            let answer = signer();
            let pause = if answer.is_ok() { ASK_SIGNER } else { ASK_SIGNER_AGAIN };
            if sender.send(Message::Signer(answer)).is_err() {
                return;
            }
            wait(pause, &stop);
        }
    };
    std::thread::Builder::new().name("signer".to_owned()).spawn(ask).map(|_| ())
}

pub(super) fn wait(pause: Duration, stop: &Cancel) {
    let since = Instant::now();
    while since.elapsed() < pause && !stop.is_cancelled() {
        std::thread::sleep(LOOK.min(pause));
    }
}

fn longer(pause: Duration) -> Duration {
    pause.saturating_mul(2).min(LONGEST)
}
