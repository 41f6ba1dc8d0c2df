//! errors: 1

use wslink::{rpc, service};

struct Render(std::cell::Cell<u32>);

#[service]
impl Render {
    #[rpc("my.size")]
    async fn size(&self) -> u32 {
        self.0.get()
    }
}

fn main() {}
