//! Sends every WebSocket message back, for the Autobahn TestSuite: `echo ADDRESS`.

use std::{error::Error, io::Write};

use tokio::net::TcpListener;

/// More than any case sends.
const MAX_MESSAGE: usize = 64 << 20;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("the address is missing; give it as the first argument")?;
    let listener = TcpListener::bind(&address).await?;
    // Whoever started it waits for this line.
    writeln!(std::io::stdout(), "ws://{}", listener.local_addr()?)?;
    Ok(wslink::testing::internals::echo(listener, MAX_MESSAGE).await?)
}
