//! The methods that the inspector's page reads a server by.

use std::sync::{Arc, OnceLock};

use crate::{Statistics, Value, service};
use wslink_core::telemetry::Telemetry;

/// What who inspects must hold; everybody who knows the secret does.
pub(super) const AUTHORITY: &str = "wslink.inspector";

/// What there is to inspect, once the server is built.
pub(super) struct Inspected {
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) manifest: Option<Value>,
}

/// The service of the inspector.
pub(super) struct Inspection(pub(super) Arc<OnceLock<Inspected>>);

#[service(crate = crate)]
impl Inspection {
    /// What the server has done and is doing.
    #[rpc("wslink.inspector.statistics", require = "wslink.inspector")]
    fn statistics(&self) -> Option<Statistics> {
        self.0.get().map(|inspected| inspected.telemetry.statistics())
    }

    /// What the server offers.
    #[rpc("wslink.inspector.manifest", require = "wslink.inspector")]
    fn manifest(&self) -> Option<Value> {
        self.0.get()?.manifest.clone()
    }
}
