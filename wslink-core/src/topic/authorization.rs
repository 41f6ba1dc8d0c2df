//! Authorises the topics of a client: it must hold the required authority, and the application must not refuse. The
//! answers of the application are kept for each client, since publishers ask for them.
//!
//! Knows no event and no connection.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{CallError, Client, ErrorCode};

/// What the application says: may this client see that topic?
pub type Ask = Box<dyn Fn(&Client, &str) -> bool + Send + Sync>;

/// The rules of one server.
pub struct Guard {
    /// The authorities that the topics of services require.
    required: HashMap<&'static str, &'static str>,
    ask: Option<Ask>,
}

impl Guard {
    /// The authorities that topics require, and the question to the application, if it wants to decide as well.
    pub fn new(required: impl IntoIterator<Item = (&'static str, &'static str)>, ask: Option<Ask>) -> Self {
        Self { required: required.into_iter().collect(), ask }
    }

    /// The authority that a topic of a service requires.
    pub(super) fn required(&self, topic: &str) -> Option<&'static str> {
        self.required.get(topic).copied()
    }

    /// Whether the application has a say.
    pub(super) const fn asks(&self) -> bool {
        self.ask.is_some()
    }

    /// What the application says. Runs its code, so no lock must be held.
    pub(super) fn ask(&self, client: &Client, topic: &str) -> bool {
        let Some(ask) = &self.ask else { return true };
        catch_unwind(AssertUnwindSafe(|| ask(client, topic))).unwrap_or_else(|_| {
            tracing::error!(topic, "the function of `Builder::authorize` panicked");
            false
        })
    }
}

/// What the application said about a client, by topic.
pub(super) type Answers = HashMap<Box<str>, bool>;

/// What decides who may see the events of a topic, where not everybody may.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Restriction {
    pub(super) topic: Box<str>,
    pub(super) require: Option<&'static str>,
}

/// The answer to a client that the application said no to.
pub(super) fn forbidden() -> CallError {
    CallError::new(ErrorCode::Forbidden, "Forbidden")
}

/// What the application said of one client.
#[derive(Default)]
pub(super) struct Decisions(Mutex<Said>);

struct Said {
    /// Another one whenever everything was forgotten: what was asked before then counts no more. No two
    /// clients have the same one, nor has a client under another principal.
    epoch: u64,
    topics: Answers,
}

impl Default for Said {
    fn default() -> Self {
        static EPOCHS: AtomicU64 = AtomicU64::new(0);
        Self { epoch: EPOCHS.fetch_add(1, Ordering::Relaxed), topics: HashMap::new() }
    }
}

/// Topics are named at run time, so there may be any number of them.
const REMEMBERED: usize = 1024;

impl Decisions {
    pub(super) fn of(&self, topic: &str) -> Option<bool> {
        self.said().topics.get(topic).copied()
    }

    /// To be taken before the application is asked, and given back with its answer.
    pub(super) fn epoch(&self) -> u64 {
        self.said().epoch
    }

    pub(super) fn record(&self, epoch: u64, topic: &str, answer: bool) {
        let mut said = self.said();
        if said.epoch != epoch {
            return;
        }
        // Who is forgotten is asked again.
        if said.topics.len() >= REMEMBERED && !said.topics.contains_key(topic) {
            said.topics.clear();
        }
        said.topics.insert(topic.into(), answer);
    }

    pub(super) fn forget(&self) {
        *self.said() = Said::default();
    }

    /// Forgets everything but these.
    pub(super) fn replace(&self, answers: Answers) {
        let topics = if answers.len() > REMEMBERED { Answers::new() } else { answers };
        *self.said() = Said { topics, ..Said::default() };
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_from_before_a_change_does_not_count() {
        let decisions = Decisions::default();
        let epoch = decisions.epoch();
        decisions.forget();
        decisions.record(epoch, "a.b", true);
        assert_eq!(decisions.of("a.b"), None);
        decisions.record(decisions.epoch(), "a.b", true);
        assert_eq!(decisions.of("a.b"), Some(true));
        let renewed = Decisions::default();
        renewed.record(decisions.epoch(), "a.b", true);
        assert_eq!(renewed.of("a.b"), None, "what was said of another principal");
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let decisions = Decisions::default();
        (0..3 * REMEMBERED).for_each(|topic| decisions.record(decisions.epoch(), &topic.to_string(), true));
        assert!(decisions.said().topics.len() <= REMEMBERED);
    }
}
