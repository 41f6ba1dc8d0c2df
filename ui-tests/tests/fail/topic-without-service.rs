//! errors: 1

use wslink::{Delivery, Topic, topic};

#[topic("my.changed")]
const CHANGED: Topic<u32> = Topic::new("my.changed", Delivery::Latest);

fn main() {
    let _ = CHANGED;
}
