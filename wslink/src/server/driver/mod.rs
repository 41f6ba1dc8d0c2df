//! The task of one connection: it alone reads and writes the socket, runs the calls, keeps time.
//!
//! Handlers are polled where their request is read; only those that wait are set aside. Writes are
//! gathered until nothing more can be read, then written at once.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    StreamExt,
    future::poll_fn,
    stream::{FuturesUnordered, SelectAll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::yield_now,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::{Instrument, Span};

use self::{
    ahead::Ahead,
    end::{End, finish},
};
use super::{
    census::Seat,
    forget::forget_in_time,
    guesses::Hellos,
    in_flight::{Begins, InFlight, Outcome},
    turns::Turns,
    watch::{Activity, Due, Watch},
};
use crate::{
    Handshake, Limits,
    transport::{Incoming, Totals, WebSocket},
};
use wslink_core::{
    connection::{Connection, Egress, Feed, Greeted, Shared},
    rpc::Cancel,
    telemetry::Traffic,
    topic::Departed,
    wire::Violation,
};

mod ahead;
mod end;
mod output;
mod steps;

/// Frames read before what they led to is written.
const READ_BURST: usize = 128;

/// Bytes read, bytes written, and rounds of everything, after which other tasks have a turn, and the sockets: a
/// call that comes while an event is written is not seen before.
const TURN_READ: u64 = 1 << 20;
const TURN_WRITTEN: u64 = 256 << 10;
const TURN_ROUNDS: usize = 32;

/// Bytes of a message that may take a while to deserialise.
const LONG_WORK: usize = 64 * 1024;

struct Driver<S> {
    socket: WebSocket<S>,
    ahead: Ahead,
    connection: Connection,
    egress: Egress,
    /// A hello that waits for its answer. Until then nothing more is read.
    greeting: Option<Answering>,
    hellos: Arc<Hellos>,
    calls: FuturesUnordered<InFlight>,
    /// Ordered calls that may begin once the client has read its replies.
    beginning: VecDeque<Begins>,
    /// Those of them that the client may cancel, by the ids that it gave them.
    cancellable: HashMap<String, Cancel>,
    /// Subscriptions with streams of their own.
    feeds: SelectAll<Feed>,
    watch: Watch,
    /// The server stops: answer what is in flight, begin nothing new.
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stopping: bool,
    max_reply_bytes: usize,
    max_held_reply_bytes: usize,
    /// Of a message, once the client is known.
    max_frame: usize,
    turns: Turns,
    /// Its place among the connections of the server.
    seat: Option<Arc<Seat>>,
}

type Answering = Pin<Box<dyn Future<Output = Result<Greeted, Violation>> + Send>>;

/// Serves one connection to its end.
///
/// Every idle connection costs as much memory as this future is large, so the driver stays where it is
/// captured (moved into a variable it would be there twice), and the end of a connection is in a box.
pub(super) fn drive<S>(
    socket: WebSocket<S>,
    shared: Arc<Shared>,
    handshake: Handshake,
    hellos: Arc<Hellos>,
    seat: Option<Arc<Seat>>,
    stop: CancellationToken,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let connection = Connection::new(Arc::clone(&shared), handshake);
    let connection = connection.inspect_err(|error| tracing::error!(%error, "no entropy for a client id"));
    let mut driver = connection.ok().map(|connection| Driver::new(socket, connection, &shared.limits, hellos, seat, &stop));
    async move {
        let Some(running) = &mut driver else { return };
        let span = running.span();
        span.in_scope(|| tracing::debug!("connected"));
        let end = poll_fn(|cx| {
            let _entered = span.enter();
            let polled = running.poll(cx);
            running.report();
            polled
        })
        .await;
        // Before it is no longer counted among those that are open.
        if let Some(account) = &shared.account {
            account.closed(end.reason());
        }
        if end.is_loss() && !running.stopping && running.connection.depart() == Departed::First {
            tokio::spawn(forget_in_time(Arc::clone(&shared), stop));
        }
        if let Some((socket, seat)) = driver.take().map(Driver::into_socket) {
            Box::pin(finish(socket, end, seat).instrument(span)).await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    fn new(
        socket: WebSocket<S>,
        connection: Connection,
        limits: &Limits,
        hellos: Arc<Hellos>,
        seat: Option<Arc<Seat>>,
        stop: &CancellationToken,
    ) -> Self {
        Self {
            socket,
            ahead: Ahead::new(),
            egress: Egress::new(Arc::clone(connection.outbox())),
            connection,
            greeting: None,
            hellos,
            calls: FuturesUnordered::new(),
            beginning: VecDeque::new(),
            cancellable: HashMap::new(),
            feeds: SelectAll::new(),
            watch: Watch::new(limits, Instant::now()),
            stop: Box::pin(stop.clone().cancelled_owned()),
            stopping: false,
            max_reply_bytes: limits.reply_bytes,
            max_held_reply_bytes: limits.held_reply_bytes,
            max_frame: limits.frame_bytes,
            turns: Turns::new(limits.blocking_calls),
            seat,
        }
    }

    /// Ends everything but the socket and its place: nobody is left for calls, events and streams.
    fn into_socket(self) -> (WebSocket<S>, Option<Arc<Seat>>) {
        (self.socket, self.seat)
    }

    fn span(&self) -> Span {
        let client = self.connection.client();
        let address = client.handshake().address().map(tracing::field::display);
        tracing::debug_span!(target: "wslink::connection", "connection", client = %client.id(), address)
    }

    fn activity(socket: &WebSocket<S>, connection: &Connection, greeting: bool) -> Activity {
        let Totals { read, written, frames, .. } = socket.totals();
        Activity {
            greeted: connection.is_authenticated() && !greeting,
            read,
            frames,
            written,
            waiting: socket.has_output(),
            incomplete: connection.incomplete(),
        }
    }

    /// Tells the account, if it is kept, what has passed.
    fn report(&mut self) {
        let in_flight = self.in_flight() as u64;
        let Self { socket, egress, .. } = self;
        let Some(account) = self.connection.account() else { return };
        let Totals { read, written, frames, sent } = socket.totals();
        account.update(Traffic {
            received: read,
            sent: written,
            messages_received: frames,
            frames_sent: sent,
            queued: (egress.waiting_bytes() + socket.unwritten()) as u64,
            in_flight,
        });
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        if !self.stopping && self.stop.as_mut().poll(cx).is_ready() {
            self.stopping = true;
            self.watch.stopping(Instant::now());
        }
        let Totals { read, written, .. } = self.socket.totals();
        let enough = read.saturating_add(TURN_READ);
        for _ in 0..TURN_ROUNDS {
            let Self { socket, connection, greeting, .. } = self;
            if let Poll::Ready(due) = self.watch.poll(cx, || Self::activity(socket, connection, greeting.is_some())) {
                if let Some(end) = self.on_time(due) {
                    return Poll::Ready(end);
                }
                continue;
            }
            if let Err(end) = self.greet(cx) {
                return Poll::Ready(end);
            }
            let mut progress = match self.read(cx, enough) {
                Ok(progress) => progress,
                Err(end) => return Poll::Ready(end),
            };
            progress |= self.poll_calls(cx);
            if self.egress.held_reply_bytes() > self.max_held_reply_bytes {
                return Poll::Ready(End::Say(1013, "too slow for its replies"));
            }
            progress |= self.feed(cx);
            match self.write(cx) {
                Ok(made_room) => progress |= made_room,
                Err(end) => return Poll::Ready(end),
            }
            if self.stopping && self.in_flight() == 0 && self.egress.is_between_messages() && !self.socket.has_output() {
                return Poll::Ready(End::Say(1001, "Server shutdown"));
            }
            if !progress {
                let Self { socket, connection, greeting, .. } = self;
                self.watch.settle(|| Self::activity(socket, connection, greeting.is_some()));
                return Poll::Pending;
            }
            let totals = self.socket.totals();
            if totals.read >= enough || totals.written >= written.saturating_add(TURN_WRITTEN) {
                break;
            }
        }
        // Who keeps this task busy does not have the thread to himself. And what came in meanwhile is seen only
        // when the thread looks at its sockets: a task that just wakes itself comes before them.
        let _ = pin!(yield_now()).poll(cx);
        Poll::Pending
    }

    /// Polls the calls that have begun, and begins those that wait while there is room for their replies.
    ///
    /// A call that has begun is polled whether or not its client reads: its handler may hold a lock that handlers of
    /// other clients wait for.
    fn poll_calls(&mut self, cx: &mut Context<'_>) -> bool {
        let mut progress = false;
        while self.egress.held_reply_bytes() <= self.max_held_reply_bytes
            && let Poll::Ready(Some(next)) = self.calls.poll_next_unpin(cx)
        {
            progress = true;
            match next {
                Outcome::Answered(answered) => self.answer(answered),
                Outcome::Begins(call) => self.beginning.push_back(call),
            }
        }
        while self.takes_replies()
            && let Some(Begins { call, turn, id, deadline }) = self.beginning.pop_front()
        {
            progress = true;
            id.map(|id| self.cancellable.remove(&id));
            let step = self.connection.begin(*call);
            self.begin(step, turn, deadline, cx);
        }
        progress
    }

    /// Calls that run or wait.
    fn in_flight(&self) -> usize {
        self.calls.len() + self.beginning.len()
    }

    /// Reads a burst of frames, or as many as came with the first `enough` bytes. Returns whether there may
    /// be more.
    fn read(&mut self, cx: &mut Context<'_>, enough: u64) -> Result<bool, End> {
        for _ in 0..READ_BURST {
            if self.socket.totals().read >= enough {
                return Ok(true);
            }
            if self.greeting.is_some() || !self.takes_replies() {
                return Ok(false);
            }
            let Poll::Ready(incoming) = self.socket.poll_read(cx) else { return Ok(false) };
            match incoming {
                Incoming::Alive => {}
                Incoming::Pong => {
                    if let Some(account) = self.connection.account() {
                        account.pong();
                    }
                }
                Incoming::Closed { code, reason } => {
                    tracing::debug!(code, reason, "the peer closes");
                    return Err(End::Closed);
                }
                Incoming::Lost => return Err(End::Lost),
                Incoming::Broken(Violation { code, reason }) => return Err(End::Say(code, reason)),
                // A request that arrives now would be begun and not finished.
                Incoming::Frame(..) if self.stopping => {}
                Incoming::Frame(kind, payload) => {
                    if payload.len().saturating_add(self.connection.incomplete().1) >= LONG_WORK {
                        call_another_thread();
                    }
                    // Who cancels what is detached has not made room for more of it.
                    let running = self.in_flight().max(self.turns.detached());
                    match self.connection.receive(kind, payload, running) {
                        Ok(step) => {
                            self.take(step, cx);
                            self.greet(cx)?;
                        }
                        Err(Violation { code, reason }) => return Err(End::Say(code, reason)),
                    }
                }
            }
        }
        Ok(true)
    }

    fn on_time(&mut self, due: Due) -> Option<End> {
        self.connection.rest();
        match due {
            Due::Nothing => None,
            Due::Ping => {
                self.socket.ping();
                if let Some(account) = self.connection.account() {
                    account.ping();
                }
                None
            }
            Due::HelloMissing => Some(End::Say(1008, "no hello in time")),
            Due::Expired => {
                self.connection.expire();
                None
            }
            Due::NotRefreshed => Some(End::Say(1008, "authentication expired")),
            Due::Incomplete => Some(End::Say(1008, "incomplete message without progress")),
            Due::Silent => Some(End::Deaf(1008, "no answer to a ping")),
            Due::WriteStalled => Some(End::Deaf(1013, "nothing read for too long")),
            Due::GraceOver => Some(End::Say(1001, "Server shutdown")),
        }
    }
}

/// A thread of tokio that has only this task to run leaves the others asleep, and while it runs nobody
/// looks after the sockets. A task that others can take wakes one of them, which then does.
fn call_another_thread() {
    // The newest task is kept for this thread itself, so it takes a second one.
    for _ in 0..2 {
        drop(tokio::spawn(async {}));
    }
}
