//! Clients that lose their connection and come back. Knows no clock: its caller says when a part of the time has passed.

use std::sync::Arc;

use super::{Hub, may_see};
use crate::{
    Client, ClientId, Disconnect, Limits,
    topic::{
        Interest, Outbox,
        authorization::Answers,
        discarded::Discarded,
        event::{Event, Source},
        replay_buffer::Rest,
        resumption::Resumption,
        subscriber::{Companion, Subscriber},
    },
    wire::Protocol,
};

#[cfg(test)]
mod tests;

/// For how many [`Hub::age`]s a client is remembered.
pub const AGES: u32 = 8;

/// What a client wants to go on from: its token, and how many events it has.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    /// The token of the last hello's answer.
    pub token: String,
    /// How many events arrived that carry no subscription number.
    pub received: u64,
}

/// What goes on.
pub struct Resumed {
    /// The client as it was before.
    pub client: Client,
    /// The subscriptions by their numbers.
    pub kept: Vec<(u64, String)>,
    /// How many events of each topic are lost for good, where any are.
    pub missed: Vec<(String, u64)>,
    /// What others keep with the client.
    pub companion: Option<Arc<dyn Companion>>,
}

/// Whether a client that is lost is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// The client has left for good.
    Removed,
    /// The client may come back.
    Resumable,
    /// It is, and nobody says yet when time has passed: [`Hub::age`] is to be called from now on, until
    /// it says that there is nobody left.
    FirstResumable,
}

impl Hub {
    /// A new token by which the client may come back as the same principal; nothing where it cannot. The one before is
    /// good until [`confirm`](Self::confirm).
    pub fn allow_resume(&self, client: &Client, outbox: &Arc<Outbox>, limits: &Limits) -> Option<String> {
        let mut token = [0; 16];
        getrandom::fill(&mut token).inspect_err(|error| tracing::error!(%error, "no entropy for a token")).ok()?;
        let token = u128::from_be_bytes(token);
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        let id = client.id();
        let peer = clients.of(id, outbox).filter(|peer| matches!(peer.interest, Interest::Topics(_)))?;
        if !peer.outbox.remember(limits.resume_bytes, &mut discarded) {
            return None;
        }
        let before = peer.resumption.take();
        peer.resumption = Some(Resumption::new(client.principal().clone(), token, before.as_ref()));
        discarded.other(before);
        Some(format!("{id}.{token:032x}"))
    }

    /// The client has answered after its hello, so it knows its new token, and what it missed.
    pub fn confirm(&self, id: &ClientId, outbox: &Arc<Outbox>) {
        if let Some(peer) = self.change().of(id, outbox) {
            if let Some(resumption) = &mut peer.resumption {
                resumption.confirm();
            }
            outbox.confirm();
        }
    }

    /// The connection of `id` with `outbox` is lost: keeps what it needs to come back.
    pub fn disconnected(&self, id: &ClientId, outbox: &Arc<Outbox>, limits: &Limits) -> Disconnected {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        self.budget.set_limit(limits.resume_total_bytes);
        let may_return = |peer: &mut Subscriber| {
            peer.away = peer.resumption.is_some() && outbox.await_return(peer.cost(), &self.budget, &mut discarded);
            peer.away
        };
        if limits.resume_sessions == 0 || !clients.of(id, outbox).is_some_and(may_return) {
            return Disconnected::Removed;
        }
        let age = clients.away.age;
        clients.away.since.push_back((id.clone(), age));
        while (clients.away.since.len() > limits.resume_sessions || self.budget.is_exceeded())
            && let Some((oldest, _)) = clients.away.since.pop_front()
        {
            clients.remove(&oldest, &mut discarded);
        }
        if clients.away.since.back().is_none_or(|(last, _)| last != id) {
            return Disconnected::Removed;
        }
        if std::mem::replace(&mut clients.away.aging, true) { Disconnected::Resumable } else { Disconnected::FirstResumable }
    }

    /// Forgets the clients that are away longest, while all of them need more memory than they may.
    pub(super) fn keep_to_budget(&self) {
        if !self.budget.is_exceeded() {
            return;
        }
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        while self.budget.is_exceeded()
            && let Some((oldest, _)) = clients.away.since.pop_front()
        {
            clients.remove(&oldest, &mut discarded);
        }
    }

    /// Another part of the time for which clients are remembered, of which there are [`AGES`], has
    /// passed. Returns whether anybody is still remembered.
    pub fn age(&self) -> bool {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        clients.away.age = clients.away.age.wrapping_add(1);
        let now = clients.away.age;
        while clients.away.since.front().is_some_and(|(_, since)| now.wrapping_sub(*since) > AGES)
            && let Some((expired, _)) = clients.away.since.pop_front()
        {
            clients.remove(&expired, &mut discarded);
        }
        clients.away.aging = !clients.away.since.is_empty();
        clients.away.aging
    }

    /// Forgets everybody who is away.
    pub fn forget_all(&self) {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        while let Some((id, _)) = clients.away.since.pop_front() {
            if let Some(companion) = clients.get(id.as_str()).and_then(|peer| peer.companion.as_ref()) {
                companion.end_with(Disconnect::ServerStop);
            }
            clients.remove(&id, &mut discarded);
        }
        clients.away.aging = false;
    }

    /// Goes on as `client`, with `outbox`, where that client left that has been given this token, if it is
    /// remembered, speaks `wire` and for the same principal. Its old connection, if it still has one,
    /// gets nothing any more. Events that it may not see by now are withheld.
    pub fn resume(&self, resume: &Resume, client: &Client, wire: &'static dyn Protocol, outbox: &Arc<Outbox>) -> Option<Resumed> {
        let (id, token) = resume.token.rsplit_once('.')?;
        let mut answers = Answers::new();
        let mut discarded = Discarded::default();
        loop {
            let mut clients = self.change();
            let peer = clients.get_mut(id)?;
            let knows_answer = peer.resumption.as_ref()?.is_for(token, client)?;
            if peer.wire.protocol.name() != wire.name() || !peer.outbox.accounts_for(resume.received) {
                return None;
            }
            let Interest::Topics(topics) = &peer.interest else { return None };
            let client = client.clone().resuming(&peer.client);
            let restrictions = peer.outbox.restrictions();
            let open = self.open(restrictions.iter().map(|restriction| &*restriction.topic), &answers);
            if !open.is_empty() {
                drop(clients);
                self.ask(&client, open, &mut answers);
                continue;
            }
            let mut history = peer.outbox.surrender(&mut discarded)?;
            if knows_answer {
                history.confirm();
            }
            if let Some(resumption) = &mut peer.resumption {
                resumption.keep_known(knows_answer);
            }
            let lost = history.lost_beginnings(resume.received);
            let (begin_anew, mut kept): (Vec<_>, Vec<_>) =
                topics.subscriptions().map(|(number, topic)| (number, topic.to_owned())).partition(|one| lost.contains(&one.0));
            kept.sort_unstable();
            let left = |topic: &str| begin_anew.iter().any(|one| one.1 == topic) && kept.iter().all(|one| one.1 != topic);
            let left: Vec<_> = topics.names().filter(|(_, topic)| left(topic)).map(|(number, _)| number).collect();
            let stays = |event: &Event| {
                let is_wanted = match event.source {
                    Source::Retained(subscription) => kept.binary_search_by_key(&subscription, |(number, _)| *number).is_ok(),
                    Source::Topic(number) => !left.contains(&number),
                    Source::Uncounted | Source::Stream => true,
                };
                is_wanted && event.is_visible(|topic, require| may_see(&client, topic, require, &answers))
            };
            let Rest { events, missed } = history.take_rest(resume.received, stays, &mut discarded);
            outbox.adopt(history, events, &mut discarded);
            // Of a topic that it must not see, it must not know how much there was either.
            let required = |topic: &str| self.guard.get().and_then(|guard| guard.required(topic));
            let mut missed: Vec<_> = topics
                .names()
                .filter(|(number, topic)| !left.contains(number) && may_see(&client, topic, required(topic), &answers))
                .filter_map(|(number, topic)| Some((topic.to_string(), *missed.get(&number)?)))
                .collect();
            missed.sort_unstable();
            // What was decided before was decided of another handshake, and perhaps of a principal that knows more.
            peer.decisions.replace(answers);
            discarded.other(std::mem::replace(&mut peer.client, client.clone()));
            discarded.other(std::mem::replace(&mut peer.outbox, Arc::clone(outbox)));
            let companion = peer.companion.clone();
            if std::mem::take(&mut peer.away) {
                clients.away.since.retain(|(other, _)| other != client.id());
            }
            // A client subscribes again to what does not go on, and gets what the topic retains by then.
            for (number, topic) in begin_anew {
                clients.unsubscribe(client.id(), outbox, &topic, number);
            }
            return Some(Resumed { client, kept, missed, companion });
        }
    }
}
