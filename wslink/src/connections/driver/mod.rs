//! The task of one connection: moves bytes between its socket and its session, and runs the handlers of its calls.
//!
//! Handlers are polled first where their request is read; only those that wait are set aside. Writes are gathered until
//! nothing more can be read, then written at once.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::future::poll_fn;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::{coop::unconstrained, yield_now},
    time::{Instant, Sleep, sleep_until},
};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tracing::{Instrument, Span};
use wslink_core::{
    Handshake,
    lifecycle::Admission,
    rpc::{Events, take_last_method},
    session::{CallKey, Event, Session, Traffic, Verdict},
    topic::Disconnected,
    wire::Violation,
};

use self::{
    close::{End, finish},
    handlers::Handler,
    tasks::Tasks,
    write_budget::WriteBudget,
};
use super::{ConnectionPermit, Connections, session_expiry::expire_sessions};
use crate::transport::{Incoming, Totals, WebSocket};

mod close;
mod handlers;
mod tasks;
mod write_budget;

/// Frames read before their replies are written.
const READ_BURST: usize = 128;

/// Bytes read, bytes written, and rounds of everything, after which other tasks and the sockets are served: a call that
/// arrives while an event is written is not seen before.
const MAX_READ: u64 = 1 << 20;
const MAX_WRITTEN: u64 = 256 << 10;
const MAX_ROUNDS: usize = 32;

/// Bytes of a message that may take a while to deserialise.
const LONG_WORK: usize = 64 * 1024;

/// How long handlers of a connection may hold their thread, which other connections wait for, before that is logged.
const HELD: Duration = Duration::from_millis(100);

/// Events that are taken from streams before anything else is looked at: a stream of a `latest` topic may be endless.
const STREAM_BURST: usize = 128;

struct Driver<S> {
    socket: WebSocket<S>,
    budget: WriteBudget,
    /// A hello that is being answered.
    entering: Option<Entering>,
    handlers: Tasks<CallKey, Handler>,
    streams: Tasks<u64, Events>,
    timer: Pin<Box<Sleep>>,
    /// The waker that the timer wakes; nothing before it is polled.
    armed: Option<Waker>,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    stopping: bool,
    permit: Option<Arc<ConnectionPermit>>,
    connections: Connections,
    /// Dropped last: the client is gone once its handlers and streams are.
    session: Session,
}

/// The two steps by which a client is taken.
enum Entering {
    Authenticating(Pin<Box<dyn Future<Output = Result<Verdict, Violation>> + Send>>),
    Admission(Admission),
}

/// Serves one connection to its end.
///
/// Every idle connection costs as much memory as this future is large, so the driver stays where it is captured (moved
/// into a variable it would be there twice), and the end of a connection is in a box.
pub(super) fn drive<S>(
    socket: WebSocket<S>,
    connections: Connections,
    handshake: Handshake,
    subprotocol: Option<&str>,
    permit: Option<Arc<ConnectionPermit>>,
) -> impl Future<Output = ()> + Send + use<S>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let session = Session::server(Arc::clone(&connections.shared), handshake, subprotocol, Instant::now().into_std());
    let session = session.inspect_err(|error| tracing::error!(%error, "no entropy for a client id"));
    let mut driver = session.ok().map(|session| Driver::new(socket, session, connections, permit));
    async move {
        let Some(running) = &mut driver else { return };
        running.connections.run_hooks();
        let span = running.span();
        span.in_scope(|| tracing::debug!("connected"));
        let end = poll_fn(|cx| {
            let _entered = span.enter();
            let start = now();
            let mut end = start;
            let ended = running.poll(cx, &mut end);
            warn_if_held(start, end);
            ended
        })
        .await;
        let Connections { shared, stop, tracker, .. } = running.connections.clone();
        // Before it is no longer counted among those that are open.
        if let Some(telemetry) = &shared.telemetry {
            telemetry.closed(end.reason());
        }
        running.session.ended(end.disconnect(running.stopping));
        if end.is_loss() && !running.stopping && running.session.lost() == Disconnected::FirstResumable {
            tracker.spawn(expire_sessions(shared, stop));
        }
        if let Some((socket, permit)) = driver.take().map(Driver::into_socket) {
            Box::pin(finish(socket, end, permit).instrument(span)).await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    fn new(socket: WebSocket<S>, session: Session, connections: Connections, permit: Option<Arc<ConnectionPermit>>) -> Self {
        let first = session.next_timeout().map_or_else(Instant::now, Instant::from_std);
        Self {
            socket,
            budget: WriteBudget::new(),
            entering: None,
            handlers: Tasks::new(),
            streams: Tasks::new(),
            timer: Box::pin(sleep_until(first)),
            armed: None,
            // A token of its own, since every poll takes the lock of the one that it waits for.
            stop: Box::pin(connections.stop.child_token().cancelled_owned()),
            stopping: false,
            permit,
            connections,
            session,
        }
    }

    /// Ends everything but the socket and its permit: nobody is left for calls, events and streams.
    fn into_socket(self) -> (WebSocket<S>, Option<Arc<ConnectionPermit>>) {
        (self.socket, self.permit)
    }

    fn span(&self) -> Span {
        let client = self.session.client_identity();
        let id = client.map(|client| tracing::field::display(client.id()));
        let address = client.and_then(|client| client.handshake().address()).map(tracing::field::display);
        tracing::debug_span!(target: "wslink::connection", "connection", client = id, address)
    }

    /// Does what can be done, and brings `clock` forward.
    fn poll(&mut self, cx: &mut Context<'_>, clock: &mut std::time::Instant) -> Poll<End> {
        if !self.stopping && self.stop.as_mut().poll(cx).is_ready() {
            self.stopping = true;
            self.session.stop(*clock);
        }
        let Totals { read, written, .. } = self.socket.totals();
        let enough = read.saturating_add(MAX_READ);
        for _ in 0..MAX_ROUNDS {
            let now = *clock;
            self.check_timer(cx, now);
            self.poll_entering(cx, now);
            let mut progress = match self.read(cx, now, enough) {
                Ok(progress) => progress,
                Err(end) => return Poll::Ready(end),
            };
            progress |= self.poll_handlers(cx, now);
            progress |= self.poll_streams(cx);
            match self.write(cx, now) {
                Ok(made_room) => progress |= made_room,
                Err(end) => return Poll::Ready(end),
            }
            if let Some(close) = self.session.closing() {
                return Poll::Ready(End::Close(close.clone()));
            }
            if !progress && self.arm_timer(cx, now) {
                return Poll::Pending;
            }
            let totals = self.socket.totals();
            if totals.read >= enough || totals.written >= written.saturating_add(MAX_WRITTEN) {
                break;
            }
            *clock = self::now();
        }
        // A connection that keeps this task busy does not have the thread to itself. And frames that came in meanwhile
        // are seen only when the thread looks at its sockets: a task that just wakes itself comes before them.
        let _ = pin!(yield_now()).poll(cx);
        Poll::Pending
    }

    fn check_timer(&mut self, cx: &mut Context<'_>, now: std::time::Instant) {
        // It fires no sooner.
        if self.timer.deadline().into_std() <= now {
            self.session.handle_timeout(now);
            self.socket.release_spare();
            self.handle_events(cx, now);
        }
    }

    /// Has the timer wake the task at the next deadline, or before. Returns `false` where that has passed.
    fn arm_timer(&mut self, cx: &mut Context<'_>, now: std::time::Instant) -> bool {
        let Some(next) = self.session.next_timeout().map(Instant::from_std) else { return true };
        // One that is early is moved when it fires: most deadlines move with every message.
        let armed = self.timer.deadline();
        if armed.into_std() <= now || next < armed {
            self.timer.as_mut().reset(next);
            self.armed = None;
        }
        if self.armed.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            return true;
        }
        self.armed = Some(cx.waker().clone());
        // Without a budget, whose end would leave the timer without the waker.
        pin!(unconstrained(self.timer.as_mut())).poll(cx).is_pending()
    }

    fn poll_entering(&mut self, cx: &mut Context<'_>, now: std::time::Instant) {
        match &mut self.entering {
            Some(Entering::Authenticating(authenticating)) => {
                let Poll::Ready(verdict) = authenticating.as_mut().poll(cx) else { return };
                self.entering = None;
                self.session.authenticated(now, verdict);
            }
            Some(Entering::Admission(admission)) => {
                let Poll::Ready(answer) = Pin::new(admission).poll(cx) else { return };
                self.entering = None;
                self.session.admitted(now, answer);
            }
            None => return,
        }
        self.handle_events(cx, now);
    }

    /// Reads a burst of frames, or as many as came with the first `enough` bytes. Returns whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>, now: std::time::Instant, enough: u64) -> Result<bool, End> {
        for _ in 0..READ_BURST {
            if self.socket.totals().read >= enough {
                return Ok(true);
            }
            if !self.session.wants_frames() {
                return Ok(false);
            }
            let Poll::Ready(incoming) = self.socket.poll_read(cx) else { return Ok(false) };
            match incoming {
                Incoming::Alive => {}
                Incoming::Pong => self.session.pong(),
                Incoming::Closed { code, reason } => {
                    tracing::debug!(code, reason, "the peer closes");
                    return Err(End::Closed);
                }
                Incoming::Lost => return Err(End::Lost),
                Incoming::Broken(Violation { code, reason }) => return Err(End::broken(code, reason)),
                Incoming::Frame(kind, payload) => {
                    if payload.len().saturating_add(self.session.incomplete().1) >= LONG_WORK {
                        wake_another_thread();
                    }
                    self.session.handle_frame(now, kind, payload);
                    self.handle_events(cx, now);
                }
            }
        }
        Ok(true)
    }

    /// Does what the session asks for. Returns whether there was anything.
    #[inline]
    fn handle_events(&mut self, cx: &mut Context<'_>, now: std::time::Instant) -> bool {
        let mut any = false;
        while let Some(event) = self.session.poll_event() {
            any = true;
            self.handle_event(event, cx, now);
        }
        any
    }

    #[inline(never)]
    fn handle_event(&mut self, event: Event, cx: &mut Context<'_>, now: std::time::Instant) {
        match event {
            Event::Run(call, work) => self.run(call, work, cx, now),
            Event::Abort(call) => self.abort(call, now),
            Event::Stream(number, events) => self.streams.insert(number, events),
            Event::EndStream(number) => drop_stream(self.streams.remove(number)),
            Event::Ping => self.socket.ping(),
            Event::Authenticate(attempt) => {
                let client = self.session.client_identity();
                let from = client.and_then(|client| client.handshake().address()).map(|address| address.ip());
                let again = self.session.is_authenticated();
                let throttle = Arc::clone(&self.connections.throttle);
                self.entering = Some(Entering::Authenticating(Box::pin(throttle.answer(from, again, attempt))));
                self.poll_entering(cx, now);
            }
            Event::Admit(admission) => {
                self.entering = Some(Entering::Admission(admission));
                self.poll_entering(cx, now);
            }
            Event::Authenticated => {
                self.socket.set_max_frame(self.connections.shared.limits.frame_bytes);
                self.permit.iter().for_each(|permit| permit.authenticated());
            }
            // Of sessions that connect.
            Event::Client(_) => {}
        }
    }

    /// Takes events from streams while their client has room for them. Returns whether there were any.
    fn poll_streams(&mut self, cx: &mut Context<'_>) -> bool {
        for taken in 0..STREAM_BURST {
            if self.streams.is_empty() || !self.session.wants_stream_items() {
                return taken > 0;
            }
            let Poll::Ready((number, item)) = self.streams.poll_next(cx, handlers::poll_stream) else { return taken > 0 };
            if item.is_none() {
                drop_stream(self.streams.remove(number));
            }
            self.session.stream_item(number, item);
        }
        true
    }

    /// Fills and empties the write buffer once, so that requests are read between the parts of a large message. Returns
    /// whether there is now room for more of what was held back.
    fn write(&mut self, cx: &mut Context<'_>, now: std::time::Instant) -> Result<bool, End> {
        self.session.register(cx.waker());
        let (held_frames, held_streams) = (!self.session.wants_frames(), self.holds_streams_back());
        let mut makes_room = held_frames || held_streams;
        loop {
            if self.socket.unwritten() >= self.budget.bytes() {
                makes_room = true;
                break;
            }
            match self.session.poll_transmit() {
                Some(frame) => self.socket.put(frame),
                None => break,
            }
        }
        let handed = self.socket.unwritten();
        let flushed = if handed > 0 { Some(self.socket.poll_flush(cx)) } else { None };
        let Totals { read, written, frames, sent, partial } = self.socket.totals();
        let unwritten = self.socket.unwritten();
        self.session.handle_traffic(now, Traffic { read, written, unwritten, partial, messages_read: frames, frames_sent: sent });
        let begun = self.handle_events(cx, now);
        match flushed {
            None => Ok(begun),
            Some(Poll::Ready(Ok(()))) => {
                self.budget.took(handed);
                Ok(begun || makes_room)
            }
            Some(Poll::Ready(Err(_))) => Err(End::Lost),
            Some(Poll::Pending) => {
                self.budget.blocked();
                // The bytes that the socket took may be enough for what was held back.
                let room = (held_frames && self.session.wants_frames()) || (held_streams && !self.holds_streams_back());
                Ok(begun || room)
            }
        }
    }

    fn holds_streams_back(&self) -> bool {
        !self.streams.is_empty() && !self.session.wants_stream_items()
    }
}

/// Logs where a handler has held the thread for long since `start`. `end` is later than the handlers, but for those of a
/// single round.
fn warn_if_held(start: std::time::Instant, end: std::time::Instant) {
    let Some(method) = take_last_method() else { return };
    let end = if end > start { end } else { now() };
    let held = end.saturating_duration_since(start);
    if held > HELD {
        let milliseconds = u64::try_from(held.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(method, milliseconds, "a handler held a thread that serves other clients; declare it `blocking`");
    }
}

fn now() -> std::time::Instant {
    Instant::now().into_std()
}

fn drop_stream(stream: Option<Events>) {
    handlers::drop_caught(stream);
}

/// A thread of tokio that has only this task to run leaves the others asleep, and while it runs nobody polls the sockets.
/// A task that others can take wakes one of them, which then does.
fn wake_another_thread() {
    // The newest task is kept for this thread itself, so it takes a second one.
    for _ in 0..2 {
        drop(tokio::spawn(async {}));
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use tokio::{io::DuplexStream, sync::Notify, time::Instant};

    use wslink_core::{
        Handshake, Limits,
        wire::{Frame, FrameKind},
    };

    use crate::{
        Server, service,
        transport::{Role, WebSocket},
    };
    struct Scribe(Arc<Notify>);

    #[service(crate = crate)]
    impl Scribe {
        #[rpc("scribe.write")]
        fn write(&self, letters: usize) -> String {
            "x".repeat(letters)
        }

        #[rpc("scribe.note")]
        fn note(&self) {
            self.0.notify_one();
        }
    }

    async fn say(socket: &mut WebSocket<DuplexStream>, text: String) {
        socket.put(Frame::new(FrameKind::Text, text));
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    }

    /// A reply is more than may wait, until the stream has taken a part of it.
    #[tokio::test(start_paused = true)]
    async fn what_the_stream_takes_makes_room_for_the_next_request() {
        let noted = Arc::new(Notify::new());
        let limits = Limits::with(|limits| limits.reply_bytes = 100_000);
        let server = Server::builder().limits(limits).mount(Scribe(Arc::clone(&noted))).build().unwrap();
        let start = Instant::now();
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(server.connections().drive(far, Role::Server, &[], Handshake::default(), None));
        let mut peer = WebSocket::new(near, Role::Client, &[], 1 << 20);
        let secret = server.secret().unwrap().reveal();
        say(&mut peer, format!(r#"{{"id":"system:c0:0","method":"wslink.hello","args":[{{"secret":"{secret}"}}]}}"#)).await;
        poll_fn(|cx| peer.poll_read(cx)).await;
        say(&mut peer, r#"{"id":"a","method":"scribe.write","args":[120000]}"#.to_owned()).await;
        // Perhaps after the first one is answered, perhaps not.
        tokio::task::yield_now().await;
        say(&mut peer, r#"{"id":"b","method":"scribe.note"}"#.to_owned()).await;
        noted.notified().await;
        assert!(start.elapsed().is_zero(), "not when a clock happens to look");
    }
}
