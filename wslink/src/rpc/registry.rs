//! The dispatch table: what is mounted, sorted by URI, each URI once.
//!
//! Mounting names the type, so a linker that drops constructors cannot lose a method. `inventory`
//! adds what the mounted types have in further blocks, and tells what is linked but not mounted.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::Arc,
};

use super::{MethodDescriptor, Registration, Service, ServiceDescriptor};
use crate::{Error, rpc::Location};

/// A method and the service to call it on.
pub(crate) struct Route {
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) service: Arc<dyn Any + Send + Sync>,
}

/// What a server serves.
pub(crate) struct Routes {
    /// Sorted by URI.
    routes: Vec<Route>,
    by_uri: HashMap<&'static str, usize>,
    not_mounted: Vec<&'static ServiceDescriptor>,
}

/// A service instance with the description of its type.
pub(crate) struct Mounted {
    type_id: TypeId,
    descriptor: &'static ServiceDescriptor,
    service: Arc<dyn Any + Send + Sync>,
}

impl Mounted {
    pub(crate) fn new<S: Service>(service: S) -> Self {
        Self { type_id: TypeId::of::<S>(), descriptor: S::DESCRIPTOR, service: Arc::new(service) }
    }
}

impl Routes {
    /// The table of `mounted`, or the first URI that stands twice.
    pub(crate) fn new(mounted: &[Mounted]) -> Result<Self, Error> {
        let linked: Vec<_> = inventory::iter::<Registration>().map(|registration| registration.0).collect();
        let mut routes = Vec::new();
        let mut topics = Vec::new();
        for Mounted { type_id, descriptor, service } in mounted {
            for block in blocks(*type_id, descriptor, &linked) {
                topics.extend(block.topics.iter().map(|topic| (topic.uri, topic.location)));
                routes.extend(block.methods.iter().map(|method| Route { method, service: Arc::clone(service) }));
            }
        }
        routes.sort_by_key(|route| route.method.uri);
        unique(routes.iter().map(|route| (route.method.uri, route.method.location)))?;
        topics.sort_by_key(|(uri, _)| *uri);
        // Two instances of one service share its topics; two topics of one name do not mix.
        topics.dedup();
        unique(topics.iter().copied())?;

        let is_mounted = |descriptor: &ServiceDescriptor| mounted.iter().any(|one| one.type_id == (descriptor.type_id)());
        let mut not_mounted: Vec<_> = linked.into_iter().filter(|descriptor| !is_mounted(descriptor)).collect();
        not_mounted.sort_by_key(|descriptor| (descriptor.package, descriptor.name));
        let by_uri = routes.iter().enumerate().map(|(at, route)| (route.method.uri, at)).collect();
        Ok(Self { routes, by_uri, not_mounted })
    }

    pub(crate) fn find(&self, uri: &str) -> Option<&Route> {
        self.by_uri.get(uri).map(|at| &self.routes[*at])
    }

    /// Every method, sorted by URI.
    pub(crate) fn methods(&self) -> impl Iterator<Item = &'static MethodDescriptor> {
        self.routes.iter().map(|route| route.method)
    }

    /// Services that are linked into the program and were not mounted, sorted.
    pub(crate) fn not_mounted(&self) -> &[&'static ServiceDescriptor] {
        &self.not_mounted
    }
}

/// The blocks of one type: the one that its trait const leads to, and those that only registered.
fn blocks<'a>(
    type_id: TypeId,
    descriptor: &'static ServiceDescriptor,
    linked: &'a [&'static ServiceDescriptor],
) -> impl Iterator<Item = &'static ServiceDescriptor> + use<'a> {
    let further =
        linked.iter().copied().filter(move |block| !std::ptr::eq(*block, descriptor) && block.location != descriptor.location);
    std::iter::once(descriptor).chain(further.filter(move |block| (block.type_id)() == type_id))
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
