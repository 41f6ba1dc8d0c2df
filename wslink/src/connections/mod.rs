//! The connections of a server, once their handshake is done: how many there may be, who may log in, and the task that
//! serves each of them. Knows no HTTP.

use std::{future::Future, sync::Arc, time::Instant};

use http::{HeaderMap, header};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::Handle,
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wslink_core::{Handshake, Limits, session::Shared};

pub(crate) use self::connection_limiter::{ConnectionLimiter, ConnectionPermit, LimitReached, Subnet};
use self::login_throttle::LoginThrottle;
use crate::transport::{Role, WebSocket};

mod connection_limiter;
mod driver;
mod login_throttle;
mod session_expiry;

/// The connections of one server, and what they share. A clone is the same.
#[derive(Clone)]
pub(crate) struct Connections {
    pub(crate) shared: Arc<Shared>,
    pub(crate) limiter: Arc<ConnectionLimiter>,
    throttle: Arc<LoginThrottle>,
    /// Threads for handlers that block, of all connections.
    threads: Arc<Semaphore>,
    /// Everything that must have ended before the server has.
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl Connections {
    pub(crate) fn new(shared: Shared, stop: CancellationToken) -> Self {
        let limits = &shared.limits;
        Self {
            limiter: Arc::new(ConnectionLimiter::new(limits)),
            throttle: Arc::new(LoginThrottle::new(limits, Instant::now().into())),
            threads: Arc::new(Semaphore::new(limits.blocking_threads.clamp(1, Semaphore::MAX_PERMITS))),
            tracker: TaskTracker::new(),
            stop,
            shared: Arc::new(shared),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Has the hooks of services run by this runtime, unless they are already run by another.
    fn run_hooks(&self) {
        if let Some(hooks) = &self.shared.hooks {
            hooks.spawn_with(|| {
                let (tracker, runtime) = (self.tracker.clone(), Handle::current());
                move |run| drop(tracker.spawn_on(run, &runtime))
            });
        }
    }

    /// Counts a handshake that was refused, for one of few reasons.
    pub(crate) fn refused(&self, reason: &'static str) {
        if let Some(telemetry) = &self.shared.telemetry {
            telemetry.refused(reason);
        }
    }

    /// Whether the hello of a connection with this handshake would be a good one with this token.
    #[cfg(feature = "prometheus")]
    pub(crate) async fn admits(&self, handshake: Handshake, token: &str) -> bool {
        let Ok(id) = wslink_core::ClientId::random() else { return false };
        let from = handshake.address().map(|address| address.ip());
        let client = wslink_core::Client::new(id, handshake, wslink_core::Principal::default());
        let attempt = wslink_core::LoginRequest::new(client, wslink_core::Value::map([("secret", token)]));
        let asked = self.throttle.of(false).pace(from, self.shared.authenticator.authenticate(attempt), Result::is_ok);
        matches!(tokio::time::timeout(self.limits().hello, asked).await, Ok(Some(Ok(_))))
    }

    /// The subprotocol for a client that offers those of its headers: the first of them that this server speaks.
    pub(crate) fn subprotocol(&self, headers: &HeaderMap) -> Option<&'static str> {
        let lines = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter().filter_map(|line| line.to_str().ok());
        let mut offered = lines.flat_map(|line| line.split(',')).map(str::trim);
        let protocols = &self.shared.protocols;
        offered.find_map(|name| protocols.iter().filter_map(|protocol| protocol.subprotocol()).find(|known| *known == name))
    }

    /// Serves one connection whose handshake is done, of whose frames `read` is already here.
    pub(crate) fn drive<S: AsyncRead + AsyncWrite + Unpin + Send>(
        &self,
        stream: S,
        role: Role,
        read: &[u8],
        handshake: Handshake,
        permit: Option<Arc<ConnectionPermit>>,
    ) -> impl Future<Output = ()> + Send + use<S> {
        let socket = WebSocket::new(stream, role, read, self.shared.limits.unauthenticated_frame());
        let subprotocol = self.subprotocol(handshake.headers());
        driver::drive(socket, self.clone(), handshake, subprotocol, permit)
    }
}
