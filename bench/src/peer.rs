//! The measured servers: how each is started and spoken to.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::Result;
use crate::options::Options;
use crate::process::Server;
use crate::protocol::{JsonRpc, Protocol, Raw, Tcp, Wslink};

pub const OURS: &str = "wslink";
pub const RAW: &str = "tungstenite";
pub const PYTHON: &str = "Python wslink";

/// Finds out how to speak to a server that runs.
type Speak = fn(SocketAddr) -> Result<Box<dyn Protocol>>;

/// A running server.
pub struct Peer {
    pub name: String,
    pub protocol: Box<dyn Protocol>,
    pub command: Vec<PathBuf>,
    pub server: Server,
}

/// Starts every server that there is and that is asked for.
pub fn start_all(options: &Options) -> Result<Vec<Peer>> {
    // The peers are built beside this program.
    let here = std::env::current_exe()?;
    let beside = |name: &str| vec![here.with_file_name(name)];
    let wslink: Speak = |address| Ok(Box::new(Wslink::learn(address)?));
    let mut all: Vec<(&str, Speak, Vec<PathBuf>)> = vec![
        ("tcp", |_| Ok(Box::new(Tcp)), beside("tcp")),
        (RAW, |_| Ok(Box::new(Raw)), beside("raw")),
        ("jsonrpsee", |_| Ok(Box::new(JsonRpc)), beside("jsonrpsee")),
    ];
    all.extend(options.python.clone().map(|command| (PYTHON, wslink, command.into())));
    all.extend(options.ours.iter().map(|(name, program)| (name.as_str(), wslink, vec![program.clone()])));
    let mut peers = Vec::new();
    for (name, speak, command) in all.into_iter().filter(|(name, ..)| options.wants(name)) {
        let server = Server::start(&command, 1)?;
        peers.push(Peer { name: name.to_owned(), protocol: speak(server.address)?, command, server });
    }
    Ok(peers)
}
