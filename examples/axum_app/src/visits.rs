//! What the application and its viewers share: the number of visits.

use tokio::sync::watch;
use wslink::{Client, Publisher, Topic, service};

/// Counts, for routes and services alike.
#[derive(Clone, Default)]
pub(crate) struct Visits(watch::Sender<u64>);

impl Visits {
    pub(crate) fn one_more(&self) -> u64 {
        self.0.send_modify(|count| *count += 1);
        *self.0.borrow()
    }
}

/// Shows the visits as they happen.
pub(crate) struct Viewer {
    visits: Visits,
}

#[service]
impl Viewer {
    /// Somebody looked at the front page.
    #[topic("visits.changed", delivery = latest)]
    pub(crate) const CHANGED: Topic<u64>;

    pub(crate) fn new(visits: Visits, publisher: Publisher) -> Self {
        let mut counts = visits.0.subscribe();
        tokio::spawn(async move {
            while counts.changed().await.is_ok() {
                let count = *counts.borrow_and_update();
                publisher.publish(Self::CHANGED, &count);
            }
        });
        Self { visits }
    }

    /// How many there were.
    #[rpc("visits.count")]
    fn count(&self) -> u64 {
        *self.visits.0.borrow()
    }

    /// The address that the caller has, as the server sees it.
    #[rpc("visits.address")]
    fn address(&self, client: Client) -> Option<String> {
        client.handshake().address().map(|address| address.ip().to_string())
    }

    /// Answers after a while, whatever happens to the server meanwhile.
    #[rpc("visits.wait")]
    async fn wait(&self, ms: u32) -> u32 {
        tokio::time::sleep(std::time::Duration::from_millis(ms.into())).await;
        ms
    }
}
