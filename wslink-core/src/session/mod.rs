//! One end of a connection, without its socket: a state machine for both roles.
//!
//! The caller brings frames and the time, and carries out what the session asks for: it sends the frames of
//! [`Session::poll_transmit`], acts on the events of [`Session::poll_event`], and calls [`Session::handle_timeout`] at
//! [`Session::next_timeout`]. The session decides everything else: who is authenticated, which calls begin in which
//! order, what waits for a slow peer, which deadline has passed, and when the connection ends.

use std::{collections::VecDeque, time::Instant};

use bytes::Bytes;

pub use self::{
    calls::CallKey,
    client::{ClientEvent, ClientSettings, Continuity, HelloError, Lost, Memory, Refused, SubscribeError, WelcomeInfo},
    event::{Close, Event},
    hello::Extensions,
    liveness::Traffic,
    send_queue::SendQueue,
    server::{Shared, Verdict},
};
use self::{client::ClientSide, liveness::Liveness, server::ServerSide};
use crate::{
    CallError, Disconnect,
    topic::Ended,
    wire::{Decoder, Encoded, Frame, FrameKind, Protocol, Violation},
};

mod calls;
mod client;
mod event;
mod hello;
mod liveness;
mod login;
mod send_queue;
mod server;
mod subscriptions;

/// One end of a connection.
pub struct Session {
    link: Link,
    side: Side,
}

/// The parts that both sides have.
struct Link {
    /// Chosen with the first frame, where this end accepted the connection.
    speaking: Option<Speaking>,
    queue: SendQueue,
    liveness: Liveness,
    events: VecDeque<Event>,
    /// Bytes that the socket has not written.
    unwritten: usize,
    close: Option<Close>,
}

struct Speaking {
    protocol: &'static dyn Protocol,
    decoder: Box<dyn Decoder>,
}

enum Side {
    Server(Box<ServerSide>),
    Client(Box<ClientSide>),
}

impl Link {
    fn close(&mut self, close: Close) {
        self.close.get_or_insert(close);
    }

    fn violation(&mut self, Violation { code, reason }: Violation) {
        self.close(Close::new(code, reason));
    }

    /// How many incoming messages have begun and are not complete, and their bytes.
    #[inline]
    fn incomplete(&self) -> (usize, usize) {
        self.speaking.as_ref().map_or((0, 0), |speaking| speaking.decoder.incomplete())
    }
}

impl Session {
    /// Takes the next data frame.
    #[inline]
    pub fn handle_frame(&mut self, now: Instant, kind: FrameKind, payload: Bytes) {
        let Self { link, side } = self;
        if link.close.is_some() {
            return;
        }
        if link.speaking.is_none()
            && let Side::Server(server) = side
        {
            match server.choose(kind) {
                Some(speaking) => link.speaking = Some(speaking),
                None => return link.violation(Violation::protocol("no protocol begins with such a frame")),
            }
        }
        let Some(speaking) = &mut link.speaking else { return };
        let protocol = speaking.protocol;
        let mut incoming = speaking.decoder.blank();
        match speaking.decoder.decode(kind, payload, &mut incoming) {
            Ok(None) => {}
            Ok(Some(message)) => match side {
                Side::Server(server) => server.message(link, protocol, now, &message, &mut incoming),
                Side::Client(client) => client.message(link, now, message, &mut incoming),
            },
            Err(violation) => link.violation(violation),
        }
    }

    /// Takes in what has passed through the socket. To be called after every burst of reading and writing.
    #[inline]
    pub fn handle_traffic(&mut self, now: Instant, traffic: Traffic) {
        let held = self.link.incomplete();
        self.link.unwritten = traffic.unwritten;
        self.link.liveness.update(now, traffic, held);
        if let Side::Server(server) = &mut self.side {
            server.begin_waiting(&mut self.link, now);
            server.record_traffic(&self.link, traffic, held.1);
        }
    }

    /// Acts on the deadlines that have passed by `now`. Time by which the call itself is late is not held against the
    /// peer.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Self { link, side } = self;
        if let Some(timeout) = link.liveness.next().filter(|timeout| *timeout < now) {
            link.liveness.forgive(now.duration_since(timeout));
        }
        if let Some(speaking) = &mut link.speaking {
            speaking.decoder.release_spare();
        }
        let reads = match side {
            Side::Server(server) => server.wants_frames(link),
            Side::Client(_) => true,
        };
        while link.close.is_none()
            && let Some(due) = link.liveness.due(now, reads)
        {
            match due {
                liveness::Due::Ping => link.events.push_back(Event::Ping),
                liveness::Due::HelloMissing => link.close(Close::new(1008, "no hello in time")),
                liveness::Due::Expired => {
                    if let Side::Server(server) = side {
                        server.expire();
                    }
                }
                liveness::Due::NotRefreshed => link.close(Close::new(1008, "authentication expired")),
                liveness::Due::Incomplete => link.close(Close::new(1008, "incomplete message without progress")),
                liveness::Due::Silent => link.close(Close::unheard(1008, "no answer to a ping")),
                liveness::Due::WriteStalled => link.close(Close::unheard(1013, "nothing read for too long")),
                liveness::Due::GraceOver => link.close(Close::new(1001, "Server shutdown")),
            }
        }
        match side {
            Side::Server(server) => server.timeout(link, now),
            Side::Client(client) => client.timeout(link, now),
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called, unless something else happens before.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Instant> {
        let side = match &self.side {
            Side::Server(server) => server.next_timeout(),
            Side::Client(client) => client.next_timeout(),
        };
        liveness::earlier(self.link.liveness.next(), side)
    }

    /// The next frame to send.
    #[inline]
    pub fn poll_transmit(&mut self) -> Option<Frame> {
        if self.link.close.is_some() {
            return None;
        }
        match self.link.queue.next_frame() {
            Ok(frame) => frame,
            Err(Ended::Overflow) => {
                self.link.close(Close::new(1013, "too slow for what is published"));
                None
            }
            Err(Ended::Left) => {
                self.link.close(Close::new(1008, "resumed on another connection"));
                None
            }
            Err(Ended::Kicked(reason)) => {
                self.link.close(Close::new(1008, reason));
                None
            }
        }
    }

    /// The next event to act on.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.link.events.pop_front()
    }

    /// The reason for which this end ends the connection, once there is one.
    #[inline]
    #[must_use]
    pub fn closing(&self) -> Option<&Close> {
        self.link.close.as_ref()
    }

    /// Whether further frames may be read. A session reads none while a hello is being answered, and while the peer does
    /// not take the replies that it has.
    #[inline]
    #[must_use]
    pub fn wants_frames(&self) -> bool {
        self.link.close.is_none()
            && match &self.side {
                Side::Server(server) => server.wants_frames(&self.link),
                Side::Client(_) => true,
            }
    }

    /// Whether the streams of subscriptions may give further events.
    #[must_use]
    pub fn wants_stream_items(&self) -> bool {
        match &self.side {
            Side::Server(server) => server.wants_stream_items(),
            Side::Client(_) => false,
        }
    }

    /// How many incoming messages have begun and are not complete, and their bytes.
    #[inline]
    #[must_use]
    pub fn incomplete(&self) -> (usize, usize) {
        self.link.incomplete()
    }

    /// The handler of `call` is over, with this reply unless it was dropped.
    pub fn finish_call(&mut self, now: Instant, call: CallKey, reply: Option<Encoded>) {
        if let Side::Server(server) = &mut self.side {
            server.finish(&mut self.link, now, call, reply);
        }
    }

    /// The stream of subscription `number` gave its next event; `None` at its end.
    pub fn stream_item(&mut self, number: u64, item: Option<Box<dyn crate::Payload + Send>>) {
        if let Side::Server(server) = &mut self.side {
            server.stream_item(&mut self.link, number, item);
        }
    }

    /// The authenticator has answered the hello of [`Event::Authenticate`].
    pub fn authenticated(&mut self, now: Instant, verdict: Result<Verdict, Violation>) {
        if let Side::Server(server) = &mut self.side {
            server.authenticated(&mut self.link, now, verdict);
        }
    }

    /// The hooks of [`Event::Admit`] have answered.
    pub fn admitted(&mut self, now: Instant, answer: Result<(), CallError>) {
        if let Side::Server(server) = &mut self.side {
            server.admitted(&mut self.link, now, answer);
        }
    }

    /// The connection is over, for this reason; [`lost`](Self::lost) is to be called where the peer may not know of
    /// it. The services are told when the last handler of the client has ended.
    pub fn ended(&mut self, reason: Disconnect) {
        if let Side::Server(server) = &mut self.side {
            server.ended(reason);
        }
    }

    /// The peer answered a ping.
    pub fn pong(&mut self) {
        if let Side::Server(server) = &mut self.side
            && let Some(open) = server.open()
        {
            open.pong();
        }
    }

    /// The server stops: answers the calls in flight, begins nothing new, and closes.
    pub fn stop(&mut self, now: Instant) {
        if let Side::Server(server) = &mut self.side {
            server.stop(&mut self.link, now);
        }
    }
}
