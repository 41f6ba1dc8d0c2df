//! Clients: how they came, who they are, and how that is decided.

pub use self::{
    authenticator::{Authenticating, Authentication, Authenticator, LoginRequest, Rejection},
    client::{Client, ClientId},
    disconnect::Disconnect,
    extensions::Extensions,
    handshake::Handshake,
    principal::Principal,
    secret::{Secret, SecretHolders},
};

mod authenticator;
mod client;
mod disconnect;
mod extensions;
mod handshake;
mod principal;
mod secret;
