//! Parts of the runtime that this repository's own properties, conformance suites and benchmarks drive. Nothing here is
//! API.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

pub use super::echo::echo;
use crate::http::forwarded::{self, Trusted};
pub use crate::transport::{Incoming, Role, WebSocket};

/// The client that a request with these headers came from, where its sender is one of the `trusted` proxies.
#[must_use]
pub fn forwarded_client(trusted: &[IpNet], headers: &HeaderMap) -> Option<IpAddr> {
    let hop = forwarded::client(&Trusted(trusted.to_vec()), headers).ok()??;
    Some(hop.address?.ip())
}
