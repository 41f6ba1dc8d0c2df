//! The subscriptions of a session, over all its connections: who gets an event, and what becomes of
//! each when the connection was lost. Knows no socket.

use std::{collections::HashMap, sync::Arc};

use super::{
    Continuity, Error,
    hello::{Greeting, Resumed},
    queue::{Item, Queue},
};
use crate::wire::message::{Body, Draft};

#[derive(Default)]
pub(super) struct Table {
    entries: HashMap<u64, Entry>,
    /// How many events came that are not of one subscription alone, over all connections that were resumed.
    received: u64,
}

pub(super) struct Entry {
    pub(super) topic: Arc<str>,
    pub(super) draft: Box<dyn Draft>,
    pub(super) queue: Arc<Queue>,
    /// As the server counts it; `None` while it was not confirmed.
    number: Option<u64>,
}

impl Table {
    pub(super) fn add(&mut self, id: u64, topic: Arc<str>, draft: Box<dyn Draft>, queue: Arc<Queue>) {
        self.entries.insert(id, Entry { topic, draft, queue, number: None });
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

    /// Nobody wants `id` any more. Returns the number that the server is to be told, if it can be; else
    /// it is told when the connection is back.
    pub(super) fn give_up(&mut self, id: u64, connected: bool) -> Option<u64> {
        self.entries.remove(&id)?.number.filter(|_| connected)
    }

    /// How many events came that the server counts.
    pub(super) const fn received(&self) -> u64 {
        self.received
    }

    /// Hands an event to everybody it is for.
    pub(super) fn event(&mut self, topic: &str, subscription: Option<u64>, body: &Result<Body, crate::CallError>) {
        // The server counts those that it does not send to one subscription alone.
        self.received += u64::from(subscription.is_none());
        for entry in self.entries.values_mut() {
            let meant = match subscription {
                Some(number) => entry.number == Some(number),
                None => *entry.topic == *topic,
            };
            if !meant {
                continue;
            }
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
        let Some(Resumed { missed, kept }) = &greeting.resumed else {
            self.received = 0;
            for entry in self.entries.values_mut() {
                entry.number = None;
                entry.queue.notify(Item::Reconnected(Continuity::Fresh));
            }
            return Vec::new();
        };
        let mut orphans = kept.clone();
        for entry in self.entries.values_mut() {
            entry.number = entry.number.filter(|number| orphans.remove(number));
            let continuity = match (entry.number, missed.get(&*entry.topic).copied().unwrap_or(0)) {
                (None, _) => Continuity::Fresh,
                (Some(_), 0) => Continuity::Resumed,
                (Some(_), missed) => Continuity::Gap { missed },
            };
            entry.queue.notify(Item::Reconnected(continuity));
        }
        orphans.into_iter().collect()
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
