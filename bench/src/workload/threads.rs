//! The use of both threads of a server that has two.

use std::time::Duration;

use super::calls;
use crate::Result;
use crate::peer::Peer;
use crate::process::Server;

/// The same calls on a server of its own with one worker thread for each core.
pub fn run(peer: &Peer, time: Duration) -> Result<String> {
    let two = Peer {
        name: peer.name.clone(),
        protocol: Box::new(crate::protocol::Wslink::learn(peer.server.address)?),
        command: peer.command.clone(),
        server: Server::start(&peer.command, 2)?,
    };
    calls::pipelined(&two, 16, 16, time)?;
    let mut threads = two.server.cpu_of_threads()?;
    threads.sort();
    let busy: Vec<_> = threads.iter().rev().take(2).map(|time| format!("{:.0} ms", time.as_secs_f64() * 1e3)).collect();
    Ok(format!(
        "With two worker threads, the busiest two threads of the server had {} of CPU under rpc 16×16.",
        busy.join(" and ")
    ))
}
