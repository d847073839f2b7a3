//! Who keeps the memory of a workstation.
//!
//! On Linux it is a process of its own: forked before anything of the medium is opened, confined to the folder of the
//! memory, it waits for one message. So the process that parses a medium can write no file, and gives up being root
//! although the memory belongs to root. What the keeper is told only raises what it knows.

#[cfg(target_os = "linux")]
pub(crate) use apart::Keeper;
#[cfg(not(target_os = "linux"))]
pub(crate) use within::Keeper;

#[cfg(target_os = "linux")]
mod apart {
    use crate::failure::Failure;
    use crate::memory::{MAX_FILE, Remembered, Store};
    use crate::rights::bounded;
    use blanche_sandbox::birth::{Forked, fork_confinable};
    use blanche_sandbox::confine::{Profile, confine};
    use std::io::{self, PipeReader, PipeWriter, Write};
    use std::path::PathBuf;

    /// What the keeper answers when everything is on the disk; anything else says why not.
    const KEPT: &str = "kept";
    /// Longest answer in bytes.
    const MAX_ANSWER: u64 = 4096;

    /// The keeper, as the verifier sees it.
    #[derive(Debug)]
    pub(crate) struct Keeper {
        file: PathBuf,
        tell: PipeWriter,
        hear: PipeReader,
    }

    impl Keeper {
        /// Forks the keeper. There must be one thread, and no medium may be open.
        ///
        /// # Errors
        /// [`Failure::Verifier`]: the kernel refuses.
        pub(crate) fn start(store: Store) -> Result<Self, Failure> {
            let refused = |error: &dyn std::fmt::Display| Failure::Verifier(format!("keeper of the memory: {error}"));
            let (message, tell) = io::pipe().map_err(|error| refused(&error))?;
            let (hear, answer) = io::pipe().map_err(|error| refused(&error))?;
            match fork_confinable().map_err(|error| refused(&error))? {
                Forked::Parent { .. } => Ok(Self { file: store.file().to_owned(), tell, hear }),
                Forked::Child => {
                    drop((tell, hear));
                    keep(&store, message, answer);
                    std::process::exit(0)
                }
            }
        }

        /// Has it remember; returns when it is on the disk.
        ///
        /// # Errors
        /// [`Failure::Memory`]
        pub(crate) fn raise(mut self, learned: &Remembered) -> Result<(), Failure> {
            // If the keeper is gone, there is no answer, and that is the failure.
            let _ = self.tell.write_all(&learned.to_bytes());
            drop(self.tell);
            let answer = bounded(self.hear, MAX_ANSWER).ok().flatten().unwrap_or_default();
            match String::from_utf8_lossy(&answer) {
                kept if kept == KEPT => Ok(()),
                nothing if nothing.is_empty() => {
                    Err(Failure::Memory { path: self.file, why: "its keeper is gone".to_owned() })
                }
                why => Err(Failure::Memory { path: self.file, why: why.into_owned() }),
            }
        }
    }

    /// The keeper's life. The verifier that goes away without a message has learned nothing.
    fn keep(store: &Store, message: PipeReader, mut answer: PipeWriter) {
        let kept = confine(Profile::Verifier { folder: None, memory: store.file().parent() })
            .map_err(|error| error.to_string())
            .and_then(|_| heard(store, message));
        let words = match kept {
            Ok(false) => return,
            Ok(true) => KEPT.to_owned(),
            Err(why) => why,
        };
        // Who would listen is gone.
        let _ = answer.write_all(words.as_bytes());
    }

    fn heard(store: &Store, message: PipeReader) -> Result<bool, String> {
        let bytes = bounded(message, MAX_FILE).map_err(|error| error.to_string())?;
        let bytes = bytes.ok_or_else(|| format!("more than {MAX_FILE} bytes"))?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let kept = Remembered::from_bytes(store.file(), &bytes).and_then(|learned| store.raise(&learned));
        kept.map(|()| true).map_err(|failure| match failure {
            Failure::Memory { why, .. } => why,
            other => other.to_string(),
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod within {
    use crate::failure::Failure;
    use crate::memory::{Remembered, Store};

    /// Other systems have no such confinement: the verifier keeps its memory itself.
    #[derive(Debug)]
    pub(crate) struct Keeper(Store);

    impl Keeper {
        /// Takes the memory.
        ///
        /// # Errors
        /// None.
        #[allow(clippy::unnecessary_wraps, reason = "on Linux a process may be refused")]
        pub(crate) fn start(store: Store) -> Result<Self, Failure> {
            Ok(Self(store))
        }

        /// Remembers; returns when it is on the disk.
        ///
        /// # Errors
        /// [`Failure::Memory`]
        pub(crate) fn raise(self, learned: &Remembered) -> Result<(), Failure> {
            self.0.raise(learned)
        }
    }
}
