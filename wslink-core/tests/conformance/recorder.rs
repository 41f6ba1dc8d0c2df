//! Plays a case with both sessions, and records each step.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value as Json, json};
use wslink_core::{
    Limits, Publisher,
    rpc::Mounted,
    session::{Memory, Shared},
    topic::Hub,
    wire::{Draft, Parts, Protocol, Target},
};

use super::{
    observed,
    pair::{Pair, server_of},
    service::{Kit, STATE, TEXT},
};

pub(crate) struct Recorder {
    protocol: &'static dyn Protocol,
    shared: Arc<Shared>,
    pair: Option<Pair>,
    memory: Memory,
    steps: Vec<Json>,
    /// The calls of this connection, by their numbers.
    calls: BTreeMap<u64, String>,
    /// All subscriptions; the place is the number.
    subscriptions: Vec<String>,
    /// Identities and tokens, which are random.
    random: Vec<String>,
}

fn serve() -> Arc<Shared> {
    let hub = Arc::<Hub>::default();
    let kit = Mounted::new(Kit(Publisher::new(Arc::clone(&hub))));
    server_of(hub, &[kit], Limits::with(|limits| limits.resume_bytes = 1500))
}

impl Recorder {
    pub(crate) fn new(protocol: &'static dyn Protocol) -> Self {
        Self {
            protocol,
            shared: serve(),
            pair: None,
            memory: Memory::default(),
            steps: Vec::new(),
            calls: BTreeMap::new(),
            subscriptions: Vec::new(),
            random: Vec::new(),
        }
    }

    pub(crate) fn connect(&mut self) {
        self.connect_with("alice");
    }

    pub(crate) fn connect_with(&mut self, secret: &str) {
        self.steps.push(json!({ "do": "connect", "secret": secret }));
        self.pair = Some(Pair::with_secret(&self.shared, self.protocol, std::mem::take(&mut self.memory), secret));
        self.run();
    }

    pub(crate) fn call(&mut self, name: &str, method: &str, args: &Json) {
        self.steps.push(json!({ "do": "call", "as": name, "method": method, "args": args }));
        let draft = self.draft(Target::Method(method), args, None);
        let number = self.client().call(draft, None).unwrap();
        self.calls.insert(number, name.to_owned());
    }

    pub(crate) fn cancel(&mut self, name: &str) {
        self.steps.push(json!({ "do": "cancel", "as": name }));
        let number = self.calls.iter().find_map(|(number, other)| (other == name).then_some(*number)).unwrap();
        self.client().cancel(number);
    }

    pub(crate) fn subscribe(&mut self, name: &str, topic: &str, filter: &Json) {
        self.steps.push(json!({ "do": "subscribe", "as": name, "topic": topic, "filter": filter }));
        let draft = self.draft(Target::Subscribe, &json!([topic]), Some(filter));
        let number = self.subscriptions.len() as u64;
        self.subscriptions.push(name.to_owned());
        self.client().subscribe(number, Arc::from(topic), draft);
    }

    pub(crate) fn unsubscribe(&mut self, name: &str) {
        self.steps.push(json!({ "do": "unsubscribe", "as": name }));
        let number = self.subscriptions.iter().position(|other| other == name).unwrap() as u64;
        match &mut self.pair {
            Some(pair) => pair.client.unsubscribe(number),
            None => self.memory.unsubscribe(number),
        }
    }

    /// The server publishes, which clients learn of by frames alone.
    pub(crate) fn publish(&self, text: &str) {
        self.shared.publisher.publish(TEXT, &text.to_owned());
    }

    pub(crate) fn retain(&self, text: &str) {
        self.shared.publisher.publish(STATE, &text.to_owned());
    }

    /// Moves frames in both directions until there are none.
    pub(crate) fn run(&mut self) {
        while self.moved(true) {}
    }

    /// The same, but what the server sends is lost.
    pub(crate) fn run_without_arrival(&mut self) {
        while self.moved(false) {}
    }

    fn moved(&mut self, arrives: bool) -> bool {
        let Some(mut pair) = self.pair.take() else { return false };
        let mut sent = Vec::new();
        pair.up_seen(|frame| sent.push(observed::message(frame)));
        let frames = pair.sent();
        for frame in &frames {
            self.note_random(&observed::message(frame));
        }
        let any = !sent.is_empty() || !frames.is_empty();
        if !sent.is_empty() {
            self.steps.push(json!({ "sends": sent }));
        }
        if arrives && !frames.is_empty() {
            self.steps
                .push(json!({ "receives": frames.iter().map(|frame| observed::frame(self.protocol, frame)).collect::<Json>() }));
            pair.read(&frames);
        }
        for event in pair.events() {
            let name = |number| self.calls[&number].clone();
            let label = |number| self.subscriptions[usize::try_from(number).unwrap()].clone();
            self.steps.extend(observed::event(event, name, label));
        }
        self.pair = Some(pair);
        any
    }

    /// The connection is lost, and both ends notice.
    pub(crate) fn lose(&mut self) {
        let mut lost = self.pair.take().unwrap().into_lost();
        self.steps.push(json!({ "do": "lose" }));
        lost.calls.sort_unstable();
        for (number, executed) in lost.calls {
            self.steps.push(json!({ "sees": "lost", "of": self.calls[&number], "maybeExecuted": executed }));
        }
        self.calls.clear();
        self.memory = lost.memory;
    }

    /// Another server takes the place of the present one.
    pub(crate) fn restart(&mut self) {
        self.shared = serve();
    }

    /// The steps, with texts of the same length in place of random ones.
    pub(crate) fn finish(mut self) -> Json {
        self.run();
        let mut text = Json::Array(self.steps).to_string();
        // A token begins with the identity.
        self.random.sort_by_key(|random| std::cmp::Reverse(random.len()));
        for (at, random) in self.random.iter().enumerate() {
            let fixed = format!("{at:0>width$}", width = random.len());
            text = text.replace(random, &fixed).replace(&observed::hex(random.as_bytes()), &observed::hex(fixed.as_bytes()));
        }
        serde_json::from_str(&text).unwrap()
    }

    fn note_random(&mut self, reply: &Json) {
        for member in ["clientID", "resume"] {
            if let Some(text) = reply["result"][member].as_str()
                && !self.random.iter().any(|known| known == text)
            {
                self.random.push(text.to_owned());
            }
        }
    }

    fn client(&mut self) -> &mut wslink_core::session::Session {
        &mut self.pair.as_mut().unwrap().client
    }

    fn draft(&self, target: Target<'_>, args: &Json, named: Option<&Json>) -> Box<dyn Draft> {
        let named = named.map(|named| named as &dyn erased_serde::Serialize);
        self.protocol.draft(target, Parts { positional: Some(args), named }).unwrap()
    }
}
