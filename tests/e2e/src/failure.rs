//! Why a run could not go on. A device that behaves otherwise than expected is no failure: it is a row of the table.

use std::io;
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

/// What stopped the harness, with enough to look further.
#[derive(Debug, Error)]
pub enum Failure {
    /// A file, socket or program of the host.
    #[error("{what}: {source}")]
    Host {
        /// What was tried, on what.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A program of the host ended otherwise than it should.
    #[error("{command} ended with {status}: {said}")]
    Program {
        /// Name and arguments.
        command: String,
        /// Exit status.
        status: String,
        /// What it printed.
        said: String,
    },
    /// Something is not what its format says.
    #[error("{0}")]
    Format(String),
    /// QEMU refuses a command.
    #[error("QEMU refuses {command}: {answer}")]
    Qemu {
        /// Name and arguments.
        command: String,
        /// Its answer.
        answer: String,
    },
    /// A command in the guest ended otherwise than it should.
    #[error("in the guest, `{command}` ended with {code}: {output}")]
    Guest {
        /// The line for the shell.
        command: String,
        /// Its exit code.
        code: i64,
        /// What it printed.
        output: String,
    },
    /// It did not happen in time.
    #[error("{what} did not come within {} s", limit.as_secs())]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
    },
}

impl Failure {
    /// A failure of the host, while doing `what`.
    pub(crate) fn host(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Host { what, source }
    }

    /// A failure of the host with a file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        Self::host(path.display().to_string())
    }

    pub(crate) fn format(what: impl Into<String>) -> Self {
        Self::Format(what.into())
    }

    pub(crate) fn late(what: impl Into<String>, limit: Duration) -> Self {
        Self::Late { what: what.into(), limit }
    }
}

/// Or a failure.
pub type Result<T> = std::result::Result<T, Failure>;
