//! errors: 1

use wslink::{Publisher, Topic, service, topic};

struct Clock {
    publisher: Publisher,
}

#[service]
impl Clock {
    #[topic("clock tick")]
    pub const TICK: Topic<u64>;

    fn tick(&self, seconds: u64) {
        self.publisher.publish(Self::TICK, &seconds);
    }
}

fn main() {}
