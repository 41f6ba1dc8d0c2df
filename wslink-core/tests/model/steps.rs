//! The steps of random programs: what clients and the application do, and the faults.

use bytes::Bytes;
use wslink_core::wire::{FrameKind, V1, V2};

use super::{
    client::Client,
    client_end::ClientEnd,
    env::Env,
    hub_clients::Who,
    ledger::{Audience, GROUP},
    link::{Item, Ms, Profile},
    service::{METHODS, Task},
    topics::{Event, STREAMS, TOPICS, bytes, text},
    world::World,
};

/// One step of a program.
pub(crate) fn step(world: &mut World) {
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
        96 => world.connect_unauthenticated(),
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
        let any = env.rng.u64(..8);
        let Some(number) = near.calls.keys().copied().min_by_key(|number| number ^ any) else { return };
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
    let any = env.rng.u64(..8);
    let Some(id) = client.subscriptions.keys().copied().min_by_key(|id| id ^ any) else { return };
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
        let what = match secret {
            "alice" => "client {} says hello again, as Alice",
            "bob" => "client {} says hello again, as Bob",
            _ => "client {} says hello again, and is refused",
        };
        env.note(what, [client.index as u64]);
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
    connection.due_at = 0;
    for pipe in [&mut connection.up, &mut connection.down] {
        // Bytes do not overtake each other.
        pipe.profile = Profile { delay: pipe.profile.delay, ..profile };
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
