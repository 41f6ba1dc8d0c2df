#![doc = include_str!("../docs/guide.md")]
// The core ring alone has nobody to drive its connections; everything in it is used by the server.
#![cfg_attr(not(feature = "server"), allow(dead_code))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod attachment;
#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod connection;
mod error;
#[cfg(feature = "server")]
mod http;
mod limits;
pub mod rpc;
mod secret;
#[cfg(feature = "server")]
pub mod server;
mod topic;
#[cfg(feature = "server")]
mod transport;
mod value;
mod wire;

pub use wslink_macros::{rpc, service, topic};

#[cfg(feature = "server")]
pub use self::server::Server;
pub use self::{
    attachment::Attachment,
    client::{Client, ClientId},
    error::{CallError, Error, ErrorCode, Internal, RpcError},
    limits::Limits,
    rpc::Args,
    secret::Secret,
    topic::{Delivery, Payload, Publisher, Topic},
    value::Value,
};
