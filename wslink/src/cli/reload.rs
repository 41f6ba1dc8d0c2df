//! A renewed certificate is served without a restart: when the files change, and at SIGHUP.

use std::{future::Future, time::Duration};

use crate::server::Tls;

/// How often the files are looked at.
const TICK: Duration = Duration::from_secs(60);

/// Looks at the files of `tls` for as long as the process lives. Signals are taken from when this returns.
pub(super) fn watch(tls: Tls, signals: bool) -> impl Future<Output = ()> {
    let mut hangup = Hangup::new(signals);
    async move {
        loop {
            let told = tokio::select! {
                () = tokio::time::sleep(TICK) => false,
                () = hangup.next() => true,
            };
            match tls.reload(told) {
                Ok(true) => tracing::warn!("serving the certificate that the files have now"),
                Ok(false) => {}
                // The old one goes on: a renewal may be half done.
                Err(error) => tracing::error!(%error, "the certificate stays as it was"),
            }
        }
    }
}

/// What a supervisor sends for a reload.
#[cfg(unix)]
pub(super) struct Hangup(Option<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Hangup {
    pub(super) fn new(wanted: bool) -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self(wanted.then(|| signal(SignalKind::hangup()).ok()).flatten())
    }

    /// The next one; never, where they are left alone.
    pub(super) async fn next(&mut self) {
        let told = match &mut self.0 {
            Some(signal) => signal.recv().await,
            None => None,
        };
        if told.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
pub(super) struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    pub(super) const fn new(_: bool) -> Self {
        Self
    }

    pub(super) async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}
