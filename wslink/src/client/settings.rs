//! The checked settings of a session.

use std::{future::Future, pin::Pin, time::Duration};

use super::{Backoff, Error, connection::Stream};
#[cfg(feature = "client-tls")]
use crate::transport::Encryption;
use crate::{
    Secret,
    transport::{Address, Headers, Proxy},
};
use wslink_core::wire::Protocol;

/// Makes a connection that needs no handshake.
#[cfg(feature = "testing")]
pub(super) type Dial = Box<dyn Fn() -> std::io::Result<Box<dyn Stream>> + Send + Sync>;

/// Opens a byte stream to the server.
pub(super) type Connector = Box<dyn Fn() -> Opening + Send + Sync>;
pub(super) type Opening = Pin<Box<dyn Future<Output = std::io::Result<Box<dyn Stream>>> + Send>>;

pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Tokens = dyn Fn() -> Pin<Box<dyn Future<Output = Result<String, BoxError>> + Send>> + Send + Sync;

/// What every connection of a session needs.
pub(super) struct Settings {
    pub(super) address: Address,
    /// What to connect by instead of the address.
    #[cfg(feature = "testing")]
    pub(super) dial: Option<Dial>,
    pub(super) protocol: &'static dyn Protocol,
    pub(super) credentials: Credentials,
    pub(super) backoff: Option<Backoff>,
    pub(super) connect_timeout: Duration,
    pub(super) ping: Option<Duration>,
    pub(super) message_bytes: usize,
    pub(super) headers: Headers,
    pub(super) proxy: Option<Proxy>,
    /// What to connect by instead of TCP.
    pub(super) connector: Option<Connector>,
    #[cfg(feature = "client-tls")]
    pub(super) encryption: Option<Encryption>,
}

/// What to be admitted with.
pub(super) enum Credentials {
    Secret(Secret),
    Tokens(Box<Tokens>),
}

impl Credentials {
    pub(super) async fn secret(&self) -> Result<String, Error> {
        match self {
            Self::Secret(secret) => Ok(secret.reveal().to_owned()),
            Self::Tokens(next) => next().await.map_err(|error| Error::Token(error.into())),
        }
    }
}

impl Settings {
    /// Whether trying again cannot help.
    pub(super) fn is_final(&self, error: &Error) -> bool {
        self.backoff.is_none() || matches!((error, &self.credentials), (Error::Unauthorized(_), Credentials::Secret(_)))
    }
}
