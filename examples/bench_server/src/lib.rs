//! The server that is measured, as a library: programs that choose an allocator run it too.

use std::{env, error::Error, net::Ipv4Addr};

use tokio::{net::TcpListener, runtime};
use wslink::{Limits, Secret, Server};

mod bench;

/// Serves until it is ended; the arguments of the program are PORT and THREADS.
pub fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let port = arguments.next().ok_or("usage: PORT [THREADS]")?.parse()?;
    let runtime = match arguments.next().map_or(Ok(1), |threads| threads.parse())? {
        1 => runtime::Builder::new_current_thread().enable_all().build()?,
        threads => runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?,
    };
    runtime.block_on(serve(port))
}

async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    // Everybody knows this secret, so nobody may reach the server from elsewhere.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    // All clients of a benchmark come from one address.
    let mut limits = Limits::default();
    limits.address_connections = limits.connections;
    limits.address_unauthenticated = limits.connections;
    let server = Server::builder().secret(Secret::published()).limits(limits).service(bench::Bench::new).build()?;
    Ok(server.serve(listener).await?)
}
