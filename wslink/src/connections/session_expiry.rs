//! Removes resumable sessions that expired: tells the hub, which has no clock, that a part of their time has passed.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use wslink_core::{session::Shared, topic::AGES};

/// Runs while any session can be resumed; when the server stops, all of them are removed.
pub(super) async fn expire_sessions(shared: Arc<Shared>, stop: CancellationToken) {
    let part = shared.limits.resume_window / AGES;
    while stop.run_until_cancelled(sleep(part)).await.is_some() {
        if !shared.hub.age() {
            return;
        }
    }
    shared.hub.forget_all();
}
