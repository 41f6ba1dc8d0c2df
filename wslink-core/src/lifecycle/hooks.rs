//! The hooks of one server, in the order in which its services are mounted.

use std::{
    any::Any,
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use super::{HookCall, HookDescriptor, HookKind, HookRun, Hooked};
use crate::{Client, Disconnect, Publisher};

/// A hook that is a function of the program, and no part of a service.
pub type HookFn = Box<dyn Fn(Client, Disconnect) -> Hooked + Send + Sync>;

/// The hooks that belong together: a client for which those before have run is told to them at its end.
pub enum ServiceHooks {
    /// Those of a service.
    Service {
        /// The hooks.
        hooks: &'static [HookDescriptor],
        /// The service.
        service: Arc<dyn Any + Send + Sync>,
    },
    /// A function.
    Function(HookKind, HookFn),
}

impl ServiceHooks {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Service { hooks: [], .. })
    }

    fn topics(&self) -> &[HookDescriptor] {
        match self {
            Self::Service { hooks, .. } => hooks,
            Self::Function(..) => &[],
        }
    }

    /// Those of one kind, in the order of the source.
    fn select(&self, wanted: HookKind, topic: Option<&'static str>) -> Vec<Hook<'_>> {
        match self {
            Self::Service { hooks, service } => {
                let selected = hooks.iter().filter(|hook| hook.kind == wanted && hook.topic == topic);
                selected.map(|hook| Hook::OfService(hook, service)).collect()
            }
            Self::Function(kind, run) if *kind == wanted && topic.is_none() => vec![Hook::Function(run)],
            Self::Function(..) => Vec::new(),
        }
    }
}

/// One hook, ready to run.
enum Hook<'a> {
    OfService(&'static HookDescriptor, &'a Arc<dyn Any + Send + Sync>),
    Function(&'a HookFn),
}

/// How a future is run, without waiting for it.
type Spawn = Box<dyn Fn(HookRun) + Send + Sync>;

/// All hooks of one server.
pub struct Hooks {
    groups: Vec<ServiceHooks>,
    /// The topics that have hooks.
    topics: BTreeSet<&'static str>,
    publisher: Publisher,
    /// Known once there is a runtime.
    spawn: OnceLock<Spawn>,
}

impl Hooks {
    /// The hooks of `groups`, in their order; nothing where there are none.
    #[must_use]
    pub fn new(groups: impl IntoIterator<Item = ServiceHooks>, publisher: Publisher) -> Option<Arc<Self>> {
        let groups: Vec<_> = groups.into_iter().filter(|group| !group.is_empty()).collect();
        let topics = groups.iter().flat_map(|group| group.topics().iter().filter_map(|hook| hook.topic)).collect();
        (!groups.is_empty()).then(|| Arc::new(Self { groups, topics, publisher, spawn: OnceLock::new() }))
    }

    /// Says how the hooks of clients that are here already are run, unless that is known. To be called before there is a
    /// client.
    pub fn spawn_with<F: Fn(HookRun) + Send + Sync + 'static>(&self, how: impl FnOnce() -> F) {
        self.spawn.get_or_init(|| Box::new(how()));
    }

    pub(super) fn spawn(&self, run: HookRun) {
        if let Some(spawn) = self.spawn.get() {
            spawn(run);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.groups.len()
    }

    /// The topic of that name, if it has hooks.
    pub(super) fn topic(&self, name: &str) -> Option<&'static str> {
        self.topics.get(name).copied()
    }

    /// The topics that have hooks.
    pub(super) fn topics(&self) -> impl Iterator<Item = &'static str> {
        self.topics.iter().copied()
    }

    /// How many hooks of one kind there are in the group at `index`.
    pub(super) fn count(&self, index: usize, kind: HookKind, topic: Option<&'static str>) -> usize {
        self.groups.get(index).map_or(0, |group| group.select(kind, topic).len())
    }

    /// Begins one hook. Code of the application runs here, and may panic.
    pub(super) fn begin(
        &self,
        (group, index): (usize, usize),
        (kind, topic): (HookKind, Option<&'static str>),
        client: &Client,
        reason: &Disconnect,
    ) -> Option<Hooked> {
        match self.groups.get(group)?.select(kind, topic).get(index)? {
            Hook::OfService(hook, service) => {
                let publisher = &self.publisher;
                Some((hook.run)(&HookCall { service, client, publisher, reason }))
            }
            Hook::Function(run) => Some(run(client.clone(), reason.clone())),
        }
    }
}
