//! What goes out: replies at once or in their turn, events of streams while there is room for them, and
//! the write buffer.

use std::task::{Context, Poll};

use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Driver, end::End};
use crate::{connection::Fed, topic::Ended, wire::Encoded};

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
        let mut makes_room = !self.takes_replies() || self.holds_feeds_back();
        loop {
            if self.socket.unwritten() >= self.ahead.bytes() {
                makes_room = true;
                break;
            }
            match self.egress.next() {
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
                Ok(false)
            }
        }
    }
}
