//! `org.blanche.Session1`: one medium from its arrival until it is forgotten.

use super::clerk::Clerk;
use super::error::Error;
use super::line;
use crate::daemon::Orders;
use crate::session::view::SessionView;
use crate::session::{Order, SessionId};
use crate::words;
use blanche_sandbox::content;
use blanche_scan::report::Report;
use blanche_scan::words::Lang;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use zbus::{Fd, Variant, interface};

/// What is shown of a session: exactly what the last signal said, so that reading and listening give the same.
#[derive(Clone, Debug)]
pub(super) struct Shown(Arc<RwLock<Arc<SessionView>>>);

impl Shown {
    pub(super) fn new(view: Arc<SessionView>) -> Self {
        Self(Arc::new(RwLock::new(view)))
    }

    pub(super) fn set(&self, view: Arc<SessionView>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = view;
    }

    pub(super) fn get(&self) -> Arc<SessionView> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The object of one session.
#[derive(Debug)]
pub(super) struct SessionObject {
    id: SessionId,
    shown: Shown,
    orders: Orders,
    clerk: Clerk,
    /// The report as a sealed memory file: one for all who ask.
    document: Arc<Mutex<Option<OwnedFd>>>,
}

impl SessionObject {
    pub(super) fn new(id: SessionId, shown: Shown, orders: Orders, clerk: Clerk) -> Self {
        Self { id, shown, orders, clerk, document: Arc::default() }
    }

    async fn order(&self, order: Order) -> Result<(), Error> {
        let orders = self.orders.clone();
        Ok(self.clerk.ask(move || orders.give(order)).await??)
    }
}

/// A medium. Its words are listed in docs/station.md.
#[interface(name = "org.blanche.Session1")]
impl SessionObject {
    /// UUIDv7 of the session, the same as in report and journal.
    #[zbus(property(emits_changed_signal = "const"))]
    fn id(&self) -> String {
        self.id.to_string()
    }

    /// "queued", "checking", "sealing", "stopping", "verdict", "refused" or "removed".
    #[zbus(property)]
    fn state(&self) -> &'static str {
        self.shown.get().state.word()
    }

    /// name, serial, port, node (s); vendor, product (q); capacity in bytes, lun (t).
    #[zbus(property(emits_changed_signal = "const"))]
    fn medium(&self) -> BTreeMap<&'static str, Variant<'static>> {
        line::medium(&self.shown.get().medium)
    }

    /// "input" or "output".
    #[zbus(property(emits_changed_signal = "const"))]
    fn role(&self) -> &'static str {
        line::role(self.shown.get().role)
    }

    /// "walking", "checking" or "judging"; empty before reading began.
    #[zbus(property)]
    fn stage(&self) -> &'static str {
        line::stage(self.shown.get().progress.as_ref())
    }

    /// 0 to 100, of the bytes whose answer is known; 100 comes with the report.
    #[zbus(property)]
    fn percent(&self) -> u8 {
        line::percent(&self.shown.get())
    }

    /// files, files_done, files_found; bytes, bytes_done, bytes_read, tag_bytes; rate in bytes per second; remaining in seconds.
    #[zbus(property)]
    fn progress(&self) -> BTreeMap<&'static str, u64> {
        line::progress(&self.shown.get())
    }

    /// How long checking takes in all, told before it begins; 0 while nobody knows.
    #[zbus(property)]
    fn estimate_seconds(&self) -> u64 {
        self.shown.get().estimate.map(|time| time.as_secs().max(1)).unwrap_or_default()
    }

    /// "clean", "incomplete", "infected" or "refused"; empty before there is one.
    #[zbus(property)]
    fn verdict(&self) -> &'static str {
        line::verdict(&self.shown.get())
    }

    /// Why a device or medium was refused; empty when it was not.
    #[zbus(property)]
    fn refusal(&self) -> &'static str {
        line::refusal(&self.shown.get())
    }

    /// Why there is no report: kind, and detail for staff; both empty otherwise.
    #[zbus(property)]
    fn failure(&self) -> (&'static str, String) {
        line::failure(&self.shown.get())
    }

    /// "on-medium", "detached" or "none"; empty when the verdict asks for no tag.
    #[zbus(property)]
    fn seal(&self) -> &'static str {
        line::seal(&self.shown.get())
    }

    /// id, station, site, issued, expires, counter; empty without a tag.
    #[zbus(property)]
    fn tag(&self) -> BTreeMap<&'static str, String> {
        line::tag(&self.shown.get())
    }

    /// The medium was pulled out while it was being worked on.
    #[zbus(property)]
    fn pulled(&self) -> bool {
        self.shown.get().pulled
    }

    /// Whether Report has something to give.
    #[zbus(property)]
    fn has_report(&self) -> bool {
        line::report(&self.shown.get()).is_some()
    }

    /// What to say to a person now, in "fr" or "en": one word, whole sentences, what to do next.
    #[zbus(out_args("word", "sentence", "next"))]
    fn words(&self, lang: &str) -> Result<(String, String, String), Error> {
        let said = words::session(&self.shown.get(), language(lang)?);
        Ok((said.word, said.sentence, said.next))
    }

    /// The whole report, blanche-report/1, as JSON in a sealed memory file that is read from its beginning.
    #[zbus(out_args("document"))]
    async fn report(&self) -> Result<Fd<'static>, Error> {
        let report = line::report(&self.shown.get()).cloned();
        let report = report.ok_or_else(|| Error::NoReport("there is no report; see State and Failure".to_owned()))?;
        let kept = Arc::clone(&self.document);
        let opened = self.clerk.ask(move || open_document(&kept, &report)).await?;
        opened.map(|file| Fd::from(OwnedFd::from(file))).map_err(|error| Error::Failed(format!("the report: {error}")))
    }

    /// Stops checking.
    async fn cancel(&self) -> Result<(), Error> {
        self.order(Order::Cancel(self.id)).await
    }

    /// Lets the medium go; afterwards the kernel knows it no more.
    async fn eject(&self) -> Result<(), Error> {
        self.order(Order::Eject(self.id)).await
    }
}

/// One of the languages that Blanche speaks.
pub(super) fn language(lang: &str) -> Result<Lang, Error> {
    lang.parse().map_err(|_| Error::UnknownLanguage("languages are \"fr\" and \"en\"".to_owned()))
}

/// The report, written once; everybody who asks gets a descriptor with an offset of its own (proc(5), `/proc/self/fd`).
fn open_document(kept: &Mutex<Option<OwnedFd>>, report: &Report) -> io::Result<File> {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let sealed = match kept.take() {
        Some(sealed) => sealed,
        None => {
            let mut file = BufWriter::new(content::writable()?);
            serde_json::to_writer(&mut file, report)?;
            file.flush()?;
            content::seal(file.into_inner().map_err(io::IntoInnerError::into_error)?)?
        }
    };
    let path = format!("/proc/self/fd/{}", sealed.as_raw_fd());
    *kept = Some(sealed);
    File::open(path)
}
