//! The cost of a call for a client in Rust: ours and jsonrpsee's, each with its own server.

use std::process::Command;

use crate::Result;
use crate::peer::{OURS, Peer};
use crate::report::figure;
use crate::statistics::median;

const JSONRPSEE: &str = "jsonrpsee";
const ROUNDS: usize = 5;

/// Measures both in turn, with `calls` calls a round. Nothing where one of the servers is left out.
pub fn run(peers: &[Peer], calls: usize) -> Result<Option<String>> {
    let find = |name| peers.iter().find(|peer| peer.name == name);
    let (Some(theirs), Some(ours)) = (find(JSONRPSEE), find(OURS)) else { return Ok(None) };
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (peer, costs) in [theirs, ours].into_iter().zip(&mut costs) {
            costs.push(measure(peer, calls)?);
        }
    }
    let ratios: Vec<_> = costs[0].iter().zip(&costs[1]).map(|(theirs, ours)| theirs / ours).collect();
    Ok(Some(format!(
        "CPU of a Rust client with 64 calls in flight, µs per call:\n\n\
         | jsonrpsee | wslink | vs jsonrpsee |\n|---:|---:|---:|\n| {} | {} | {} |",
        figure(median(&costs[0])),
        figure(median(&costs[1])),
        figure(median(&ratios)),
    )))
}

/// The client is a program of its own, built beside this one.
fn measure(peer: &Peer, calls: usize) -> Result<f64> {
    let program = std::env::current_exe()?.with_file_name("client");
    let arguments = [peer.name.clone(), peer.server.address.to_string(), calls.to_string()];
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
