//! errors: 1
//!
//! It is neither `Send` nor `Sync`, and none of its handlers is a second mistake.

use wslink::{rpc, service};

trait Backend {
    fn size(&self) -> u32;
}

struct Render(Box<dyn Backend>);

#[service]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> u32 {
        self.0.size()
    }

    #[rpc("my.draw")]
    async fn draw(&self) {}

    #[rpc("my.save", blocking)]
    fn save(&self) {}
}

fn main() {}
