//! `org.blanche.Session1`: one medium from its arrival until it is forgotten.

use super::Context;
use super::clerk::Clerk;
use super::documents::Documents;
use super::error::Error;
use super::{copying, line};
use crate::daemon::Orders;
use crate::session::view::SessionView;
use crate::session::{Order, OrderRefused, SessionId};
use crate::words;
use blanche_scan::words::Lang;
use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, PoisonError, RwLock};
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
    documents: Documents,
}

impl SessionObject {
    pub(super) fn new(id: SessionId, shown: Shown, context: &Context) -> Self {
        let Context { orders, clerk, documents, .. } = context.clone();
        Self { id, shown, orders, clerk, documents }
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

    /// "queued", "checking", "sealing", "stopping", "verdict", "copying", "refused" or "removed".
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

    /// id, station, site, issued, expires, counter, manifest; empty without a tag.
    #[zbus(property)]
    fn tag(&self) -> BTreeMap<&'static str, String> {
        line::tag(&self.shown.get())
    }

    /// The medium was pulled out while it was being worked on.
    #[zbus(property)]
    fn pulled(&self) -> bool {
        self.shown.get().pulled
    }

    /// Whether Copy can be called now.
    #[zbus(property)]
    fn can_copy(&self) -> bool {
        self.shown.get().copy.cannot.is_none()
    }

    /// Why it cannot: one of the words of docs/station.md; empty when it can.
    #[zbus(property)]
    fn cannot_copy(&self) -> &'static str {
        copying::cannot(&self.shown.get().copy)
    }

    /// The medium to which files are or were copied last, as in Outputs; empty before the first copy.
    #[zbus(property)]
    fn copy_to(&self) -> BTreeMap<&'static str, Variant<'static>> {
        copying::to(&self.shown.get().copy)
    }

    /// "formatting", "writing", "reading-back", "checking" or "sealing"; empty when nothing is copied.
    #[zbus(property)]
    fn copy_stage(&self) -> &'static str {
        copying::stage(&self.shown.get().copy)
    }

    /// 0 to 100, of the bytes of this stage; 0 where nobody knows how many there are.
    #[zbus(property)]
    fn copy_percent(&self) -> u8 {
        copying::percent(&self.shown.get().copy)
    }

    /// bytes_done, bytes of this stage; afterwards files, bytes of the copy.
    #[zbus(property)]
    fn copy_progress(&self) -> BTreeMap<&'static str, u64> {
        copying::progress(&self.shown.get().copy)
    }

    /// What is on the output medium after the last copy: "copied", "untouched", "empty" or "unknown"; empty before.
    #[zbus(property)]
    fn copy_outcome(&self) -> &'static str {
        copying::outcome(&self.shown.get().copy)
    }

    /// Why nothing was copied: a word of copy.cause.cause of the report; empty otherwise.
    #[zbus(property)]
    fn copy_cause(&self) -> &'static str {
        copying::cause(&self.shown.get().copy)
    }

    /// The tag of the output medium: "on-medium", "detached" or "none"; empty when nothing was copied.
    #[zbus(property)]
    fn copy_seal(&self) -> &'static str {
        copying::seal(&self.shown.get().copy)
    }

    /// Of the output medium, as Tag; empty without a tag.
    #[zbus(property)]
    fn copy_tag(&self) -> BTreeMap<&'static str, String> {
        copying::tag(&self.shown.get().copy)
    }

    /// Only the clean files of a medium that is not clean were copied: outside the ANSSI profile.
    #[zbus(property)]
    fn copy_outside_profile(&self) -> bool {
        self.shown.get().copy.report.as_ref().is_some_and(|report| report.outside_profile)
    }

    /// Whether Report has something to give.
    #[zbus(property)]
    fn has_report(&self) -> bool {
        self.shown.get().report().is_some()
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
        let view = self.shown.get();
        if view.report().is_none() {
            return Err(Error::NoReport("there is no report; see State and Failure".to_owned()));
        }
        let documents = self.documents.clone();
        let opened = self.clerk.ask(move || documents.open(&view)).await?;
        opened.map(|file| Fd::from(OwnedFd::from(file))).map_err(|error| Error::Failed(format!("the report: {error}")))
    }

    /// Stops checking, or copying.
    async fn cancel(&self) -> Result<(), Error> {
        self.order(Order::Cancel(self.id)).await
    }

    /// Lets the medium go: with the answer, it may be taken out.
    async fn eject(&self) -> Result<(), Error> {
        self.order(Order::Eject(self.id)).await
    }

    /// Copies the files to the medium of this number in Outputs. With "erase", whatever is on that medium is lost; without,
    /// it must hold nothing.
    async fn copy(&self, output: &str, erase: bool) -> Result<(), Error> {
        let unknown = |_| Error::NoSuchOutput(OrderRefused::NoSuchOutput.to_string());
        let output = output.parse().map_err(unknown)?;
        self.order(Order::Copy { session: self.id, output, erase }).await
    }
}

/// One of the languages that Blanche speaks.
pub(super) fn language(lang: &str) -> Result<Lang, Error> {
    lang.parse().map_err(|_| Error::UnknownLanguage("languages are \"fr\" and \"en\"".to_owned()))
}
