//! errors: 1

use wslink::{rpc, service};

type Fallible<T> = Result<T, wslink::Internal>;

struct Render;

#[service(client)]
impl Render {
    #[rpc("my.size")]
    fn size(&self) -> Fallible<u32> {
        Ok(1)
    }
}

fn main() {}
