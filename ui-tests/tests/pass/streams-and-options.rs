//! Topics with streams of their own, and every option of calls and topics.

use futures_util::{Stream, stream};
use serde::Serialize;
use wslink::{Cancel, Progress, Topic, rpc, service, topic};

struct Render;

#[derive(Serialize)]
struct Tile {
    id: String,
}

#[service(ordered)]
impl Render {
    #[topic("my.tile", delivery = latest(key = id), retain = last)]
    const TILE: Topic<Tile>;

    #[topic("my.tiles", delivery = drop_oldest(4))]
    fn tiles(&self, from: u32, #[arg(default = 9)] to: u32) -> impl Stream<Item = Tile> + Send + 'static {
        stream::iter((from..to).map(|id| Tile { id: id.to_string() }))
    }

    #[rpc("my.render", detached, timeout_ms = 5000)]
    async fn render(&self, progress: Progress<f32>, cancel: Cancel) {
        progress.report(&0.5);
        cancel.cancelled().await;
    }
}

fn main() {
    let descriptor = <Render as wslink::rpc::Service>::DESCRIPTOR;
    assert!(descriptor.ordered && descriptor.methods[0].terms.timeout.is_some());
    assert!(descriptor.topics[0].retain && descriptor.topics[0].stream.is_none());
    assert_eq!(descriptor.topics[1].stream.as_ref().map(|stream| stream.parameters.len()), Some(2));
    assert_eq!(Render::TILE.uri(), "my.tile");
}
