//! A whole block may come out of `macro_rules!`, and a block may call macros of its own.

use wslink::{Topic, rpc, rpc::Service, service, topic};

macro_rules! counter {
    ($name:ident, $uri:literal, $topic:literal, $number:ty, $start:expr) => {
        struct $name;

        #[service]
        impl $name {
            #[topic($topic)]
            const CHANGED: Topic<$number>;

            #[rpc($uri)]
            fn next(&self, #[arg(default = $start)] after: $number) -> $number {
                after + 1
            }
        }
    };
}

counter!(Small, "small.next", "small.changed", u8, 1);
counter!(Large, "large.next", "large.changed", u64, 2);

macro_rules! size {
    () => {
        fn size(&self) -> u32 {
            1
        }
    };
}

struct Render;

#[service]
impl Render {
    const LIMIT: [u32; 2] = { [1, 2] };

    size!();

    #[rpc("render.area")]
    fn area(&self) -> u32 {
        self.size() * Self::LIMIT[1]
    }
}

fn main() {
    assert_eq!(Small::DESCRIPTOR.methods[0].uri, "small.next");
    assert_eq!(Large::DESCRIPTOR.methods[0].uri, "large.next");
    assert_eq!(Large::CHANGED.uri(), "large.changed");
    assert_eq!(Render.area(), 2);
}
