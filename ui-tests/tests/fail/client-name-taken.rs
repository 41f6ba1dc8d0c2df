//! errors: 1

use wslink::{rpc, service};

struct Render;

#[derive(Clone, Debug)]
struct RenderClient(u32);

#[service(client)]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> u32 {
        1
    }

    #[rpc("my.draw")]
    async fn draw(&self) {}
}

fn main() {}
