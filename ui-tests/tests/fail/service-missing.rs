//! errors: 1

use wslink::rpc::Service;

struct Render;

fn mount<S: Service>(_: S) {}

fn main() {
    mount(Render);
}
