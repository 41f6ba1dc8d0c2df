//! A renewed certificate is served without a restart: when the files change, and at SIGHUP.

use std::time::Duration;

use crate::server::Tls;

/// How often the files are looked at.
const TICK: Duration = Duration::from_secs(60);

/// Looks at the files of `tls` for as long as the process lives.
pub(super) async fn watch(tls: Tls, signals: bool) {
    loop {
        let told = next(signals).await;
        match tls.reload(told) {
            Ok(true) => tracing::warn!("serving the certificate that the files have now"),
            Ok(false) => {}
            // The old one goes on: a renewal may be half done.
            Err(error) => tracing::error!(%error, "the certificate stays as it was"),
        }
    }
}

/// Waits; whether it was told to look.
#[cfg(unix)]
async fn next(signals: bool) -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let hangup = signals.then(|| signal(SignalKind::hangup()).ok()).flatten();
    let Some(mut hangup) = hangup else {
        tokio::time::sleep(TICK).await;
        return false;
    };
    tokio::select! {
        () = tokio::time::sleep(TICK) => false,
        _ = hangup.recv() => true,
    }
}

#[cfg(not(unix))]
async fn next(_: bool) -> bool {
    tokio::time::sleep(TICK).await;
    false
}
