//! A random program: steps and faults, then calm, then the end; and what must hold then.

use std::{sync::atomic::Ordering, time::Instant};

use wslink_core::{
    Delivery,
    wire::{V1, V2},
};

use super::{
    client::{Client, Flows},
    env::Env,
    ledger::Audience,
    link::{Item, Ms},
    steps::step,
    topics::{Event, KEYED, TOPICS},
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
