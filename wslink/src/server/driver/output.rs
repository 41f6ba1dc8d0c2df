//! What goes out: replies at once or in their turn, events of streams while there is room for them, and
//! the write buffer.

use std::task::{Context, Poll};

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Driver, end::End};
use wslink_core::{connection::Fed, topic::Ended, wire::Encoded};

/// Bytes of events that may wait before streams are asked for more.
const FEED_AHEAD: usize = 256 * 1024;

/// Events that are taken from streams before anything else is looked at: those that replace each other
/// may be endless and never wait.
const FEED_BURST: usize = 128;

impl<S: AsyncRead + AsyncWrite + Unpin> Driver<S> {
    /// Whether there is room for further replies.
    pub(super) fn takes_replies(&self) -> bool {
        self.egress.reply_bytes() + self.socket.unwritten() <= self.max_reply_bytes
    }

    /// Sends a reply at once where the socket would take it and nothing goes before it; else when it is its
    /// turn.
    pub(super) fn reply(&mut self, message: Encoded) {
        if self.socket.unwritten() >= self.ahead.bytes() {
            self.egress.reply(message);
        } else if let Some(frame) = self.egress.pass(message) {
            self.socket.put(frame);
        }
    }

    /// Whether there are streams and no room for what they give.
    fn holds_feeds_back(&self) -> bool {
        !self.feeds.is_empty() && self.connection.outbox().bytes() >= FEED_AHEAD
    }

    /// Takes events from streams while their client has room for them. Returns whether it did.
    pub(super) fn feed(&mut self, cx: &mut Context<'_>) -> bool {
        for fed in 0..FEED_BURST {
            if self.feeds.is_empty() || self.holds_feeds_back() {
                return fed > 0;
            }
            let Poll::Ready(Some(next)) = self.feeds.poll_next_unpin(cx) else { return fed > 0 };
            match next {
                Fed::Event { number, topic, delivery, message } => {
                    let dropped = self.connection.outbox().push(0, topic, number, delivery, message);
                    self.connection.fed(topic, delivery, dropped);
                }
                Fed::Last { number, message } => {
                    self.connection.ended(number);
                    self.connection.outbox().push_reliable(0, message);
                }
            }
        }
        true
    }

    /// Fills and empties the write buffer once, so that requests are read between the parts of what is
    /// large. Returns whether there is now room for more, of this or of what was held back; if not, everything
    /// that could come has been asked, and will wake the task.
    pub(super) fn write(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        self.connection.outbox().register(cx.waker());
        let (held_replies, held_feeds) = (!self.takes_replies(), self.holds_feeds_back());
        let mut makes_room = held_replies || held_feeds;
        loop {
            if self.socket.unwritten() >= self.ahead.bytes() {
                makes_room = true;
                break;
            }
            match self.egress.next_frame() {
                Ok(Some(frame)) => self.socket.put(frame),
                Ok(None) => break,
                Err(Ended::Overflow) => return Err(End::Say(1013, "too slow for what is published")),
                Err(Ended::Left) => return Err(End::Say(1008, "resumed on another connection")),
            }
        }
        let handed = self.socket.unwritten();
        if handed == 0 {
            return Ok(false);
        }
        match self.socket.poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.ahead.took(handed);
                Ok(makes_room)
            }
            Poll::Ready(Err(_)) => Err(End::Lost),
            Poll::Pending => {
                self.ahead.blocked();
                // What the socket took before may be enough for what was held back.
                Ok((held_replies && self.takes_replies()) || (held_feeds && !self.holds_feeds_back()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, sync::Arc};

    use tokio::{io::DuplexStream, sync::Notify, time::Instant};

    use crate::{
        Handshake, Limits, Server, service,
        transport::{Role, WebSocket},
    };
    use wslink_core::wire::{Frame, FrameKind};

    struct Scribe(Arc<Notify>);

    #[service(crate = crate)]
    impl Scribe {
        #[rpc("scribe.write")]
        fn write(&self, letters: usize) -> String {
            "x".repeat(letters)
        }

        #[rpc("scribe.note")]
        fn note(&self) {
            self.0.notify_one();
        }
    }

    async fn say(socket: &mut WebSocket<DuplexStream>, text: String) {
        socket.put(Frame::new(FrameKind::Text, text));
        poll_fn(|cx| socket.poll_flush(cx)).await.unwrap();
    }

    /// A reply is more than may wait, until the stream has taken a part of it.
    #[tokio::test(start_paused = true)]
    async fn what_the_stream_takes_makes_room_for_the_next_request() {
        let noted = Arc::new(Notify::new());
        let limits = Limits::with(|limits| limits.reply_bytes = 100_000);
        let server = Server::builder().limits(limits).mount(Scribe(Arc::clone(&noted))).build().unwrap();
        let start = Instant::now();
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(server.drive(far, Role::Server, &[], Handshake::default(), None));
        let mut peer = WebSocket::new(near, Role::Client, &[], 1 << 20);
        let secret = server.secret().unwrap().reveal();
        say(&mut peer, format!(r#"{{"id":"system:c0:0","method":"wslink.hello","args":[{{"secret":"{secret}"}}]}}"#)).await;
        poll_fn(|cx| peer.poll_read(cx)).await;
        say(&mut peer, r#"{"id":"a","method":"scribe.write","args":[120000]}"#.to_owned()).await;
        // Perhaps after the first one is answered, perhaps not.
        tokio::task::yield_now().await;
        say(&mut peer, r#"{"id":"b","method":"scribe.note"}"#.to_owned()).await;
        noted.notified().await;
        assert!(start.elapsed().is_zero(), "not when a clock happens to look");
    }
}
