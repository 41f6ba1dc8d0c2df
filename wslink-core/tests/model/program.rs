//! A random program: what clients and the application do and which faults happen, then calm, then the end.

use std::{sync::atomic::Ordering, time::Instant};

use bytes::Bytes;
use wslink_core::{
    Delivery,
    wire::{FrameKind, V1, V2},
};

use super::{
    client::{Client, Flows},
    client_end::ClientEnd,
    env::Env,
    ledger::{Audience, GROUP, Who},
    link::{Item, Ms},
    service::{Event, KEYED, METHODS, STREAMS, TOPICS, Task, bytes, text},
    trace::Trace,
    world::World,
};

/// Plays the program of `seed`, and panics where a promise is broken.
pub(crate) fn play(seed: u64, base: Instant, trace: Trace) {
    let mut world = World::new(Env::new(seed, base, trace));
    for index in 0..world.env.setup.clients {
        let stock = world.env.one_in(6);
        let protocol = if world.env.one_in(3) { V1 } else { V2 };
        world.clients.push(Client::new(index, protocol, stock));
    }
    for _ in 0..world.env.setup.steps {
        step(&mut world);
        let gap = match world.env.rng.u8(..100) {
            0..45 => 0,
            45..80 => world.env.rng.u64(1..30),
            80..96 => world.env.rng.u64(30..500),
            _ => world.env.rng.u64(1000..45_000),
        };
        world.run_until(world.env.now + gap);
    }
    calm(&mut world);
    leave(&mut world);
    let facts = world.env.ledger.facts();
    world.env.calls.iter().for_each(|call| call.check(&facts));
}

fn step(world: &mut World) {
    match world.env.rng.u8(..100) {
        0..28 => call(world),
        28..33 => cancel(world),
        33..45 => subscribe(world),
        45..49 => unsubscribe(world),
        49..75 => publish(world),
        75..79 => hello(world),
        79..86 => cut(world),
        86..89 => deafen(world),
        89..92 => group(world),
        92..95 => slow_down(world),
        95 => half_message(world),
        96 => world.connect_stranger(),
        97 => close(world),
        98 => begin_anew(world),
        _ if world.env.one_in(3) => world.stop(),
        _ => {}
    }
}

/// Has a client that is connected and greeted do something.
fn with_client(world: &mut World, act: impl FnOnce(&mut ClientEnd, &mut Client, &mut Env)) {
    let World { env, clients, connections, .. } = world;
    let client = &mut clients[env.rng.usize(..env.setup.clients)];
    let connection = connections.iter_mut().find(|connection| Some(connection.number) == client.connection);
    if let Some(connection) = connection
        && let Some(near) = connection.near.as_mut().filter(|near| near.greeted)
    {
        act(near, client, env);
        connection.near_due = true;
    }
}

fn call(world: &mut World) {
    let mut largest = 0;
    with_client(world, |near, client, env| {
        for _ in 0..if env.one_in(3) { 1 + env.rng.usize(..6) } else { 1 } {
            let method = env.rng.usize(..METHODS.len());
            let takes = if env.one_in(8) { env.rng.u64(..3000) } else { env.rng.u64(..150) };
            let publishes = env.one_in(4).then(|| env.topic());
            let reports = if env.one_in(3) { env.rng.u32(..4) } else { 0 };
            let task = Task { takes, reports, fails: env.one_in(8), publishes, bytes: env.size(), ..Task::default() };
            let timeout = env.one_in(4).then(|| env.rng.u64(1..1000));
            let uploads = env.size();
            largest = largest.max(uploads).max(task.bytes);
            env.note("client {} calls method {}, call {}", [client.index as u64, method as u64, env.calls.len() as u64]);
            near.call(client, env, method, &task, uploads, timeout);
        }
    });
    world.largest = world.largest.max(largest + 1000);
}

fn cancel(world: &mut World) {
    with_client(world, |near, client, env| {
        let Some(number) = near.calls.keys().copied().min_by_key(|number| number ^ env.rng.u64(..8)) else { return };
        env.note("client {} cancels call {}", [client.index as u64, near.calls[&number].into()]);
        near.cancel(env, number);
    });
}

fn subscribe(world: &mut World) {
    with_client(world, |near, client, env| {
        if client.subscriptions.len() >= 8 {
            return;
        }
        if env.one_in(5) && !client.stock {
            let (stream, interval, count) = (env.rng.usize(..STREAMS.len()), env.rng.u64(..100), env.rng.u32(..20));
            env.note("client {} subscribes to stream {} of {}", [client.index as u64, stream as u64, count.into()]);
            client.open_stream(&mut near.session, stream, interval, count);
        } else {
            let topic = env.topic();
            env.note("client {} subscribes to topic {}", [client.index as u64, topic as u64]);
            client.subscribe(env, &mut near.session, topic);
        }
    });
}

fn unsubscribe(world: &mut World) {
    // While there is no connection, too.
    let World { env, clients, connections, .. } = world;
    let client = &mut clients[env.rng.usize(..env.setup.clients)];
    let Some(id) = client.subscriptions.keys().copied().min_by_key(|id| id ^ env.rng.u64(..8)) else { return };
    env.note("client {} ends subscription {}", [client.index as u64, id]);
    match client.connection {
        None => client.memory.unsubscribe(id),
        Some(number) => {
            for connection in connections.iter_mut().filter(|connection| connection.number == number) {
                connection.near.iter_mut().for_each(|near| near.session.unsubscribe(id));
                connection.near_due = true;
            }
        }
    }
    client.subscriptions.remove(&id);
}

fn publish(world: &mut World) {
    let topic = world.env.topic();
    let count = if world.env.one_in(3) { world.env.rng.usize(1..12) } else { 1 };
    for _ in 0..count {
        let env = &mut world.env;
        let known = env.ledger.facts().clients.len();
        let audience = match env.rng.u8(..10) {
            0 if known > 0 => Audience::To(env.rng.usize(..known)),
            1 if known > 0 => Audience::Except(env.rng.usize(..known)),
            2 => Audience::Group,
            _ => Audience::All,
        };
        let size = env.size();
        // Events that not everybody may see are of one frame, so that it is known when they were handed out.
        let is_plain = TOPICS[topic].for_alice || env.one_in(2);
        let (text, blob) = if is_plain { (text(size.min(3000)), None) } else { (String::new(), Some(bytes(size))) };
        let event = Event { key: 1 + env.rng.u64(..3), text, blob, ..Event::default() };
        env.note("publishes on topic {} with {} bytes", [topic as u64, size as u64]);
        world.largest = world.largest.max(size + 1000);
        world.publish(topic, audience, event);
    }
}

fn hello(world: &mut World) {
    with_client(world, |near, client, env| {
        if client.stock {
            return;
        }
        let secret = ["alice", "bob", "bob", "wrong"][env.rng.usize(..4)];
        env.note(
            "client {} says hello again, as {} (0: alice, 1, 2: bob, 3: wrong)",
            [client.index as u64, ["alice", "bob", "bob", "wrong"].iter().position(|other| *other == secret).unwrap() as u64],
        );
        near.hello(secret, env);
        if secret != "wrong" {
            client.secret = secret;
        }
    });
}

fn cut(world: &mut World) {
    let World { env, connections, .. } = world;
    let Some(connection) = env.rng.choice(connections) else { return };
    if connection.is_cut {
        return;
    }
    let mut notices = || match env.rng.u8(..4) {
        0 => env.now,
        1 => env.now + env.rng.u64(..500),
        2 => env.now + env.rng.u64(..20_000),
        _ => Ms::MAX,
    };
    let (near, far) = (notices(), notices());
    let kept = env.one_in(3);
    env.note("connection {} is cut, {}", [connection.number.into(), kept.into()]);
    connection.cut(kept, env.rng.u64(..20_000), near, far);
}

fn deafen(world: &mut World) {
    with_client(world, |near, client, env| {
        near.deaf_until = env.now + if env.one_in(4) { env.rng.u64(..60_000) } else { env.rng.u64(..3000) };
        env.note("client {} reads nothing until {}", [client.index as u64, near.deaf_until]);
    });
}

fn group(world: &mut World) {
    let World { env, shared, .. } = world;
    let mut facts = env.ledger.facts();
    if facts.clients.is_empty() {
        return;
    }
    let index = env.rng.usize(..facts.clients.len());
    let grouped = env.rng.bool();
    let client = &mut facts.clients[index];
    client.grouped = grouped;
    let id = client.id.clone();
    drop(facts);
    if grouped { shared.publisher.enter(&id, GROUP) } else { shared.publisher.exit(&id, GROUP) }
}

fn slow_down(world: &mut World) {
    let World { env, connections, .. } = world;
    let Some(connection) = env.rng.choice(connections) else { return };
    let profile = env.setup.profile(&mut env.rng);
    for pipe in [&mut connection.up, &mut connection.down] {
        // Bytes do not overtake each other.
        pipe.profile = super::link::Profile { delay: pipe.profile.delay, ..profile };
    }
}

/// The beginning of a message that never ends.
fn half_message(world: &mut World) {
    let World { env, clients, connections, .. } = world;
    let client = &clients[env.rng.usize(..env.setup.clients)];
    let connection = connections.iter_mut().find(|connection| Some(connection.number) == client.connection);
    if client.protocol.first_frame() == FrameKind::Binary
        && let Some(connection) = connection.filter(|connection| connection.near.as_ref().is_some_and(|near| near.greeted))
    {
        env.note("client {} begins a message and does not end it", [client.index as u64]);
        // A chunk of a message of 64 bytes.
        let payload = [&env.rng.u32(..).to_le_bytes()[..], &[0; 4], &64_u32.to_le_bytes(), b"begin"].concat();
        let payload = Bytes::from(payload);
        connection.up.put(Item::Data { kind: FrameKind::Binary, payload, principal: Who::Nobody });
        connection.near_due = true;
    }
}

/// A client closes its connection, and connects again.
fn close(world: &mut World) {
    let World { env, clients, connections, .. } = world;
    let client = &mut clients[env.rng.usize(..env.setup.clients)];
    let connection = connections.iter_mut().find(|connection| Some(connection.number) == client.connection);
    if let Some(connection) = connection
        && let Some(near) = connection.near.take()
    {
        env.note("client {} closes connection {}", [client.index as u64, connection.number.into()]);
        near.end(client, env);
        connection.up.put(Item::Close(1000, None));
        connection.near_due = true;
        (client.connection, client.connects_at) = (None, env.now + env.rng.u64(..500));
    }
}

/// The program of a client is started anew while it has no connection.
fn begin_anew(world: &mut World) {
    let World { env, clients, .. } = world;
    let client = &mut clients[env.rng.usize(..env.setup.clients)];
    if client.connection.is_none() {
        env.note("client {} begins anew", [client.index as u64]);
        let protocol = if env.one_in(2) { V1 } else { V2 };
        let connects_at = client.connects_at;
        *client = Client::new(client.index, protocol, false);
        client.connects_at = connects_at;
    }
}

/// No further faults: everything that is outstanding is settled in a bounded time.
fn calm(world: &mut World) {
    world.env.note("no further faults", []);
    world.env.calm = true;
    for connection in &mut world.connections {
        if let Some(near) = &mut connection.near {
            near.deaf_until = 0;
        }
        for pipe in [&mut connection.up, &mut connection.down] {
            pipe.profile = pipe.profile.unlimited();
        }
        (connection.near_due, connection.far_due) = (true, true);
    }
    let limit = world.env.now + 120_000;
    loop {
        let settles = world.run_until_settled(limit - world.env.now, is_settled);
        assert!(settles, "not settled: {}", unsettled(world));
        // Nobody is told when a subscription that begins anew is confirmed.
        let connected = world.connected();
        world.run_until(world.env.now + 1000);
        if is_settled(world) && world.connected() == connected {
            publish_last(world);
            // Unless a hello has expired meanwhile.
            if is_settled(world) && world.connected() == connected {
                break;
            }
        }
    }
    let facts = world.env.ledger.facts();
    for client in &world.clients {
        client.check_complete(&facts);
        client.check_subscribed(&world.shared.publisher, &facts);
    }
    let held = world.shared.held.load(Ordering::Relaxed);
    assert_eq!(held, 0, "bytes are held although everything has arrived");
}

/// Publishes the last events of each topic, as many at once as may wait.
fn publish_last(world: &mut World) {
    world.env.note("the last events", []);
    let facts = world.env.ledger.facts();
    let subscriptions = world.clients.iter_mut().flat_map(|client| client.subscriptions.values_mut());
    for subscription in subscriptions {
        if let Flows::Topic(flow) = &mut subscription.flow {
            flow.confirmed(&facts);
        }
    }
    drop(facts);
    for (topic, info) in TOPICS.iter().enumerate() {
        let count = match info.delivery {
            Delivery::DropOldest(count) => count as u64,
            _ if topic == KEYED => 3,
            _ => 1,
        };
        for key in 1..=count {
            world.publish(topic, Audience::All, Event { key, ..Event::default() });
        }
        world.run_now();
    }
    world.run_until(world.env.now + 1000);
}

fn is_settled(world: &World) -> bool {
    !world.stopping
        && !world.has_orphans()
        && world.connections.len() == world.clients.len()
        && world.connections.iter().all(|connection| {
            let greeted = connection.near.as_ref().is_some_and(|near| near.greeted && near.calls.is_empty());
            let idle = connection
                .far
                .as_ref()
                .is_some_and(|far| far.session.calls_in_flight() == 0 && far.session.incomplete() == (0, 0));
            greeted && idle && !connection.is_cut
        })
        && world.clients.iter().all(|client| {
            let settled = |flow: &Flows| matches!(flow, Flows::Topic(_));
            client.subscriptions.values().all(|subscription| subscription.confirmed && settled(&subscription.flow))
        })
}

fn unsettled(world: &World) -> String {
    let ends = world.connections.iter().map(|connection| {
        let near = connection.near.as_ref().map(|near| (near.greeted, near.calls.len()));
        let far = connection.far.as_ref().map(|far| far.session.calls_in_flight());
        let cut = if connection.is_cut { " (cut)" } else { "" };
        format!("connection {}{cut}, client greeted and its calls {near:?}, calls at the server {far:?}", connection.number)
    });
    let subscriptions = world.clients.iter().flat_map(|client| client.subscriptions.values().map(|one| format!("{one:?}")));
    ends.chain(subscriptions).collect::<Vec<_>>().join("; ")
}

/// Everybody leaves, by closing or without a word; nothing is left of them.
fn leave(world: &mut World) {
    world.env.note("everybody leaves", []);
    for client in &mut world.clients {
        client.connects_at = Ms::MAX;
    }
    for at in 0..world.connections.len() {
        let World { env, clients, connections, .. } = world;
        let connection = &mut connections[at];
        let (Some(near), Some(client)) = (connection.near.take(), connection.client) else { continue };
        near.end(&mut clients[client], env);
        clients[client].connection = None;
        if env.rng.bool() {
            connection.up.put(Item::Close(1000, None));
        } else {
            connection.cut(false, 0, Ms::MAX, env.now + 1);
        }
        connection.near_due = true;
    }
    let gone = |world: &World| world.connections.is_empty() && !world.has_orphans();
    assert!(world.run_until_settled(20_000, gone), "sessions or handlers stay when everybody has left");
    let window = u64::try_from(world.env.setup.limits.resume_window.as_millis()).unwrap();
    world.run_until(world.env.now + 2 * window + 1000);
    world.check_nothing_held();
    assert_eq!(world.env.ledger.facts().alive(), 0, "handlers or streams stay when everybody has left");
}
