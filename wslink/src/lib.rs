#![doc = include_str!("../docs/guide.md")]
// The core ring alone has nobody to drive its connections; everything in it is used by the server.
#![cfg_attr(not(feature = "server"), allow(dead_code))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod attachment;
mod authenticator;
mod caller;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
mod connection;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "server")]
mod http;
mod limits;
#[cfg(feature = "manifest")]
pub mod manifest;
#[cfg(not(feature = "manifest"))]
#[path = "manifest/absent.rs"]
mod manifest;
#[cfg(feature = "measuring")]
#[doc(hidden)]
pub mod measuring;
mod observe;
mod principal;
pub mod rpc;
mod secret;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
mod topic;
#[cfg(any(feature = "client", feature = "server"))]
mod transport;
mod value;
mod wire;

#[cfg(feature = "manifest")]
pub use schemars;
pub use wslink_macros::{RpcError, rpc, service, topic};

#[cfg(feature = "manifest")]
pub use self::manifest::{Manifest, manifest};
#[cfg(feature = "server")]
pub use self::server::Server;
pub use self::{
    attachment::Attachment,
    authenticator::{Attempt, Authentication, Authenticator, Refusal},
    caller::{Client, ClientId},
    connection::Handshake,
    error::{CallError, Error, ErrorCode},
    limits::Limits,
    observe::{ClientStatistics, MethodStatistics, Statistics, TopicStatistics},
    principal::Principal,
    rpc::{Args, Cancel, Internal, Progress, RpcError},
    secret::Secret,
    topic::{Delivery, Payload, Publisher, Topic},
    value::Value,
};
