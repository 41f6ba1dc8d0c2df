//! A client: calls, subscriptions and binary data over one WebSocket that comes back by itself.
//!
//! Works with the servers of this crate and with the original wslink's, in both versions of the
//! protocol. What the server's extensions make possible (subscriptions on the server, cancelling,
//! deadlines, progress, resuming) is used where it has them.

use std::{fmt, sync::Arc};

use serde::de::DeserializeOwned;

use self::handle::{Command, Handle, Status};
pub use self::{
    arguments::{Arguments, Named, named},
    backoff::Backoff,
    buffer::{Buffer, Overflow},
    builder::{Builder, ProtocolVersion},
    call::Call,
    error::Error,
    state::{Disconnect, State, States},
    subscription::{Event, Subscribe, Subscription},
};
use crate::Topic;
pub use wslink_core::session::Continuity;

mod arguments;
mod backoff;
mod buffer;
mod builder;
mod call;
mod connect;
mod connection;
mod deferred;
mod error;
mod handle;
mod queue;
mod serve;
mod settings;
mod state;
mod subscription;
mod task;
#[doc(hidden)]
pub mod typed;

/// A session with a server.
///
/// Cheap to clone; every clone is the same session, which ends with the last of them, or of its
/// subscriptions. When the connection is lost, calls that wait for an answer fail at once
/// ([`Error::Lost`]), later ones wait until the session is connected again, and subscriptions go on.
///
/// ```no_run
/// use wslink::{Attachment, client::{Error, Session, named}};
///
/// #[derive(serde::Serialize)]
/// struct Size { width: u32, height: u32 }
///
/// #[tokio::main]
/// async fn main() -> Result<(), Error> {
///     let session = Session::builder("ws://127.0.0.1:8080/ws").secret("…").connect().await?;
///     let sum: f64 = session.call("calculator.add", (1.0, 2.0)).await?;
///     let image: Attachment = session.call("render.image", named(Size { width: 640, height: 480 })).await?;
///     println!("{sum}, {} bytes", image.len());
///     session.close().await;
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Session {
    handle: Arc<Handle>,
}

impl Session {
    fn new(handle: Arc<Handle>) -> Self {
        Self { handle }
    }

    /// A session with the server at `url` (`ws://host:port/path`), to be set up. `wss://` needs the
    /// feature `client-tls`.
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    /// Calls `method`; see [`Call`] for timeouts and progress, [`Arguments`] for names.
    ///
    /// The arguments are serialised at once, so the call borrows nothing and may be spawned.
    pub fn call<R: DeserializeOwned>(&self, method: &str, arguments: impl Arguments) -> Call<R> {
        Call::new(Arc::clone(&self.handle), method, arguments)
    }

    /// Subscribes to a topic of a service.
    ///
    /// ```no_run
    /// use wslink::{Topic, service};
    ///
    /// struct Clock;
    ///
    /// #[service]
    /// impl Clock {
    ///     #[topic("clock.tick", delivery = latest)]
    ///     pub const TICK: Topic<u64>;
    /// }
    ///
    /// # async fn example(session: wslink::client::Session) -> Result<(), wslink::client::Error> {
    /// let mut ticks = session.subscribe(Clock::TICK).await?;
    /// while let Some(seconds) = ticks.next().await {
    ///     println!("{}", seconds?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn subscribe<T: DeserializeOwned>(&self, topic: Topic<T>) -> Subscribe<T> {
        Subscribe::new(Arc::clone(&self.handle), topic.uri(), Buffer::of(topic.delivery()))
    }

    /// Subscribes to a topic by its name; see [`Subscribe`] for filters and buffers.
    pub fn subscribe_untyped<T: DeserializeOwned>(&self, topic: &str) -> Subscribe<T> {
        Subscribe::new(Arc::clone(&self.handle), topic, Buffer::default())
    }

    /// How the session is now.
    ///
    /// ```no_run
    /// # fn example(session: wslink::client::Session) {
    /// use wslink::client::State;
    ///
    /// if let State::Reconnecting { attempt } = session.state() {
    ///     println!("the server is gone, attempt {attempt}");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn state(&self) -> State {
        self.handle.status.borrow().state()
    }

    /// How the session is, and what becomes of it.
    #[must_use]
    pub fn states(&self) -> States {
        States::new(self.handle.status.clone())
    }

    /// What the server calls this client; `None` while there is no connection.
    #[must_use]
    pub fn client_id(&self) -> Option<String> {
        match &*self.handle.status.borrow() {
            Status::Up(greeting) => Some(greeting.welcome.client_id.clone()),
            Status::Down(_) | Status::Closed(_) => None,
        }
    }

    /// How the last connection that is over ended; `None` while there was none.
    ///
    /// ```no_run
    /// # fn example(session: wslink::client::Session) {
    /// use wslink::client::Disconnect;
    ///
    /// if let Some(Disconnect::Closed { code: 1001, .. }) = session.last_disconnect() {
    ///     println!("the server was stopped");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn last_disconnect(&self) -> Option<Disconnect> {
        self.handle.last_disconnect.get()
    }

    /// Tries to connect at once where the session waits before its next attempt, for programs that know that the network
    /// is back.
    pub fn reconnect_now(&self) {
        // A session that is over does not come back.
        let _ = self.handle.send(Command::Reconnect);
    }

    /// Ends the session: calls that wait for an answer fail, subscriptions end. Returns when the
    /// server was told.
    pub async fn close(&self) {
        // Without a task it is closed already.
        let _ = self.handle.send(Command::Close);
        self.states().until(|state| state == State::Closed).await;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("state", &self.state()).finish_non_exhaustive()
    }
}
