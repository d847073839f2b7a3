//! The program under test.

use serde_json::Value;
use std::ffi::OsString;
use std::process::Command;

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Whether the program under test is one for Linux.
pub(crate) fn is_native() -> bool {
    std::env::var_os("BLANCHE_VERIFY_SYSTEM").is_none()
}

/// Where it is.
pub(crate) fn path() -> OsString {
    std::env::var_os("BLANCHE_VERIFY_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_blanche-verify").into())
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(path());
    if is_native() {
        command.env("LC_ALL", "en_GB.UTF-8");
    }
    // Wine takes the drive of a path without a letter from here: Z:, which is the root.
    command.current_dir("/");
    command
}

pub(crate) fn finish(mut command: Command) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what is said is text").replace("\r\n", "\n");
    let mut run = || {
        let answer = command.output().unwrap();
        Answer { code: answer.status.code().unwrap_or(-1), out: text(answer.stdout), err: text(answer.stderr) }
    };
    let first = run();
    // Wine itself broke, before the program said a word ("wine client error: …", "wine: a wine server seems to be running, but …").
    let wine_broke = !is_native() && first.out.is_empty() && first.err.starts_with("wine");
    if wine_broke { run() } else { first }
}

impl Answer {
    /// The document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The refusal code, or `accepted`.
    pub(crate) fn verdict(&self) -> String {
        let json = self.json();
        assert_eq!(json["exit_code"], self.code, "{self:?}");
        json["refusal"]["code"]
            .as_str()
            .map_or_else(|| json["verdict"].as_str().unwrap_or("?").to_owned(), str::to_owned)
    }

    /// What differs: kind and path.
    pub(crate) fn differences(&self) -> Vec<(String, String)> {
        let listed = self.json()["differences"]["listed"].clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        listed.as_array().unwrap().iter().map(|line| (text(&line["difference"]), text(&line["path"]))).collect()
    }
}
