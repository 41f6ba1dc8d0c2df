//! A link with its two ends, and when something happens on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

use super::{
    client_end::ClientEnd,
    link::{Ms, Pipe, Profile},
    server_end::ServerEnd,
};

/// A link with its two ends.
pub(crate) struct Connection {
    pub(crate) number: u32,
    /// `None`: a peer that says nothing.
    pub(crate) client: Option<usize>,
    pub(crate) near: Option<ClientEnd>,
    pub(crate) far: Option<ServerEnd>,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    pub(crate) is_cut: bool,
    /// When an end notices that the link is cut.
    pub(crate) near_notices: Ms,
    pub(crate) far_notices: Ms,
    pub(crate) near_due: bool,
    pub(crate) far_due: bool,
    /// Nothing happens before, unless an end is due or woken; 0 when that is not known.
    pub(crate) due_at: Ms,
}

impl Connection {
    /// A link of this number between a server and a client, or a peer that says nothing.
    pub(crate) const fn new(number: u32, profile: Profile, far: ServerEnd, client: Option<usize>) -> Self {
        Self {
            number,
            client,
            near: None,
            far: Some(far),
            up: Pipe::new(profile),
            down: Pipe::new(profile),
            is_cut: false,
            near_notices: Ms::MAX,
            far_notices: Ms::MAX,
            near_due: true,
            far_due: true,
            due_at: 0,
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.near.is_none() && self.far.is_none()
    }

    /// When something happens of itself.
    pub(crate) fn next_event(&self) -> Ms {
        let Self { near, far, up, down, near_notices, far_notices, .. } = self;
        let near = near.as_ref().map_or(Ms::MAX, |near| near.wake.min(*near_notices));
        let far = far.as_ref().map_or(Ms::MAX, |far| far.wake.min(*far_notices));
        up.next_event().min(down.next_event()).min(near).min(far)
    }

    pub(crate) fn is_due(&self, now: Ms) -> bool {
        self.due_at <= now || self.near_due || self.far_due || self.far.as_ref().is_some_and(|far| far.woken.is_set())
    }

    /// Cuts the link. What is on its way to the server arrives where it is `kept`.
    pub(crate) fn cut(&mut self, kept: bool, room: u64, near_notices: Ms, far_notices: Ms) {
        self.up.cut(kept, room);
        self.down.cut(false, room);
        (self.is_cut, self.near_notices, self.far_notices, self.due_at) = (true, near_notices, far_notices, 0);
    }
}

/// Whether something was published to the session.
#[derive(Default)]
pub(crate) struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Woken {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}
