//! The heart of [wslink](https://docs.rs/wslink): values, protocols, sessions, dispatch and topics, without I/O.
//!
//! Applications use the crate `wslink`, which re-exports the public types of this one and adds the server, the client
//! and their sockets. This crate is for those who drive a session by other means: it takes frames and the time, and
//! gives frames, calls and deadlines back. It knows no runtime, no socket, no HTTP server and no clock.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod codec;
mod delivery;
mod error;
pub mod identity;
pub mod lifecycle;
mod limits;
#[cfg(feature = "manifest")]
pub mod manifest;
mod panics;
mod presence;
pub mod rpc;
#[cfg(feature = "manifest")]
mod schema;
#[cfg(not(feature = "manifest"))]
#[path = "schema/disabled.rs"]
mod schema;
pub mod session;
pub mod telemetry;
pub mod topic;
pub mod value;
pub mod wire;

#[cfg(feature = "manifest")]
pub use schemars;
pub use wslink_macros::{RpcError, connected, disconnected, lost, resumed, rpc, service, subscribed, topic, unsubscribed};

#[cfg(feature = "manifest")]
pub use self::manifest::{Manifest, manifest};
pub use self::{
    delivery::Delivery,
    error::{CallError, Error, ErrorCode, Internal, RpcError},
    identity::{
        Authentication, Authenticator, Client, ClientId, Disconnect, Extensions, Handshake, LoginRequest, Principal, Rejection,
        Secret,
    },
    limits::Limits,
    panics::drop_caught,
    presence::{Presence, PresenceChange, PresenceEntry},
    rpc::{Args, Cancel, Progress},
    telemetry::{ClientStatistics, MethodStatistics, Statistics, TopicStatistics},
    topic::{Payload, Publisher, Topic},
    value::{Attachment, Value},
};
