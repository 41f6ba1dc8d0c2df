//! A server, its clients and the links between them, in virtual time: what happens when, and what holds at any time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wslink_core::{
    LoginRequest, Principal, Publisher, Rejection,
    rpc::{Mounted, Routes},
    session::{Close, Shared},
    topic::{AGES, Guard, Hub},
    wire,
};

use super::{
    client::Client,
    client_end::{ClientEnd, Ended},
    env::Env,
    ledger::{Audience, Ledger, Who},
    link::{Item, Ms, Pipe},
    server_end::{Handler, Over, ServerEnd},
    service::{ALICE, Board, Event, Free, InOrder, Workshop},
};

pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) shared: Arc<Shared>,
    /// The server closes its connections, and is started again when all are closed.
    pub(crate) stopping: bool,
    /// When the hub is to be told that a part of the time for which clients are remembered has passed.
    ages_at: Ms,
    pub(crate) clients: Vec<Client>,
    pub(crate) connections: Vec<Connection>,
    /// Handlers that go on without their connection.
    orphans: Vec<Handler>,
    connected: u32,
    /// The most bytes of one message.
    pub(crate) largest: usize,
}

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
}

/// No program needs more steps than this at one point of time.
const MAX_STEPS: usize = 20_000;

impl World {
    pub(crate) fn new(env: Env) -> Self {
        let shared = server(&env);
        Self {
            env,
            shared,
            stopping: false,
            ages_at: Ms::MAX,
            clients: Vec::new(),
            connections: Vec::new(),
            orphans: Vec::new(),
            connected: 0,
            largest: 2000,
        }
    }

    /// Lets everything happen up to `until`.
    pub(crate) fn run_until(&mut self, until: Ms) {
        loop {
            self.run_now();
            let next = self.next_event();
            if next > until {
                return self.env.set_now(until.max(self.env.now));
            }
            self.env.set_now(next);
        }
    }

    /// Runs until `settled` holds, for at most `limit`.
    pub(crate) fn run_until_settled(&mut self, limit: Ms, settled: impl Fn(&Self) -> bool) -> bool {
        let deadline = self.env.now + limit;
        loop {
            self.run_now();
            if settled(self) {
                return true;
            }
            let next = self.next_event();
            if next > deadline {
                return false;
            }
            self.env.set_now(next);
        }
    }

    fn next_event(&self) -> Ms {
        let mut next = self.ages_at;
        for connection in &self.connections {
            let Connection { near, far, up, down, near_notices, far_notices, .. } = connection;
            let wakes = [near.as_ref().map(|near| near.wake), far.as_ref().map(|far| far.wake)];
            let wakes = wakes.into_iter().flatten().min().unwrap_or(Ms::MAX);
            let near_notices = if near.is_some() { *near_notices } else { Ms::MAX };
            let far_notices = if far.is_some() { *far_notices } else { Ms::MAX };
            next = next.min(up.next_event()).min(down.next_event()).min(wakes).min(near_notices).min(far_notices);
        }
        for client in &self.clients {
            next = next.min(if client.connection.is_none() { client.connects_at } else { Ms::MAX });
        }
        next = next.min(if self.orphans.is_empty() { Ms::MAX } else { self.env.now + 10 });
        // What was due before is done.
        next.max(self.env.now + 1)
    }

    /// Does everything that can be done now.
    pub(crate) fn run_now(&mut self) {
        for step in 0.. {
            assert!(step < MAX_STEPS, "the program never rests");
            let mut progress = false;
            for at in 0..self.connections.len() {
                progress |= self.serve(at);
            }
            self.connections.retain(|connection| !connection.is_over());
            for client in 0..self.clients.len() {
                if self.clients[client].connection.is_none() && self.clients[client].connects_at <= self.env.now {
                    progress = true;
                    self.connect(client);
                }
            }
            progress |= self.restart();
            if !progress {
                break;
            }
        }
        if self.ages_at <= self.env.now {
            self.ages_at = if self.shared.hub.age() { self.env.now + self.age() } else { Ms::MAX };
        }
        let now = self.env.now;
        self.orphans = std::mem::take(&mut self.orphans).into_iter().filter_map(|handler| handler.poll(now).err()).collect();
        self.check_bounds();
        self.env.ledger.facts().check();
    }

    /// Lets the link and the ends of a connection do what they can. Returns whether they did anything.
    fn serve(&mut self, at: usize) -> bool {
        let Self { env, clients, connections, .. } = self;
        let connection = &mut connections[at];
        let Connection { near, far, up, down, near_notices, far_notices, near_due, far_due, .. } = connection;
        let now = env.now;
        *far_due |= up.arrive(now) | down.can_pump(now) | far.as_ref().is_some_and(|far| far.woken.take() || far.wake <= now);
        *near_due |= down.arrive(now) | up.can_pump(now) | near.as_ref().is_some_and(|near| near.wake <= now);
        let mut progress = false;
        let mut near_ended = None;
        if let Some(end) = near
            && (*near_due || *near_notices <= now)
        {
            progress = true;
            let client = &mut clients[connection.client.expect("a client of the program")];
            near_ended = if *near_notices <= now { Some(Ended::Lost) } else { end.poll(client, env, up, down) };
        } else if near.is_none() && *near_due {
            progress |= up.pump(now);
        }
        *near_due = false;
        let mut far_over = None;
        if let Some(end) = far
            && (*far_due || *far_notices <= now)
        {
            progress = true;
            far_over = if *far_notices <= now { Some(Over::Lost) } else { end.poll(env, up, down) };
        } else if far.is_none() && *far_due {
            progress |= down.pump(now);
        }
        *far_due = false;
        if let Some(ended) = near_ended {
            self.end_near(at, ended);
        }
        if let Some(over) = far_over {
            self.end_far(at, over);
        }
        progress
    }

    fn end_near(&mut self, at: usize, ended: Ended) {
        let Self { env, clients, connections, .. } = self;
        let connection = &mut connections[at];
        let Some((near, client)) = connection.near.take().zip(connection.client) else { return };
        env.note("client {}: connection {} ends", [client as u64, connection.number.into()]);
        let client = &mut clients[client];
        near.end(client, env);
        if ended == Ended::Silent {
            connection.up.put(Item::Close(1008, None));
        }
        connection.up.end_after(ended == Ended::Silent);
        if ended == Ended::Refused {
            client.secret = "alice";
        }
        client.connection = None;
        client.connects_at = env.now + env.rng.u64(..if env.calm { 50 } else { 2000 });
    }

    fn end_far(&mut self, at: usize, over: Over) {
        let Self { env, connections, orphans, .. } = self;
        let connection = &mut connections[at];
        let Some(far) = connection.far.take() else { return };
        env.note("server: connection {} ends", [connection.number.into()]);
        if let Over::Close(close) = over {
            check_reason(env, close);
        }
        if let Some(close) = far.close(over, env) {
            connection.down.put(close);
        }
        let (handlers, is_first) = far.end(over, env);
        orphans.extend(handlers);
        if is_first {
            self.ages_at = self.env.now + self.age();
        }
    }

    /// A part of the time for which clients are remembered.
    fn age(&self) -> Ms {
        u64::try_from(self.shared.limits.resume_window.as_millis()).unwrap() / u64::from(AGES)
    }

    fn connect(&mut self, index: usize) {
        if self.stopping {
            self.clients[index].connects_at = self.env.now + 100;
            return;
        }
        let (number, up, down) = self.link();
        let Self { env, clients, shared, .. } = self;
        env.note("client {} connects, connection {}", [index as u64, number.into()]);
        let client = &mut clients[index];
        client.connection = Some(number);
        let claims = client.hub.filter(|_| !client.stock).map(|hub| (hub, client.welcomed_on));
        let mut connection = Connection {
            number,
            client: Some(index),
            near: None,
            far: Some(ServerEnd::new(shared, number, claims, env)),
            up,
            down,
            is_cut: false,
            near_notices: Ms::MAX,
            far_notices: Ms::MAX,
            near_due: true,
            far_due: true,
        };
        connection.near = Some(ClientEnd::new(client, number, env, &mut connection.up));
        self.connections.push(connection);
    }

    /// A peer connects and says nothing.
    pub(crate) fn connect_stranger(&mut self) {
        if self.stopping {
            return;
        }
        let (number, up, down) = self.link();
        let far = ServerEnd::new(&self.shared, number, None, &self.env);
        self.connections.push(Connection {
            number,
            client: None,
            near: None,
            far: Some(far),
            up,
            down,
            is_cut: false,
            near_notices: Ms::MAX,
            far_notices: Ms::MAX,
            near_due: false,
            far_due: true,
        });
    }

    fn link(&mut self) -> (u32, Pipe, Pipe) {
        self.connected += 1;
        let mut profile = self.env.setup.profile(&mut self.env.rng);
        if self.env.calm {
            profile = profile.unlimited();
        }
        (self.connected, Pipe::new(profile), Pipe::new(profile))
    }

    /// Publishes an event.
    pub(crate) fn publish(&self, topic: usize, audience: Audience, event: Event) {
        let server = self.env.ledger.facts().server;
        self.env.ledger.publish((server, &self.shared.publisher), topic, audience, event);
    }

    /// How many connections there were.
    pub(crate) const fn connected(&self) -> u32 {
        self.connected
    }

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
    fn restart(&mut self) -> bool {
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

    fn check_bounds(&self) {
        let sessions = self.connections.iter().filter(|connection| connection.far.is_some()).count();
        let held = self.shared.held.load(Ordering::Relaxed);
        let limit = self.env.setup.held(self.largest).saturating_mul(sessions);
        assert!(held <= limit, "{held} bytes are held for {sessions} sessions, over {limit}");
    }

    /// Waits for the handlers that go on without their connection.
    pub(crate) fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }
}

impl Connection {
    fn is_over(&self) -> bool {
        self.near.is_none() && self.far.is_none()
    }

    /// Cuts the link. What is on its way to the server arrives where it is `kept`.
    pub(crate) fn cut(&mut self, kept: bool, room: u64, near_notices: Ms, far_notices: Ms) {
        self.up.cut(kept, room);
        self.down.cut(false, room);
        (self.is_cut, self.near_notices, self.far_notices) = (true, near_notices, far_notices);
    }
}

/// Whether the server may close a connection for this reason.
fn check_reason(env: &Env, close: Close) {
    let is_possible = match close.reason {
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
fn server(env: &Env) -> Arc<Shared> {
    let hub = Arc::<Hub>::default();
    let publisher = Publisher::new(Arc::clone(&hub));
    let number = env.ledger.facts().server;
    let workshop = || Workshop { ledger: env.ledger.clone(), server: number, publisher: publisher.clone() };
    let board = Board(Ledger::clone(&env.ledger));
    let routes = Routes::new(&[Mounted::new(Free(workshop())), Mounted::new(InOrder(workshop())), Mounted::new(board)]).unwrap();
    hub.set_guard(Guard::new(routes.guarded(), Some(Box::new(|client, topic| topic != ALICE || Who::of(client) == Who::Alice))));
    let lifetime = env.setup.lifetime.map(std::time::Duration::from_millis);
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
        protocols: wire::ALL.to_vec(),
        held: AtomicUsize::new(0),
    })
}
