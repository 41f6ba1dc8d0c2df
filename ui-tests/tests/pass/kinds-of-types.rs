//! Services of every kind of type that can be one, and methods that call each other directly.

use std::marker::PhantomData;

use wslink::{rpc, rpc::Service, service};

struct Backend<T>(PhantomData<fn() -> T>);

#[service]
impl Backend<u8> {
    #[rpc("backend.kind")]
    const fn kind(&self) -> u8 {
        8
    }
}

#[service]
impl Backend<u16> {
    #[rpc("backend16.kind")]
    const fn kind(&self) -> u8 {
        16
    }
}

enum Mode {
    On,
    Off,
}

#[service]
impl Mode {
    #[rpc("mode.is_on")]
    fn is_on(&self) -> bool {
        matches!(self, Self::On)
    }

    #[rpc("mode.is_off")]
    fn is_off(&self) -> bool {
        !self.is_on() && matches!(self, Self::Off)
    }
}

struct Empty;

#[service]
impl Empty {}

mod inner {
    pub(crate) struct Deep;
}

#[service]
impl inner::Deep {
    #[rpc("deep.tuple")]
    fn tuple(&self, pair: (u8, String), list: [u8; 4]) {
        drop((pair, list));
    }
}

fn main() {
    assert_eq!(Backend::<u8>::DESCRIPTOR.name, "Backend");
    assert_eq!(Backend::<u16>(PhantomData).kind(), 16);
    assert!(Mode::Off.is_off());
    assert!(Empty::DESCRIPTOR.methods.is_empty());
    assert_eq!(inner::Deep::DESCRIPTOR.name, "Deep");
}
