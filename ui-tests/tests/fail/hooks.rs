//! errors: 13
#![allow(unused)]

use wslink::{Client, Disconnect, service};

struct Room;

#[service]
impl Room {
    #[connected]
    fn joined(&self, reason: Disconnect) {}

    #[connected]
    fn greeted(&self, name: String) -> u32 {
        1
    }

    #[disconnected]
    async fn left(&self, client: Client) -> Result<(), wslink::Internal> {
        Ok(())
    }

    #[disconnected("room.said")]
    fn gone(&self) {}

    #[subscribed]
    fn listens(&self) {}

    #[subscribed("Room Said")]
    fn hears(&self) {}

    #[unsubscribed("room.said")]
    fn leaves(&mut self, client: &Client) {}

    #[lost(timeout = 1)]
    fn lost(&self, #[arg(default)] client: Client) {}

    #[resumed]
    const RESUMED: u32 = 1;
}

struct Waits;

#[service]
impl Waits {
    #[connected]
    async fn joined(&self) {
        let rc = std::rc::Rc::new(1);
        std::future::ready(()).await;
        drop(rc);
    }
}

fn main() {}
