//! The methods by which clients end the server.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{CallError, service};

/// How long `application.exit.later` waits unless told.
const LATER: f64 = 60.0;

/// Ends the server for its clients.
pub(super) struct Exit {
    stop: CancellationToken,
    /// What will end it later.
    later: Mutex<Option<JoinHandle<()>>>,
}

impl Exit {
    pub(super) const fn new(stop: CancellationToken) -> Self {
        Self { stop, later: Mutex::new(None) }
    }
}

#[service(crate = crate)]
impl Exit {
    /// Ends the server.
    #[rpc("application.exit")]
    fn exit(&self) {
        self.stop.cancel();
    }

    /// Ends the server some seconds later; the last one to ask decides.
    #[rpc("application.exit.later")]
    fn exit_later(&self, #[arg(rename = "secondsLater")] seconds: Option<f64>) -> Result<(), CallError> {
        let delay = Duration::try_from_secs_f64(seconds.unwrap_or(LATER))
            .map_err(|_| CallError::exception("`secondsLater` is no duration; give a number of seconds"))?;
        let stop = self.stop.clone();
        let timer = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            stop.cancel();
        });
        self.later.lock().unwrap_or_else(PoisonError::into_inner).replace(timer).inspect(JoinHandle::abort);
        Ok(())
    }
}
