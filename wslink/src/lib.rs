#![doc = include_str!("../docs/guide.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "server")]
mod connections;
#[cfg(feature = "server")]
mod http;
#[cfg(feature = "server")]
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(feature = "client", feature = "server"))]
mod transport;

#[cfg(feature = "manifest")]
pub mod manifest {
    #![doc = include_str!("../docs/manifest.md")]
    pub use wslink_core::manifest::{Change, Kind, Manifest, Schemas, compare, manifest};
}

/// Services as the macros describe them, and what their handlers take and return.
pub mod rpc {
    pub use wslink_core::rpc::{
        Args, ArgumentError, Call, CallPolicy, Cancel, Catalogue, ErrorDescriptor, ErrorField, ErrorFields, Internal, Location,
        MethodDescriptor, MethodTypes, Outcome, Output, Parameter, ParameterDescriptor, ParameterKind, PayloadType, Plain,
        Progress, Registration, Reply, Returned, RpcError, Service, ServiceDescriptor, TopicDescriptor, linked,
    };
}
pub use wslink_core::{
    Args, Attachment, Authentication, Authenticator, CallError, Cancel, Client, ClientId, ClientStatistics, Delivery, Disconnect,
    Error, ErrorCode, Extensions, Handshake, Internal, Limits, LoginRequest, MethodStatistics, Payload, Presence, PresenceChange,
    PresenceEntry, Principal, Progress, Publisher, Rejection, RpcError, Secret, Statistics, Topic, TopicStatistics, Value,
};
#[cfg(feature = "manifest")]
pub use wslink_core::{Manifest, manifest::manifest, schemars};
pub use wslink_macros::{connected, disconnected, lost, resumed, rpc, service, subscribed, topic, unsubscribed};

#[cfg(feature = "server")]
pub use self::server::Server;
