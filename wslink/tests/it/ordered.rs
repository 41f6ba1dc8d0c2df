//! Services of which each connection has one call at a time.

use std::time::Duration;

use serde_json::{Value, json};
use wslink::service;

use crate::{
    harness::{BOTH, Speaker, TestServer},
    kit,
};

/// One call of a connection at a time.
struct Orderly;

#[service(ordered)]
impl Orderly {
    #[rpc("orderly.wait")]
    async fn wait(&self, ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }

    #[rpc("orderly.now")]
    fn now(&self) -> &'static str {
        "now"
    }
}

#[test]
fn calls_of_an_ordered_service_wait_for_each_other() {
    let server = TestServer::start(|builder| builder.mount(Orderly).service(kit::Kit::new));
    for generation in BOTH {
        let mut speaker = Speaker::new(&server, generation);
        let ids = [
            speaker.begin("orderly.wait", json!([50])),
            speaker.begin("orderly.now", json!([])),
            speaker.begin("orderly.wait", json!([1])),
        ];
        let other = speaker.begin("kit.null", json!([]));
        assert_eq!(speaker.next()["id"], other, "only of that service");
        assert_eq!(ids.map(Value::from), [speaker.next(), speaker.next(), speaker.next()].map(|reply| reply["id"].clone()));
        assert_eq!(speaker.call("orderly.now", json!([]))["result"], "now");
        let many: Vec<_> = std::iter::once(speaker.begin("orderly.wait", json!([20])))
            .chain((0..500).map(|_| speaker.begin("orderly.now", json!([]))))
            .collect();
        many.into_iter().for_each(|id| assert_eq!(speaker.next()["id"], id));
    }
}
