//! The user or program that a connection acts for, with its authorities.
//!
//! Knows nothing of authentication, which is the task of an [`Authenticator`](crate::Authenticator).

use std::{any::Any, collections::BTreeSet, fmt, sync::Arc, time::Duration};

use crate::{CallError, ErrorCode, Value};

/// Who a client is, as the server's [`Authenticator`](crate::Authenticator) found out.
///
/// Cheap to clone; a context parameter of handlers, which get the one under which the call begins.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use std::time::Duration;
/// use wslink::{Principal, service};
///
/// struct Account { plan: String }
///
/// let alice = Principal::new("alice")
///     .granting(["editor", "role:admin"])
///     .expires_in(Duration::from_secs(3600))
///     .with_data(Account { plan: "team".into() });
/// assert!(alice.holds("editor"));
/// assert_eq!(alice.data::<Account>().unwrap().plan, "team");
///
/// struct Documents;
///
/// #[service]
/// impl Documents {
///     #[rpc("documents.mine")]
///     fn mine(&self, principal: Principal) -> String {
///         format!("the documents of {}", principal.name())
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Principal(Arc<Facts>);

#[derive(Clone, Default)]
struct Facts {
    name: String,
    authorities: BTreeSet<String>,
    lifetime: Option<Duration>,
    data: Option<Arc<dyn Any + Send + Sync>>,
}

impl Principal {
    /// Somebody of that name, without any authority. A name may be shared by many connections.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(Arc::new(Facts { name: name.into(), ..Facts::default() }))
    }

    /// The same with `authorities` added: the words that `require = "…"` asks for.
    #[must_use]
    pub fn granting<A: Into<String>>(mut self, authorities: impl IntoIterator<Item = A>) -> Self {
        self.facts().authorities.extend(authorities.into_iter().map(Into::into));
        self
    }

    /// The same for `lifetime` from the moment of authentication. Unless the client says a good hello
    /// again by then, its calls are refused, and the connection is closed
    /// [`Limits::expiry_grace`](crate::Limits::expiry_grace) later.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.facts().lifetime = Some(lifetime);
        self
    }

    /// The same with something of the application's own. The last of them is kept.
    #[must_use]
    pub fn with_data<T: Any + Send + Sync>(mut self, data: T) -> Self {
        self.facts().data = Some(Arc::new(data));
        self
    }

    /// Who it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Whether it may do what `authority` is required for.
    #[must_use]
    pub fn holds(&self, authority: &str) -> bool {
        self.0.authorities.contains(authority)
    }

    /// The same as a result: the error is what clients get of `require = "authority"`, for handlers that
    /// only know at run time what they require.
    ///
    /// # Errors
    /// [`ErrorCode::Forbidden`] with `{"require": authority}`.
    pub fn require(&self, authority: &str) -> Result<(), CallError> {
        if self.holds(authority) {
            return Ok(());
        }
        let data = Value::map([("require", Value::from(authority))]);
        Err(CallError::new(ErrorCode::Forbidden, "Forbidden").with_data(data))
    }

    /// What it may do, sorted.
    pub fn authorities(&self) -> impl Iterator<Item = &str> {
        self.0.authorities.iter().map(String::as_str)
    }

    /// For how long it was good when it was authenticated; nothing when it does not expire.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.0.lifetime
    }

    /// What the application knows of it, when that is a `T`.
    #[must_use]
    pub fn data<T: Any>(&self) -> Option<&T> {
        self.0.data.as_deref()?.downcast_ref()
    }

    /// Whether it is the same as `other` and may do the same.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.0.name, &self.0.authorities) == (&other.0.name, &other.0.authorities)
    }

    fn facts(&mut self) -> &mut Facts {
        Arc::make_mut(&mut self.0)
    }
}

/// Without the application's data, which may be secret.
impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Facts { name, authorities, lifetime, .. } = &*self.0;
        f.debug_struct("Principal")
            .field("name", name)
            .field("authorities", authorities)
            .field("lifetime", lifetime)
            .finish_non_exhaustive()
    }
}
