//! Sentences on their way to speech-dispatcher (SSIP, Speech Synthesis Interface Protocol).

use crate::address::Address;
use ssip_client_async::fifo::synchronous::{Builder, UnixStream};
use ssip_client_async::{
    Client, ClientName, ClientResult, ClientScope, MessageScope, OK_CANCELED, OK_LANGUAGE_SET, OK_PRIORITY_SET,
    OK_VOLUME_SET, Priority,
};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// A dispatcher that answers later is believed to hang.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a person hears next.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ask {
    Say { text: String, language: String, interrupt: bool },
    Stop,
    Volume(i8),
}

/// A voice. It is silent when it is dropped.
#[derive(Clone, Debug)]
pub struct Speaker(Sender<Ask>);

impl Speaker {
    /// A voice over the dispatcher of this session: that of `SPEECHD_ADDRESS`, or the standard one, which is started when it is
    /// needed and does not run.
    ///
    /// # Errors
    /// The kernel's, when it gives no thread.
    pub fn start() -> io::Result<Self> {
        Self::over(Address::find())
    }

    /// A voice over the dispatcher that listens on that socket, which is not started when it does not run.
    ///
    /// # Errors
    /// The kernel's, when it gives no thread.
    pub fn at(socket: &Path) -> io::Result<Self> {
        Self::over(Some(Address { socket: socket.to_owned(), may_start: false }))
    }

    fn over(address: Option<Address>) -> io::Result<Self> {
        let (sender, inbox) = mpsc::channel();
        let speaking = Speaking { address, client: None, volume: 0 };
        let run = move || speaking.run(&inbox);
        std::thread::Builder::new().name("speech".to_owned()).spawn(run)?;
        Ok(Self(sender))
    }

    /// Speaks a text in a language (RFC 5646, for example "fr"): now, instead of what is being said, or after it.
    pub fn say(&self, text: &str, language: &str, interrupt: bool) {
        self.ask(Ask::Say { text: text.to_owned(), language: language.to_owned(), interrupt });
    }

    /// Says nothing any more of what was asked for.
    pub fn stop(&self) {
        self.ask(Ask::Stop);
    }

    /// From -100, hardly to be heard, to 100; 0 is what the station's staff chose (SSIP, `SET VOLUME`).
    pub fn volume(&self, volume: i8) {
        self.ask(Ask::Volume(volume.clamp(-100, 100)));
    }

    fn ask(&self, ask: Ask) {
        // The thread ends only with the last of its speakers.
        let _ = self.0.send(ask);
    }
}

/// The thread: one connection, which is opened again when it breaks.
struct Speaking {
    address: Option<Address>,
    client: Option<Client<UnixStream>>,
    volume: i8,
}

impl Speaking {
    fn run(mut self, inbox: &Receiver<Ask>) {
        while let Ok(first) = inbox.recv() {
            for ask in still_wanted(std::iter::once(first).chain(inbox.try_iter())) {
                self.take(&ask);
            }
        }
        if let Some(mut client) = self.client {
            // Who listened has gone: what is left to be said is said to nobody.
            let _ = client.cancel(MessageScope::Last).and_then(|client| client.check_status(OK_CANCELED));
            let _ = client.quit();
        }
    }

    /// Carries it out; over a new connection if the first broke.
    fn take(&mut self, ask: &Ask) {
        if let Ask::Volume(volume) = ask {
            self.volume = *volume;
        }
        for _ in 0..2 {
            let Some(client) = self.connected() else { return };
            match carry_out(client, ask) {
                Ok(()) => return,
                Err(error) => {
                    tracing::warn!("speech: {error}; connecting again");
                    self.client = None;
                }
            }
        }
    }

    fn connected(&mut self) -> Option<&mut Client<UnixStream>> {
        if self.client.is_none() {
            match self.address.as_ref().map(|address| open(address, self.volume)) {
                Some(Ok(client)) => self.client = Some(client),
                Some(Err(error)) => tracing::warn!("speech: {error}; is speech-dispatcher installed?"),
                None => tracing::warn!("speech: neither SPEECHD_ADDRESS nor XDG_RUNTIME_DIR is set"),
            }
        }
        self.client.as_mut()
    }
}

/// What is left of what was asked while nobody listened: a sentence that interrupts makes those before it old.
fn still_wanted(asked: impl Iterator<Item = Ask>) -> Vec<Ask> {
    let mut wanted = Vec::new();
    for ask in asked {
        if matches!(ask, Ask::Stop | Ask::Say { interrupt: true, .. }) {
            wanted.retain(|old| matches!(old, Ask::Volume(_)));
        }
        wanted.push(ask);
    }
    wanted
}

fn open(address: &Address, volume: i8) -> ClientResult<Client<UnixStream>> {
    let connect = || Builder::new().path(&address.socket).timeout(PATIENCE).build();
    let mut client = connect().or_else(|refused| {
        if !address.may_start {
            return Err(refused);
        }
        start_dispatcher()?;
        connect()
    })?;
    client.set_client_name(ClientName::new("kiosk", "blanche"))?.check_client_name_set()?;
    // One sentence after the other; only we interrupt.
    client.set_priority(Priority::Message)?.check_status(OK_PRIORITY_SET)?;
    client.set_volume(ClientScope::Current, volume)?.check_status(OK_VOLUME_SET)?;
    Ok(client)
}

/// It goes into the background once it listens.
fn start_dispatcher() -> io::Result<()> {
    let mut command = Command::new("speech-dispatcher");
    command.arg("--spawn").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let ended = command.status()?;
    if ended.success() { Ok(()) } else { Err(io::Error::other(format!("speech-dispatcher did not start: {ended}"))) }
}

fn carry_out(client: &mut Client<UnixStream>, ask: &Ask) -> ClientResult<()> {
    match ask {
        Ask::Say { text, language, interrupt } => {
            if *interrupt {
                client.cancel(MessageScope::Last)?.check_status(OK_CANCELED)?;
            }
            client.set_language(ClientScope::Current, language)?.check_status(OK_LANGUAGE_SET)?;
            client.speak()?.check_receiving_data()?.send_line(&one_line(text))?.receive_message_id()?;
        }
        Ask::Stop => {
            client.cancel(MessageScope::Last)?.check_status(OK_CANCELED)?;
        }
        Ask::Volume(volume) => {
            client.set_volume(ClientScope::Current, *volume)?.check_status(OK_VOLUME_SET)?;
        }
    }
    Ok(())
}

/// Text as one line of SSIP: nothing in it ends the line, and it does not begin with the point that would end the text.
fn one_line(text: &str) -> String {
    let mut line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.starts_with('.') {
        line.insert(0, ' ');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str, interrupt: bool) -> Ask {
        Ask::Say { text: text.to_owned(), language: "fr".to_owned(), interrupt }
    }

    #[test]
    fn a_text_cannot_become_a_command() {
        assert_eq!(one_line("a\r\n.\r\nQUIT"), "a  .  QUIT");
        assert_eq!(one_line("."), " .");
        assert_eq!(one_line("Clé saine."), "Clé saine.");
    }

    #[test]
    fn what_was_interrupted_before_it_was_said_is_forgotten_and_the_volume_is_not() {
        let asked = [say("a", false), Ask::Volume(20), say("b", true), say("c", false)];
        assert_eq!(still_wanted(asked.into_iter()), [Ask::Volume(20), say("b", true), say("c", false)]);
        assert_eq!(still_wanted([say("a", true), Ask::Stop].into_iter()), [Ask::Stop]);
    }
}
