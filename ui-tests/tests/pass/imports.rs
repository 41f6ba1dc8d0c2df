//! `rpc` and `topic` may be imported, named by a path, or neither; no import is reported as unused.
#![deny(unused_imports)]

mod imported {
    use wslink::{Topic, rpc, service, topic};

    pub struct Render;

    #[service]
    impl Render {
        #[topic("imported.changed")]
        pub const CHANGED: Topic<u8>;

        #[rpc("imported.image")]
        fn image(&self) {}
    }
}

mod by_path {
    pub struct Render;

    #[wslink::service]
    impl Render {
        #[wslink::topic("by_path.changed")]
        pub const CHANGED: wslink::Topic<u8>;

        #[wslink::rpc("by_path.image")]
        fn image(&self) {}
    }
}

mod neither {
    use wslink::service;

    pub struct Render;

    #[service]
    impl Render {
        #[rpc("neither.image")]
        fn image(&self) {}
    }
}

fn main() {
    use wslink::{rpc, service};

    struct Local;

    #[service]
    impl Local {
        #[rpc("local.image")]
        fn image(&self) {}
    }

    Local.image();
    let _ = (imported::Render::CHANGED, by_path::Render::CHANGED, neither::Render);
}
