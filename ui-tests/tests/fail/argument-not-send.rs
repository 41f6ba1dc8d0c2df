//! errors: 1

use std::{marker::PhantomData, rc::Rc};

use serde::Deserialize;
use wslink::{rpc, service};

#[derive(Deserialize)]
struct Local(PhantomData<Rc<u8>>);

struct Render;

#[service]
impl Render {
    #[rpc("my.image", blocking)]
    fn image(&self, local: Local) {
        drop(local);
    }
}

fn main() {}
