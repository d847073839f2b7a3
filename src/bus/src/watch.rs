//! A mirror of one station on one connection: every change in its order, the station's leaving and coming back included.

use crate::address::{NAME, ROOT};
use crate::client::Client;
use crate::mirror::{Change, Mirror};
use futures_lite::{Stream, StreamExt};
use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use zbus::message::Type;
use zbus::names::OwnedUniqueName;
use zbus::{MatchRule, Message, MessageStream};

/// Who tells that a name has another owner.
const THE_BUS: &str = "org.freedesktop.DBus";
/// Signals that may wait while one is shown; more wait in the bus.
const WAITING: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

type Signals = Pin<Box<dyn Stream<Item = zbus::Result<Message>> + Send>>;

/// See the module.
pub struct Watch {
    client: Client,
    signals: Signals,
    /// The unique name of the station's connection. A bus hands over whatever is sent to us alone, whatever we asked for: what others
    /// sign with their names says nothing of the station (D-Bus Specification 0.43, "Match Rules").
    owner: Option<OwnedUniqueName>,
    mirror: Mirror,
    waiting: VecDeque<Change>,
}

impl Watch {
    /// Begins to watch; what is there already comes first.
    ///
    /// # Errors
    /// When the bus does not answer or lets nobody listen. A station that is not there is no error.
    pub async fn begin(client: Client) -> zbus::Result<Self> {
        let signals = MatchRule::builder().msg_type(Type::Signal).sender(NAME).path_namespace(ROOT).build()?;
        let owner = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(THE_BUS)
            .interface("org.freedesktop.DBus")
            .member("NameOwnerChanged")
            .add_arg(NAME)
            .build()?;
        // First listen, then ask: nothing is missed in between.
        let signals = MessageStream::for_match_rule(signals, &client.connection, Some(WAITING)).await?;
        let owners = MessageStream::for_match_rule(owner, &client.connection, Some(WAITING)).await?;
        let signals = Box::pin(futures_lite::stream::or(owners, signals));
        let mut watch = Self { client, signals, owner: None, mirror: Mirror::default(), waiting: VecDeque::new() };
        watch.owner = watch.client.owner().await?;
        watch.ask().await?;
        Ok(watch)
    }

    /// What is known now.
    #[must_use]
    pub const fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// The connection.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The next change; the mirror shows it already.
    ///
    /// # Errors
    /// When the connection is lost, or what is said on it is not what a station says.
    pub async fn next(&mut self) -> zbus::Result<Change> {
        loop {
            if let Some(change) = self.waiting.pop_front() {
                return Ok(change);
            }
            let lost = || io::Error::new(io::ErrorKind::ConnectionReset, "the bus closed the connection");
            let message = self.signals.next().await.ok_or_else(lost)??;
            let header = message.header();
            if header.sender().is_some_and(|sender| sender.as_str() == THE_BUS) {
                let (_, before, owner): (String, String, String) = message.body().deserialize()?;
                // Another one may follow at once: nothing of the one before stays.
                if !before.is_empty() {
                    self.waiting.extend(self.mirror.begin(None));
                }
                self.owner = OwnedUniqueName::try_from(owner).ok();
                if self.owner.is_some() {
                    self.ask().await?;
                }
            } else if header.sender().is_some() && header.sender() == self.owner.as_deref() {
                self.waiting.extend(self.mirror.take(&message)?);
            }
        }
    }

    /// Everything that is there; nothing while there is no station.
    async fn ask(&mut self) -> zbus::Result<()> {
        use zbus::fdo::Error::{NameHasNoOwner, NoReply, ServiceUnknown};
        let values = match self.client.values().await {
            Ok(values) => Some(values),
            Err(zbus::Error::FDO(error)) if matches!(*error, ServiceUnknown(_) | NameHasNoOwner(_) | NoReply(_)) => {
                None
            }
            Err(error) => return Err(error),
        };
        self.waiting.extend(self.mirror.begin(values));
        Ok(())
    }
}
