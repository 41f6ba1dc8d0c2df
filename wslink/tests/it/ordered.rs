//! Services of which each connection has one call at a time.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::Semaphore;
use wslink::service;

use crate::{
    harness::{BOTH, Speaker, TestServer},
    kit,
};

/// One call of a connection at a time; those that wait are let go one by one.
struct Orderly(Arc<Semaphore>);

#[service(ordered)]
impl Orderly {
    #[rpc("orderly.wait")]
    async fn wait(&self) {
        self.0.acquire().await.unwrap().forget();
    }

    #[rpc("orderly.now")]
    fn now(&self) -> &'static str {
        "now"
    }
}

#[test]
fn calls_of_an_ordered_service_wait_for_each_other() {
    let gate = Arc::new(Semaphore::new(0));
    let orderly = Orderly(Arc::clone(&gate));
    let server = TestServer::start(|builder| builder.mount(orderly).service(kit::Kit::new));
    for protocol in BOTH {
        let mut speaker = Speaker::new(&server, protocol);
        let ids = [
            speaker.begin("orderly.wait", json!([])),
            speaker.begin("orderly.now", json!([])),
            speaker.begin("orderly.wait", json!([])),
        ];
        let other = speaker.begin("kit.null", json!([]));
        assert_eq!(speaker.next()["id"], other, "only of that service");
        gate.add_permits(2);
        assert_eq!(ids.map(Value::from), [speaker.next(), speaker.next(), speaker.next()].map(|reply| reply["id"].clone()));
        assert_eq!(speaker.call("orderly.now", json!([]))["result"], "now");
        let many: Vec<_> = std::iter::once(speaker.begin("orderly.wait", json!([])))
            .chain((0..500).map(|_| speaker.begin("orderly.now", json!([]))))
            .collect();
        gate.add_permits(1);
        many.into_iter().for_each(|id| assert_eq!(speaker.next()["id"], id));
    }
}
