//! Says hello again before what the session was admitted with expires.
//!
//! Knows when, and with what; sending it and hearing the answer is `live`'s business.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep};

use super::{Error, hello::hello, settings::Settings};
use wslink_core::wire::Encoded;

pub(super) struct Refresh {
    settings: Arc<Settings>,
    expiry: Option<Instant>,
    step: Step,
}

enum Step {
    /// Nothing expires, or what expires cannot be helped: the server will end the connection, and the
    /// next one begins with a new token.
    Idle,
    Waiting(Pin<Box<Sleep>>),
    Asking(Pin<Box<dyn Future<Output = Result<String, Error>> + Send>>),
}

/// Of a failed attempt, another is made when half of what is left has passed, unless that is less.
const LEAST: Duration = Duration::from_secs(1);

/// Whatever the server says, tokens are not asked for more often.
const PAUSE: Duration = Duration::from_millis(100);

impl Refresh {
    /// For a connection that was admitted for `lifetime`, or for ever.
    pub(super) fn new(settings: Arc<Settings>, lifetime: Option<Duration>) -> Self {
        let mut refresh = Self { settings, expiry: None, step: Step::Idle };
        refresh.admitted(lifetime);
        refresh
    }

    /// It was admitted for `lifetime` from now on, or for ever.
    pub(super) fn admitted(&mut self, lifetime: Option<Duration>) {
        self.expiry = lifetime.and_then(|lifetime| Instant::now().checked_add(lifetime));
        self.step = lifetime.map_or(Step::Idle, |lifetime| Step::Waiting(Box::pin(sleep((lifetime / 4 * 3).max(PAUSE)))));
    }

    /// The hello to send, when it is time.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Encoded> {
        loop {
            match &mut self.step {
                Step::Idle => return Poll::Pending,
                Step::Waiting(sleep) => {
                    std::task::ready!(sleep.as_mut().poll(cx));
                    let settings = Arc::clone(&self.settings);
                    self.step = Step::Asking(Box::pin(async move { settings.credentials.secret().await }));
                }
                Step::Asking(secret) => {
                    let secret = std::task::ready!(secret.as_mut().poll(cx));
                    self.step = Step::Idle;
                    match secret.and_then(|secret| hello(self.settings.wire, &secret, None)) {
                        Ok(hello) => return Poll::Ready(hello),
                        Err(error) => self.try_again(&error),
                    }
                }
            }
        }
    }

    fn try_again(&mut self, error: &Error) {
        let left = self.expiry.map(|expiry| expiry.saturating_duration_since(Instant::now()));
        tracing::warn!(%error, ?left, "there is no new token");
        if let Some(left) = left.filter(|left| *left > LEAST) {
            self.step = Step::Waiting(Box::pin(sleep(left / 2)));
        }
    }
}
