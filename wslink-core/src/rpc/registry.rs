//! The dispatch table: what is mounted, sorted by URI, each URI once.
//!
//! Mounting names the type, so a linker that drops constructors cannot lose a method. `inventory`
//! tells what is linked but not mounted.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use rustc_hash::FxHashMap;

use super::{MethodDescriptor, Service, ServiceDescriptor, TopicDescriptor, linked};
use crate::{Client, Error, Publisher, error::Location, lifecycle::ServiceHooks, telemetry::MethodRef};

/// A method and the service to call it on.
pub struct Route {
    /// The method that is called.
    pub method: &'static MethodDescriptor,
    /// The service that it is called on, unless each client has its own.
    pub service: Arc<dyn Any + Send + Sync>,
    /// Where each client has its own: the place of the service among those that have hooks.
    pub per_client: Option<usize>,
    /// Its index in the table.
    pub index: usize,
    ordered: bool,
}

impl Route {
    /// The method, as the telemetry names it.
    pub(crate) const fn method_ref(&self) -> MethodRef {
        MethodRef { uri: self.method.uri, index: self.index }
    }

    /// What tells the calls that wait for each other from all others.
    pub fn lane(&self) -> Option<Lane> {
        self.ordered.then(|| Lane(Arc::as_ptr(&self.service).addr()))
    }
}

/// The calls of one connection to one ordered service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lane(usize);

/// A topic of which each subscription has a stream of its own.
pub struct StreamRoute {
    pub topic: &'static TopicDescriptor,
    pub route: Route,
}

/// What a server serves.
pub struct Routes {
    /// Sorted by URI.
    routes: Vec<Route>,
    /// Asked at each call, and never about anything that a client could add to it.
    by_uri: FxHashMap<&'static [u8], usize>,
    streams: HashMap<&'static str, StreamRoute>,
    topics: Vec<&'static TopicDescriptor>,
    not_mounted: Vec<&'static ServiceDescriptor>,
    /// Every block of what is mounted.
    #[cfg(feature = "manifest")]
    mounted: Vec<&'static ServiceDescriptor>,
}

/// A service instance with the description of its type.
pub struct Mounted {
    type_id: TypeId,
    descriptor: &'static ServiceDescriptor,
    service: Arc<dyn Any + Send + Sync>,
    per_client: Option<usize>,
}

impl Mounted {
    /// A service that a server mounts.
    pub fn new<S: Service>(service: S) -> Self {
        Self { type_id: TypeId::of::<S>(), descriptor: S::DESCRIPTOR, service: S::ERASURE.erase(service), per_client: None }
    }

    /// A service of which each client has an instance that `make` makes; its hooks have to be at `place` among those of
    /// the server.
    #[must_use]
    pub fn per_client<S: Service>(
        place: usize,
        make: impl Fn(Client, Publisher) -> S + Send + Sync + 'static,
    ) -> (Self, ServiceHooks) {
        let (type_id, descriptor) = (TypeId::of::<S>(), S::DESCRIPTOR);
        let make = Box::new(move |client, publisher| S::ERASURE.erase(make(client, publisher)));
        let hooks = ServiceHooks::PerClient { hooks: descriptor.hooks, make };
        (Self { type_id, descriptor, service: Arc::new(()), per_client: Some(place) }, hooks)
    }

    /// What the service wants to be told of clients.
    #[must_use]
    pub fn hooks(&self) -> ServiceHooks {
        ServiceHooks::Service { hooks: self.descriptor.hooks, service: Arc::clone(&self.service) }
    }
}

impl Routes {
    /// The table of `mounted`, or the first URI that stands twice.
    pub fn new(mounted: &[Mounted]) -> Result<Self, Error> {
        let linked = linked();
        let mut routes = Vec::new();
        let mut topics: Vec<&'static TopicDescriptor> = Vec::new();
        let mut streams = HashMap::new();
        for Mounted { descriptor, service, per_client, .. } in mounted {
            topics.extend(descriptor.topics);
            let (ordered, per_client) = (descriptor.ordered, *per_client);
            let route = |method| Route { method, service: Arc::clone(service), per_client, index: 0, ordered };
            routes.extend(descriptor.methods.iter().map(route));
            let own = descriptor.topics.iter().filter_map(|topic| Some((topic, topic.stream.as_ref()?)));
            streams.extend(own.map(|(topic, method)| (topic.uri, StreamRoute { topic, route: route(method) })));
        }
        routes.sort_by_key(|route| route.method.uri);
        unique(routes.iter().map(|route| (route.method.uri, route.method.location)))?;
        topics.sort_by_key(|topic| topic.uri);
        // Two instances of one service share its topics; two topics of one name do not mix.
        topics.dedup_by_key(|topic| (topic.uri, topic.location));
        unique(topics.iter().map(|topic| (topic.uri, topic.location)))?;

        let is_mounted = |descriptor: &ServiceDescriptor| mounted.iter().any(|one| one.type_id == (descriptor.type_id)());
        let mut not_mounted: Vec<_> = linked.into_iter().filter(|descriptor| !is_mounted(descriptor)).collect();
        not_mounted.sort_by_key(|descriptor| (descriptor.package, descriptor.version, descriptor.name));
        routes.iter_mut().enumerate().for_each(|(index, route)| route.index = index);
        let by_uri = routes.iter().map(|route| (route.method.uri.as_bytes(), route.index)).collect();
        Ok(Self {
            routes,
            by_uri,
            streams,
            topics,
            not_mounted,
            #[cfg(feature = "manifest")]
            mounted: mounted.iter().map(|one| one.descriptor).filter(|descriptor| !descriptor.is_inspector()).collect(),
        })
    }

    /// The route of a method, by its URI as it is in the request.
    pub fn find(&self, uri: &[u8]) -> Option<&Route> {
        self.by_uri.get(uri).map(|at| &self.routes[*at])
    }

    /// The topic of that name, if each of its subscriptions has a stream of its own.
    pub fn find_stream(&self, topic: &str) -> Option<&StreamRoute> {
        self.streams.get(topic)
    }

    /// Every method, sorted by URI.
    pub fn methods(&self) -> impl Iterator<Item = &'static MethodDescriptor> {
        self.routes.iter().map(|route| route.method)
    }

    /// The topics that require an authority, and which.
    pub fn guarded(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.topics.iter().filter_map(|topic| Some((topic.uri, topic.require?)))
    }

    /// Every method and topic that requires an authority, which, and where it is written.
    pub fn required(&self) -> impl Iterator<Item = (&'static str, &'static str, Location)> {
        let methods = self.methods().filter_map(|method| Some((method.uri, method.terms.require?, method.location)));
        methods.chain(self.topics.iter().filter_map(|topic| Some((topic.uri, topic.require?, topic.location))))
    }

    /// Everything that is mounted.
    #[cfg(feature = "manifest")]
    pub fn mounted(&self) -> &[&'static ServiceDescriptor] {
        &self.mounted
    }

    /// Services that are linked into the program and were not mounted, sorted.
    pub fn not_mounted(&self) -> &[&'static ServiceDescriptor] {
        &self.not_mounted
    }
}

fn unique(sorted: impl Iterator<Item = (&'static str, Location)>) -> Result<(), Error> {
    let mut previous: Option<(&'static str, Location)> = None;
    for (uri, location) in sorted {
        match previous {
            Some((known, place)) if known == uri => return Err(Error::Duplicate { uri, places: [place, location] }),
            _ => previous = Some((uri, location)),
        }
    }
    Ok(())
}
