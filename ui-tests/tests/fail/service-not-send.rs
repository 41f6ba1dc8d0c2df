//! errors: 1
//!
//! An `Rc` is neither `Send` nor `Sync`, and that is one mistake.

use std::rc::Rc;

use wslink::{rpc, service};

struct Scene(Rc<u32>);

#[service]
impl Scene {
    #[rpc("scene.size")]
    fn size(&self) -> u32 {
        *self.0
    }
}

fn main() {}
