//! errors: 7

use wslink::{Topic, rpc, service, topic};

struct Render;

#[service]
impl Render {
    #[topic("my.changed", delivery = lastest)]
    pub const CHANGED: Topic<u32>;

    #[rpc("my.getImage")]
    fn image(&mut self, name: &str, #[arg(defualt = 3)] w: u32) -> u32 {
        w + u32::from(name.is_empty())
    }

    #[rpc("my.picture", blocking)]
    async fn picture(&self, (w, h): (u32, u32)) -> u32 {
        w + h
    }

    #[rpc("my.fine")]
    fn fine(&self) {}
}

fn main() {
    Render.fine();
}
