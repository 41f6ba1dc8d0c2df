//! Forgets the clients that do not come back in time: says for the hub, which has no clock, when a part
//! of that time has passed.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use wslink_core::{connection::Shared, topic::AGES};

/// Runs while anybody is remembered; when the server stops, everybody is forgotten.
pub(super) async fn forget_in_time(shared: Arc<Shared>, stop: CancellationToken) {
    let part = shared.limits.resume_window / AGES;
    while stop.run_until_cancelled(sleep(part)).await.is_some() {
        if !shared.hub.age() {
            return;
        }
    }
    shared.hub.forget_all();
}
