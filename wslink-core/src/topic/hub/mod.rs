//! Who receives events: the authenticated clients of one server, and what each asked for.
//!
//! What they may see is `guard`'s business.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    task::{Context, Poll},
};

pub(super) use self::{
    clients::{Audience, Clients},
    publication::Channel,
};
use super::{
    Delivery, Interest, Outbox,
    discarded::Discarded,
    guard::{Decisions, Guard, Restriction, forbidden},
    peer::{Peer, Sight},
    queue::Origin,
};
use crate::{
    CallError, Client, ClientId,
    telemetry::Account,
    wire::{self, Encoded, Protocol},
};

mod clients;
mod publication;
#[cfg(test)]
mod tests;

#[derive(Default)]
pub struct Hub {
    clients: RwLock<Clients>,
    /// Set when the server is built.
    pub(super) guard: OnceLock<Guard>,
    /// The last event of each topic that keeps it.
    retained: Mutex<BTreeMap<&'static str, Retained>>,
    /// Events dropped by the policy of their topic.
    dropped: Mutex<HashMap<&'static str, u64>>,
    /// The account of the server, if it is kept.
    account: OnceLock<Arc<Account>>,
}

/// The last event of a topic, in every generation.
struct Retained {
    require: Option<&'static str>,
    restriction: Option<Arc<Restriction>>,
    frames: [Encoded; wire::ALL.len()],
}

impl Retained {
    /// Of the event that is made of it.
    fn origin(&self) -> Origin {
        Origin { restriction: self.restriction.clone(), ..Origin::default() }
    }
}

impl Hub {
    /// From now on publications are counted.
    pub fn keep_account(&self, account: Arc<Account>) {
        let _ = self.account.set(account);
    }

    /// From now on, topics are seen by whom `guard` lets see them.
    pub fn set_guard(&self, guard: Guard) {
        // A server is built once.
        let _ = self.guard.set(guard);
    }

    /// Adds a client. One that wants everything gets what the topics retain.
    pub fn join(&self, client: Client, wire: &'static dyn Protocol, outbox: Arc<Outbox>, interest: Interest) {
        let decisions = Decisions::default();
        self.seat(Peer { client, decisions, wire, outbox, interest, resumption: None, away: false }, false);
    }

    /// The client has said hello again, perhaps as another principal. It gets nothing more of what it must not see now,
    /// and another principal nothing of what was sent to the one before. One that wants everything gets what
    /// is retained of the topics that it sees now and did not see before.
    pub fn renew(&self, client: &Client, outbox: &Arc<Outbox>) {
        let Some(peer) = self.change().of(client.id(), outbox).map(|peer| Peer {
            client: client.clone(),
            decisions: Decisions::default(),
            wire: peer.wire,
            outbox: Arc::clone(&peer.outbox),
            interest: peer.interest.clone(),
            resumption: peer.resumption.clone(),
            away: false,
        }) else {
            return;
        };
        self.seat(peer, true);
    }

    /// Puts a client into its place, or into its own `again`, unless it has another connection by then.
    fn seat(&self, peer: Peer, again: bool) {
        let guard = self.guard.get().filter(|guard| guard.asks());
        let everything = matches!(peer.interest, Interest::Everything);
        let mut answers = HashMap::<Box<str>, bool>::new();
        let mut discarded = Discarded::default();
        loop {
            let mut clients = self.change();
            let retained = self.retained();
            let wanted = retained.iter().filter(|_| everything);
            let waiting = if again { peer.outbox.restrictions() } else { HashSet::new() };
            let topics = wanted.clone().map(|(topic, _)| *topic).chain(waiting.iter().map(|restriction| &*restriction.topic));
            let open: HashSet<Box<str>> = topics.filter(|topic| !answers.contains_key(*topic)).map(Box::from).collect();
            // The application is asked while nobody waits for it, and then there may be more to ask.
            if let Some(guard) = guard.filter(|_| !open.is_empty()) {
                drop((clients, retained));
                answers.extend(open.into_iter().map(|topic| {
                    let answer = guard.ask(&peer.client, &topic);
                    (topic, answer)
                }));
                continue;
            }
            let before = clients.of(peer.client.id(), &peer.outbox);
            if before.is_some() != again {
                return;
            }
            let may_see =
                |topic: &str, require| peer.may_see(Sight { topic, require, asked: false }) && answers.get(topic) != Some(&false);
            if let Some(before) = &before {
                let another = !before.client.principal().is_like(peer.client.principal());
                let stays = |origin: &Origin| {
                    origin.restriction.as_ref().is_none_or(|restriction| may_see(&restriction.topic, restriction.require))
                };
                peer.outbox.change_principal(stays, another, &mut discarded);
            }
            for (topic, last) in wanted {
                let sight = Sight { topic, require: last.require, asked: guard.is_some() };
                let saw = before.as_ref().is_some_and(|before| before.may_see(sight));
                if !saw && may_see(topic, last.require) {
                    let message = last.frames[peer.wire.index()].clone();
                    peer.outbox.put_reliable(last.origin(), message, &mut discarded);
                }
            }
            let epoch = peer.decisions.epoch();
            answers.into_iter().for_each(|(topic, answer)| peer.decisions.record(epoch, &topic, answer));
            discarded.other(clients.peers.insert(peer.client.id().clone(), peer));
            return;
        }
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
        let epoch = self.read().peers.get(client.id()).map(|peer| peer.decisions.epoch());
        let answer = guard.ask(client, topic);
        if let (Some(epoch), Some(peer)) = (epoch, self.read().peers.get(client.id())) {
            peer.decisions.record(epoch, topic, answer);
        }
        answer
    }

    /// What the application said of a client counts no more.
    pub(super) fn reconsider(&self, id: &ClientId) {
        if let Some(peer) = self.read().peers.get(id) {
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

    /// From now on `id` receives `topic` by this `subscription`, beginning with what it retains. Of a
    /// client that had more topics than `limit`, events are not counted any more.
    pub fn subscribe(&self, id: &ClientId, outbox: &Arc<Outbox>, topic: &str, subscription: u64, limit: usize) {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        let Some(peer) = clients.of(id, outbox) else { return };
        let Interest::Topics(topics) = &mut peer.interest else { return };
        let number = topics.add(topic, subscription, limit);
        if !topics.are_countable() {
            discarded.other(peer.resumption.take());
            peer.outbox.forget(&mut discarded);
        }
        let retained = self.retained();
        let sight = |last: &Retained| Sight { require: last.require, ..self.sight(topic) };
        if let Some(last) = retained.get(topic).filter(|last| peer.may_see(sight(last))) {
            let origin = Origin { topic: number, ..last.origin() };
            peer.outbox.put_reliable(origin, last.frames[peer.wire.index()].clone(), &mut discarded);
        }
    }

    /// Takes a subscription back.
    pub fn unsubscribe(&self, id: &ClientId, outbox: &Arc<Outbox>, topic: &str, subscription: u64) {
        let mut clients = self.change();
        if let Some(Peer { interest: Interest::Topics(topics), .. }) = clients.of(id, outbox) {
            topics.remove(topic, subscription);
        }
    }

    pub(super) fn enter(&self, id: &ClientId, group: &str) {
        let mut clients = self.change();
        if clients.peers.contains_key(id) {
            clients.groups.entry(group.to_owned()).or_default().insert(id.clone());
        }
    }

    pub(super) fn exit(&self, id: &ClientId, group: &str) {
        let mut clients = self.change();
        if let Some(members) = clients.groups.get_mut(group) {
            members.remove(id);
            if members.is_empty() {
                clients.groups.remove(group);
            }
        }
    }

    /// Ready when every client of `audience` has taken most of what was published.
    pub(super) fn poll_room(&self, audience: &Audience, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = true;
        self.read().each(audience, |peer| ready = ready && peer.outbox.poll_room(cx).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// How many clients of `audience` that are here receive `topic`.
    pub(super) fn subscribers(&self, audience: &Audience, topic: &str) -> usize {
        let sight = self.sight(topic);
        let mut count = 0;
        self.read().each(audience, |peer| count += usize::from(!peer.away && peer.receives(sight).is_some()));
        count
    }

    /// How many clients of `audience` are here.
    pub(super) fn clients(&self, audience: &Audience) -> usize {
        let mut count = 0;
        self.read().each(audience, |peer| count += usize::from(!peer.away));
        count
    }

    /// How many events for the client `id` were dropped by the policies of their topics.
    pub(super) fn dropped_for(&self, id: &ClientId) -> u64 {
        self.read().peers.get(id).map_or(0, |peer| peer.outbox.dropped())
    }

    /// A topic that is only known by its name.
    fn sight<'a>(&self, topic: &'a str) -> Sight<'a> {
        let guard = self.guard.get();
        Sight { topic, require: guard.and_then(|guard| guard.required(topic)), asked: guard.is_some_and(Guard::asks) }
    }

    /// How many events of `topic` were dropped by its policy, for all clients together.
    pub(super) fn dropped(&self, topic: &str) -> u64 {
        self.dropped.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied().unwrap_or(0)
    }

    /// An event was given to so many clients, for which so many older ones were dropped.
    pub fn published(&self, topic: &'static str, delivery: Delivery, receivers: usize, dropped: usize) {
        if let Some(account) = self.account.get() {
            account.published(topic, Some(delivery), receivers, dropped);
        }
        if dropped > 0 {
            tracing::debug!(topic, ?delivery, dropped, "dropped events");
            *self.dropped.lock().unwrap_or_else(PoisonError::into_inner).entry(topic).or_default() += dropped as u64;
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be asked for after the clients.
    fn retained(&self) -> MutexGuard<'_, BTreeMap<&'static str, Retained>> {
        self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self) -> RwLockWriteGuard<'_, Clients> {
        self.clients.write().unwrap_or_else(PoisonError::into_inner)
    }
}
