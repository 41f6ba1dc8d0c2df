//! Clients that may come back: the tokens that they come back with, and what the hub keeps for them
//! while they are away. Knows no clock: somebody must say when a part of the time has passed.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use subtle::ConstantTimeEq;

use super::{Hub, Interest, Outbox, discarded::Discarded, hub::Clients, peer::Peer, queue::TopicNumber};
use crate::{Client, ClientId, Limits, Principal, wire::Protocol};

/// For how many [`Hub::age`]s a client is remembered.
pub const AGES: u32 = 8;

/// What a client that is here may come back with.
#[derive(Clone)]
pub(super) struct Resumption {
    token: u128,
    principal: Principal,
}

/// The clients that are away, longest first.
#[derive(Default)]
pub(super) struct Away {
    since: VecDeque<(ClientId, u32)>,
    age: u32,
    /// Whether somebody says when time has passed.
    aging: bool,
}

/// What a client wants to go on from: its token, and how many events of each topic it has.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    pub token: String,
    pub received: Vec<(String, u64)>,
}

/// What goes on.
#[derive(Debug)]
pub struct Resumed {
    pub client: Client,
    /// The subscriptions by their numbers.
    pub kept: Vec<(u64, String)>,
    /// How many events of each topic are lost for good, where any are.
    pub missed: Vec<(String, u64)>,
}

/// Whether a client that is lost is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departed {
    Forgotten,
    Remembered,
    /// It is, and nobody says yet when time has passed: [`Hub::age`] is to be called from now on, until
    /// it says that there is nobody left.
    First,
}

impl Hub {
    /// A new token by which the client may come back as the same principal; nothing where it cannot.
    pub fn allow_resume(&self, client: &Client, outbox: &Arc<Outbox>, limits: &Limits) -> Option<String> {
        let mut token = [0; 16];
        getrandom::fill(&mut token).inspect_err(|error| tracing::error!(%error, "no entropy for a token")).ok()?;
        let token = u128::from_be_bytes(token);
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        let id = client.id();
        let peer = clients.of(id, outbox)?;
        match &peer.interest {
            Interest::Topics(topics) if topics.are_countable() => {}
            Interest::Topics(_) | Interest::Everything => return None,
        }
        peer.outbox.remember(limits.resume_bytes);
        discarded.other(peer.resumption.replace(Resumption { token, principal: client.principal().clone() }));
        Some(format!("{id}.{token:032x}"))
    }

    /// The connection of `id` with `outbox` is lost: keeps what it needs to come back.
    pub fn depart(&self, id: &ClientId, outbox: &Arc<Outbox>, limits: &Limits) -> Departed {
        let mut discarded = Discarded::default();
        let mut clients = self.change();
        let may_return = |peer: &mut Peer| {
            peer.away = peer.resumption.is_some() && outbox.await_return(&mut discarded);
            peer.away
        };
        if limits.resume_sessions == 0 || !clients.of(id, outbox).is_some_and(may_return) {
            return Departed::Forgotten;
        }
        while clients.away.since.len() >= limits.resume_sessions
            && let Some((oldest, _)) = clients.away.since.pop_front()
        {
            clients.remove(&oldest, &mut discarded);
        }
        let age = clients.away.age;
        clients.away.since.push_back((id.clone(), age));
        if std::mem::replace(&mut clients.away.aging, true) { Departed::Remembered } else { Departed::First }
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
            clients.remove(&id, &mut discarded);
        }
        clients.away.aging = false;
    }

    /// Goes on as `client`, with `outbox`, where that client left that has been given this token, if it is
    /// remembered, speaks `wire` and for the same principal. Its old connection, if it still has one,
    /// gets nothing any more. Events that it may not see by now are withheld.
    pub fn resume(&self, resume: &Resume, client: &Client, wire: &'static dyn Protocol, outbox: &Arc<Outbox>) -> Option<Resumed> {
        let (id, token) = resume.token.rsplit_once('.')?;
        let guard = self.guard.get();
        let mut answers = HashMap::<Box<str>, bool>::new();
        let mut discarded = Discarded::default();
        loop {
            let mut clients = self.change();
            let Clients { peers, away, .. } = &mut *clients;
            let peer = peers.get_mut(id)?;
            if !peer.resumption.as_ref()?.is_for(token, client) || peer.wire.index() != wire.index() {
                return None;
            }
            let Interest::Topics(topics) = &peer.interest else { return None };
            let id = peer.client.id().clone();
            let client = client.clone().become_client(id.clone());
            let restrictions = peer.outbox.restrictions();
            let open: HashSet<_> = restrictions.iter().filter(|restriction| !answers.contains_key(&restriction.topic)).collect();
            if let Some(guard) = guard.filter(|guard| guard.asks() && !open.is_empty()) {
                // The application is asked while nobody waits for it, and then there may be more to ask.
                drop(clients);
                answers.extend(open.into_iter().map(|open| (open.topic.clone(), guard.ask(&client, &open.topic))));
                continue;
            }
            let may_see = |topic: &str, require: Option<&str>| {
                require.is_none_or(|authority| client.principal().holds(authority)) && answers.get(topic) != Some(&false)
            };
            let mut history = peer.outbox.surrender(&mut discarded)?;
            let counted = resume.received.iter().filter_map(|(topic, count)| Some((topics.number(topic)?, *count)));
            let received: HashMap<TopicNumber, u64> = counted.collect();
            let mut missed = Vec::new();
            let rest = history.take_rest(
                |number| received.get(&number).copied().unwrap_or(0),
                |origin| origin.restriction.as_ref().is_none_or(|by| may_see(&by.topic, by.require)),
                |number, lost| {
                    let topic = topics.name(number);
                    let known = topic.filter(|topic| may_see(topic, guard.and_then(|guard| guard.required(topic))));
                    missed.extend(known.map(|topic| (topic.to_owned(), lost)));
                },
                &mut discarded,
            );
            outbox.adopt(history, rest, &mut discarded);
            missed.sort_unstable();
            let mut kept: Vec<_> = topics.subscriptions().map(|(number, topic)| (number, topic.to_owned())).collect();
            kept.sort_unstable();
            // What was decided before was decided of another handshake, and perhaps of a principal that knows more.
            peer.decisions.forget();
            let epoch = peer.decisions.epoch();
            answers.iter().for_each(|(topic, answer)| peer.decisions.record(epoch, topic, *answer));
            discarded.other(std::mem::replace(&mut peer.client, client.clone()));
            discarded.other(std::mem::replace(&mut peer.outbox, Arc::clone(outbox)));
            // Whatever comes next needs a new one.
            discarded.other(peer.resumption.take());
            if std::mem::take(&mut peer.away) {
                away.since.retain(|(other, _)| *other != id);
            }
            return Some(Resumed { client, kept, missed });
        }
    }
}

impl Resumption {
    /// Whether `client` may come back with `token`.
    fn is_for(&self, token: &str, client: &Client) -> bool {
        let expected = format!("{:032x}", self.token);
        bool::from(expected.as_bytes().ct_eq(token.as_bytes())) && self.principal.is_like(client.principal())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Topics, hub::Audience},
        *,
    };
    use crate::{Handshake, wire};

    fn client() -> Client {
        let handshake = Handshake::new(None, None, &http::Uri::from_static("/ws"), &http::HeaderMap::new());
        Client::new(ClientId::random().unwrap(), handshake, Principal::default())
    }

    #[test]
    fn what_an_old_connection_still_does_is_nothing_to_the_client_that_has_gone_on() {
        let (hub, limits, wire) = (Hub::default(), Limits::default(), wire::ALL[0]);
        let outboxes = [(); 3].map(|()| Arc::new(Outbox::new(1000)));
        let go_on = |token, outbox| {
            let resumed = hub.resume(&Resume { token, received: Vec::new() }, &client(), wire, outbox).unwrap();
            (hub.allow_resume(&resumed.client, outbox, &limits).unwrap(), resumed.kept)
        };
        let lost = client();
        hub.join(lost.clone(), wire, Arc::clone(&outboxes[0]), Interest::Topics(Topics::default()));
        let token = hub.allow_resume(&lost, &outboxes[0], &limits).unwrap();
        let (token, _) = go_on(token, &outboxes[1]);
        assert_eq!(hub.depart(lost.id(), &outboxes[1], &limits), Departed::First);

        hub.subscribe(lost.id(), &outboxes[0], "a.b", 1, 10);
        hub.renew(&lost, &outboxes[0]);
        assert_eq!(hub.allow_resume(&lost, &outboxes[0], &limits), None);
        assert_eq!(hub.depart(lost.id(), &outboxes[0], &limits), Departed::Forgotten);
        hub.leave(lost.id(), &outboxes[0]);

        assert_eq!(go_on(token, &outboxes[2]).1, []);
        (0..2 * AGES).for_each(|_| _ = hub.age());
        assert_eq!(hub.clients(&Audience::All), 1, "it is not forgotten while it is here");
    }
}
