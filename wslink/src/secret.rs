//! The shared secret of a server and its clients.

use std::fmt;

use subtle::ConstantTimeEq;

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

    /// Whether `attempt` is the secret. Nothing is an empty one.
    pub(crate) fn admits(&self, attempt: &str) -> bool {
        !self.0.is_empty() && bool::from(self.0.as_bytes().ct_eq(attempt.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
