//! Every form of a hook.

use wslink::{CallError, Client, Disconnect, ErrorCode, Handshake, Internal, Principal, Publisher, Topic, service};

struct Room;

#[service]
impl Room {
    #[topic("room.said")]
    const SAID: Topic<String>;

    #[connected]
    fn joined(&self, client: Client, publisher: Publisher) {
        publisher.to(client.id()).publish(Self::SAID, &"welcome".to_owned());
    }

    #[connected]
    async fn checked(&self, _: Principal, handshake: Handshake) -> Result<(), CallError> {
        let origin = handshake.origin().map(|_| ());
        origin.ok_or(CallError::new(ErrorCode::Unavailable, "no page"))
    }

    #[connected]
    fn opened(&self) -> Result<(), Internal> {
        std::fs::read("/dev/null")?;
        Ok(())
    }

    #[disconnected]
    async fn left(&self, client: Client, reason: Disconnect) {
        drop((client, reason));
    }

    #[cfg(any())]
    #[disconnected]
    fn never(&self, _: Missing) {}

    #[lost]
    fn lost(&self) {}

    #[resumed]
    async fn resumed(&self) {}

    #[subscribed("room.said")]
    fn listens(&self, _client: Client) {}

    #[unsubscribed("room.said")]
    async fn listens_no_more(&self, _client: Client) {}
}

mod imported {
    use wslink::{connected, disconnected, service};

    struct Other;

    #[service]
    impl Other {
        #[connected]
        fn joined(&self) {}

        #[disconnected]
        fn left(&self) {}
    }
}

fn main() {}
