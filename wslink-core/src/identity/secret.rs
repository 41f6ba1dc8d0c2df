//! The shared secret of a server and its clients.

use std::{fmt, future::ready, sync::Arc};

use subtle::ConstantTimeEq;

use crate::{Authentication, Authenticator, LoginRequest, Principal, Rejection};

/// What a client must say in its hello. Never shown by `Debug`, and compared in constant time.
#[derive(Clone)]
pub struct Secret(String);

/// The secret that the original wslink publishes in its documentation and clients use by default.
const PUBLISHED: &str = "wslink-secret";

impl Secret {
    /// A secret chosen by the application.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// 128 random bits.
    ///
    /// # Errors
    /// The operating system has no entropy to give.
    pub fn random() -> Result<Self, crate::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| crate::Error::Io(error.into()))?;
        Ok(Self(format!("{:032x}", u128::from_be_bytes(bytes))))
    }

    /// `wslink-secret`, which everybody knows: for demonstrations, and for clients that cannot be told
    /// another.
    #[must_use]
    pub fn published() -> Self {
        Self::new(PUBLISHED)
    }

    /// The secret itself, to hand it to a client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `attempt` is the secret, in a time that does not tell how much of it is right. Nothing is
    /// an empty one.
    #[must_use]
    pub fn admits(&self, attempt: &str) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(attempt.as_bytes()))
    }
}

/// Admits whoever knows the secret: somebody without a name or authority, since it tells nobody apart.
impl Authenticator for Secret {
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
        self.admit_as(&attempt, &Principal::default())
    }
}

/// A secret, and who everybody is that knows it.
pub struct SecretHolders {
    secret: Arc<Secret>,
    principal: Principal,
}

impl SecretHolders {
    /// Accepts `secret`, and makes its clients `principal`.
    pub const fn new(secret: Arc<Secret>, principal: Principal) -> Self {
        Self { secret, principal }
    }
}

impl Authenticator for SecretHolders {
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
        self.secret.admit_as(&attempt, &self.principal)
    }
}

impl Secret {
    fn admit_as(&self, attempt: &LoginRequest, principal: &Principal) -> Authentication<'static> {
        let known = attempt.token().is_some_and(|token| self.admits(token));
        let answer = if known { Ok(principal.clone()) } else { Err(Rejection::new("another secret")) };
        Box::pin(ready(answer))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
