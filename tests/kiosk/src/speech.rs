//! What a person without sight hears: a listener that speaks SSIP (the protocol of speech-dispatcher, "SSIP Documentation") as
//! far as a client needs it, and writes down what it would say.

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Something that a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A text, and its language.
    Said {
        /// As the client set it, for example "fr".
        language: String,
        /// One line.
        text: String,
    },
    /// What was being said or waited to be said is not said any more.
    Cancelled,
    /// From -100 to 100.
    Volume(i8),
}

/// As a line of a transcript.
impl Display for Heard {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { language, text } => write!(formatter, "{language}: {text}"),
            Self::Cancelled => formatter.write_str("(silence)"),
            Self::Volume(volume) => write!(formatter, "(volume {volume})"),
        }
    }
}

/// Listens on a socket until the test ends.
#[derive(Debug)]
pub struct Listener {
    socket: PathBuf,
    heard: Arc<Mutex<Vec<Heard>>>,
    conversations: Arc<Mutex<Vec<UnixStream>>>,
}

impl Listener {
    /// Listens there; everybody may speak to it.
    ///
    /// # Panics
    /// When it cannot listen.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::remove_file(socket);
        let listening = UnixListener::bind(socket).unwrap_or_else(|error| panic!("{}: {error}", socket.display()));
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o666)).expect("our socket");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let conversations = Arc::new(Mutex::new(Vec::new()));
        let (writing, held) = (Arc::clone(&heard), Arc::clone(&conversations));
        std::thread::spawn(move || {
            for client in listening.incoming().map_while(Result::ok) {
                let writing = Arc::clone(&writing);
                held.lock().unwrap_or_else(PoisonError::into_inner).extend(client.try_clone());
                std::thread::spawn(move || Conversation::new(client, writing).hold());
            }
        });
        Self { socket: socket.to_owned(), heard, conversations }
    }

    /// For the environment of a client: variable and value (speech-dispatcher manual, "Address specification").
    #[must_use]
    pub fn address(&self) -> (&'static str, String) {
        ("SPEECHD_ADDRESS", format!("unix_socket:{}", self.socket.display()))
    }

    /// Everything so far.
    #[must_use]
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The texts so far, without anything else.
    #[must_use]
    pub fn texts(&self) -> Vec<String> {
        let text = |heard| if let Heard::Said { text, .. } = heard { Some(text) } else { None };
        self.heard().into_iter().filter_map(text).collect()
    }

    /// How many conversations were begun and are not ended by [`Listener::end_conversations`].
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.conversations.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Ends every conversation, as a dispatcher that dies; what is connected to now is whoever listens at the socket now.
    pub fn end_conversations(&self) {
        for client in self.conversations.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Forgets what was heard.
    pub fn forget(&self) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One client.
struct Conversation {
    client: UnixStream,
    heard: Arc<Mutex<Vec<Heard>>>,
    language: String,
    messages: u64,
}

impl Conversation {
    fn new(client: UnixStream, heard: Arc<Mutex<Vec<Heard>>>) -> Self {
        Self { client, heard, language: String::new(), messages: 0 }
    }

    fn hold(mut self) {
        let Ok(reading) = self.client.try_clone() else { return };
        let mut lines = BufReader::new(reading).lines().map_while(Result::ok);
        while let Some(line) = lines.next() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let answer = match words.as_slice() {
                ["SET", "self", "CLIENT_NAME", _] => "208 OK CLIENT NAME SET".to_owned(),
                ["SET", "self", "PRIORITY", _] => "202 OK PRIORITY SET".to_owned(),
                ["SET", "self", "LANGUAGE", language] => {
                    self.language = (*language).to_owned();
                    "201 OK LANGUAGE SET".to_owned()
                }
                ["SET", "self", "VOLUME", volume] => volume.parse().map_or("412 ERR VOLUME".to_owned(), |volume| {
                    self.write_down(Heard::Volume(volume));
                    "218 OK VOLUME SET".to_owned()
                }),
                ["CANCEL", "self"] => {
                    self.write_down(Heard::Cancelled);
                    "213 OK CANCELED".to_owned()
                }
                ["SPEAK"] => {
                    self.answer("230 OK RECEIVING DATA");
                    let text: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
                    self.write_down(Heard::Said { language: self.language.clone(), text: text.join("\n") });
                    self.messages += 1;
                    format!("225-{}\r\n225 OK MESSAGE QUEUED", self.messages)
                }
                ["QUIT"] => "231 HAPPY HACKING".to_owned(),
                _ => "500 ERR INVALID COMMAND".to_owned(),
            };
            self.answer(&answer);
        }
    }

    fn write_down(&self, what: Heard) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    fn answer(&mut self, line: &str) {
        // A client that has gone needs no answer.
        let _ = write!(self.client, "{line}\r\n").and_then(|()| self.client.flush());
    }
}
