//! The client's end of a connection: moves frames between its session and the link, and events to the client's program.

use std::{collections::HashMap, time::Duration};

use wslink_core::{
    Limits, Value,
    session::{ClientEvent, ClientSettings, Event, HelloError, Session, Traffic},
    wire::{Parts, Target},
};

use super::{
    calls::answered,
    client::Client,
    env::Env,
    flow::count,
    hub_clients::Who,
    link::{Item, Ms, Pipe},
    server_end::MAX_ROUNDS,
    topics::TOPICS,
    watch::Watch,
};

pub(crate) struct ClientEnd {
    pub(crate) session: Session,
    pub(super) number: u32,
    watch: Watch,
    /// The calls that wait, by their numbers in the session.
    pub(crate) calls: HashMap<u64, u32>,
    pub(crate) greeted: bool,
    /// When it is given up, unless the hello is answered by then.
    deadline: Ms,
    /// The number of the next event of each topic when the hello was said.
    said: Vec<u32>,
    /// It reads nothing until then.
    pub(crate) deaf_until: Ms,
    /// Who the server had it for when it handed out what comes.
    who: Who,
    messages: u64,
    frames: u64,
    pings: bool,
    pub(crate) wake: Ms,
}

/// Why an end is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ended {
    /// Nothing comes any more.
    Lost,
    /// The server closed.
    Closed,
    /// The server is silent.
    Silent,
    /// The hello was refused.
    Refused,
    /// The hello was not answered in time.
    Late,
}

const CONNECT_TIMEOUT: Ms = 10_000;

/// Bytes that are buffered in the socket.
const BUDGET: u64 = 4000;

impl ClientEnd {
    /// Says hello, as the client that the memory of `client` is of.
    pub(crate) fn new(client: &mut Client, number: u32, env: &mut Env, up: &mut Pipe) -> Self {
        let settings = ClientSettings {
            protocol: client.protocol,
            limits: Limits::default(),
            ping: Duration::from_secs(if env.one_in(2) { 4 } else { 20 }),
            waits_for_stock_servers: false,
        };
        let mut session = Session::client(&settings, std::mem::take(&mut client.memory), env.instant());
        session.hello(client.secret).unwrap();
        if client.stock {
            // Its hello is another, without extensions.
            session.poll_transmit().expect("a hello");
            let hello = [Value::map([("secret", client.secret)])];
            let draft = client.protocol.draft(Target::Hello, Parts { positional: Some(&hello), named: None }).unwrap();
            for frame in draft.seal(0, None, usize::MAX).frames() {
                let payload = [&*frame.head, &*frame.body].concat().into();
                up.put(Item::Data { kind: frame.kind, payload, principal: Who::Nobody });
            }
        }
        let mut facts = env.ledger.facts();
        facts.say_hello(number, Who::named(client.secret));
        Self {
            session,
            number,
            watch: Watch::new(client.protocol),
            calls: HashMap::new(),
            greeted: false,
            deadline: env.now + CONNECT_TIMEOUT,
            said: (0..TOPICS.len()).map(|topic| count(&facts, topic)).collect(),
            deaf_until: 0,
            who: Who::Nobody,
            messages: 0,
            frames: 0,
            pings: false,
            wake: 0,
        }
    }

    /// Does everything that can be done now.
    pub(crate) fn poll(&mut self, client: &mut Client, env: &mut Env, up: &mut Pipe, down: &mut Pipe) -> Option<Ended> {
        for round in 0.. {
            assert!(round < MAX_ROUNDS, "the client's end of connection {} never rests", self.number);
            let now = env.instant();
            if self.session.next_timeout().is_some_and(|next| next <= now) {
                self.session.handle_timeout(now);
                let next = self.session.next_timeout();
                assert!(self.session.closing().is_some() || next.is_none_or(|next| next > now), "a timeout that stays due");
            }
            if let Some(ended) = self.events(client, env) {
                return Some(ended);
            }
            match self.read(client, env, up, down) {
                Err(ended) => return Some(ended),
                Ok(true) => continue,
                Ok(false) => {}
            }
            if !self.write(env, up, down) {
                break;
            }
        }
        if !self.greeted && env.now >= self.deadline {
            return Some(Ended::Late);
        }
        let deadline = if self.greeted { Ms::MAX } else { self.deadline };
        let hears = if self.deaf_until > env.now { self.deaf_until } else { Ms::MAX };
        self.wake = env.due(self.session.next_timeout()).min(deadline).min(hears);
        None
    }

    fn read(&mut self, client: &mut Client, env: &mut Env, up: &mut Pipe, down: &mut Pipe) -> Result<bool, Ended> {
        if self.deaf_until > env.now {
            return Ok(false);
        }
        let mut progress = false;
        while let Some(item) = down.take() {
            progress = true;
            match item {
                Item::Data { kind, payload, principal } => {
                    self.messages += 1;
                    self.who = principal;
                    self.watch.see(kind, payload.clone());
                    self.session.handle_frame(env.instant(), kind, payload);
                    if let Some(ended) = self.events(client, env) {
                        return Err(ended);
                    }
                }
                Item::Ping => up.put(Item::Pong),
                Item::Pong => {}
                Item::Close(code, stopped) => {
                    if let Some(published) = stopped {
                        self.check_stopped(client, env, &published);
                    }
                    env.note(
                        "client {}: the server closed connection {} with {}",
                        [client.index as u64, self.number.into(), code.into()],
                    );
                    return Err(Ended::Closed);
                }
                Item::End => return Err(Ended::Lost),
            }
        }
        Ok(progress)
    }

    /// The server has stopped in time: what it executed is answered, what it published before has arrived.
    fn check_stopped(&self, client: &Client, env: &Env, published: &[u32]) {
        let facts = env.ledger.facts();
        for call in self.calls.values() {
            assert_eq!(facts.execution(*call).begun, 0, "call {call} began and is not answered by a server that stops");
        }
        client.check_stopped(&facts, published);
    }

    fn events(&mut self, client: &mut Client, env: &mut Env) -> Option<Ended> {
        while let Some(event) = self.session.poll_event() {
            match event {
                Event::Client(event) => {
                    if let Some(ended) = self.event(event, client, env) {
                        return Some(ended);
                    }
                }
                Event::Ping => self.pings = true,
                event => panic!("not for a client: {event:?}"),
            }
        }
        let close = self.session.closing()?;
        assert_eq!(close.reason, "no answer to a ping", "a client never closes for what the server sends");
        Some(Ended::Silent)
    }

    fn event(&mut self, event: ClientEvent, client: &mut Client, env: &mut Env) -> Option<Ended> {
        match event {
            ClientEvent::Welcome(Ok(welcome)) => {
                assert!(!std::mem::replace(&mut self.greeted, true), "a second welcome");
                assert_eq!(welcome.extended, !client.stock);
                let facts = env.ledger.facts();
                let hub = facts.clients.iter().position(|other| other.id.as_str() == welcome.client_id);
                client.hub = Some(hub.expect("an identity of the hub"));
                client.welcomed_on = self.number;
            }
            ClientEvent::Welcome(Err(HelloError::Refused(_))) => {
                assert_eq!(client.secret, "wrong", "a good hello was refused");
                return Some(Ended::Refused);
            }
            ClientEvent::Welcome(Err(HelloError::Malformed(why))) => panic!("{why}"),
            ClientEvent::RefreshDue => {
                if env.one_in(5) {
                    self.session.refresh_failed(env.instant());
                } else {
                    self.hello(client.secret, env);
                }
            }
            ClientEvent::RefreshRefused(_) => {}
            ClientEvent::Reply(number, answer) => {
                let call = self.calls.remove(&number).expect("a reply to a call that waits");
                answered(env, call, answer);
            }
            ClientEvent::Progress(number, body) => {
                let call = self.calls.get(&number).expect("progress of a call that waits");
                env.calls[*call as usize].progress(&body);
            }
            ClientEvent::Subscribed(id, outcome) => client.subscribed(env, id, outcome),
            ClientEvent::Payload(id, payload) => client.event(env, id, payload, self.number, self.who),
            ClientEvent::Ended(id) => client.ended(id),
            ClientEvent::Reconnected(id, continuity) => client.reconnected(env, id, continuity, self.number, &self.said),
        }
        None
    }

    /// Fills the buffer of the socket once. Returns whether there is more to write.
    fn write(&mut self, env: &Env, up: &mut Pipe, down: &Pipe) -> bool {
        if std::mem::take(&mut self.pings) {
            up.put(Item::Ping);
        }
        while up.unwritten() < BUDGET
            && let Some(frame) = self.session.poll_transmit()
        {
            let payload = [&*frame.head, &*frame.body].concat().into();
            up.put(Item::Data { kind: frame.kind, payload, principal: Who::Nobody });
            self.frames += 1;
        }
        let pumped = up.pump(env.now);
        let traffic = Traffic {
            read: down.read(),
            written: up.written(),
            unwritten: usize::try_from(up.unwritten()).unwrap(),
            partial: usize::try_from(down.partial()).unwrap(),
            messages_read: self.messages,
            frames_sent: self.frames,
        };
        self.session.handle_traffic(env.instant(), traffic);
        pumped
    }
}
