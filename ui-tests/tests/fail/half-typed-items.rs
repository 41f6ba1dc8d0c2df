//! errors: 4
//!
//! Of a block with one of these, the compiler alone would lose the rest as well. Here the rest is there.

mod arrow {
    use wslink::{rpc, service};

    pub struct Render;

    #[service]
    impl Render {
        #[rpc("my.a")]
        fn a(&self) -> {}

        #[rpc("my.b")]
        pub fn b(&self) {}
    }
}

mod body {
    use wslink::{rpc, service};

    pub struct Render;

    #[service]
    impl Render {
        #[rpc("my.a")]
        fn a(&self)

        #[rpc("my.b")]
        pub fn b(&self) {}
    }
}

mod name {
    use wslink::{rpc, service};

    pub struct Render;

    #[service]
    impl Render {
        #[rpc("my.a")]
        fn (&self) {}

        #[rpc("my.b")]
        pub fn b(&self) {}
    }
}

mod keyword {
    use wslink::{rpc, service};

    pub struct Render;

    #[service]
    impl Render {
        #[rpc("my.a")]
        async a(&self) {}

        #[rpc("my.b")]
        pub fn b(&self) {}
    }
}

fn main() {
    arrow::Render.b();
    body::Render.b();
    name::Render.b();
    keyword::Render.b();
}
