//! A fixed number of operations on a server that runs already, for counting its instructions.

use std::net::SocketAddr;

use crate::Result;
use crate::crowd::Crowd;
use crate::protocol::{Protocol, Wslink};

/// Runs `count` operations: `call`, `lone` calls of which each waits for the one before, `event`, `event50` to
/// as many subscribers, `event1000`, and `blob` or `upload` of 1 MiB.
pub fn run(address: SocketAddr, operation: &str, count: usize) -> Result<()> {
    const SIZE: usize = 1 << 20;
    let protocol = Wslink::learn(address)?;
    let clients = operation.strip_prefix("event").and_then(|clients| clients.parse().ok()).unwrap_or(1);
    let mut crowd = Crowd::connect(&protocol, address, clients)?;
    let mut left = count * clients;
    match operation {
        "call" => {
            (0..count).for_each(|_| crowd.send(0, &protocol.add()));
        }
        _ if operation.starts_with("event") => {
            crowd.send(0, &protocol.stream(64, count));
            left += 1;
        }
        "lone" | "blob" | "upload" => {
            let request = match operation {
                "lone" => protocol.add(),
                "blob" => protocol.blob(SIZE),
                _ => protocol.upload(SIZE),
            };
            for _ in 0..count {
                crowd.call(0, &request)?;
            }
            return Ok(());
        }
        _ => return Err(format!("there is no operation `{operation}`").into()),
    }
    while left > 0 {
        crowd.step(&mut |_, _| left -= 1)?;
    }
    Ok(())
}
