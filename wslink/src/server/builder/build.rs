//! From services and settings to a server. Everything that can be wrong with them is found here.

use std::{
    sync::{Arc, LazyLock, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use super::Builder;
#[cfg(feature = "inspector")]
use crate::server::inspector::{self, Inspected};
use crate::{Authenticator, Error, Principal, Secret, connections::Connections, http, http::Site, server::Server};
use wslink_core::{
    identity::SecretHolders, lifecycle::Hooks, rpc::Routes, session::Shared, telemetry::Telemetry, topic::Guard, wire::Protocols,
};

impl Builder {
    /// The server.
    ///
    /// # Errors
    /// Two methods or topics share a URI; a setting is out of range; `strict` is set and a linked
    /// service is not mounted; or the operating system has no entropy for the secret.
    pub fn build(mut self) -> Result<Server, Error> {
        self.http.check()?;
        self.http.origin_policy.check()?;
        if self.http.follow_links {
            tracing::warn!("links are followed that lead out of the folders that are served");
        }
        self.http.headers = http::parse_headers(&self.headers)?;
        super::limits::check(&self.limits)?;
        let routes = Routes::new(&self.services)?;
        #[cfg(feature = "prometheus")]
        if self.prometheus {
            http::prometheus::install()?;
        }
        report_not_mounted(&routes, self.strict)?;
        #[cfg(feature = "inspector")]
        let anyhow: &[_] = if self.inspected.is_some() { &[inspector::AUTHORITY] } else { &[] };
        #[cfg(not(feature = "inspector"))]
        let anyhow = &[];
        let (authenticator, secret) = gate(self.authenticator, self.secret, self.grants, anyhow, &routes)?;
        self.hub.set_guard(Guard::new(routes.guarded(), self.authorize));
        #[cfg(feature = "manifest")]
        let manifest = if self.http.manifest { shown(&routes) } else { None };
        #[cfg(not(feature = "manifest"))]
        let manifest = None;
        let telemetry = self.observe.then(|| {
            let methods = routes.methods().map(|method| method.uri);
            Arc::new(Telemetry::new(methods, clock, self.metrics))
        });
        if let Some(telemetry) = &telemetry {
            self.hub.set_telemetry(Arc::clone(telemetry));
        }
        #[cfg(feature = "inspector")]
        if let (Some(inspected), Some(telemetry)) = (self.inspected, &telemetry) {
            let _ = inspected.set(Inspected { telemetry: Arc::clone(telemetry), manifest: shown(&routes) });
        }
        let hooks = Hooks::new(self.hooks, self.publisher.clone());
        let shared = Shared {
            manifest,
            telemetry,
            routes,
            hub: self.hub,
            publisher: self.publisher,
            limits: self.limits,
            authenticator,
            expose_details: self.expose_details,
            protocols: Protocols::default(),
            hooks,
            held: AtomicUsize::new(0),
        };
        let connections = Connections::new(shared, self.stop);
        Ok(Server { site: Site { connections, settings: Arc::new(self.http) }, secret })
    }
}

/// Who decides who is admitted, and the secret when that is all there is to it.
type Gate = (Arc<dyn Authenticator>, Option<Arc<Secret>>);

/// Whoever knows the secret has the authorities of `anyhow` in any case.
fn gate(
    authenticator: Option<Arc<dyn Authenticator>>,
    secret: Option<Secret>,
    grants: Option<Principal>,
    anyhow: &[&'static str],
    routes: &Routes,
) -> Result<Gate, Error> {
    let Some(authenticator) = authenticator else {
        let nobody = |(uri, authority, place)| {
            Error::Setting(format!(
                "`{uri}` at {place} requires `{authority}`, but a secret tells nobody apart; set `Builder::authenticator`, or say \
                 what everybody who knows the secret may do: `Builder::secret_grants([\"{authority}\"])`"
            ))
        };
        let holder = grants.map_or_else(
            || {
                routes
                    .required()
                    .find(|(_, authority, _)| !anyhow.contains(authority))
                    .map_or(Ok(Principal::default()), |first| Err(nobody(first)))
            },
            Ok,
        )?;
        let holder = if anyhow.is_empty() { holder } else { holder.granting(anyhow.iter().copied()) };
        let secret = Arc::new(secret.map_or_else(Secret::random, Ok)?);
        if secret.reveal().is_empty() {
            let text = "the secret is empty, so nobody could say it; set another, or none for a random one";
            return Err(Error::Setting(text.into()));
        }
        return Ok((Arc::new(SecretHolders::new(Arc::clone(&secret), holder)), Some(secret)));
    };
    if secret.is_some() || grants.is_some() {
        let text = "both a secret and an authenticator are set; drop one, or ask `Secret::admits` in the authenticator";
        return Err(Error::Setting(text.into()));
    }
    Ok((authenticator, None))
}

/// The clock of the telemetry, which the core does not have.
fn clock() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// The manifest, as clients get it.
#[cfg(feature = "manifest")]
fn shown(routes: &Routes) -> Option<crate::Value> {
    serde_json::from_str(&crate::Manifest::of_services(routes.mounted()).to_json()).ok()
}

fn report_not_mounted(routes: &Routes, strict: bool) -> Result<(), Error> {
    let names = routes.not_mounted().iter().map(|service| service.name);
    if strict && !routes.not_mounted().is_empty() {
        return Err(Error::NotMounted(names.collect()));
    }
    for service in routes.not_mounted() {
        tracing::warn!(
            service = service.name,
            package = service.package,
            location = %service.location,
            "a service is linked into this program but not mounted; mount it with `.service(…)`"
        );
    }
    Ok(())
}
