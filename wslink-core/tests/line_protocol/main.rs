//! A protocol from outside the crate, beside the built-in ones: it calls, subscribes and publishes through the same
//! session. A protocol is one file.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod protocol;

use std::{
    pin::{Pin, pin},
    sync::{Arc, atomic::AtomicUsize},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use wslink_core::{
    CallError, Handshake, Limits, Progress, Publisher, Secret, Topic,
    rpc::{Mounted, Routes, Work},
    service,
    session::{CallKey, ClientEvent, ClientSettings, Event, Memory, Session, Shared},
    topic::Hub,
    wire::{Parts, Protocol, Protocols, Target, V1, V2},
};

use self::protocol::LINES;

struct Desk {
    publisher: Publisher,
}

#[service(crate = wslink_core)]
impl Desk {
    #[topic("desk.news", retain = last)]
    const NEWS: Topic<String>;

    #[rpc("desk.add")]
    fn add(&self, a: f64, b: f64) -> f64 {
        a + b
    }

    #[rpc("desk.divide")]
    fn divide(&self, a: i64, b: i64) -> Result<i64, CallError> {
        a.checked_div(b).ok_or_else(|| CallError::exception("division by zero"))
    }

    #[rpc("desk.tell")]
    fn tell(&self, text: String) {
        self.publisher.publish(Self::NEWS, &text);
    }

    #[rpc("desk.wait")]
    async fn wait(&self, progress: Progress<u32>) {
        progress.report(&1);
        std::future::pending::<()>().await;
    }
}

/// A client and its server's end, with no delay between them.
struct Pair {
    client: Session,
    server: Session,
    protocol: &'static dyn Protocol,
    waiting: Vec<CallKey>,
    now: Instant,
}

fn shared(protocols: &[&'static dyn Protocol]) -> Arc<Shared> {
    let hub = Arc::new(Hub::default());
    let publisher = Publisher::new(Arc::clone(&hub));
    Arc::new(Shared {
        routes: Routes::new(&[Mounted::new(Desk { publisher: publisher.clone() })]).unwrap(),
        publisher,
        hub,
        limits: Limits::default(),
        authenticator: Arc::new(Secret::published()),
        expose_details: false,
        manifest: None,
        telemetry: None,
        protocols: Protocols::new(protocols.iter().copied()).unwrap(),
        hooks: None,
        held: AtomicUsize::new(0),
    })
}

impl Pair {
    /// A client of that protocol, which has said hello.
    fn new(shared: &Arc<Shared>, protocol: &'static dyn Protocol) -> Self {
        let now = Instant::now();
        let settings =
            ClientSettings { protocol, limits: Limits::default(), ping: Duration::from_secs(20), waits_for_stock_servers: false };
        let mut client = Session::client(&settings, Memory::default(), now);
        let server = Session::server(Arc::clone(shared), Handshake::default(), protocol.subprotocol(), now).unwrap();
        client.hello(Secret::published().reveal()).unwrap();
        let mut pair = Self { client, server, protocol, waiting: Vec::new(), now };
        assert!(matches!(pair.events()[..], [ClientEvent::Welcome(Ok(_))]));
        pair
    }

    /// Moves frames until none is left; returns the events of the client.
    fn events(&mut self) -> Vec<ClientEvent> {
        let mut events = Vec::new();
        loop {
            let mut moved = false;
            while let Some(frame) = self.client.poll_transmit() {
                self.server.handle_frame(self.now, frame.kind, [&*frame.head, &*frame.body].concat().into());
                moved = true;
            }
            while let Some(event) = self.server.poll_event() {
                self.act(event);
                moved = true;
            }
            while let Some(frame) = self.server.poll_transmit() {
                self.client.handle_frame(self.now, frame.kind, [&*frame.head, &*frame.body].concat().into());
                moved = true;
            }
            while let Some(event) = self.client.poll_event() {
                let Event::Client(event) = event else { continue };
                events.push(event);
            }
            assert_eq!((self.client.closing(), self.server.closing()), (None, None));
            if !moved {
                return events;
            }
        }
    }

    fn act(&mut self, event: Event) {
        let mut cx = Context::from_waker(Waker::noop());
        match event {
            Event::Authenticate(login) => {
                let Poll::Ready(verdict) = pin!(login).poll(&mut cx) else { panic!("not at once") };
                self.server.authenticated(self.now, Ok(verdict));
            }
            Event::Run(call, Work::Inline(mut handler)) => match Pin::new(&mut *handler).poll(&mut cx) {
                Poll::Ready(reply) => self.server.finish_call(self.now, call, Some(reply)),
                Poll::Pending => self.waiting.push(call),
            },
            Event::Abort(call) => {
                self.waiting.retain(|waiting| *waiting != call);
                self.server.finish_call(self.now, call, None);
            }
            _ => {}
        }
    }

    fn call(&mut self, method: &str, arguments: &dyn erased_serde::Serialize) -> u64 {
        let parts = Parts { positional: Some(arguments), named: None };
        self.client.call(self.protocol.draft(Target::Method(method), parts).unwrap(), None).unwrap()
    }

    fn subscribe(&mut self, topic: &str) {
        let draft = self.protocol.draft(Target::Subscribe, Parts { positional: Some(&[topic]), named: None }).unwrap();
        self.client.subscribe(1, topic.into(), draft);
    }
}

/// The texts that came for subscription 1.
fn news(events: &[ClientEvent]) -> Vec<String> {
    let payload = |event: &ClientEvent| match event {
        ClientEvent::Payload(1, Ok(body)) => Some(body.decode::<String>().unwrap()),
        _ => None,
    };
    events.iter().filter_map(payload).collect()
}

#[test]
fn a_call_is_answered_with_its_result_or_error() {
    let shared = shared(&[V1, V2, LINES]);
    let mut pair = Pair::new(&shared, LINES);
    let sum = pair.call("desk.add", &(1.5, 2));
    let events = pair.events();
    let [ClientEvent::Reply(number, Ok(body))] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*number, body.decode::<f64>().unwrap()), (sum, 3.5));
    for (method, arguments, code) in [("desk.divide", [1, 0], -32001), ("desk.none", [1, 0], -32601)] {
        pair.call(method, &arguments);
        let events = pair.events();
        let [ClientEvent::Reply(_, Err(error))] = &events[..] else { panic!("{events:?}") };
        assert_eq!(error.code().number(), code, "{error}");
    }
    pair.call("desk.add", &("one", 2));
    let events = pair.events();
    let [ClientEvent::Reply(_, Err(error))] = &events[..] else { panic!("{events:?}") };
    assert_eq!(error.data().and_then(|data| data.get("param")).and_then(|name| name.as_str()), Some("a"));
}

#[test]
fn clients_of_all_protocols_receive_the_same_events() {
    let shared = shared(&[V1, V2, LINES]);
    let mut pairs = [V1, V2, LINES].map(|protocol| Pair::new(&shared, protocol));
    for pair in &mut pairs {
        pair.subscribe("desk.news");
        assert!(matches!(pair.events()[..], [ClientEvent::Subscribed(1, Ok(()))]));
    }
    let text = "tabs\tand\nlines \"are\" text";
    pairs[2].call("desk.tell", &[text]);
    let mut received = pairs[2].events();
    assert_eq!(news(&received), [text]);
    assert!(matches!(received.remove(0), ClientEvent::Reply(_, Ok(_))), "the reply goes before the event");
    for pair in &mut pairs[..2] {
        assert_eq!(news(&pair.events()), [text], "{}", pair.protocol.name());
    }
    // What the topic retains reaches a client of any protocol that comes later.
    for protocol in [V1, V2, LINES] {
        let mut late = Pair::new(&shared, protocol);
        late.subscribe("desk.news");
        assert_eq!(news(&late.events()), [text], "{}", protocol.name());
    }
}

#[test]
fn a_server_may_speak_it_alone() {
    let shared = shared(&[LINES]);
    let text = "retained before anybody came";
    shared.publisher.publish(Desk::NEWS, &text.to_owned());
    let mut pair = Pair::new(&shared, LINES);
    pair.subscribe("desk.news");
    assert_eq!(news(&pair.events()), [text]);
    let mut newcomer = Session::server(shared, Handshake::default(), None, Instant::now()).unwrap();
    newcomer.handle_frame(Instant::now(), V2.first_frame(), vec![0].into());
    assert_eq!(newcomer.closing().map(|close| close.code), Some(1002));
}

#[test]
fn a_call_reports_progress_and_is_cancelled() {
    let shared = shared(&[V1, V2, LINES]);
    let mut pair = Pair::new(&shared, LINES);
    let call = pair.call("desk.wait", &[(); 0]);
    let events = pair.events();
    let [ClientEvent::Progress(number, body)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((*number, body.decode::<u32>().unwrap(), pair.waiting.len()), (call, 1, 1));
    pair.client.cancel(call);
    assert!(pair.events().is_empty() && pair.waiting.is_empty(), "nobody waits any more");
    assert_eq!(pair.server.calls_in_flight(), 0);
}

#[test]
fn lines_that_are_none_end_the_connection() {
    for (line, code) in [(&b"\xff"[..], 1007), (b"ok", 1007), (&[b'x'; 5000], 1009)] {
        let mut server = Session::server(shared(&[LINES]), Handshake::default(), LINES.subprotocol(), Instant::now()).unwrap();
        server.handle_frame(Instant::now(), LINES.first_frame(), line.to_vec().into());
        assert_eq!(server.closing().map(|close| close.code), Some(code), "{line:?}");
    }
}
