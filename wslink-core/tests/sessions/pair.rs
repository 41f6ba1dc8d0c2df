//! A client's session and a server's, joined without a network: frames move when a test says so.

use std::{
    pin::pin,
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use wslink_core::{
    Limits, LoginRequest, Principal, Publisher, Rejection,
    rpc::{Events, Mounted, Routes, Work, poll_stream},
    session::{ClientEvent, ClientSettings, Event, Lost, Memory, Session, Shared},
    topic::{Guard, Hub},
    wire::{Draft, Frame, Parts, Protocol, Protocols, Target},
};

/// A server of `services`. Whoever says `alice` or `bob` is that; Alice is an insider.
pub(crate) fn server(services: &[Mounted], limits: Limits) -> Arc<Shared> {
    server_of(Arc::default(), services, limits)
}

/// The same, with this hub.
pub(crate) fn server_of(hub: Arc<Hub>, services: &[Mounted], limits: Limits) -> Arc<Shared> {
    let routes = Routes::new(services).unwrap();
    hub.set_guard(Guard::new(routes.guarded(), None));
    let authenticator = async |attempt: LoginRequest| match attempt.token() {
        Some("alice") => Ok(Principal::new("alice").granting(["insider"])),
        Some("bob") => Ok(Principal::new("bob")),
        _ => Err(Rejection::new("nobody knows it")),
    };
    Arc::new(Shared {
        routes,
        publisher: Publisher::new(Arc::clone(&hub)),
        hub,
        limits,
        authenticator: Arc::new(authenticator),
        expose_details: false,
        manifest: None,
        telemetry: None,
        protocols: Protocols::default(),
        hooks: None,
        held: AtomicUsize::new(0),
    })
}

/// Both ends of a connection.
pub(crate) struct Pair {
    pub(crate) client: Session,
    pub(crate) server: Session,
    protocol: &'static dyn Protocol,
    streams: Vec<(u64, Events)>,
    now: Instant,
}

impl Pair {
    /// A client that goes on from `memory` and has said hello, which is not sent yet.
    pub(crate) fn new(shared: &Arc<Shared>, protocol: &'static dyn Protocol, memory: Memory) -> Self {
        Self::with_secret(shared, protocol, memory, "alice")
    }

    pub(crate) fn with_secret(shared: &Arc<Shared>, protocol: &'static dyn Protocol, memory: Memory, secret: &str) -> Self {
        let now = Instant::now();
        let ping = Duration::from_secs(20);
        let settings = ClientSettings { protocol, limits: Limits::default(), ping, waits_for_stock_servers: false };
        let mut client = Session::client(&settings, memory, now);
        client.hello(secret).unwrap();
        let server = Session::server(Arc::clone(shared), wslink_core::Handshake::default(), None, now).unwrap();
        Self { client, server, protocol, streams: Vec::new(), now }
    }

    /// Has the server read the frames that the client sends, as far as it wants to.
    pub(crate) fn up(&mut self) {
        self.up_seen(|_| {});
    }

    /// The same; `seen` is given each frame.
    pub(crate) fn up_seen(&mut self, mut seen: impl FnMut(&Frame)) {
        while self.server.wants_frames()
            && let Some(frame) = self.client.poll_transmit()
        {
            seen(&frame);
            self.server.handle_frame(self.now, frame.kind, payload(&frame));
            self.serve();
        }
    }

    /// The frames that the server sends.
    pub(crate) fn sent(&mut self) -> Vec<Frame> {
        let frames = std::iter::from_fn(|| self.server.poll_transmit()).collect();
        self.serve();
        frames
    }

    /// Has the client read these frames.
    pub(crate) fn read(&mut self, frames: &[Frame]) {
        frames.iter().for_each(|frame| self.client.handle_frame(self.now, frame.kind, payload(frame)));
    }

    /// Moves frames in both directions until there are none, and returns the client's events.
    pub(crate) fn exchange(&mut self) -> Vec<ClientEvent> {
        let mut events = Vec::new();
        loop {
            self.up();
            let frames = self.sent();
            self.read(&frames);
            events.extend(self.events());
            if frames.is_empty() {
                return events;
            }
        }
    }

    pub(crate) fn events(&mut self) -> Vec<ClientEvent> {
        let events = std::iter::from_fn(|| self.client.poll_event());
        events.filter_map(|event| if let Event::Client(event) = event { Some(event) } else { None }).collect()
    }

    /// Does what the server's session asks for; a handler that does not return at once never does.
    fn serve(&mut self) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Authenticate(mut answer) => {
                    let Poll::Ready(verdict) = pin!(&mut answer).poll(&mut cx) else { panic!("not at once") };
                    self.server.authenticated(self.now, Ok(verdict));
                }
                Event::Run(call, Work::Inline(mut work)) => {
                    if let Poll::Ready(reply) = pin!(&mut *work).poll(&mut cx) {
                        self.server.finish_call(self.now, call, Some(reply));
                    }
                }
                Event::Abort(call) => self.server.finish_call(self.now, call, None),
                Event::Stream(number, events) => self.streams.push((number, events)),
                Event::EndStream(number) => self.streams.retain(|(other, _)| *other != number),
                _ => {}
            }
        }
        let Self { server, streams, .. } = self;
        streams.retain_mut(|(number, events)| {
            while server.wants_stream_items() {
                let Poll::Ready(item) = poll_stream(events, &mut cx) else { return true };
                let is_over = item.is_none();
                server.stream_item(*number, item);
                if is_over {
                    return false;
                }
            }
            true
        });
    }

    pub(crate) fn subscribe(&mut self, id: u64, topic: &str) {
        self.client.subscribe(id, Arc::from(topic), draft(self.protocol, topic));
    }

    /// The connection is lost, and both ends notice. Returns what the client goes on from.
    pub(crate) fn lose(self) -> Memory {
        self.into_lost().memory
    }

    /// The same, with what else is lost.
    pub(crate) fn into_lost(mut self) -> Lost {
        self.server.lost();
        self.client.into_lost().unwrap()
    }
}

fn draft(protocol: &dyn Protocol, topic: &str) -> Box<dyn Draft> {
    protocol.draft(Target::Subscribe, Parts { positional: Some(&(topic,)), named: None }).unwrap()
}

pub(crate) fn payload(frame: &Frame) -> bytes::Bytes {
    [&*frame.head, &*frame.body].concat().into()
}
