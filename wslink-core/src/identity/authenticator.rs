//! Authentication: the login request that a hello makes, and the application's answer.
//!
//! Knows no wire format and no clock; the session asks, and its driver waits for the answer.

use std::{
    borrow::Cow,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use crate::{Client, Handshake, Principal, Value};

/// Decides who a client is, from its hello and the handshake of its connection.
///
/// Every function from an [`LoginRequest`] to a future of the answer is one, and so is a
/// [`Secret`](crate::Secret). While the answer is pending, nothing else of that connection is acted on;
/// it has [`Limits::hello`](crate::Limits::hello) to come. A panic is a refusal.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{LoginRequest, Authentication, Authenticator, Principal, Rejection};
///
/// struct Accounts { /* a pool of database connections, the keys of an identity provider, … */ }
///
/// impl Accounts {
///     async fn find(&self, session: &str) -> Option<String> {
///         (session == "c0ffee").then(|| "alice".to_owned())
///     }
/// }
///
/// impl Authenticator for Accounts {
///     fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
///         Box::pin(async move {
///             let session = attempt.handshake().cookie("session").ok_or(Rejection::new("no cookie"))?;
///             let name = self.find(session).await.ok_or(Rejection::new("no such session"))?;
///             Ok(Principal::new(name))
///         })
///     }
/// }
///
/// # fn authenticator(_: impl Authenticator) {}
/// authenticator(Accounts {});
///
/// // The same question, put to a function.
/// authenticator(async |attempt: LoginRequest| match attempt.token() {
///     Some("let me in") => Ok(Principal::new("a friend").granting(["editor"])),
///     _ => Err(Rejection::new("another word")),
/// });
/// ```
pub trait Authenticator: Send + Sync + 'static {
    /// The principal that the attempt is good for, or a refusal.
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_>;
}

/// The answer to an [`LoginRequest`], perhaps later.
pub type Authentication<'a> = Pin<Box<dyn Future<Output = Result<Principal, Rejection>> + Send + 'a>>;

impl<F, Answer> Authenticator for F
where
    F: Fn(LoginRequest) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Principal, Rejection>> + Send + 'static,
{
    fn authenticate(&self, attempt: LoginRequest) -> Authentication<'_> {
        Box::pin(self(attempt))
    }
}

/// The answer to a hello, while it is being found. Never panics.
pub struct Authenticating(Authentication<'static>);

impl Authenticating {
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>, attempt: LoginRequest) -> Self {
        Self(Box::pin(async move { authenticator.authenticate(attempt).await }))
    }
}

impl Future for Authenticating {
    type Output = Result<Principal, Rejection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))).unwrap_or_else(|panic| {
            crate::panics::drop_caught(panic);
            tracing::error!("the authenticator panicked");
            Poll::Ready(Err(Rejection::unavailable("the authenticator panicked")))
        })
    }
}

/// One hello, and the connection that it came on.
#[derive(Clone)]
pub struct LoginRequest {
    client: Client,
    hello: Value,
}

impl LoginRequest {
    /// A hello of `client`, with its first argument.
    pub const fn new(client: Client, hello: Value) -> Self {
        Self { client, hello }
    }

    /// The client, whose [`principal`](Client::principal) is that of its last good hello, if it had one.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// How the client came: its address, its headers and cookies, and the URI that it asked for.
    #[must_use]
    pub fn handshake(&self) -> &Handshake {
        self.client.handshake()
    }

    /// What clients call the secret, whatever it is: any text that fits into
    /// [`Limits::hello_bytes`](crate::Limits::hello_bytes).
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.hello.get("secret")?.as_str()
    }

    /// The whole hello, with whatever else the client says in it.
    #[must_use]
    pub const fn hello(&self) -> &Value {
        &self.hello
    }
}

/// Without the hello, which is secret.
impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest").field("client", &self.client).finish_non_exhaustive()
    }
}

/// Why a login is rejected. The reason is for the log; the client receives `Authentication failed`.
///
/// Every error becomes one by `?`. Where the error says nothing about the client, because a database did not answer,
/// write [`Rejection::unavailable`]: clients give up for good after the one, and come back after the other.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{LoginRequest, Principal, Rejection};
///
/// # async fn find(_: &str) -> std::io::Result<Option<String>> { Ok(None) }
/// async fn authenticate(login: LoginRequest) -> Result<Principal, Rejection> {
///     let token = login.token().ok_or(Rejection::new("no token"))?;
///     let user = find(token).await.map_err(|error| Rejection::unavailable(error.to_string()))?;
///     user.map(Principal::new).ok_or(Rejection::new("nobody has this token"))
/// }
/// ```
pub struct Rejection {
    reason: Cow<'static, str>,
    is_temporary: bool,
}

impl Rejection {
    /// A rejection for good. `reason` must contain no secrets.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_temporary: false }
    }

    /// Nobody knows now who the client is: it receives -32008 and may try again. `reason` must contain no secrets.
    #[must_use]
    pub fn unavailable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: reason.into(), is_temporary: true }
    }

    /// The reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Whether the client may try again with the same hello.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}

impl<E: std::error::Error> From<E> for Rejection {
    fn from(error: E) -> Self {
        Self::new(error.to_string())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rejection({})", self.reason)
    }
}
