//! errors: 1

use std::rc::Rc;
use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.image")]
    async fn image(&self) -> u32 {
        let shared = Rc::new(1);
        std::future::ready(()).await;
        *shared
    }
}

fn main() {}
