//! Clients: how they came, who they are, and how that is decided.

pub use self::{
    authenticator::{Attempt, Authenticating, Authentication, Authenticator, Refusal},
    client::{Client, ClientId},
    handshake::Handshake,
    principal::Principal,
    secret::{Secret, SecretHolders},
};

mod authenticator;
mod client;
mod handshake;
mod principal;
mod secret;
