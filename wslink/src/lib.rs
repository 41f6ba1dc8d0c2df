//! RPC, publish/subscribe and binary streaming over one WebSocket, for every wslink client.

extern crate self as wslink;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod attachment;
mod client;
mod connection;
mod error;
mod limits;
pub mod rpc;
mod secret;
mod topic;
mod value;
mod wire;

pub use wslink_macros::{rpc, service, topic};

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
