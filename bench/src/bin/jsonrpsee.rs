//! The bench contract on jsonrpsee, binary data as base64.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jsonrpsee::core::SubscriptionResult;
use jsonrpsee::server::{Server, ServerConfig};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{PendingSubscriptionSink, RpcModule, SubscriptionSink};
use serde_json::value::{RawValue, to_raw_value};
use tokio::net::TcpListener;
use wslink_bench::{Error, event, run};

/// Larger than any message of the benchmark.
const MAX_BODY: u32 = 256 << 20;

#[derive(Default)]
struct State {
    subscribers: Mutex<Vec<SubscriptionSink>>,
    blobs: Mutex<HashMap<usize, Box<RawValue>>>,
}

fn main() -> Result<(), Error> {
    run(async |listener: TcpListener| {
        let config = ServerConfig::builder()
            .max_request_body_size(MAX_BODY)
            .max_response_body_size(MAX_BODY)
            .max_connections(20_000)
            .build();
        let server = Server::builder().set_config(config).build_from_tcp(listener.into_std()?)?;
        server.start(module()?).stopped().await;
        Ok(())
    })
}

fn module() -> Result<RpcModule<State>, Error> {
    let mut module = RpcModule::new(State::default());
    module.register_method("bench.add", |parameters, _, _| {
        let (a, b): (f64, f64) = parameters.parse()?;
        Ok::<_, ErrorObjectOwned>(a + b)
    })?;
    module.register_method("bench.blob", |parameters, state, _| {
        let size = parameters.one()?;
        let mut blobs = state.blobs.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || base64_of(&(0..size).map(|i| i as u8).collect::<Vec<_>>());
        Ok::<_, ErrorObjectOwned>(blobs.entry(size).or_insert_with(make).clone())
    })?;
    module.register_method("bench.upload", |parameters, _, _| {
        let text: std::borrow::Cow<'_, str> = parameters.one()?;
        let bytes = BASE64_STANDARD.decode(&*text).unwrap_or_default();
        Ok::<_, ErrorObjectOwned>(bytes.len())
    })?;
    module.register_async_method("bench.stream.start", async |parameters, state, _| {
        let (size, count): (usize, u64) = parameters.parse()?;
        tokio::spawn(async move {
            let subscribers = state.subscribers.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for number in 0..count {
                let message = base64_of(&event(number, size));
                for subscriber in &subscribers {
                    let _ = subscriber.send(message.clone()).await;
                }
            }
            state.subscribers.lock().unwrap_or_else(PoisonError::into_inner).retain(|subscriber| !subscriber.is_closed());
        });
        Ok::<_, ErrorObjectOwned>(())
    })?;
    module.register_subscription("bench.subscribe", "bench.event", "bench.unsubscribe", subscribe)?;
    Ok(module)
}

async fn subscribe(
    _: jsonrpsee::types::Params<'static>,
    pending: PendingSubscriptionSink,
    state: std::sync::Arc<State>,
    _: jsonrpsee::Extensions,
) -> SubscriptionResult {
    let sink = pending.accept().await?;
    state.subscribers.lock().unwrap_or_else(PoisonError::into_inner).push(sink);
    Ok(())
}

fn base64_of(bytes: &[u8]) -> Box<RawValue> {
    to_raw_value(&BASE64_STANDARD.encode(bytes)).unwrap_or_default()
}
