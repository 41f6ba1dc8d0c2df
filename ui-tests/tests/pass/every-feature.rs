//! Every feature at once, and where a URI was written.

use serde::{Deserialize, Serialize};
use wslink::{Args, Client, Internal, Publisher, Topic, rpc, service, topic};

struct Render {
    publisher: Publisher,
}

#[derive(Serialize, Deserialize)]
struct Frame {
    w: u32,
}

/// Renders.
#[service]
impl Render {
    /// A new frame is ready.
    #[topic("myapp.render.changed", delivery = latest)]
    pub const CHANGED: Topic<Frame>;

    #[topic("myapp.render.log", delivery = drop_oldest(16))]
    const LOG: Topic<String>;

    /// Renders one still image.
    #[rpc("myapp.render.image")]
    async fn image(&self, client: Client, w: u32, h: u32, #[arg(default = 90)] quality: u8) -> Result<Frame, Internal> {
        let _ = (client.id(), h, quality);
        self.publisher.publish(Self::CHANGED, &Frame { w });
        Ok(Frame { w })
    }

    #[rpc("myapp.render.add")]
    fn add(&self, a: f64, b: Option<f64>) -> f64 {
        a + b.unwrap_or_default()
    }

    #[rpc("myapp.render.save", blocking)]
    fn save(&self, #[arg(rename = "path")] file: String, #[arg(default)] force: bool) {
        self.log(file, force);
    }

    #[rpc("myapp.render.any")]
    async fn any(&self, args: Args) -> usize {
        args.positional.len()
    }

    fn log(&self, line: String, _: bool) {
        self.publisher.publish(Self::LOG, &line);
    }
}

fn main() {
    let descriptor = <Render as wslink::rpc::Service>::DESCRIPTOR;
    assert_eq!(descriptor.docs, "Renders.");
    assert_eq!(descriptor.methods[0].docs, "Renders one still image.");
    assert_eq!(descriptor.methods[0].location.line, 26);
    assert_eq!(descriptor.methods[0].location.column, 11);
    assert_eq!(descriptor.topics.len(), 2);
}
