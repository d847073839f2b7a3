//! Lets `blanche-verify` read a medium, as a workstation would: what it refuses is not called sealed.

use blanche_scan::progress::Cancel;
use blanche_scan::settings::Settings;
use blanche_tag::Code;
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Longest wait: a slow medium with millions of files takes minutes.
const PATIENCE: Duration = Duration::from_secs(1800);
/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of an answer that are kept. It lists at most 10 000 differences.
const MAX_ANSWER: u64 = 16 << 20;
/// Bytes on standard error that are kept.
const MAX_WORDS: u64 = 4096;
/// The verifier's exit code for arguments, policy and trust (docs/exit-codes.md).
const USAGE: i32 = 2;

/// Why nothing was accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unaccepted {
    /// The code of the refusal (docs/tag-format.md, section 17).
    #[error("{0}")]
    Refused(&'static str),
    /// Why the verifier gave no answer.
    #[error("{0}")]
    Failed(String),
    /// Somebody cancelled before the answer was there.
    #[error("cancelled")]
    Cancelled,
}

/// How long an answer is waited for.
#[derive(Clone, Copy)]
struct Patience<'a> {
    longest: Duration,
    /// After this, only [`Patience::grace`].
    cancel: &'a Cancel,
    grace: Duration,
}

/// Lets the verifier read `medium` once, down to the list of files, or deeper if the policy in the trust folder demands it.
/// The tag stands on the medium, or is one of `detached`. Returns the identifier of the tag that it accepts. After `cancel` the
/// answer is waited for no longer than `grace`.
///
/// # Errors
/// [`Unaccepted`].
pub(crate) fn accepts(
    settings: &Settings,
    medium: &File,
    detached: &[&Path],
    cancel: &Cancel,
    grace: Duration,
) -> Result<String, Unaccepted> {
    let patience = Patience { longest: PATIENCE, cancel, grace };
    // What the scan left in the page cache is not what is on the medium now; pages of a tag were flushed by the sealer.
    fadvise(medium, 0, None, Advice::DontNeed).map_err(|error| Unaccepted::Failed(error.to_string()))?;
    let answer = match asked(settings, medium, detached, Some("inventory"), patience)? {
        // A policy that demands more does not let anybody ask for less.
        answer if answer.status.code() == Some(USAGE) => asked(settings, medium, detached, None, patience)?,
        answer => answer,
    };
    match answer.refusal() {
        Some(code) => Err(Unaccepted::Refused(code)),
        None => answer.tag().filter(|_| answer.status.success()).ok_or_else(|| Unaccepted::Failed(answer.why())),
    }
}

fn asked(
    settings: &Settings,
    medium: &File,
    detached: &[&Path],
    level: Option<&'static str>,
    patience: Patience<'_>,
) -> Result<Answer, Unaccepted> {
    let program = settings.children.program("blanche-verify");
    let mut command = Command::new(&program);
    // Whose files may be believed when the station itself was started by sudo(8).
    let sudo = std::env::var_os("SUDO_UID").map(|uid| ("SUDO_UID", uid));
    command.env_clear().envs(sudo).args(["--json", "--no-memory", "--lang", "en", "--trust"]);
    command.arg(&settings.seal.trust);
    if let Some(level) = level {
        command.args(["--level", level]);
    }
    for file in detached {
        command.arg("--tag").arg(file);
    }
    command.arg("/proc/self/fd/0");
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::Interrupted => Unaccepted::Cancelled,
        _ => Unaccepted::Failed(format!("{}: {error}", program.display())),
    };
    command.stdin(Stdio::from(medium.try_clone().map_err(failed)?));
    Answer::of(command, patience).map_err(failed)
}

/// How it ended, and what it said.
struct Answer {
    status: ExitStatus,
    document: Vec<u8>,
    words: Vec<u8>,
}

impl Answer {
    /// It parses a medium, so neither its time nor its words are without end.
    fn of(mut command: Command, patience: Patience<'_>) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (document, words) = (thread::spawn(|| heard(out, MAX_ANSWER)), thread::spawn(|| heard(err, MAX_WORDS)));
        let status = ended(&mut child, patience);
        let heard = |listener: thread::JoinHandle<Vec<u8>>| listener.join().unwrap_or_default();
        Ok(Self { document: heard(document), words: heard(words), status: status? })
    }

    fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.document).ok()
    }

    /// The identifier of the tag that counts.
    fn tag(&self) -> Option<String> {
        Some(self.json()?.get("tag")?.get("tag")?.as_str()?.to_owned())
    }

    /// The code of the refusal.
    fn refusal(&self) -> Option<&'static str> {
        let document = self.json()?;
        let code = document.get("refusal")?.get("code")?.as_str()?;
        Code::ALL.iter().map(|known| known.as_str()).find(|known| *known == code)
    }

    /// What it left instead of an answer.
    fn why(&self) -> String {
        let words = String::from_utf8_lossy(&self.words).trim().replace('\n', " ");
        if words.is_empty() { self.status.to_string() } else { words }
    }
}

/// What comes out of a pipe; one that says too much finds it closed.
fn heard(pipe: Option<impl Read>, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before an error is all there is.
    let _ = pipe.map(|pipe| pipe.take(most).read_to_end(&mut bytes));
    bytes
}

/// Waits for a child, which does not outlive this. `TimedOut`, or `Interrupted` by who cancelled.
fn ended(child: &mut Child, patience: Patience<'_>) -> io::Result<ExitStatus> {
    let (start, mut cancelled) = (Instant::now(), None);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if cancelled.is_none() && patience.cancel.is_cancelled() {
            cancelled = Some(Instant::now());
        }
        let interrupted = cancelled.is_some_and(|at: Instant| at.elapsed() >= patience.grace);
        if interrupted || start.elapsed() >= patience.longest {
            child.kill()?;
            child.wait()?;
            let why = if interrupted { io::ErrorKind::Interrupted } else { io::ErrorKind::TimedOut };
            return Err(why.into());
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn shell(script: &str, longest: Duration) -> io::Result<Answer> {
        cancelled(script, Patience { longest, cancel: &Cancel::default(), grace: Duration::ZERO })
    }

    fn cancelled(script: &str, patience: Patience<'_>) -> io::Result<Answer> {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        Answer::of(command, patience)
    }

    #[test]
    fn a_refusal_is_told_by_its_code_and_anything_else_by_its_words() {
        let long = Duration::from_secs(60);
        let refused = shell(r#"echo '{"refusal": {"code": "E-BOOT"}}'; echo words >&2; exit 42"#, long).unwrap();
        assert_eq!((refused.status.code(), refused.refusal()), (Some(42), Some("E-BOOT")));
        assert_eq!(shell("echo one >&2; echo two >&2; exit 5", long).unwrap().why(), "one two");
        let unknown = shell(r#"echo '{"refusal": {"code": "anything"}}'; exit 42"#, long).unwrap();
        assert_eq!((unknown.refusal(), unknown.why()), (None, "exit status: 42".to_owned()));
        assert_eq!(shell("exit 7", long).unwrap().why(), "exit status: 7");
    }

    #[test]
    fn who_cancels_waits_for_the_grace_and_no_longer() {
        let cancel = Cancel::default();
        cancel.cancel();
        let patience = |grace| Patience { longest: Duration::from_secs(600), cancel: &cancel, grace };
        let hanging = cancelled("exec sleep 600", patience(Duration::from_millis(200)));
        assert_eq!(hanging.err().map(|error| error.kind()), Some(io::ErrorKind::Interrupted));
        let quick = cancelled("exit 7", patience(Duration::from_secs(60))).unwrap();
        assert_eq!(quick.status.code(), Some(7));
    }

    #[test]
    fn a_verifier_that_hangs_or_never_stops_talking_is_not_waited_for() {
        let hanging = shell("exec sleep 600", Duration::from_millis(200));
        assert_eq!(hanging.err().map(|error| error.kind()), Some(io::ErrorKind::TimedOut));
        let talking = shell("exec yes", Duration::from_secs(60)).unwrap();
        assert_eq!((u64::try_from(talking.document.len()), talking.status.success()), (Ok(MAX_ANSWER), false));
    }
}
