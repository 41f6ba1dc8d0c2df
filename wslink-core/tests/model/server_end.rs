//! The server's end of a connection: moves frames between its session and the link, as a driver does.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use wslink_core::{
    Handshake,
    identity::Authenticating,
    rpc::Events,
    session::{CallKey, Close, Event, Session, Shared, Traffic},
    topic::Disconnected,
};

use super::{
    connection::Woken,
    env::Env,
    flow::count,
    handlers::Handler,
    hub_clients::{Presence, Who},
    link::{Item, Ms, Pipe},
    topics::TOPICS,
};

pub(crate) struct ServerEnd {
    pub(crate) session: Session,
    /// The number of the connection.
    number: u32,
    /// When the authenticator answers.
    authenticating: Option<(Ms, Authenticating)>,
    pub(super) handlers: Vec<(CallKey, Handler)>,
    pub(super) streams: Vec<(u64, Events)>,
    pub(crate) woken: Arc<Woken>,
    waker: Waker,
    pub(crate) who: Who,
    /// Its client in the hub, once it has said hello.
    client: Option<usize>,
    /// The client that the peer says it was, and the connection whose welcome it received last.
    claims: Option<(usize, u32)>,
    messages: u64,
    frames: u64,
    /// A ping is to be sent.
    pings: bool,
    /// When the session or a handler is to be looked at.
    pub(crate) wake: Ms,
    /// When the server began to stop, and how many events of each topic were published by then.
    stopped: Option<(Ms, Box<[u32]>)>,
}

/// Why an end is over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Over {
    /// Nothing comes any more.
    Lost,
    /// The peer closed.
    Closed,
    /// The session closes.
    Close(Close),
}

/// No session needs more rounds than this at one point of time.
pub(crate) const MAX_ROUNDS: usize = 5000;

impl ServerEnd {
    pub(crate) fn new(shared: &Arc<Shared>, number: u32, claims: Option<(usize, u32)>, env: &Env) -> Self {
        let session = Session::server(Arc::clone(shared), Handshake::default(), None, env.instant()).unwrap();
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        Self {
            session,
            number,
            authenticating: None,
            handlers: Vec::new(),
            streams: Vec::new(),
            woken,
            waker,
            who: Who::Nobody,
            client: None,
            claims,
            messages: 0,
            frames: 0,
            pings: false,
            wake: 0,
            stopped: None,
        }
    }

    /// The server stops.
    pub(crate) fn stop(&mut self, env: &Env) {
        self.session.stop(env.instant());
        let facts = env.ledger.facts();
        self.stopped = Some((env.now, (0..TOPICS.len()).map(|topic| count(&facts, topic)).collect()));
    }

    /// The close frame of an end that is over, where it sends one.
    pub(crate) fn close(&self, over: &Over, env: &Env) -> Option<Item> {
        let Over::Close(close) = over else { return None };
        // Some time before the end of the grace period, calls that are not over are given up.
        let grace = u64::try_from(env.setup.limits.grace.as_millis()).unwrap() / 2;
        let in_time = self.stopped.as_ref().filter(|(at, _)| close.code == 1001 && env.now < at + grace);
        let is_welcome = self.client.is_some();
        Some(Item::Close(close.code, in_time.filter(|_| is_welcome).map(|(_, published)| published.clone())))
    }

    /// Does everything that can be done now.
    pub(crate) fn poll(&mut self, env: &mut Env, up: &mut Pipe, down: &mut Pipe) -> Option<Over> {
        for round in 0.. {
            assert!(round < MAX_ROUNDS, "the server's end of connection {} never rests", self.number);
            let now = env.instant();
            if self.session.next_timeout().is_some_and(|next| next <= now) {
                self.session.handle_timeout(now);
                let next = self.session.next_timeout();
                assert!(self.session.closing().is_some() || next.is_none_or(|next| next > now), "a timeout that stays due");
                self.events(env);
            }
            self.authenticate(env);
            let mut progress = match self.read(env, up, down) {
                Ok(progress) => progress,
                Err(over) => return Some(over),
            };
            progress |= self.poll_handlers(env);
            progress |= self.poll_streams();
            progress |= self.write(env, up, down);
            if let Some(close) = self.session.closing() {
                return Some(Over::Close(close.clone()));
            }
            if !progress {
                break;
            }
        }
        let limits = &env.setup.limits;
        assert!(self.session.calls_in_flight() <= limits.calls_in_flight, "too many calls in flight");
        let authenticating = self.authenticating.as_ref().map_or(Ms::MAX, |(at, _)| *at);
        self.wake = env.due(self.session.next_timeout()).min(authenticating).min(env.ledger.facts().take_wake());
        for (_, handler) in &self.handlers {
            self.wake = self.wake.min(handler.due());
        }
        None
    }

    fn read(&mut self, env: &mut Env, up: &mut Pipe, down: &mut Pipe) -> Result<bool, Over> {
        let mut progress = false;
        while self.session.wants_frames() {
            let Some(item) = up.take() else { break };
            progress = true;
            match item {
                Item::Data { kind, payload, .. } => {
                    self.messages += 1;
                    self.session.handle_frame(env.instant(), kind, payload);
                    self.events(env);
                    self.authenticate(env);
                }
                Item::Ping => down.put(Item::Pong),
                Item::Pong => self.session.pong(),
                Item::Close(..) => return Err(Over::Closed),
                Item::End => return Err(Over::Lost),
            }
        }
        Ok(progress)
    }

    pub(super) fn events(&mut self, env: &mut Env) {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Authenticate(authenticating) => {
                    let delay = if env.one_in(4) { env.rng.u64(..300) } else { 0 };
                    self.authenticating = Some((env.now + delay, authenticating));
                }
                Event::Admit(_) => panic!("the services of the model have no hooks"),
                Event::Run(call, work) => self.run(env, call, work),
                Event::Abort(call) => self.abort(env, call),
                Event::Stream(number, events) => self.streams.push((number, events)),
                Event::EndStream(number) => self.streams.retain(|(other, _)| *other != number),
                Event::Ping => self.pings = true,
                Event::Authenticated => {}
                Event::Client(event) => panic!("not for a server: {event:?}"),
            }
        }
    }

    fn authenticate(&mut self, env: &mut Env) {
        let Some((_, mut authenticating)) = self.authenticating.take_if(|(at, _)| *at <= env.now) else { return };
        let Poll::Ready(verdict) = pin!(&mut authenticating).poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the authenticator of the model never waits")
        };
        self.session.authenticated(env.instant(), Ok(verdict));
        if self.session.is_authenticated() {
            let identity = self.session.client_identity().unwrap();
            self.who = Who::of(identity);
            let mut facts = env.ledger.facts();
            match self.client {
                Some(client) => facts.renewed(client, self.who, self.number),
                None => {
                    let expected = self.claims.filter(|(client, welcomed_on)| {
                        let client = &facts.clients[*client];
                        let window = u64::try_from(env.setup.limits.resume_window.as_millis()).unwrap();
                        let is_remembered = match client.presence {
                            Presence::Here => true,
                            Presence::Away(since) => env.now - since < window,
                            Presence::Gone => false,
                        };
                        // The token of another principal is good for nothing, and only the last two are.
                        let has_token = client.began_as == self.who && client.renewals < 2;
                        // The hello of an older connection may have come later than that of a newer one.
                        let is_newest = (*welcomed_on..self.number).contains(&client.connection);
                        env.setup.remembers && is_remembered && has_token && is_newest
                    });
                    let client = facts.joined(identity.id(), self.who, self.number);
                    assert!(expected.is_none_or(|(expected, _)| expected == client), "client {expected:?} is not resumed");
                    self.client = Some(client);
                }
            }
        }
        self.events(env);
    }

    /// Fills the buffer of the socket once. Returns whether the session may have more to do.
    fn write(&mut self, env: &mut Env, up: &Pipe, down: &mut Pipe) -> bool {
        self.session.register(&self.waker);
        if std::mem::take(&mut self.pings) {
            down.put(Item::Ping);
        }
        let (held_frames, held_streams) = (!self.session.wants_frames(), self.holds_streams());
        while down.unwritten() < env.setup.budget
            && let Some(frame) = self.session.poll_transmit()
        {
            let payload = [&*frame.head, &*frame.body].concat().into();
            down.put(Item::Data { kind: frame.kind, payload, principal: self.who });
            self.frames += 1;
        }
        let pumped = down.pump(env.now);
        let traffic = Traffic {
            read: up.read(),
            written: down.written(),
            unwritten: usize::try_from(down.unwritten()).unwrap(),
            partial: usize::try_from(up.partial()).unwrap(),
            messages_read: self.messages,
            frames_sent: self.frames,
        };
        self.session.handle_traffic(env.instant(), traffic);
        self.events(env);
        pumped || held_frames == self.session.wants_frames() || held_streams != self.holds_streams()
    }

    fn holds_streams(&self) -> bool {
        !self.streams.is_empty() && !self.session.wants_stream_items()
    }

    /// The connection is over. Returns the handlers that go on without it, and whether its client is the first that is
    /// remembered.
    pub(crate) fn end(mut self, over: &Over, env: &Env) -> (Vec<Handler>, bool) {
        let is_loss = matches!(over, Over::Lost | Over::Close(Close { heard: false, .. })) && self.stopped.is_none();
        let state = is_loss.then(|| self.session.lost());
        let is_remembered = state.is_some_and(|state| state != Disconnected::Removed);
        if let Some(client) = self.client {
            let presence = if is_remembered { Presence::Away(env.now) } else { Presence::Gone };
            env.ledger.facts().parted(client, self.number, presence);
        }
        drop(self.session);
        let stays = |handler: &Handler| match handler {
            Handler::Inline(_) => false,
            Handler::Detached(_) => true,
            Handler::Blocking(_, begins, _) => *begins <= env.now,
        };
        let handlers = self.handlers.into_iter().map(|(_, handler)| handler).filter(stays).collect();
        (handlers, state == Some(Disconnected::FirstResumable))
    }
}
