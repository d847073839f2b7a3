//! Sleep that is announced: logind says so before (org.freedesktop.login1(5), `PrepareForSleep`), and waits some seconds for whoever
//! holds a lock (systemd's "Inhibitor Locks"). What is being checked or written is stopped in that time: afterwards another
//! medium may be in its place.
//!
//! A machine on which nobody announces it sleeps all the same: its clocks tell afterwards (`clock`).

use super::{LOOK, Message};
use blanche_bus::Bus;
use blanche_scan::progress::Cancel;
use futures_lite::StreamExt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};
use zbus::connection::Builder;
use zbus::fdo::DBusProxy;
use zbus::message::Type;
use zbus::{Connection, MatchRule, MessageStream, OwnedFd, proxy};
use zruntime::SharedRuntime;

/// How long logind may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long sleep is held up: logind goes on after five seconds (logind.conf(5), `InhibitDelayMaxSec=`).
const LONGEST: Duration = Duration::from_secs(4);
/// Between two attempts to reach a bus.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a machine is awake after it announced its sleep, and before whoever announced it is no longer believed.
const LONGEST_AWAKE: Duration = Duration::from_secs(60);
/// Announcements that may wait.
const WAITING: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);
/// Who announces.
const LOGIND: &str = "org.freedesktop.login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";

#[proxy(
    interface = "org.freedesktop.login1.Manager",
    default_service = "org.freedesktop.login1",
    default_path = "/org/freedesktop/login1"
)]
trait Logind {
    /// Holds something up for as long as the descriptor is open.
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> zbus::Result<OwnedFd>;
}

/// The thread that listens, until the station ends.
pub(super) fn listen(bus: Bus, sender: Sender<Message>, stop: Cancel) -> io::Result<()> {
    let listen = move || {
        let mut said = String::new();
        while !stop.is_cancelled() {
            let Err(lost) = zbus::block_on(follow(&bus, &sender, &stop)) else { return };
            // Once for each reason: a bus may be away for days.
            let why = lost.to_string();
            if why != said {
                tracing::warn!("sleep is not announced: {why}; trying again");
                said = why;
            }
            // Who would tell that it is over is away.
            if sender.send(Message::Woke).is_err() {
                return;
            }
            super::threads::wait(AGAIN, &stop);
        }
    };
    std::thread::Builder::new().name("sleep".to_owned()).spawn(listen).map(|_| ())
}

/// Passes on what one bus says, until the station ends or the bus is lost.
async fn follow(bus: &Bus, sender: &Sender<Message>, stop: &Cancel) -> zbus::Result<()> {
    let connection = Builder::address(bus.address()?).method_timeout(PATIENCE).build().await?;
    let announced = MatchRule::builder().msg_type(Type::Signal).sender(LOGIND).interface(MANAGER);
    let announced = announced.member("PrepareForSleep").build()?;
    let mut announced = MessageStream::for_match_rule(announced, &connection, Some(WAITING)).await?;
    let bus = DBusProxy::new(&connection).await?;
    let mut lock = hold_up(&connection).await;
    let runtime = SharedRuntime::current()?;
    // Since when sleep is announced, on a clock that stands still meanwhile.
    let mut announced_at: Option<Instant> = None;
    while !stop.is_cancelled() {
        let Ok(next) = runtime.timeout(LOOK, announced.next()).await else {
            // A logind that started again in between never says that it is over.
            if announced_at.take_if(|at| at.elapsed() >= LONGEST_AWAKE).is_some() {
                let _ = sender.send(Message::Woke);
                lock = hold_up(&connection).await;
            }
            continue;
        };
        let lost = || io::Error::new(io::ErrorKind::ConnectionReset, "the bus closed the connection");
        let message = next.ok_or_else(lost)??;
        // A bus hands over whatever is sent to us alone, whatever we asked for.
        let logind = bus.get_name_owner(LOGIND.try_into()?).await.ok();
        if logind.is_none() || message.header().sender() != logind.as_deref() {
            continue;
        }
        let begins: bool = message.body().deserialize()?;
        announced_at = begins.then(Instant::now);
        if begins {
            let (ready, stopped) = mpsc::channel();
            // A daemon that has ended has nothing to stop.
            let _ = sender.send(Message::Sleeping(ready));
            if stopped.recv_timeout(LONGEST).is_err() {
                tracing::warn!("the machine sleeps before everything was stopped");
            }
            lock = None;
        } else {
            let _ = sender.send(Message::Woke);
            lock = hold_up(&connection).await;
        }
    }
    drop(lock);
    Ok(())
}

/// The lock that keeps the machine awake until everything was stopped. Without one it is only told.
async fn hold_up(connection: &Connection) -> Option<OwnedFd> {
    let lock = async {
        let logind =
            LogindProxy::builder(connection).cache_properties(zbus::proxy::CacheProperties::No).build().await?;
        logind.inhibit("sleep", "Blanche", "a medium may be in use", "delay").await
    };
    lock.await.inspect_err(|error| tracing::warn!("sleep will not be held up: {error}")).ok()
}
