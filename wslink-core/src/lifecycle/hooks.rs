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
        service: Instance,
    },
    /// Those of a service of which each client has an instance of its own.
    PerClient {
        /// The hooks.
        hooks: &'static [HookDescriptor],
        /// Makes the instance of a client.
        make: MakeInstance,
    },
    /// A function.
    Function(HookKind, HookFn),
}

/// Makes the instance of a service that one client has.
pub type MakeInstance = Box<dyn Fn(Client, Publisher) -> Instance + Send + Sync>;

/// An instance of a service.
pub type Instance = Arc<dyn Any + Send + Sync>;

impl ServiceHooks {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Service { hooks: [], .. })
    }

    fn of_service(&self) -> &'static [HookDescriptor] {
        match self {
            Self::Service { hooks, .. } | Self::PerClient { hooks, .. } => hooks,
            Self::Function(..) => &[],
        }
    }

    /// The places of those of one kind, in the order of the source.
    fn places(&self, kind: HookKind, topic: Option<&'static str>) -> impl Iterator<Item = usize> {
        let is_function = matches!(self, Self::Function(of, _) if *of == kind);
        let hooks = self.of_service().iter().enumerate();
        hooks.filter(move |(_, hook)| hook.kind == kind && hook.topic == topic).map(|(at, _)| at).chain(is_function.then_some(0))
    }
}

/// A hook of a server: its group, and its place in that.
pub(super) type Place = (usize, usize);

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
        let groups: Vec<_> = groups.into_iter().collect();
        let topics = groups.iter().flat_map(|group| group.of_service().iter().filter_map(|hook| hook.topic)).collect();
        let any = groups.iter().any(|group| !group.is_empty());
        any.then(|| Arc::new(Self { groups, topics, publisher, spawn: OnceLock::new() }))
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

    /// The hooks of one kind in the group at `group`.
    pub(super) fn places(&self, group: usize, kind: HookKind, topic: Option<&'static str>) -> impl Iterator<Item = Place> {
        self.groups.get(group).into_iter().flat_map(move |of| of.places(kind, topic).map(move |at| (group, at)))
    }

    /// The instance that a client has of the group at `index`, where each has its own. Code of the application runs here, and may panic.
    pub(super) fn make_instance(&self, index: usize, client: &Client) -> Option<Instance> {
        let ServiceHooks::PerClient { make, .. } = self.groups.get(index)? else { return None };
        Some(make(client.clone(), self.publisher.clone()))
    }

    /// Begins one hook; nothing where there is none. Code of the application runs here, and may panic.
    pub(super) fn begin(
        &self,
        (group, at): Place,
        client: &Client,
        own: Option<&Instance>,
        reason: &Disconnect,
    ) -> Option<Hooked> {
        let (hook, service) = match self.groups.get(group)? {
            ServiceHooks::Service { hooks, service } => (hooks.get(at)?, service),
            ServiceHooks::PerClient { hooks, .. } => (hooks.get(at)?, own?),
            ServiceHooks::Function(_, run) => return Some(run(client.clone(), reason.clone())),
        };
        Some((hook.run)(&HookCall { service, client, publisher: &self.publisher, reason }))
    }
}
