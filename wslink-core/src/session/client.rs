//! The connecting end of a session: its greeting, its requests, and its subscriptions over all connections.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{
    Event, Extensions, Link, SendQueue, Session, Side, Speaking,
    hello::{Hello, Resumption, Welcome},
    liveness::Liveness,
};
use crate::{
    CallError, ErrorCode, Limits, Value,
    wire::{Body, Draft, Encoded, Frame, Incoming, Message, Parts, Protocol, Received, Target, Unserializable},
};

/// What a client's session is set up with.
pub struct ClientSettings {
    /// The protocol to speak.
    pub protocol: &'static dyn Protocol,
    /// The limits of messages of the server.
    pub limits: Limits,
    /// After so much silence the server is pinged, and after as much again it is given up.
    pub ping: Duration,
    /// Whether a server without extensions is never given up for its silence: the original servers answer nothing while
    /// a method runs.
    pub waits_for_stock_servers: bool,
}

/// An event of a client's session.
#[derive(Debug)]
pub enum ClientEvent {
    /// The server has answered the hello.
    Welcome(Result<WelcomeInfo, HelloError>),
    /// The hello expires soon: say another one with a new secret.
    RefreshDue,
    /// The server refused another hello; the connection goes on until it expires.
    RefreshRefused(CallError),
    /// Our request is answered.
    Reply(u64, Result<Body, CallError>),
    /// Our request reports progress.
    Progress(u64, Body),
    /// The server has answered the request for a subscription.
    Subscribed(u64, Result<(), SubscribeError>),
    /// An event of a subscription, or the error in its place.
    Payload(u64, Result<Body, CallError>),
    /// The stream of a subscription has ended.
    Ended(u64),
    /// A subscription goes on, on a new connection.
    Reconnected(u64, Continuity),
}

/// Why a hello failed.
#[derive(Debug)]
pub enum HelloError {
    /// The server answered with this error.
    Refused(CallError),
    /// Its answer is not one; the text says why.
    Malformed(String),
}

/// Why a subscription failed.
#[derive(Debug)]
pub enum SubscribeError {
    /// The server answered with this error.
    Refused(CallError),
    /// Its answer is not one; the text says why.
    Malformed(String),
}

/// The outcome of a hello.
#[derive(Clone, Debug)]
pub struct WelcomeInfo {
    /// The identity that the server gave to this client.
    pub client_id: String,
    /// The extensions in force.
    pub extensions: Extensions,
    /// Whether the server knows extensions at all.
    pub extended: bool,
    /// Bytes of a frame that the server takes.
    pub max_frame: usize,
    /// Bytes of a message that the server takes.
    pub max_message: usize,
    /// The lifetime of the hello, unless it does not expire.
    pub lifetime: Option<Duration>,
}

/// The fate of a subscription while there was no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Continuity {
    /// Nothing was missed.
    Resumed,
    /// So many payloads were missed.
    Gap {
        /// How many.
        missed: u64,
    },
    /// It began anew; what was published in between is lost, and nobody counted.
    Fresh,
}

/// A request that is larger than the server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its bytes.
    pub bytes: usize,
    /// The most that the server takes.
    pub limit: usize,
}

/// The subscriptions of a client and the token to resume them, kept from one connection to the next.
#[derive(Default)]
pub struct Memory {
    /// In the order in which a server is asked for them again.
    entries: BTreeMap<u64, Entry>,
    by_topic: HashMap<Arc<str>, Vec<u64>>,
    by_number: HashMap<u64, u64>,
    /// How many events arrived that are not of one subscription alone, over all connections that were resumed.
    received: u64,
    resume: Option<String>,
}

struct Entry {
    topic: Arc<str>,
    draft: Box<dyn Draft>,
    /// Its number on the server; `None` while it was not confirmed.
    number: Option<u64>,
    /// An event for this subscription alone has come.
    began: bool,
    /// It was resumed, so that its topic is no stream of its own.
    resumed: bool,
}

/// The remains of a session whose connection is over.
pub struct Lost {
    /// To go on from.
    pub memory: Memory,
    /// The calls that were not answered, and whether the server may have executed each.
    pub calls: Vec<(u64, bool)>,
    /// The subscriptions whose first request was not answered.
    pub subscribing: Vec<u64>,
}

pub(super) struct ClientSide {
    memory: Memory,
    requests: HashMap<u64, Request>,
    next: u64,
    welcome: Option<WelcomeInfo>,
    waits_for_stock_servers: bool,
    refresh: Option<Refresh>,
}

/// When another hello is due.
struct Refresh {
    at: Option<Instant>,
    expiry: Option<Instant>,
}

/// A request that is not answered.
enum Request {
    Hello,
    Call,
    /// For this subscription, for the first time or again.
    Subscribe(u64, bool),
    /// Its answer does not matter.
    Notice,
}

/// The result of a subscription.
#[derive(Deserialize)]
struct Subscribed {
    subscription: u64,
}

/// An error, as the server writes it.
#[derive(Deserialize)]
struct WireError {
    code: i32,
    #[serde(default)]
    message: String,
    #[serde(default)]
    data: Option<Value>,
}

/// The extensions that this client uses where the server knows them.
const EXTENSIONS: [&str; 6] = ["subscribe", "cancel", "progress", "deadline", "resume", "refresh"];

/// However short the lifetime of a hello is, another one is not asked for more often.
const MIN_REFRESH: Duration = Duration::from_millis(100);

/// A failed refresh is tried again at half of the time that is left, unless that is less.
const LEAST_LEFT: Duration = Duration::from_secs(1);

impl Session {
    /// The end of a client, which goes on from the `memory` of the connection before.
    #[must_use]
    pub fn client(settings: &ClientSettings, memory: Memory, now: Instant) -> Self {
        let ClientSettings { protocol, limits, ping, waits_for_stock_servers } = settings;
        let mut decoder = protocol.decoder(limits);
        // A client has chosen its server: nothing is held back until the hello is answered.
        decoder.authenticated();
        let side = ClientSide {
            memory,
            requests: HashMap::new(),
            next: 0,
            welcome: None,
            waits_for_stock_servers: *waits_for_stock_servers,
            refresh: None,
        };
        let link = Link {
            speaking: Some(Speaking { protocol: *protocol, decoder }),
            queue: SendQueue::new(None),
            liveness: Liveness::client(*ping, now),
            events: std::collections::VecDeque::new(),
            unwritten: 0,
            close: None,
        };
        Self { link, side: Side::Client(Box::new(side)) }
    }

    /// Says hello, for the first time or to refresh what is about to expire.
    ///
    /// # Errors
    /// The secret cannot be written.
    pub fn hello(&mut self, secret: &str) -> Result<(), Unserializable> {
        self.with_client(|client, link| client.hello(link, secret)).unwrap_or(Ok(()))
    }

    /// The secret for another hello could not be had: schedules the next attempt.
    pub fn refresh_failed(&mut self, now: Instant) {
        self.with_client(|client, _| client.refresh_failed(now));
    }

    /// Sends a call, and returns its number.
    ///
    /// # Errors
    /// It is larger than the server takes.
    pub fn call(&mut self, draft: Box<dyn Draft>, timeout: Option<Duration>) -> Result<u64, Refused> {
        self.with_client(|client, link| client.call(link, draft, timeout)).unwrap_or(Err(Refused { bytes: 0, limit: 0 }))
    }

    /// Nobody waits for the answer to a call any more.
    pub fn cancel(&mut self, number: u64) {
        self.with_client(|client, link| client.cancel(link, number));
    }

    /// Subscribes, as subscription `id` of this client.
    pub fn subscribe(&mut self, id: u64, topic: Arc<str>, draft: Box<dyn Draft>) {
        self.with_client(|client, link| client.subscribe(link, id, topic, draft));
    }

    /// Ends a subscription.
    pub fn unsubscribe(&mut self, id: u64) {
        self.with_client(|client, link| client.unsubscribe(link, id));
    }

    /// The connection is over: the remains of the session.
    #[must_use]
    pub fn into_lost(self) -> Option<Lost> {
        let Self { link, side } = self;
        match side {
            Side::Client(client) => Some(client.lost(&link)),
            Side::Server(_) => None,
        }
    }

    fn with_client<R>(&mut self, act: impl FnOnce(&mut ClientSide, &mut Link) -> R) -> Option<R> {
        match &mut self.side {
            Side::Client(client) => Some(act(client, &mut self.link)),
            Side::Server(_) => None,
        }
    }
}

impl Memory {
    /// Ends a subscription while there is no connection.
    pub fn unsubscribe(&mut self, id: u64) {
        self.remove(id);
    }

    fn add(&mut self, id: u64, topic: Arc<str>, draft: Box<dyn Draft>) {
        self.by_topic.entry(Arc::clone(&topic)).or_default().push(id);
        self.entries.insert(id, Entry { topic, draft, number: None, began: false, resumed: false });
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        if let Some(number) = entry.number {
            self.by_number.remove(&number);
        }
        if let Some(ids) = self.by_topic.get_mut(&entry.topic) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_topic.remove(&entry.topic);
            }
        }
        Some(entry)
    }

    /// There is a new connection. Returns the numbers of subscriptions that the server still has and nobody wants.
    fn reconnected(&mut self, resumed: Option<&Resumption>, events: &mut impl Extend<Event>) -> Vec<u64> {
        let told = |id: u64, continuity| Event::Client(ClientEvent::Reconnected(id, continuity));
        let Some(Resumption { missed, kept }) = resumed else {
            self.received = 0;
            self.by_number.clear();
            self.entries.values_mut().for_each(Entry::begin_anew);
            events.extend(self.entries.keys().map(|id| told(*id, Continuity::Fresh)));
            return Vec::new();
        };
        let mut orphans = kept.clone();
        for (id, entry) in &mut self.entries {
            let place = entry.number.and_then(|number| orphans.iter().position(|orphan| *orphan == number));
            match place {
                Some(place) => {
                    orphans.swap_remove(place);
                    entry.resumed = true;
                }
                None => {
                    entry.number.map(|number| self.by_number.remove(&number));
                    entry.begin_anew();
                }
            }
            let continuity = match (entry.number, missed.get(&*entry.topic).copied().unwrap_or(0)) {
                (None, _) => Continuity::Fresh,
                (Some(_), 0) => Continuity::Resumed,
                (Some(_), missed) => Continuity::Gap { missed },
            };
            events.extend([told(*id, continuity)]);
        }
        orphans.sort_unstable();
        orphans
    }
}

impl Entry {
    /// The server does not have it any more.
    fn begin_anew(&mut self) {
        (self.number, self.began, self.resumed) = (None, false, false);
    }

    /// An event has come for this subscription alone. Returns whether it came before: the server sends what the topic
    /// retained when the subscription began once more to a client that resumes, unless a later event shows that it has
    /// arrived.
    fn has_begun(&mut self) -> bool {
        std::mem::replace(&mut self.began, true) && self.resumed
    }
}

impl ClientSide {
    fn number(&mut self, request: Request) -> u64 {
        let number = self.next;
        self.next += 1;
        self.requests.insert(number, request);
        number
    }

    fn hello(&mut self, link: &mut Link, secret: &str) -> Result<(), Unserializable> {
        let Some(protocol) = link.speaking.as_ref().map(|speaking| speaking.protocol) else { return Ok(()) };
        let again = self.welcome.is_some();
        let number = self.number(Request::Hello);
        let resume = self.memory.resume.clone().filter(|_| !again);
        let received = resume.as_ref().map(|_| self.memory.received);
        let hello = Hello { secret, extensions: &EXTENSIONS, resume: resume.as_deref(), received };
        let draft = protocol.draft(Target::Hello, Parts { positional: Some(&(hello,)), named: None })?;
        link.queue.urgent(draft.seal(number, None, usize::MAX));
        Ok(())
    }

    fn max_frame(&self) -> usize {
        self.welcome.as_ref().map_or(usize::MAX, |welcome| welcome.max_frame)
    }

    fn call(&mut self, link: &mut Link, draft: Box<dyn Draft>, timeout: Option<Duration>) -> Result<u64, Refused> {
        let deadline = self.welcome.as_ref().is_some_and(|welcome| welcome.extensions.deadline);
        let timeout_ms = timeout.filter(|_| deadline).map(|timeout| super::hello::milliseconds(timeout).max(1));
        let request = draft.seal(self.next, timeout_ms, self.max_frame());
        self.admit(&request)?;
        let number = self.number(Request::Call);
        link.queue.request(number, request);
        Ok(number)
    }

    /// Refuses a request that the server would end the connection for.
    fn admit(&self, request: &Encoded) -> Result<(), Refused> {
        let Some(welcome) = &self.welcome else { return Ok(()) };
        let frame = request.frames().iter().map(Frame::len).max().unwrap_or(0);
        for (bytes, limit) in [(frame, welcome.max_frame), (request.len(), welcome.max_message)] {
            if bytes > limit {
                return Err(Refused { bytes, limit });
            }
        }
        Ok(())
    }

    fn cancel(&mut self, link: &mut Link, number: u64) {
        if !matches!(self.requests.get(&number), Some(Request::Call)) {
            return;
        }
        self.requests.remove(&number);
        let may_cancel = self.welcome.as_ref().is_some_and(|welcome| welcome.extensions.cancel);
        let cancellation = may_cancel.then(|| self.notice(link, Target::Cancel(number), Parts::default())).flatten();
        link.queue.cancel_request(number, cancellation);
    }

    /// A request to the server itself, whose answer does not matter.
    fn notice(&mut self, link: &Link, target: Target<'_>, parts: Parts<'_>) -> Option<Encoded> {
        let protocol = link.speaking.as_ref()?.protocol;
        let draft = protocol.draft(target, parts).ok()?;
        let number = self.number(Request::Notice);
        Some(draft.seal(number, None, self.max_frame()))
    }

    fn knows_subscriptions(&self) -> bool {
        self.welcome.as_ref().is_some_and(|welcome| welcome.extensions.subscribe)
    }

    fn subscribe(&mut self, link: &mut Link, id: u64, topic: Arc<str>, draft: Box<dyn Draft>) {
        self.memory.add(id, topic, draft.copy());
        if self.knows_subscriptions() {
            self.request_subscription(link, id, draft, true);
        } else {
            // Such a server sends everything to everybody.
            link.events.push_back(Event::Client(ClientEvent::Subscribed(id, Ok(()))));
        }
    }

    fn request_subscription(&mut self, link: &mut Link, id: u64, draft: Box<dyn Draft>, first: bool) {
        let number = self.number(Request::Subscribe(id, first));
        link.queue.urgent(draft.seal(number, None, self.max_frame()));
    }

    fn unsubscribe(&mut self, link: &mut Link, id: u64) {
        // A server takes whatever follows a hello for a sign that its answer has arrived. Until then the subscription is
        // only forgotten: if the server goes on with it, it is told when the answer comes.
        if let Some(number) = self.memory.remove(id).and_then(|entry| entry.number)
            && self.welcome.is_some()
        {
            self.unsubscribe_number(link, number);
        }
    }

    fn unsubscribe_number(&mut self, link: &mut Link, number: u64) {
        let arguments = [number];
        if let Some(request) = self.notice(link, Target::Unsubscribe, Parts { positional: Some(&arguments), named: None }) {
            link.queue.urgent(request);
        }
    }

    pub(super) fn message(&mut self, link: &mut Link, now: Instant, message: Message, incoming: &mut Incoming) {
        match message {
            Message::Reply { number, content } => self.reply(link, now, number, content, incoming),
            Message::Event { topic, subscription, content } => self.event(link, &topic, subscription, content, incoming),
            // Requests of a server, which this client does not serve, and messages of later protocols.
            _ => {}
        }
    }

    fn reply(&mut self, link: &mut Link, now: Instant, number: u64, content: Received, incoming: &mut Incoming) {
        let answer = match content {
            Received::Progress(span) => {
                if matches!(self.requests.get(&number), Some(Request::Call)) {
                    let body = incoming.body(span);
                    link.events.push_back(Event::Client(ClientEvent::Progress(number, body)));
                }
                return;
            }
            Received::End => return,
            Received::Result(span) => Ok(incoming.body(span)),
            Received::Error(span) => Err(call_error(&incoming.body(span))),
        };
        match self.requests.remove(&number) {
            Some(Request::Call) => link.events.push_back(Event::Client(ClientEvent::Reply(number, answer))),
            Some(Request::Hello) => self.greeted(link, now, answer),
            Some(Request::Subscribe(id, first)) => self.subscribed(link, id, first, answer),
            Some(Request::Notice) | None => {}
        }
    }

    fn greeted(&mut self, link: &mut Link, now: Instant, answer: Result<Body, CallError>) {
        let read = match answer {
            Ok(body) => body.decode::<Welcome>().map_err(HelloError::Malformed),
            Err(error) => Err(HelloError::Refused(error)),
        };
        let again = self.welcome.is_some();
        let welcome = match (read, again) {
            (Ok(welcome), _) => welcome,
            (Err(HelloError::Refused(error)), true) => {
                if error.code() == ErrorCode::Unavailable {
                    self.refresh_failed(now);
                }
                return link.events.push_back(Event::Client(ClientEvent::RefreshRefused(error)));
            }
            (Err(HelloError::Malformed(why)), true) => {
                return tracing::warn!(why, "the answer to another hello is malformed");
            }
            (Err(error), false) => return link.events.push_back(Event::Client(ClientEvent::Welcome(Err(error)))),
        };
        self.memory.resume.clone_from(&welcome.resume);
        self.schedule_refresh(now, welcome.lifetime());
        if again {
            return;
        }
        let listed = welcome.extensions.clone().unwrap_or_default();
        let extensions = Extensions::negotiate(listed.iter().map(String::as_str), Extensions::offered(true, true));
        let limits = welcome.limits.as_ref();
        let info = WelcomeInfo {
            client_id: welcome.client_id.clone(),
            extensions,
            extended: welcome.extensions.is_some(),
            max_frame: limits.and_then(|limits| limits.frame_bytes).or(welcome.max_frame).unwrap_or(usize::MAX),
            max_message: limits.and_then(|limits| limits.message_bytes).unwrap_or(usize::MAX),
            lifetime: welcome.lifetime(),
        };
        if self.waits_for_stock_servers && !info.extended {
            link.liveness.never_give_up();
        }
        self.welcome = Some(info.clone());
        link.events.push_back(Event::Client(ClientEvent::Welcome(Ok(info))));
        let resumed = welcome.resumed.flatten();
        let orphans = self.memory.reconnected(resumed.as_ref(), &mut link.events);
        for number in orphans {
            self.unsubscribe_number(link, number);
        }
        if extensions.subscribe {
            let open = self.memory.entries.iter().filter(|(_, entry)| entry.number.is_none());
            let open: Vec<_> = open.map(|(id, entry)| (*id, entry.draft.copy())).collect();
            for (id, draft) in open {
                self.request_subscription(link, id, draft, false);
            }
        }
    }

    fn subscribed(&mut self, link: &mut Link, id: u64, first: bool, answer: Result<Body, CallError>) {
        let number = match answer {
            Ok(body) => body.decode::<Subscribed>().map(|subscribed| subscribed.subscription).map_err(SubscribeError::Malformed),
            Err(error) => Err(SubscribeError::Refused(error)),
        };
        match number {
            Ok(number) => match self.memory.entries.get_mut(&id) {
                Some(entry) => {
                    entry.number = Some(number);
                    self.memory.by_number.insert(number, id);
                    if first {
                        link.events.push_back(Event::Client(ClientEvent::Subscribed(id, Ok(()))));
                    }
                }
                None => self.unsubscribe_number(link, number),
            },
            Err(error) => {
                self.memory.remove(id);
                link.events.push_back(Event::Client(ClientEvent::Subscribed(id, Err(error))));
            }
        }
    }

    fn event(&mut self, link: &mut Link, topic: &str, subscription: Option<u64>, content: Received, incoming: &mut Incoming) {
        let Memory { entries, by_topic, by_number, received, .. } = &mut self.memory;
        let one = subscription.map(|number| by_number.get(&number).copied());
        let ids = match &one {
            Some(id) => id.as_slice(),
            None => by_topic.get(topic).map_or(&[][..], Vec::as_slice),
        };
        let payload = match content {
            Received::Result(span) => Ok(incoming.body(span)),
            Received::Error(span) => Err(call_error(&incoming.body(span))),
            Received::Progress(_) => return,
            Received::End => {
                if let Some(Some(id)) = one {
                    self.memory.remove(id);
                    link.events.push_back(Event::Client(ClientEvent::Ended(id)));
                }
                return;
            }
        };
        if let Some(Some(id)) = one
            && entries.get_mut(&id).is_some_and(Entry::has_begun)
        {
            return;
        }
        // The server does not count the events that it sends to one subscription alone.
        *received += u64::from(one.is_none());
        link.events.extend(ids.iter().map(|id| Event::Client(ClientEvent::Payload(*id, payload.clone()))));
    }

    fn schedule_refresh(&mut self, now: Instant, lifetime: Option<Duration>) {
        self.refresh = lifetime.map(|lifetime| Refresh {
            at: now.checked_add((lifetime / 4 * 3).max(MIN_REFRESH)),
            expiry: now.checked_add(lifetime),
        });
    }

    fn refresh_failed(&mut self, now: Instant) {
        let Some(refresh) = &mut self.refresh else { return };
        let left = refresh.expiry.map(|expiry| expiry.saturating_duration_since(now)).filter(|left| *left > LEAST_LEFT);
        refresh.at = left.and_then(|left| now.checked_add(left / 2));
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.refresh.as_ref().and_then(|refresh| refresh.at)
    }

    pub(super) fn timeout(&mut self, link: &mut Link, now: Instant) {
        if let Some(refresh) = self.refresh.as_mut().filter(|refresh| refresh.at.is_some_and(|at| at <= now)) {
            refresh.at = None;
            link.events.push_back(Event::Client(ClientEvent::RefreshDue));
        }
    }

    fn lost(mut self: Box<Self>, link: &Link) -> Lost {
        let unsent: Vec<u64> = link.queue.unsent_requests().collect();
        let mut lost = Lost { memory: Memory::default(), calls: Vec::new(), subscribing: Vec::new() };
        for (number, request) in self.requests.drain() {
            match request {
                Request::Call => lost.calls.push((number, !unsent.contains(&number))),
                // The program that waits for it asks again.
                Request::Subscribe(id, true) => {
                    self.memory.remove(id);
                    lost.subscribing.push(id);
                }
                Request::Subscribe(_, false) | Request::Hello | Request::Notice => {}
            }
        }
        lost.memory = self.memory;
        lost
    }
}

/// The error that `body` is.
fn call_error(body: &Body) -> CallError {
    match body.decode::<WireError>() {
        Ok(WireError { code, message, data }) => {
            let error = CallError::new(ErrorCode::from_number(code), message);
            data.into_iter().fold(error, CallError::with_data)
        }
        Err(why) => CallError::new(ErrorCode::Exception, format!("an error that cannot be read: {why}")),
    }
}
