//! Who is logged in: a session for each login, known by a cookie that nobody can guess.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use wslink::{Authentication, Authenticator, LoginRequest, Principal, Rejection};

/// How long a login is good for.
pub(crate) const LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// The name of the cookie. Where everything is served by TLS, `__Host-session` has browsers see to that.
pub(crate) const COOKIE: &str = "session";

/// Shared by the pages and the WebSocket.
#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<HashMap<String, Login>>>);

struct Login {
    name: String,
    expiry: Instant,
}

/// The session that a connection was admitted by, for its principal.
pub(crate) struct SessionId(String);

impl Accounts {
    /// The id of a new session, if the password is right. A real application asks its database, and
    /// compares a hash.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Result<String, Rejection> {
        if name.is_empty() || password != "open sesame" {
            return Err(Rejection::new("another password"));
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let id = format!("{:032x}", u128::from_be_bytes(bytes));
        let now = Instant::now();
        let mut logins = self.logins();
        logins.retain(|_, login| login.expiry > now);
        logins.insert(id.clone(), Login { name: name.to_owned(), expiry: now + LIFETIME });
        Ok(id)
    }

    /// From now on, connections are refused that bring the cookie of this session.
    pub(crate) fn log_out(&self, SessionId(id): &SessionId) {
        self.logins().remove(id);
    }

    fn logins(&self) -> MutexGuard<'_, HashMap<String, Login>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the cookie that the browser sends with the handshake; what hello says does not matter. Pages of
/// other origins cannot use the cookie, because the server refuses their handshake.
impl Authenticator for Accounts {
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
        Box::pin(async move {
            let id = attempt.handshake().cookie(COOKIE).ok_or(Rejection::new("no cookie"))?;
            let logins = self.logins();
            let Login { name, expiry } = logins.get(id).ok_or(Rejection::new("no such session"))?;
            let left = expiry.checked_duration_since(Instant::now()).ok_or(Rejection::new("the session is over"))?;
            Ok(Principal::new(name).granting(["member"]).expires_in(left).with_data(SessionId(id.to_owned())))
        })
    }
}
