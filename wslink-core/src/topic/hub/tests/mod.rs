//! Tests of the hub alone: what is published while clients come, change and are asked about.

use std::sync::Arc;

use super::*;
use crate::{
    Client, ClientId, Handshake, Principal, Publisher,
    topic::{Interest, Outbox, Topic, Topics},
    wire::{self, Encoded},
};

mod index;
mod order;
mod principals;
mod retained;

fn client(name: &str, authorities: &[&str]) -> Client {
    let principal = Principal::new(name).granting(authorities.iter().copied());
    Client::new(ClientId::random().unwrap(), Handshake::default(), principal)
}

/// A client that receives these topics, or everything where there are none.
fn join(hub: &Hub, client: &Client, wire: &'static dyn Protocol, topics: &[&str]) -> Arc<Outbox> {
    let outbox = Arc::new(Outbox::new(1 << 20));
    let everything = topics.is_empty();
    let interest = if everything { Interest::Everything } else { Interest::Topics(Topics::default()) };
    hub.join(client.clone(), wire, Arc::clone(&outbox), interest, None);
    for (number, topic) in (1..).zip(topics) {
        hub.subscribe(client.id(), &outbox, topic, number);
    }
    outbox
}

/// The messages that wait, as text.
fn waiting(outbox: &Outbox) -> Vec<String> {
    let texts = std::iter::from_fn(|| outbox.pop().unwrap());
    texts.map(|message| String::from_utf8_lossy(&message.frames()[0].head).into_owned()).collect()
}
