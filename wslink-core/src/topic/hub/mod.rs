//! The hub: the authenticated clients of one server, and the topics of each.
//!
//! `authorization` decides which events they may see. Locks are taken in this order: the clients, the order of a topic, what is
//! retained, an outbox; under none of them runs any code of the application.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, BuildHasherDefault},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard},
    task::{Context, Poll},
};

use rustc_hash::FxHasher;

pub use self::resume::{AGES, Disconnected, Resume, Resumed};
use self::{change::Watchers, retained::Retained};
pub(super) use self::{
    clients::{Audience, Clients},
    publication::Channel,
};
use super::{
    Delivery, Interest, Outbox,
    authorization::{Answers, Guard, Restriction, forbidden},
    budget::Budget,
    discarded::Discarded,
    event::Event,
    protocols::Spoken,
    subscriber::{Companion, Subscriber, Visibility},
};
use crate::{CallError, Client, ClientId, Disconnect, telemetry::Telemetry, wire::Protocol};

mod change;
mod clients;
mod publication;
mod resume;
mod retained;
#[cfg(test)]
mod tests;

/// So many topics can be published on at once, unless two of them share a lock.
const ORDERS: usize = 64;

/// The authenticated clients of one server, and the order in which they receive events.
pub struct Hub {
    clients: RwLock<Clients>,
    watchers: Watchers,
    /// Set when the server is built.
    pub(super) guard: OnceLock<Guard>,
    /// Held while an event is given to the clients, so that all of them get the events of a topic in one order.
    orders: [Mutex<()>; ORDERS],
    /// The last event of each topic that keeps it.
    retained: Mutex<BTreeMap<&'static str, Arc<Retained>>>,
    /// Events dropped by the policy of their topic.
    dropped: Mutex<HashMap<&'static str, u64>>,
    /// What may be kept for all clients that are remembered.
    pub(super) budget: Arc<Budget>,
    /// The telemetry of the server, where it is kept.
    telemetry: OnceLock<Arc<Telemetry>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            clients: RwLock::default(),
            watchers: Watchers::default(),
            guard: OnceLock::new(),
            orders: std::array::from_fn(|_| Mutex::default()),
            retained: Mutex::default(),
            dropped: Mutex::default(),
            budget: Arc::default(),
            telemetry: OnceLock::new(),
        }
    }
}

/// How often what a topic retains is encoded for a new subscription that something newer overtakes, before nothing may.
const ATTEMPTS: usize = 4;

impl Hub {
    /// From now on publications are counted.
    pub fn set_telemetry(&self, telemetry: Arc<Telemetry>) {
        let _ = self.telemetry.set(telemetry);
    }

    /// From now on, topics are seen by whom `guard` lets see them.
    pub fn set_guard(&self, guard: Guard) {
        // A server is built once.
        let _ = self.guard.set(guard);
    }

    /// Adds a client. One that wants everything gets what the topics retain.
    pub fn join(
        &self,
        client: Client,
        wire: &'static dyn Protocol,
        outbox: Arc<Outbox>,
        interest: Interest,
        companion: Option<Arc<dyn Companion>>,
    ) {
        let Some(wire) = self.spoken(wire) else {
            return tracing::error!(protocol = wire.name(), "clients of too many protocols; this one receives nothing");
        };
        let everything = matches!(interest, Interest::Everything);
        let peer = Subscriber::new(client, wire, outbox, interest, companion);
        let mut answers = Answers::new();
        let mut discarded = Discarded::default();
        loop {
            let mut clients = self.change();
            let wanted = self.retained_for(everything);
            let open = self.open(wanted.iter().map(|last| last.topic), &answers);
            if !open.is_empty() || wanted.iter().any(|last| !last.is_ready(wire)) {
                drop(clients);
                self.prepare(&peer.client, wire, open, &wanted, &mut answers);
                continue;
            }
            if clients.get(peer.client.id().as_str()).is_some() {
                return;
            }
            for last in wanted.iter().filter(|last| may_see(&peer.client, last.topic, last.require, &answers)) {
                peer.outbox.put_unlimited(last.event(wire), &mut discarded);
            }
            peer.decisions.replace(answers);
            clients.insert(peer);
            return;
        }
    }

    /// The client has said hello again, perhaps as another principal. It gets nothing more of what it must not see now,
    /// and another principal nothing of what was sent to the one before. One that wants everything gets what
    /// is retained of the topics that it sees now and did not see before.
    pub fn renew(&self, client: &Client, outbox: &Arc<Outbox>) {
        let asked = self.guard.get().is_some_and(Guard::asks);
        let mut answers = Answers::new();
        let mut discarded = Discarded::default();
        loop {
            let mut clients = self.change();
            let Some(peer) = clients.of(client.id(), outbox) else { return };
            let wire = peer.wire;
            let wanted = self.retained_for(matches!(peer.interest, Interest::Everything));
            let waiting = outbox.restrictions();
            let topics = wanted.iter().map(|last| last.topic).chain(waiting.iter().map(|waiting| &*waiting.topic));
            let open = self.open(topics, &answers);
            if !open.is_empty() || wanted.iter().any(|last| !last.is_ready(wire)) {
                drop(clients);
                self.prepare(client, wire, open, &wanted, &mut answers);
                continue;
            }
            let stays = |event: &Event| event.is_visible(|topic, require| may_see(client, topic, require, &answers));
            let is_another = !peer.client.principal().is_like(client.principal());
            outbox.change_principal(stays, is_another, &mut discarded);
            if is_another {
                discarded.other(peer.resumption.take());
            }
            for last in wanted {
                let Retained { topic, require, .. } = *last;
                if !peer.may_see(Visibility { topic, require, asked }) && may_see(client, topic, require, &answers) {
                    outbox.put_unlimited(last.event(wire), &mut discarded);
                }
            }
            peer.decisions.replace(answers);
            discarded.other(std::mem::replace(&mut peer.client, client.clone()));
            return;
        }
    }

    /// The protocol with the place that it has in this hub.
    fn spoken(&self, protocol: &'static dyn Protocol) -> Option<Spoken> {
        let known = self.read().protocols.find(protocol);
        known.or_else(|| self.change().protocols.add(protocol))
    }

    /// The topics among these of which the application has to be asked.
    pub(super) fn open<'t>(&self, topics: impl Iterator<Item = &'t str>, answers: &Answers) -> HashSet<Box<str>> {
        let asks = self.guard.get().is_some_and(Guard::asks);
        topics.filter(|topic| asks && !answers.contains_key(*topic)).map(Box::from).collect()
    }

    /// Does what runs code of the application or takes long: no lock is held. There may be more to do afterwards.
    fn prepare(&self, client: &Client, wire: Spoken, open: HashSet<Box<str>>, wanted: &[Arc<Retained>], answers: &mut Answers) {
        self.ask(client, open, answers);
        wanted.iter().for_each(|last| drop(last.event(wire)));
    }

    /// Asks the application about these topics.
    pub(super) fn ask(&self, client: &Client, open: HashSet<Box<str>>, answers: &mut Answers) {
        let Some(guard) = self.guard.get() else { return };
        answers.extend(open.into_iter().map(|topic| {
            let answer = guard.ask(client, &topic);
            (topic, answer)
        }));
    }

    /// Whether `client` may subscribe to `topic`.
    ///
    /// # Errors
    /// What to tell the client.
    pub fn admit(&self, client: &Client, topic: &str) -> Result<(), CallError> {
        let Some(guard) = self.guard.get() else { return Ok(()) };
        if let Some(authority) = guard.required(topic) {
            client.principal().require(authority)?;
        }
        if !guard.asks() || self.decide(guard, client, topic) { Ok(()) } else { Err(forbidden()) }
    }

    /// Asks the application about `client` and keeps what it says.
    fn decide(&self, guard: &Guard, client: &Client, topic: &str) -> bool {
        let epoch = self.read().get(client.id().as_str()).map(|peer| peer.decisions.epoch());
        let answer = guard.ask(client, topic);
        if let (Some(epoch), Some(peer)) = (epoch, self.read().get(client.id().as_str())) {
            peer.decisions.record(epoch, topic, answer);
        }
        answer
    }

    /// What the application said of a client counts no more. Waits for what is being published, in the midst of which
    /// nobody becomes undecided.
    pub(super) fn reconsider(&self, id: &ClientId) {
        if let Some(peer) = self.change().get(id.as_str()) {
            peer.decisions.forget();
        }
    }

    /// The connection of `id` with `outbox` is over.
    pub fn leave(&self, id: &ClientId, outbox: &Arc<Outbox>) {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        if clients.of(id, outbox).is_some() {
            clients.remove(id, &mut discarded);
        }
    }

    /// From now on `id` receives `topic` by this `subscription`, which begins with what the topic retains.
    pub fn subscribe(&self, id: &ClientId, outbox: &Arc<Outbox>, topic: &str, subscription: u64) {
        let mut discarded = Discarded::default();
        let mut made: Option<(Arc<Retained>, Event)> = None;
        let mut attempts = 0;
        loop {
            let mut clients = self.change();
            let Some(wire) = clients.of(id, outbox).map(|peer| peer.wire.protocol) else { return };
            let last = self.retained().get(topic).map(Arc::clone);
            // Nothing newer may come between the beginning and what is retained.
            if let Some(last) = &last
                && attempts < ATTEMPTS
                && made.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, last))
            {
                drop(clients);
                made = Some((Arc::clone(last), last.first(wire, subscription)));
                attempts += 1;
                continue;
            }
            let Some(peer) = clients.subscribe(id, outbox, topic, subscription) else { return };
            if let Some(last) = last.filter(|last| peer.may_see(Visibility { require: last.require, ..self.visibility(topic) })) {
                let made = made.take().filter(|(of, _)| Arc::ptr_eq(of, &last));
                let event = made.map_or_else(|| last.first(wire, subscription), |(_, event)| event);
                outbox.put_unlimited(event, &mut discarded);
            }
            return;
        }
    }

    /// Takes a subscription back.
    pub fn unsubscribe(&self, id: &ClientId, outbox: &Arc<Outbox>, topic: &str, subscription: u64) {
        self.change().unsubscribe(id, outbox, topic, subscription);
    }

    pub(super) fn enter(&self, id: &ClientId, group: &str) {
        self.change().enter(id, group);
    }

    pub(super) fn exit(&self, id: &ClientId, group: &str) {
        self.change().exit(id, group);
    }

    /// Ready when every client of `audience` has taken most of what was published.
    pub(super) fn poll_ready(&self, audience: &Audience, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = true;
        self.read().each(audience, |peer| ready = ready && peer.outbox.poll_ready(cx).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// How many clients of `audience` that are here receive `topic`.
    pub(super) fn subscribers(&self, audience: &Audience, topic: &str) -> usize {
        let visibility = self.visibility(topic);
        if let Some(guard) = self.guard.get().filter(|_| visibility.asked) {
            let undecided = publication::undecided(self.read().receivers(topic), audience, topic);
            undecided.iter().for_each(|client| _ = self.decide(guard, client, topic));
        }
        let mut count = 0;
        self.read().receivers(topic).each(audience, |peer, _| count += usize::from(!peer.away && peer.may_see(visibility)));
        count
    }

    /// Closes the connections of `audience`, which may not resume, for this reason. Returns how many clients there were.
    #[expect(clippy::ptr_arg, reason = "each client keeps it, and most reasons are static")]
    pub(super) fn disconnect(&self, audience: &Audience, reason: &Cow<'static, str>) -> usize {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        let mut ids = Vec::new();
        clients.each(audience, |peer| ids.push((peer.client.id().clone(), peer.away)));
        for (id, away) in &ids {
            let Some(peer) = clients.get_mut(id.as_str()) else { continue };
            if let Some(companion) = &peer.companion {
                companion.end_with(Disconnect::Kicked(reason.clone()));
            }
            // An outbox that has ended has nothing to resume from.
            peer.outbox.kick(reason.clone(), &mut discarded);
            if *away {
                clients.away.since.retain(|(other, _)| other != id);
                clients.remove(id, &mut discarded);
            }
        }
        ids.len()
    }

    /// How many clients of `audience` are here.
    pub(super) fn clients(&self, audience: &Audience) -> usize {
        let mut count = 0;
        self.read().each(audience, |peer| count += usize::from(!peer.away));
        count
    }

    /// How many events for the client `id` were dropped by the policies of their topics.
    pub(super) fn dropped_for(&self, id: &ClientId) -> u64 {
        self.read().get(id.as_str()).map_or(0, |peer| peer.outbox.dropped())
    }

    /// What decides who may see the events of `topic`; nothing where everybody may.
    pub(crate) fn restriction(&self, topic: &str) -> Option<Arc<Restriction>> {
        self.visibility(topic).restriction()
    }

    /// A topic that is only known by its name.
    fn visibility<'a>(&self, topic: &'a str) -> Visibility<'a> {
        let guard = self.guard.get();
        Visibility { topic, require: guard.and_then(|guard| guard.required(topic)), asked: guard.is_some_and(Guard::asks) }
    }

    /// How many events of `topic` were dropped by its policy, for all clients together.
    pub(super) fn dropped(&self, topic: &str) -> u64 {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied().unwrap_or(0)
    }

    /// An event was given to so many clients, for which so many older ones were dropped.
    pub fn published(&self, topic: &'static str, delivery: Delivery, receivers: usize, dropped: usize) {
        if let Some(telemetry) = self.telemetry.get() {
            telemetry.published(topic, Some(delivery), receivers, dropped);
        }
        if dropped > 0 {
            tracing::debug!(topic, ?delivery, dropped, "dropped events");
            *self.dropped.lock().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default() += dropped as u64;
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn order(&self, topic: &str) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<FxHasher>::default().hash_one(topic);
        let index = usize::try_from(hash % ORDERS as u64).unwrap_or(0);
        self.orders[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Only changes while the clients are read.
    fn retained(&self) -> MutexGuard<'_, BTreeMap<&'static str, Arc<Retained>>> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a client that wants `everything` gets of what is retained.
    fn retained_for(&self, everything: bool) -> Vec<Arc<Retained>> {
        if everything { self.retained().values().map(Arc::clone).collect() } else { Vec::new() }
    }
}

/// Whether `client` may see `topic`, when it is not in its place yet.
pub(super) fn may_see(client: &Client, topic: &str, require: Option<&str>, answers: &Answers) -> bool {
    require.is_none_or(|authority| client.principal().holds(authority)) && answers.get(topic) != Some(&false)
}
