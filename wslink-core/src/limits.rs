//! Every bound of a server in one place, with its default.

use std::time::Duration;

/// What one connection may cost, how long it may take over things, and how many there may be.
///
/// ```
/// # extern crate wslink_core as wslink;
/// let mut limits = wslink::Limits::default();
/// limits.message_bytes = 16 << 20;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of one incoming WebSocket frame, and of a message of WebSocket fragments.
    pub frame_bytes: usize,
    /// Bytes that clients are told to send at most in one frame (`maxMsgSize`); larger ones are taken up to
    /// `frame_bytes`. Unless set, clients that cut their messages into such pieces are told 256 KiB, and those that may
    /// take the number for the largest message from the server are told what the original server tells, 4 MiB.
    pub announced_bytes: Option<usize>,
    /// Bytes of one incoming message put together from chunks, and of all incomplete ones together.
    /// At most 4 GiB - 1.
    pub message_bytes: usize,
    /// Bytes of one incoming message before hello.
    pub hello_bytes: usize,
    /// Hellos that may fail before the connection is closed.
    pub hello_failures: u32,
    /// Hellos of one address (of IPv6, of one /64 network) that may fail at once, and then per second;
    /// further ones wait for their turn, or are refused with 1008. As many again on connections that have said
    /// a good one. 0 for any number.
    pub address_failed_logins: u32,
    /// Addresses whose failed hellos are remembered. All others together count as one.
    pub throttled_addresses: usize,
    /// Messages of a connection that have begun and are not complete.
    pub incomplete_messages: usize,
    /// Attachments of protocol 1 that are announced and not used yet.
    pub attachment_keys: usize,
    /// Bytes of such attachments.
    pub attachment_bytes: usize,
    /// Calls of a connection that have begun and are not answered, and detached ones that go on although they are.
    pub calls_in_flight: usize,
    /// Calls of a connection that may block a thread at a time; others wait.
    pub blocking_calls: usize,
    /// Threads for handlers that block, of all connections together; others wait. The runtime needs some of its threads
    /// for files and name look-ups.
    pub blocking_threads: usize,
    /// Subscriptions of a connection.
    pub subscriptions: usize,
    /// Bytes of replies that may wait for a slow reader before its next requests are left unread; and of the retained
    /// events that its subscriptions begin with.
    pub reply_bytes: usize,
    /// Bytes of replies that may wait for a slow reader in all, those of calls that had begun before its requests were
    /// left unread among them. More end the connection with 1013. One reply of any size always may.
    pub held_reply_bytes: usize,
    /// Bytes of requests that may wait for the calls before them, or for a thread, before further ones are left unread.
    pub request_bytes: usize,
    /// Bytes that all clients together may make the server hold: incomplete messages, requests that wait, replies and
    /// events. Over it, clients that hold more than a little are not read from.
    pub held_bytes: usize,
    /// Bytes of events that may wait for a slow reader before it is disconnected, without retained ones that a client or
    /// a subscription begins with. One message of any size always may.
    pub outbox_bytes: usize,
    /// How long a client that lost its connection may take to come back and go on.
    pub resume_window: Duration,
    /// Bytes of events, sent or not, that are kept for each client in case it comes back, and while it is away of its
    /// subscriptions; of topics that may lose events, as many again.
    pub resume_bytes: usize,
    /// Bytes that are kept for all clients without a connection that are remembered; the one that is away longest goes
    /// first.
    pub resume_total_bytes: usize,
    /// Clients without a connection that are remembered; the one that is away longest goes first.
    pub resume_sessions: usize,
    /// Connections of the server, whatever they speak. One more is answered with 503.
    pub connections: usize,
    /// Connections of one address, which is a whole /64 of IPv6. One more is answered with 429. Behind
    /// a proxy, clients have addresses of their own only where
    /// the proxy is trusted (`Builder::trust_proxy`).
    pub address_connections: usize,
    /// Connections of one address that have not said hello, those of plain HTTP among them. One more is
    /// answered with 429.
    pub address_unauthenticated: usize,
    /// From accepting a TCP connection to the end of its WebSocket handshake, or of an HTTP request's
    /// header; also how long a connection of HTTP may be idle.
    pub handshake: Duration,
    /// From the WebSocket handshake to a good hello.
    pub hello: Duration,
    /// From the moment that a principal expires, from which on calls are refused, to the end of its
    /// connection.
    pub expiry_grace: Duration,
    /// Silence after which a connection is pinged.
    pub ping: Duration,
    /// Silence after a ping that ends the connection.
    pub pong: Duration,
    /// How long a peer may accept none of the bytes that wait for it, be it a WebSocket's or one of HTTP. A page in a
    /// browser that computes for so long is not disconnected.
    pub write_stall: Duration,
    /// How long an incomplete message may make no progress.
    pub incomplete_stall: Duration,
    /// How long calls in flight may take when the server stops.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: (4 << 20) + 4096,
            announced_bytes: None,
            message_bytes: 256 << 20,
            hello_bytes: 4096,
            hello_failures: 3,
            address_failed_logins: 20,
            throttled_addresses: 4096,
            incomplete_messages: 64,
            attachment_keys: 1024,
            attachment_bytes: 32 << 20,
            calls_in_flight: 1024,
            blocking_calls: 8,
            blocking_threads: 256,
            subscriptions: 1024,
            reply_bytes: 1 << 20,
            held_reply_bytes: 256 << 20,
            request_bytes: 32 << 20,
            held_bytes: 2 << 30,
            outbox_bytes: 32 << 20,
            resume_window: Duration::from_secs(60),
            resume_bytes: 4 << 20,
            resume_total_bytes: 256 << 20,
            resume_sessions: 256,
            connections: 16_384,
            address_connections: 4096,
            address_unauthenticated: 256,
            handshake: Duration::from_secs(10),
            hello: Duration::from_secs(10),
            expiry_grace: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            pong: Duration::from_secs(20),
            write_stall: Duration::from_secs(60),
            incomplete_stall: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The default limits, changed.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// let limits = wslink::Limits::with(|limits| limits.message_bytes = 64 << 20);
    /// # assert_eq!(limits.message_bytes, 64 << 20);
    /// ```
    #[must_use]
    pub fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut limits = Self::default();
        change(&mut limits);
        limits
    }

    /// What is read at once from somebody who has not said hello.
    pub fn unauthenticated_frame(&self) -> usize {
        const CHUNK_HEADER: usize = 12;
        self.frame_bytes.min(self.hello_bytes.saturating_add(CHUNK_HEADER))
    }

    /// Bytes that clients are told to send at most in one frame.
    pub fn announced_frame(&self) -> usize {
        const CHUNK_HEADER: usize = 12;
        const ROOM: usize = 4096;
        match self.announced_bytes {
            Some(announced) if announced <= self.frame_bytes.saturating_sub(CHUNK_HEADER) => announced,
            _ if self.frame_bytes > 2 * ROOM => self.frame_bytes - ROOM,
            _ => self.frame_bytes,
        }
    }

    /// Bytes that a client which cuts its messages is told to send at most in one frame.
    pub fn announced_chunk(&self) -> usize {
        // What fits the processor's cache is put in its place for little, and small calls go between.
        const BEST: usize = 256 * 1024;
        if self.announced_bytes.is_some() { self.announced_frame() } else { self.announced_frame().min(BEST) }
    }
}
