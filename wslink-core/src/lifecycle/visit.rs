//! One client from its first hello to its end: which hooks are still to run, and who runs them.

use std::{
    any::Any,
    collections::VecDeque,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use super::{HookKind, Hooked, Hooks, Instance};
use crate::{CallError, Client, Disconnect, ErrorCode, panics::drop_caught, topic::Companion};

/// The presence of a client. Its connection, its handlers that may outlive that, and the server that waits for its
/// return have it in common; when the last of them drops it, the client is gone.
pub struct Visit(Arc<Inner>);

struct Inner {
    hooks: Arc<Hooks>,
    state: Mutex<State>,
}

struct State {
    client: Client,
    /// The reason, if the client were gone now.
    reason: Disconnect,
    /// Counts the connections, of which only the last one may change the reason.
    connection: u64,
    is_lost: bool,
    /// The groups of hooks that know of the client, from the first one on.
    known_to: usize,
    /// The instances that the client has of services, by the groups of their hooks.
    instances: Vec<(usize, Instance)>,
    /// Topics with hooks that the client receives, with the number of its subscriptions.
    topics: Vec<(&'static str, usize)>,
    /// What the services were not told yet.
    untold: VecDeque<Occasion>,
    /// Something is being told.
    is_telling: bool,
}

/// Something that services are told.
#[derive(Clone, Debug)]
enum Occasion {
    Lost,
    Resumed,
    Subscribed(&'static str),
    Unsubscribed(&'static str),
    Disconnected(Disconnect),
}

impl Occasion {
    const fn kind(&self) -> HookKind {
        match self {
            Self::Lost => HookKind::Lost,
            Self::Resumed => HookKind::Resumed,
            Self::Subscribed(_) => HookKind::Subscribed,
            Self::Unsubscribed(_) => HookKind::Unsubscribed,
            Self::Disconnected(_) => HookKind::Disconnected,
        }
    }

    const fn topic(&self) -> Option<&'static str> {
        match self {
            Self::Subscribed(topic) | Self::Unsubscribed(topic) => Some(topic),
            Self::Lost | Self::Resumed | Self::Disconnected(_) => None,
        }
    }

    /// Whether the one undoes the other, so that services which know of neither need not hear of them: what a client makes
    /// the server hold for slow hooks is bounded by the number of topics that have hooks.
    fn undoes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Resumed, Self::Lost) => true,
            (Self::Subscribed(topic), Self::Unsubscribed(other)) | (Self::Unsubscribed(topic), Self::Subscribed(other)) => {
                topic == other
            }
            _ => false,
        }
    }

    /// Whether the services hear of it in the reverse of their order: what is built up is taken down.
    const fn is_end(&self) -> bool {
        matches!(self, Self::Unsubscribed(_) | Self::Disconnected(_))
    }
}

impl Visit {
    /// The visit of `client`, of which no service knows yet.
    #[must_use]
    pub(crate) fn new(hooks: Arc<Hooks>, client: Client) -> Self {
        let state = State {
            client,
            reason: Disconnect::Lost,
            connection: 0,
            is_lost: false,
            known_to: 0,
            instances: Vec::new(),
            topics: Vec::new(),
            untold: VecDeque::new(),
            is_telling: false,
        };
        Self(Arc::new(Inner { hooks, state: Mutex::new(state) }))
    }

    /// The instance that the client has of the service whose hooks are at `group`.
    pub(crate) fn instance(&self, group: usize) -> Option<Instance> {
        self.0.instance(group)
    }

    /// The hooks that a client passes before it is taken.
    pub(crate) fn admit(self: &Arc<Self>) -> Admission {
        Admission { visit: Arc::clone(self), at: (0, 0), running: None }
    }

    /// The client has changed: it is another principal, or came by another connection.
    pub(crate) fn set_client(&self, client: Client) {
        let before = mem::replace(&mut self.0.lock().client, client);
        drop_caught(before);
    }

    /// The reason to be told when the client is gone, as that connection sees it.
    pub(crate) fn set_reason(&self, connection: u64, reason: Disconnect) {
        let mut state = self.0.lock();
        if state.connection == connection {
            state.reason = reason;
        }
    }

    /// The connection is lost, and the client may resume.
    pub(crate) fn lost(&self) {
        let mut state = self.0.lock();
        state.reason = Disconnect::Expired;
        if !mem::replace(&mut state.is_lost, true) {
            self.0.tell(state, [Occasion::Lost]);
        }
    }

    /// The client has resumed by another connection, and receives these topics. Returns the connection's number.
    pub(crate) fn resumed<'t>(&self, client: Client, topics: impl Iterator<Item = &'t str>) -> u64 {
        let mut state = self.0.lock();
        let before = mem::replace(&mut state.client, client);
        state.reason = Disconnect::Lost;
        state.connection += 1;
        let connection = state.connection;
        let mut occasions = Vec::new();
        // The one before may not even know that it is over.
        if !mem::replace(&mut state.is_lost, false) {
            occasions.push(Occasion::Lost);
        }
        occasions.push(Occasion::Resumed);
        let mut kept: Vec<(&'static str, usize)> = Vec::new();
        for topic in topics.filter_map(|topic| self.0.hooks.topic(topic)) {
            match kept.iter_mut().find(|(known, _)| *known == topic) {
                Some((_, count)) => *count += 1,
                None => kept.push((topic, 1)),
            }
        }
        for (topic, _) in mem::replace(&mut state.topics, kept) {
            if state.topics.iter().all(|(kept, _)| *kept != topic) {
                occasions.push(Occasion::Unsubscribed(topic));
            }
        }
        self.0.tell(state, occasions);
        drop_caught(before);
        connection
    }

    /// The client has another subscription.
    pub(crate) fn subscribed(&self, topic: &str) {
        let Some(topic) = self.0.hooks.topic(topic) else { return };
        let mut state = self.0.lock();
        if let Some((_, count)) = state.topics.iter_mut().find(|(known, _)| *known == topic) {
            *count += 1;
            return;
        }
        state.topics.push((topic, 1));
        self.0.tell(state, [Occasion::Subscribed(topic)]);
    }

    /// The client has a subscription less.
    pub(crate) fn unsubscribed(&self, topic: &str) {
        let Some(topic) = self.0.hooks.topic(topic) else { return };
        let mut state = self.0.lock();
        let Some(at) = state.topics.iter().position(|(known, _)| *known == topic) else { return };
        state.topics[at].1 -= 1;
        if state.topics[at].1 == 0 {
            state.topics.remove(at);
            self.0.tell(state, [Occasion::Unsubscribed(topic)]);
        }
    }

    /// Every topic that has hooks.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &'static str> {
        self.0.hooks.topics()
    }
}

impl Companion for Visit {
    fn end_with(&self, reason: Disconnect) {
        self.0.lock().reason = reason;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        let topics = mem::take(&mut state.topics);
        let ended = topics.into_iter().rev().map(|(topic, _)| Occasion::Unsubscribed(topic));
        let reason = state.reason.clone();
        let last = Occasion::Disconnected(reason);
        self.0.tell(state, ended.chain([last]).collect::<Vec<_>>());
    }
}

impl Inner {
    /// Adds occasions, and has them told unless something is being told.
    fn tell(self: &Arc<Self>, mut state: MutexGuard<'_, State>, occasions: impl IntoIterator<Item = Occasion>) {
        if state.known_to == 0 {
            return;
        }
        for occasion in occasions {
            match state.untold.iter().position(|untold| occasion.undoes(untold)) {
                Some(at) => _ = state.untold.remove(at),
                None => state.untold.push_back(occasion),
            }
        }
        if state.untold.is_empty() || mem::replace(&mut state.is_telling, true) {
            return;
        }
        drop(state);
        self.hooks.spawn(HookRun { visit: Arc::clone(self), told: None, running: None });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn instance(&self, group: usize) -> Option<Instance> {
        let state = self.lock();
        state.instances.iter().find(|(of, _)| *of == group).map(|(_, instance)| Arc::clone(instance))
    }

    /// Makes the instance that the client has of the service at `group`.
    fn make_instance(&self, group: usize) -> Result<(), CallError> {
        if !self.hooks.is_per_client(group) {
            return Ok(());
        }
        let client = self.lock().client.clone();
        let made = catch_unwind(AssertUnwindSafe(|| self.hooks.make_instance(group, &client))).map_err(panicked)?;
        self.lock().instances.extend(made.map(|instance| (group, instance)));
        Ok(())
    }

    /// Begins one hook, with the client as it is now.
    fn begin(&self, hook: (usize, usize), kind: HookKind, topic: Option<&'static str>, reason: &Disconnect) -> Begun {
        let client = self.lock().client.clone();
        let own = self.instance(hook.0);
        let begun = catch_unwind(AssertUnwindSafe(|| self.hooks.begin(hook, (kind, topic), (&client, own.as_ref()), reason)));
        begun.map_err(Some).and_then(|hooked| hooked.ok_or(None))
    }
}

/// A hook that has begun, or why not: it panicked, or there is none.
type Begun = Result<Hooked, Option<Box<dyn Any + Send>>>;

fn poll(hook: &mut Hooked, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
    catch_unwind(AssertUnwindSafe(|| hook.as_mut().poll(cx))).unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic))))
}

fn panicked(panic: Box<dyn Any + Send>) -> CallError {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("no text"), "a hook panicked");
    drop_caught(panic);
    CallError::new(ErrorCode::Exception, "Exception raised")
}

/// The `connected` hooks of a client, one after the other. Ready with the error of the first that refuses it. Never
/// panics.
pub struct Admission {
    visit: Arc<Visit>,
    /// The next hook: its group, and its place among those of the group.
    at: (usize, usize),
    running: Option<Hooked>,
}

impl Future for Admission {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let inner = Arc::clone(&this.visit.0);
        loop {
            if let Some(hook) = &mut this.running {
                let Poll::Ready(outcome) = poll(hook, cx) else { return Poll::Pending };
                drop_caught(this.running.take());
                if outcome.is_err() {
                    return Poll::Ready(outcome);
                }
            }
            let (group, index) = this.at;
            if group == inner.hooks.len() {
                return Poll::Ready(Ok(()));
            }
            if index == 0
                && let Err(error) = inner.make_instance(group)
            {
                return Poll::Ready(Err(error));
            }
            if index == inner.hooks.count(group, HookKind::Connected, None) {
                this.at = (group + 1, 0);
                inner.lock().known_to = group + 1;
                continue;
            }
            this.at = (group, index + 1);
            match inner.begin((group, index), HookKind::Connected, None, &Disconnect::Lost) {
                Ok(hook) => this.running = Some(hook),
                Err(Some(panic)) => return Poll::Ready(Err(panicked(panic))),
                Err(None) => {}
            }
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        drop_caught(self.running.take());
    }
}

/// Tells the services what they were not told yet of a client. Never panics.
pub struct HookRun {
    visit: Arc<Inner>,
    /// What is being told, and the hooks that are still to run, last one first.
    told: Option<(Occasion, Vec<(usize, usize)>)>,
    running: Option<Hooked>,
}

impl HookRun {
    /// The next thing to tell, with its hooks. Nothing more is told once there is none.
    fn next(&mut self) -> Option<(Occasion, Vec<(usize, usize)>)> {
        let mut state = self.visit.lock();
        let Some(occasion) = state.untold.pop_front() else {
            state.is_telling = false;
            return None;
        };
        let groups = 0..state.known_to;
        drop(state);
        let of_group =
            |group| (0..self.visit.hooks.count(group, occasion.kind(), occasion.topic())).map(move |index| (group, index));
        let mut hooks: Vec<_> =
            if occasion.is_end() { groups.rev().flat_map(of_group).collect() } else { groups.flat_map(of_group).collect() };
        hooks.reverse();
        Some((occasion, hooks))
    }
}

impl Future for HookRun {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        loop {
            if let Some(hook) = &mut this.running {
                // What it returns is of no account: nobody can be refused any more.
                let Poll::Ready(_) = poll(hook, cx) else { return Poll::Pending };
                drop_caught(this.running.take());
            }
            let Some((occasion, hooks)) = &mut this.told else {
                this.told = this.next();
                if this.told.is_none() {
                    return Poll::Ready(());
                }
                continue;
            };
            let Some(hook) = hooks.pop() else {
                if let Occasion::Disconnected(_) = occasion {
                    let instances = mem::take(&mut this.visit.lock().instances);
                    drop_caught(instances);
                }
                this.told = None;
                continue;
            };
            let reason = if let Occasion::Disconnected(reason) = &*occasion { reason } else { &Disconnect::Lost };
            match this.visit.begin(hook, occasion.kind(), occasion.topic(), reason) {
                Ok(hook) => this.running = Some(hook),
                Err(Some(panic)) => drop(panicked(panic)),
                Err(None) => {}
            }
        }
    }
}

impl Drop for HookRun {
    fn drop(&mut self) {
        drop_caught(self.running.take());
    }
}
