//! The client of a call: its id, handshake, principal and data.

use std::{borrow::Borrow, fmt, sync::Arc};

use super::Extensions;
use crate::{Handshake, Principal};

/// The identity of a connection, unique on its server: `c` and 32 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// A new id of 128 random bits.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("c{:032x}", u128::from_be_bytes(bytes)).into()))
    }

    /// As clients see it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So that a client can be looked up by what it calls itself.
impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The client that calls, as a context parameter of a handler.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{Client, service};
///
/// struct WhoAmI;
///
/// #[service]
/// impl WhoAmI {
///     #[rpc("who.am.i")]
///     fn who_am_i(&self, client: Client) -> String {
///         client.id().to_string()
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    id: ClientId,
    handshake: Handshake,
    principal: Principal,
    extensions: Extensions,
}

impl Client {
    /// A client with everything that is known of it.
    #[must_use]
    pub fn new(id: ClientId, handshake: Handshake, principal: Principal) -> Self {
        Self { id, handshake, principal, extensions: Extensions::default() }
    }

    /// The same connection, going on for `client`, which was lost.
    #[must_use]
    pub fn resuming(self, client: &Self) -> Self {
        Self { id: client.id.clone(), extensions: client.extensions.clone(), ..self }
    }

    /// The same client under another principal.
    pub fn become_principal(&mut self, principal: Principal) {
        self.principal = principal;
    }

    /// Its identity.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        &self.id
    }

    /// How it came: its address, and the headers of its request.
    #[must_use]
    pub const fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    /// Who it is: what the server's [`Authenticator`](crate::Authenticator) said of it before the call.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Data that services keep with it.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}
