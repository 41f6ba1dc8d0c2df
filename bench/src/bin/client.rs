//! A Rust client with 64 calls in flight: `client wslink|jsonrpsee ADDRESS CALLS`. Prints the CPU time that
//! a call cost it, in µs.

use std::cell::Cell;
use std::fs;

use futures_util::future::try_join_all;
use jsonrpsee::client_transport::ws::{Url, WsTransportClientBuilder};
use jsonrpsee::core::client::{Client, ClientBuilder, ClientT};
use jsonrpsee::rpc_params;
use wslink::client::Session;
use wslink_bench::Error;

const CALLERS: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, address, calls] = &arguments[..] else { return Err("usage: wslink|jsonrpsee ADDRESS CALLS".into()) };
    let calls = calls.parse()?;
    let micros = match kind.as_str() {
        "wslink" => {
            let session = Session::builder(&format!("ws://{address}/ws")).secret("wslink-secret").connect().await?;
            let add = async |a: f64| Ok(session.call::<f64>("bench.add", (a, 1.0)).await?);
            measure(calls, add).await?
        }
        "jsonrpsee" => {
            let url = Url::parse(&format!("ws://{address}"))?;
            let (sender, receiver) = WsTransportClientBuilder::default().build(url).await?;
            let client: Client = ClientBuilder::default().build_with_tokio(sender, receiver);
            measure(calls, async |a: f64| Ok(client.request::<f64, _>("bench.add", rpc_params![a, 1.0]).await?)).await?
        }
        _ => return Err("neither wslink nor jsonrpsee".into()),
    };
    println!("{micros}");
    Ok(())
}

/// Calls once to warm up and once to measure.
async fn measure(calls: usize, add: impl AsyncFn(f64) -> Result<f64, Error>) -> Result<f64, Error> {
    call(calls / 4, &add).await?;
    let before = cpu_nanos()?;
    call(calls, &add).await?;
    Ok((cpu_nanos()? - before) / 1e3 / calls as f64)
}

async fn call(calls: usize, add: &impl AsyncFn(f64) -> Result<f64, Error>) -> Result<(), Error> {
    let left = Cell::new(calls);
    let caller = async || {
        while left.get() > 0 {
            left.set(left.get() - 1);
            let a = left.get() as f64;
            if add(a).await? != a + 1.0 {
                return Err("a wrong sum".into());
            }
        }
        Ok::<_, Error>(())
    };
    try_join_all((0..CALLERS).map(|_| caller())).await?;
    Ok(())
}

/// Of this thread, which runs everything.
fn cpu_nanos() -> Result<f64, Error> {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(schedstat.split(' ').next().unwrap_or_default().parse()?)
}
