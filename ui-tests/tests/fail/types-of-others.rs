//! errors: 2
//!
//! Nobody can derive anything for types of the standard library.

use wslink::{rpc, service};

struct Render;

#[service]
impl Render {
    #[rpc("my.thread")]
    fn thread(&self, thread: std::thread::Thread) -> std::thread::ThreadId {
        thread.id()
    }
}

fn main() {}
