//! The simulated server: its parts, its end, and what is left of it then.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use wslink_core::{
    LoginRequest, Principal, Publisher, Rejection,
    rpc::{Mounted, Routes},
    session::{Close, Shared},
    topic::{Guard, Hub},
    wire::Protocols,
};

use super::{
    env::Env,
    hub_clients::Who,
    link::Ms,
    service::{Free, InOrder, Workshop},
    topics::{ALICE, Board},
    world::World,
};

/// Whether the server may close a connection for this reason.
pub(crate) fn check_reason(env: &Env, close: &Close) {
    let is_possible = match &*close.reason {
        "no hello in time" | "no answer to a ping" | "nothing read for too long" | "incomplete message without progress" => true,
        "authentication expired" => env.setup.lifetime.is_some(),
        "too slow for what is published" | "too slow for its replies" | "resumed on another connection" => true,
        "Server shutdown" | "too many failed hellos" => true,
        // Only clients without extensions are not told how large their messages may be.
        "message too large" => env.setup.limits.message_bytes < 100_000,
        _ => false,
    };
    assert!(is_possible, "the server closes with {close:?}");
}

/// A server with all services.
pub(crate) fn server(env: &Env) -> Arc<Shared> {
    let hub = Arc::<Hub>::default();
    let publisher = Publisher::new(Arc::clone(&hub));
    let number = env.ledger.facts().server;
    let workshop = || Workshop { ledger: env.ledger.clone(), server: number, publisher: publisher.clone() };
    let board = Board(env.ledger.clone());
    let routes = Routes::new(&[Mounted::new(Free(workshop())), Mounted::new(InOrder(workshop())), Mounted::new(board)]).unwrap();
    hub.set_guard(Guard::new(routes.guarded(), Some(Box::new(|client, topic| topic != ALICE || Who::of(client) == Who::Alice))));
    let lifetime = env.setup.lifetime.map(Duration::from_millis);
    let authenticator = move |attempt: LoginRequest| async move {
        let principal = match attempt.token() {
            Some("alice") => Principal::new("alice").granting(["insider"]),
            Some("bob") => Principal::new("bob"),
            _ => return Err(Rejection::new("nobody knows it")),
        };
        Ok(lifetime.map_or(principal.clone(), |lifetime| principal.expires_in(lifetime)))
    };
    Arc::new(Shared {
        routes,
        publisher,
        hub,
        limits: env.setup.limits.clone(),
        authenticator: Arc::new(authenticator),
        expose_details: false,
        manifest: None,
        telemetry: None,
        protocols: Protocols::default(),
        hooks: None,
        held: AtomicUsize::new(0),
    })
}

impl World {
    /// Stops the server.
    pub(crate) fn stop(&mut self) {
        self.env.note("the server stops", []);
        self.stopping = true;
        for connection in &mut self.connections {
            if let Some(far) = &mut connection.far {
                far.stop(&self.env);
                connection.far_due = true;
            }
        }
    }

    /// Starts another server once the last connection of one that stops is closed.
    pub(crate) fn restart(&mut self) -> bool {
        if !self.stopping || self.connections.iter().any(|connection| connection.far.is_some()) {
            return false;
        }
        self.shared.hub.forget_all();
        self.check_nothing_held();
        self.env.note("the server starts again", []);
        self.env.ledger.facts().restart();
        self.clients.iter_mut().for_each(|client| client.hub = None);
        self.shared = server(&self.env);
        (self.stopping, self.ages_at) = (false, Ms::MAX);
        true
    }

    /// Nobody is left at the server, and nothing of anybody.
    pub(crate) fn check_nothing_held(&self) {
        assert_eq!(self.shared.held.load(Ordering::Relaxed), 0, "bytes are held for nobody");
        assert_eq!(self.shared.publisher.clients(), 0, "clients stay in the hub");
        assert!(!self.shared.hub.age(), "clients are remembered for ever");
        assert_eq!(Arc::strong_count(&self.shared), 1, "a session was not dropped");
    }

    /// The server holds no more for its sessions than their limits say.
    pub(crate) fn check_bounds(&self) {
        let sessions = self.connections.iter().filter(|connection| connection.far.is_some()).count();
        let held = self.shared.held.load(Ordering::Relaxed);
        let limit = self.env.setup.held(self.largest).saturating_mul(sessions);
        assert!(held <= limit, "{held} bytes are held for {sessions} sessions, over {limit}");
    }
}
