//! Draws what one program runs with: limits, networks, clients.

use std::time::Duration;

use fastrand::Rng;
use wslink_core::Limits;

use super::{
    link::{Ms, Profile},
    topics::TOPICS,
};

/// The properties of one program.
pub(crate) struct Setup {
    pub(crate) limits: Limits,
    /// Whether every client that is away is remembered for the whole window, with all that it needs.
    pub(crate) remembers: bool,
    /// How long a hello is good for.
    pub(crate) lifetime: Option<Ms>,
    pub(crate) clients: usize,
    pub(crate) steps: usize,
    /// Bytes buffered in the socket of a server.
    pub(crate) budget: u64,
    /// The topics that most of the program is about.
    topics: Vec<usize>,
    /// How often a link is slow, in percent.
    slow: u8,
    /// How often something is large, in percent.
    large: u8,
}

impl Setup {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let mut remembers = rng.u8(..10) < 6;
        let pick = |rng: &mut Rng, choices: &[usize]| choices[rng.usize(..choices.len())];
        let limits = Limits::with(|limits| {
            limits.outbox_bytes = pick(rng, &[1500, 6000, 40_000, limits.outbox_bytes, limits.outbox_bytes]);
            limits.reply_bytes = pick(rng, &[500, 4000, limits.reply_bytes, limits.reply_bytes]);
            limits.held_reply_bytes = pick(rng, &[3000, 30_000, limits.held_reply_bytes, limits.held_reply_bytes]);
            limits.request_bytes = pick(rng, &[2000, limits.request_bytes, limits.request_bytes]);
            limits.held_bytes = pick(rng, &[10_000, 300_000, limits.held_bytes]);
            limits.calls_in_flight = pick(rng, &[2, 8, 1024, 1024]);
            limits.blocking_calls = pick(rng, &[1, 2, 8]);
            limits.subscriptions = pick(rng, &[3, 1024, 1024]);
            limits.announced_bytes = Some(pick(rng, &[150, 2000, 256 << 10]));
            limits.message_bytes = pick(rng, &[20_000, limits.message_bytes, limits.message_bytes]);
            let seconds = |seconds| Duration::from_secs(seconds as u64);
            limits.ping = seconds(pick(rng, &[3, 20]));
            limits.pong = seconds(pick(rng, &[3, 20]));
            limits.grace = seconds(pick(rng, &[1, 10]));
            if !remembers {
                limits.resume_window = seconds(pick(rng, &[0, 5, 60]));
                limits.resume_bytes = pick(rng, &[1200, 4000, 100_000]);
                limits.resume_sessions = pick(rng, &[0, 1, 256]);
                limits.resume_total_bytes = pick(rng, &[3000, 20_000, 1 << 20]);
            }
        });
        // A client whose outbox overflows is not remembered.
        remembers &= limits.outbox_bytes == Limits::default().outbox_bytes;
        Self {
            limits,
            remembers,
            lifetime: (rng.u8(..10) == 0).then(|| rng.u64(500..20_000)),
            clients: 1 + rng.usize(..3),
            steps: 10 + rng.usize(..60),
            budget: [200, 4000, 256 << 10][rng.usize(..3)],
            topics: (0..1 + rng.usize(..3)).map(|_| rng.usize(..TOPICS.len())).collect(),
            slow: [0, 20, 70][rng.usize(..3)],
            large: if rng.u8(..40) == 0 { 40 } else { 0 },
        }
    }

    pub(crate) fn topic(&self, rng: &mut Rng) -> usize {
        if rng.u8(..10) < 8 { self.topics[rng.usize(..self.topics.len())] } else { rng.usize(..TOPICS.len()) }
    }

    /// The properties of both directions of a new link.
    pub(crate) fn profile(&self, rng: &mut Rng) -> Profile {
        let is_slow = rng.u8(..100) < self.slow;
        let rate = if is_slow { 1 << rng.u32(..8) << if self.large > 0 { 6 } else { 0 } } else { 0 };
        let window = if is_slow { 1 << rng.u32(8..16) } else { 1 << 16 };
        Profile { delay: rng.u64(..60), rate, window }
    }

    /// Bytes of something, mostly few.
    pub(crate) fn size(&self, rng: &mut Rng) -> usize {
        if rng.u8(..100) < self.large {
            return rng.usize(40_000..250_000);
        }
        match rng.u8(..100) {
            0..50 => 0,
            50..85 => rng.usize(..400),
            85..97 => rng.usize(..5000),
            // What is larger than 8 KiB goes beside the text, in frames of its own.
            _ => 9000 + rng.usize(..10_000),
        }
    }

    /// The bytes that the server may hold for one session, with its socket.
    pub(crate) fn held(&self, largest: usize) -> usize {
        let Limits { outbox_bytes, reply_bytes, held_reply_bytes, request_bytes, .. } = self.limits;
        // Events that may be lost, others, and those of streams; one of any size may be in each queue, and one in parts.
        let events = 3 * outbox_bytes.saturating_add(largest) + largest;
        let socket = usize::try_from(self.budget).unwrap() + largest;
        let requests = request_bytes + 3 * largest;
        [events, socket, requests, reply_bytes, held_reply_bytes, 4 * largest].into_iter().fold(0, usize::saturating_add)
    }
}
