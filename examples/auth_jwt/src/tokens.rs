//! Who a client is, by its token: a JWT with a name, what it may do, and until when.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use wslink::{Authentication, Authenticator, LoginRequest, Principal, Rejection};

/// What is in a token.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    /// In seconds since 1970.
    exp: u64,
    /// What the subject may do.
    roles: Vec<String>,
}

/// Makes and checks tokens with one key. Where others make them, an [`Authenticator`] has their public
/// key instead, and gets it anew when they change it.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    pub(crate) fn new(key: &[u8]) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        // The seconds for which clocks may differ; the connection outlives the token by none of them.
        validation.leeway = 0;
        Self { encoding: EncodingKey::from_secret(key), decoding: DecodingKey::from_secret(key), validation }
    }

    /// A token for `name`, which may act as any of `roles` for `lifetime`.
    pub(crate) fn issue(
        &self,
        name: String,
        roles: Vec<String>,
        lifetime: Duration,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let exp = (since_1970(SystemTime::now()) + lifetime).as_secs();
        encode(&Header::new(Algorithm::HS256), &Claims { sub: name, exp, roles }, &self.encoding)
    }
}

impl Authenticator for Tokens {
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
        Box::pin(async move {
            let token = attempt.token().ok_or(Rejection::new("no token"))?;
            let Claims { sub, exp, roles } = decode::<Claims>(token, &self.decoding, &self.validation)?.claims;
            // One connection is one person's, however often it renews its token.
            let before = attempt.client().principal();
            if !before.name().is_empty() && before.name() != sub {
                return Err(Rejection::new("a token of somebody else"));
            }
            let left = (UNIX_EPOCH + Duration::from_secs(exp)).duration_since(SystemTime::now())?;
            Ok(Principal::new(sub).granting(roles).expires_in(left))
        })
    }
}

fn since_1970(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}
