//! The facts that handlers and checks share: the virtual time, what was executed, what was published, and for whom.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use wslink_core::{Client, Publisher};

use super::{
    hub_clients::{HubClient, Who},
    link::Ms,
    service::Task,
    topics::{Event, TOPICS},
};

/// An event that was published.
#[derive(Clone, Copy)]
pub(crate) struct Publication {
    /// A bit for each client of the hub that was to receive it, if it was subscribed.
    pub(crate) receivers: u128,
    /// Whether it was for everybody, so that it is retained where the topic retains any.
    for_all: bool,
    /// The server that published it.
    server: u32,
    pub(crate) key: u64,
}

/// Who an event is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience {
    All,
    To(usize),
    Except(usize),
    Group,
}

/// What became of a call at the server.
#[derive(Clone, Copy, Default)]
pub(crate) struct Execution {
    /// How often it began.
    pub(crate) begun: u32,
    pub(crate) begun_at: Ms,
    pub(crate) finished_at: Option<Ms>,
}

/// The calls of an ordered service on one connection.
#[derive(Default)]
struct OrderedCalls {
    running: Option<u32>,
    last: Option<u32>,
}

#[derive(Default)]
pub(crate) struct Facts {
    pub(crate) now: Ms,
    /// Which server is running.
    pub(crate) server: u32,
    /// When a handler or stream wants to be polled again.
    wake: Option<Ms>,
    executions: Vec<Execution>,
    /// Who the clients said they are, on each connection.
    hellos: HashMap<u32, Vec<Who>>,
    ordered: HashMap<(u32, u8), OrderedCalls>,
    pub(crate) publications: [Vec<Publication>; TOPICS.len()],
    pub(crate) clients: Vec<HubClient>,
    /// Handlers and streams that are not dropped.
    alive: usize,
    /// The first promise that a handler found broken.
    broken: Option<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Ledger(Arc<Mutex<Facts>>);

impl Ledger {
    pub(crate) fn facts(&self) -> MutexGuard<'_, Facts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes a numbered event to clients of a server.
    pub(crate) fn publish(&self, (server, publisher): (u32, &Publisher), topic: usize, audience: Audience, event: Event) {
        let mut facts = self.facts();
        let number = facts.record(server, topic, audience, event.key);
        let id = |index: usize| facts.clients[index].id.clone();
        let publisher = match audience {
            Audience::All => publisher.clone(),
            Audience::To(index) => publisher.to(&id(index)),
            Audience::Except(index) => publisher.except(&id(index)),
            Audience::Group => publisher.group(GROUP),
        };
        drop(facts);
        TOPICS[topic].publish(&publisher, &Event { number, ..event });
    }

    /// A handler begins.
    pub(crate) fn begin(&self, task: &Task, client: &Client) -> Running {
        let mut facts = self.facts();
        // A hello goes before the calls that wait to be sent.
        let who = Who::of(client);
        if facts.hellos.get(&task.connection).is_some_and(|said| !said[task.hellos - 1..].contains(&who)) {
            facts.broken(format!("call {} began as one of {who:?}, who its client was before", task.id));
        }
        let now = facts.now;
        let at = task.id as usize;
        if facts.executions.len() <= at {
            facts.executions.resize(at + 1, Execution::default());
        }
        let execution = &mut facts.executions[at];
        (execution.begun, execution.begun_at) = (execution.begun + 1, now);
        facts.alive += 1;
        if let Some(lane) = task.lane {
            let calls = facts.ordered.entry((task.connection, lane)).or_default();
            let (running, last) = (calls.running.replace(task.id), calls.last.replace(task.id));
            if let Some(running) = running {
                facts.broken(format!("ordered call {} began while {running} was running", task.id));
            }
            if let Some(last) = last.filter(|last| *last > task.id) {
                facts.broken(format!("ordered call {} began after {last}", task.id));
            }
        }
        drop(facts);
        Running { ledger: self.clone(), call: task.id, lane: task.lane.map(|lane| (task.connection, lane)) }
    }
}

/// The only group.
pub(crate) const GROUP: &str = "group";

impl Facts {
    pub(crate) fn broken(&mut self, what: String) {
        self.broken.get_or_insert(what);
    }

    /// Panics where a handler found a promise broken.
    pub(crate) fn check(&self) {
        if let Some(what) = &self.broken {
            panic!("{what}");
        }
    }

    pub(crate) const fn alive(&self) -> usize {
        self.alive
    }

    pub(crate) fn execution(&self, call: u32) -> Execution {
        self.executions.get(call as usize).copied().unwrap_or_default()
    }

    pub(crate) fn wake_at(&mut self, at: Ms) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    pub(crate) fn take_wake(&mut self) -> Ms {
        self.wake.take().unwrap_or(Ms::MAX)
    }

    /// A client says a good hello. Returns how many it has said on this connection.
    pub(crate) fn say_hello(&mut self, connection: u32, who: Who) -> usize {
        let said = self.hellos.entry(connection).or_default();
        said.push(who);
        said.len()
    }

    pub(crate) fn hellos(&self, connection: u32) -> usize {
        self.hellos.get(&connection).map_or(0, Vec::len)
    }

    /// Whether the server of `client` published it, for everybody.
    pub(crate) fn is_for_all(&self, publication: Publication, client: usize) -> bool {
        publication.for_all && publication.server == self.clients[client].server
    }

    /// The number of the next event on `topic`, which is for those of `audience` who may see it.
    fn record(&mut self, server: u32, topic: usize, audience: Audience, key: u64) -> u32 {
        let meant = |index: usize, client: &HubClient| match audience {
            Audience::All => true,
            Audience::To(one) => index == one,
            Audience::Except(one) => index != one,
            Audience::Group => client.grouped,
        };
        let receivers = self.clients.iter().enumerate().fold(0, |receivers, (index, client)| {
            let is_receiver = client.server == server && meant(index, client) && TOPICS[topic].may_see(client.who);
            receivers | u128::from(is_receiver) << index
        });
        let publications = &mut self.publications[topic];
        let for_all = matches!(audience, Audience::All);
        publications.push(Publication { receivers, for_all, server, key });
        u32::try_from(publications.len() - 1).unwrap()
    }
}

/// A handler that has begun and is not dropped.
pub(crate) struct Running {
    ledger: Ledger,
    call: u32,
    lane: Option<(u32, u8)>,
}

impl Running {
    /// It runs to its end.
    pub(crate) fn finish(&self) {
        let mut facts = self.ledger.facts();
        let now = facts.now;
        facts.executions[self.call as usize].finished_at = Some(now);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut facts = self.ledger.facts();
        facts.alive -= 1;
        if let Some(calls) = self.lane.and_then(|lane| facts.ordered.get_mut(&lane)) {
            calls.running.take_if(|running| *running == self.call);
        }
    }
}

/// The stream of a subscription that is not dropped.
pub(crate) struct OpenStream(Ledger);

impl OpenStream {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        ledger.facts().alive += 1;
        Self(ledger.clone())
    }

    pub(crate) const fn ledger(&self) -> &Ledger {
        &self.0
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.facts().alive -= 1;
    }
}
