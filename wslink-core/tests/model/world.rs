//! A server, its clients and the links between them: what happens when, in virtual time.

use std::sync::Arc;

use wslink_core::{session::Shared, topic::AGES};

use super::{
    client::Client,
    client_end::{ClientEnd, Ended},
    connection::Connection,
    env::Env,
    handlers::Handler,
    ledger::Audience,
    link::{Item, Ms, Profile},
    server::{check_reason, server},
    server_end::{Over, ServerEnd},
    topics::Event,
};

pub(crate) struct World {
    pub(crate) env: Env,
    pub(crate) shared: Arc<Shared>,
    /// The server closes its connections, and is started again when all are closed.
    pub(crate) stopping: bool,
    /// When the hub is to be told that a part of the time for which clients are remembered has passed.
    pub(crate) ages_at: Ms,
    pub(crate) clients: Vec<Client>,
    pub(crate) connections: Vec<Connection>,
    /// Handlers that go on without their connection.
    orphans: Vec<Handler>,
    connected: u32,
    /// The most bytes of one message.
    pub(crate) largest: usize,
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

    fn next_event(&mut self) -> Ms {
        let mut next = self.ages_at;
        for connection in &mut self.connections {
            connection.due_at = connection.next_event();
            next = next.min(connection.due_at);
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
        let now = env.now;
        if !connection.is_due(now) {
            return false;
        }
        connection.due_at = 0;
        let Connection { near, far, up, down, near_notices, far_notices, near_due, far_due, .. } = connection;
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
            self.end_far(at, &over);
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

    fn end_far(&mut self, at: usize, over: &Over) {
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
        let (number, profile) = self.link();
        let Self { env, clients, shared, .. } = self;
        env.note("client {} connects, connection {}", [index as u64, number.into()]);
        let client = &mut clients[index];
        client.connection = Some(number);
        let claims = client.hub.filter(|_| !client.stock).map(|hub| (hub, client.welcomed_on));
        let far = ServerEnd::new(shared, number, claims, env);
        let mut connection = Connection::new(number, profile, far, Some(index));
        connection.near = Some(ClientEnd::new(client, number, env, &mut connection.up));
        self.connections.push(connection);
    }

    /// A peer connects and says nothing.
    pub(crate) fn connect_unauthenticated(&mut self) {
        if !self.stopping {
            let (number, profile) = self.link();
            let far = ServerEnd::new(&self.shared, number, None, &self.env);
            self.connections.push(Connection::new(number, profile, far, None));
        }
    }

    /// The number and properties of a new link.
    fn link(&mut self) -> (u32, Profile) {
        self.connected += 1;
        let profile = self.env.setup.profile(&mut self.env.rng);
        (self.connected, if self.env.calm { profile.unlimited() } else { profile })
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

    /// Waits for the handlers that go on without their connection.
    pub(crate) fn has_orphans(&self) -> bool {
        !self.orphans.is_empty()
    }
}
