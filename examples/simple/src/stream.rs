//! Pictures on a topic for as long as anybody watches.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use wslink::Publisher;

use crate::protocol::picture;

const PERIOD: Duration = Duration::from_secs(2);

/// A stream that runs while it has viewers.
pub(crate) struct Stream {
    publisher: Publisher,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    topic: String,
    viewers: usize,
    publishing: Option<JoinHandle<()>>,
}

impl Stream {
    /// A stream without viewers.
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher, state: Arc::default() }
    }

    /// Adds a viewer; from now on pictures go to `topic`.
    pub(crate) fn join(&self, topic: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        topic.clone_into(&mut state.topic);
        state.viewers += 1;
        if state.publishing.is_none() {
            state.publishing = Some(tokio::spawn(publish(self.publisher.clone(), Arc::clone(&self.state))));
        }
    }

    /// Takes a viewer off; `false` when `topic` has none.
    pub(crate) fn leave(&self, topic: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.topic != topic || state.viewers == 0 {
            return false;
        }
        state.viewers -= 1;
        if state.viewers == 0 {
            state.publishing.take().inspect(JoinHandle::abort);
        }
        true
    }
}

async fn publish(publisher: Publisher, state: Arc<Mutex<State>>) {
    let mut period = tokio::time::interval(PERIOD);
    for alternative in [true, false].into_iter().cycle() {
        period.tick().await;
        let topic = state.lock().unwrap_or_else(PoisonError::into_inner).topic.clone();
        publisher.publish_untyped(&topic, &picture(alternative));
    }
}
