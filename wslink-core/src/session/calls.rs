//! Calls of the peer that have arrived and are not over: their order, their permits for threads, their deadlines.
//!
//! A call of an ordered service waits until the one before it is over; a handler that blocks waits for one of a few
//! permits. Both begin in the order of arrival, and only while the peer reads its replies. A handler that runs on keeps
//! its permits although its call is answered, because it was cancelled or late.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

use bytes::Bytes;
use rustc_hash::FxHashMap;

use crate::{
    Cancel,
    rpc::{BlockingCall, Control, Lane},
    wire::{Encoded, Incoming},
};

/// Smaller requests that wait are copied, since each would keep the buffer alive that it was read into.
const MIN_SHARED: usize = 16 * 1024;

/// One call of a session; used again for another once the call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey(u64);

pub(super) struct Calls {
    calls: FxHashMap<CallKey, Call>,
    last: u64,
    lanes: FxHashMap<Lane, Queue>,
    threads: Queue,
    max_threads: usize,
    deadlines: BTreeSet<(Instant, CallKey)>,
    by_id: FxHashMap<String, CallKey>,
    /// Bytes of requests that wait.
    waiting_bytes: usize,
}

/// Calls that share something: how many run, and those that wait for them.
#[derive(Default)]
struct Queue {
    running: usize,
    waiting: VecDeque<CallKey>,
}

struct Call {
    control: Box<Control>,
    state: State,
    lane: Option<Lane>,
    /// It has one of the permits for threads.
    thread: bool,
    answered: bool,
    deadline: Option<Instant>,
    /// The id by which the peer may cancel it.
    id: Option<String>,
}

enum State {
    /// Waits for the call before it.
    Ordered(Box<Incoming>),
    /// Waits for a thread.
    Blocking(Box<BlockingCall>),
    Running,
}

/// The next call that may begin.
pub(super) enum Begin {
    Ordered(CallKey, Box<Incoming>),
    Blocking(CallKey, Box<BlockingCall>),
}

impl Calls {
    pub(super) fn new(max_threads: usize) -> Self {
        Self {
            calls: FxHashMap::default(),
            last: 0,
            lanes: FxHashMap::default(),
            threads: Queue::default(),
            // A service that blocks must not wait for ever.
            max_threads: max_threads.max(1),
            deadlines: BTreeSet::new(),
            by_id: FxHashMap::default(),
            waiting_bytes: 0,
        }
    }

    /// Calls that are not over, those included whose handlers run on although they are answered.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Calls that are not answered.
    pub(super) fn unanswered(&self) -> usize {
        self.calls.values().filter(|call| !call.answered).count()
    }

    /// Bytes of requests that wait.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// When the next deadline passes.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// Whether a call of `lane` must wait for another one.
    pub(super) fn must_wait(&self, lane: Lane) -> bool {
        self.lanes.get(&lane).is_some_and(|queue| queue.running > 0 || !queue.waiting.is_empty())
    }

    /// Adds a call that waits for the one before it in its lane.
    pub(super) fn wait(
        &mut self,
        lane: Lane,
        mut request: Box<Incoming>,
        control: Box<Control>,
        id: Option<String>,
        now: Instant,
    ) {
        let body = &mut request.arguments.body;
        if body.len() < MIN_SHARED {
            *body = Bytes::copy_from_slice(body);
        }
        self.waiting_bytes += size(&request);
        let key = self.add(State::Ordered(request), control, Some(lane), id, now);
        self.lanes.entry(lane).or_default().waiting.push_back(key);
    }

    /// Adds a call whose handler runs. Where it is that of a call that waited, that one goes on under its key.
    pub(super) fn begin(&mut self, lane: Option<Lane>, control: Box<Control>, id: Option<String>, now: Instant) -> CallKey {
        if let Some(lane) = lane {
            self.lanes.entry(lane).or_default().running += 1;
        }
        self.add(State::Running, control, lane, id, now)
    }

    /// The handler of call `key`, which waited, runs: the deadline of its arrival stays.
    pub(super) fn resume(&mut self, key: CallKey, control: Box<Control>) {
        if let Some(call) = self.calls.get_mut(&key) {
            (call.control, call.state) = (control, State::Running);
        }
    }

    /// The handler of `key` is to run on a thread: gives it back where there is one.
    pub(super) fn on_thread(&mut self, key: CallKey, handler: Box<BlockingCall>) -> Option<Box<BlockingCall>> {
        let call = self.calls.get_mut(&key)?;
        if self.threads.running >= self.max_threads || !self.threads.waiting.is_empty() {
            call.state = State::Blocking(handler);
            self.threads.waiting.push_back(key);
            return None;
        }
        call.thread = true;
        self.threads.running += 1;
        Some(handler)
    }

    fn add(&mut self, state: State, control: Box<Control>, lane: Option<Lane>, id: Option<String>, now: Instant) -> CallKey {
        self.last += 1;
        let key = CallKey(self.last);
        let deadline = control.timeout.and_then(|timeout| now.checked_add(timeout));
        self.deadlines.extend(deadline.map(|deadline| (deadline, key)));
        if let Some(id) = &id {
            self.by_id.insert(id.clone(), key);
        }
        self.calls.insert(key, Call { control, state, lane, thread: false, answered: false, deadline, id });
        key
    }

    /// The next call that may begin, if any.
    pub(super) fn next_to_begin(&mut self) -> Option<Begin> {
        if self.threads.running < self.max_threads
            && let Some(key) = self.threads.waiting.pop_front()
        {
            let Some(call) = self.calls.get_mut(&key) else { return self.next_to_begin() };
            let State::Blocking(handler) = std::mem::replace(&mut call.state, State::Running) else {
                return self.next_to_begin();
            };
            call.thread = true;
            self.threads.running += 1;
            return Some(Begin::Blocking(key, handler));
        }
        let free = self.lanes.values_mut().find(|queue| queue.running == 0 && !queue.waiting.is_empty())?;
        let key = free.waiting.pop_front()?;
        let Some(call) = self.calls.get_mut(&key) else { return self.next_to_begin() };
        let State::Ordered(request) = std::mem::replace(&mut call.state, State::Running) else { return self.next_to_begin() };
        free.running += 1;
        self.waiting_bytes -= size(&request);
        Some(Begin::Ordered(key, request))
    }

    /// Whether a call waits that could begin.
    pub(super) fn may_begin(&self) -> bool {
        (self.threads.running < self.max_threads && !self.threads.waiting.is_empty())
            || self.lanes.values().any(|queue| queue.running == 0 && !queue.waiting.is_empty())
    }

    /// The handler of `key` is over. Returns the control of its call where that is not answered yet.
    pub(super) fn end(&mut self, key: CallKey) -> Option<Box<Control>> {
        let call = self.remove(key)?;
        (!call.answered).then_some(call.control)
    }

    /// The call that the peer knows by `id`, where it is not answered.
    pub(super) fn find(&self, id: &str) -> Option<CallKey> {
        self.by_id.get(id).copied()
    }

    /// The first call whose deadline has passed.
    pub(super) fn late(&self, now: Instant) -> Option<CallKey> {
        self.deadlines.first().filter(|(deadline, _)| *deadline <= now).map(|(_, key)| *key)
    }

    /// Answers `key` before its handler is over, with what `reply` makes. Tells the handler; returns the reply, and
    /// whether a handler is to be dropped for it.
    pub(super) fn abort(&mut self, key: CallKey, reply: impl FnOnce(&mut Control) -> Encoded) -> Option<(Encoded, bool)> {
        let call = self.calls.get_mut(&key)?;
        if call.answered {
            return None;
        }
        call.answered = true;
        let encoded = reply(&mut call.control);
        call.control.answered(&encoded);
        let cancel = call.control.cancel.take();
        self.forget_names(key);
        let runs = match self.calls.get(&key).map(|call| &call.state) {
            Some(State::Running) => true,
            _ => {
                self.remove(key);
                false
            }
        };
        // Wakes whatever the handler has started, which may be anything.
        cancel.as_ref().map(Cancel::cancel);
        Some((encoded, runs))
    }

    /// Nobody is left to answer: tells every handler.
    pub(super) fn abandon(&mut self) {
        for (_, mut call) in self.calls.drain() {
            call.control.cancel.take().as_ref().map(Cancel::cancel);
        }
        *self = Self::new(self.max_threads);
    }

    fn forget_names(&mut self, key: CallKey) {
        let Some(call) = self.calls.get_mut(&key) else { return };
        if let Some(deadline) = call.deadline.take() {
            self.deadlines.remove(&(deadline, key));
        }
        if let Some(id) = call.id.take()
            && self.by_id.get(&id) == Some(&key)
        {
            self.by_id.remove(&id);
        }
    }

    fn remove(&mut self, key: CallKey) -> Option<Call> {
        self.forget_names(key);
        let call = self.calls.remove(&key)?;
        let ran = matches!(call.state, State::Running | State::Blocking(_));
        if let State::Ordered(request) = &call.state {
            self.waiting_bytes -= size(request);
        }
        if call.thread {
            self.threads.running -= 1;
        } else if matches!(call.state, State::Blocking(_)) {
            self.threads.waiting.retain(|waiting| *waiting != key);
        }
        if let Some(lane) = call.lane
            && let Some(queue) = self.lanes.get_mut(&lane)
        {
            if ran {
                queue.running -= 1;
            } else {
                queue.waiting.retain(|waiting| *waiting != key);
            }
            if queue.running == 0 && queue.waiting.is_empty() {
                self.lanes.remove(&lane);
            }
        }
        Some(call)
    }
}

/// Bytes that a request keeps in memory.
fn size(request: &Incoming) -> usize {
    let attachments = request.arguments.attachments.iter().flatten().map(|(_, bytes)| bytes.len()).sum::<usize>();
    size_of::<Incoming>() + request.arguments.body.len() + attachments
}
