//! The subscriptions of a session, over all its connections: who gets an event, and what becomes of
//! each when the connection was lost. Knows no socket.

use std::{collections::HashMap, sync::Arc};

use super::{
    Continuity, Error,
    hello::Greeting,
    queue::{Item, Queue},
};
use crate::wire::message::{Body, Draft};

#[derive(Default)]
pub(super) struct Table {
    entries: HashMap<u64, Entry>,
    /// Given up while there was no connection to say so.
    orphans: Vec<u64>,
}

pub(super) struct Entry {
    pub(super) topic: Arc<str>,
    pub(super) draft: Box<dyn Draft>,
    pub(super) queue: Arc<Queue>,
    /// As the server counts it; `None` while it was not confirmed.
    number: Option<u64>,
    /// Whether it has a stream of events of its own.
    own: bool,
}

impl Table {
    pub(super) fn add(&mut self, id: u64, topic: Arc<str>, draft: Box<dyn Draft>, queue: Arc<Queue>) {
        self.entries.insert(id, Entry { topic, draft, queue, number: None, own: false });
    }

    /// The server knows `id` as `number`. Returns whether somebody still wants it.
    pub(super) fn confirm(&mut self, id: u64, number: u64) -> bool {
        match self.entries.get_mut(&id) {
            Some(entry) => {
                entry.number = Some(number);
                true
            }
            None => false,
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Entry> {
        self.entries.remove(&id)
    }

    /// Nobody wants `id` any more. Returns the number that the server is to be told.
    pub(super) fn give_up(&mut self, id: u64, connected: bool) -> Option<u64> {
        let number = self.entries.remove(&id)?.number?;
        if connected {
            return Some(number);
        }
        self.orphans.push(number);
        None
    }

    /// Hands an event to everybody it is for.
    pub(super) fn event(&mut self, topic: &str, subscription: Option<u64>, body: &Result<Body, crate::CallError>) {
        for entry in self.entries.values_mut() {
            let meant = match subscription {
                Some(number) => entry.number == Some(number),
                None => *entry.topic == *topic,
            };
            if !meant {
                continue;
            }
            entry.own = subscription.is_some();
            match body {
                Ok(payload) => {
                    entry.queue.push(payload.clone());
                }
                Err(error) => entry.queue.notify(Item::Unsendable(error.clone())),
            }
        }
    }

    /// The stream of the subscription that the server knows as `number` has ended.
    pub(super) fn stream_ended(&mut self, number: u64) {
        self.entries.retain(|_, entry| {
            let ended = entry.number == Some(number);
            if ended {
                entry.queue.end(None);
            }
            !ended
        });
    }

    /// There is a new connection: tells everybody what it means for them. Returns the numbers that
    /// the server still has and nobody wants.
    pub(super) fn reconnected(&mut self, greeting: &Greeting) -> Vec<u64> {
        for entry in self.entries.values_mut() {
            let continuity = match &greeting.missed {
                None => Continuity::Fresh,
                Some(_) if entry.number.is_none() || entry.own => Continuity::Fresh,
                Some(missed) => match missed.get(&*entry.topic).copied().unwrap_or(0) {
                    0 => Continuity::Resumed,
                    missed => Continuity::Gap { missed },
                },
            };
            if greeting.missed.is_none() {
                entry.number = None;
            }
            entry.queue.notify(Item::Reconnected(continuity));
        }
        let orphans = std::mem::take(&mut self.orphans);
        if greeting.missed.is_some() { orphans } else { Vec::new() }
    }

    /// What the server has not confirmed: the ids and the requests for them.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = (u64, Box<dyn Draft>)> {
        self.entries.iter().filter(|(_, entry)| entry.number.is_none()).map(|(id, entry)| (*id, entry.draft.again()))
    }

    /// The session is over.
    pub(super) fn end(&mut self, why: Option<&Error>) {
        for (_, entry) in self.entries.drain() {
            entry.queue.end(why.cloned());
        }
    }
}

impl Drop for Table {
    /// Whatever ended the task, nobody is left to wait for ever.
    fn drop(&mut self) {
        self.end(None);
    }
}
