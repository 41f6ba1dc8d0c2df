//! Whole calls and events of a server, over streams in memory: `cargo bench -p wslink --bench micro`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod peer;
mod table;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use wslink::{Attachment, Publisher, Topic, Value, service};

use peer::{Peer, Runtime};
use table::Table;

struct Probe;

#[service]
impl Probe {
    /// Only the newest waits.
    #[topic("probe.latest", delivery = latest)]
    const LATEST: Topic<Value>;

    /// Nothing is lost.
    #[topic("probe.reliable")]
    const RELIABLE: Topic<Value>;

    /// The sum.
    #[rpc("probe.add")]
    fn add(&self, a: f64, b: f64) -> f64 {
        a + b
    }

    /// Whatever comes.
    #[rpc("probe.echo")]
    fn echo(&self, value: Value) -> Value {
        value
    }

    /// The length.
    #[rpc("probe.upload")]
    fn upload(&self, data: Attachment) -> usize {
        data.len()
    }

    /// What is uploaded.
    #[rpc("probe.mirror")]
    fn mirror(&self, data: Attachment) -> Attachment {
        data
    }

    /// Ready at once, but asynchronous.
    #[rpc("probe.later")]
    async fn later(&self) {
        std::future::ready(()).await;
    }
}

/// Decoding, dispatch and encoding of one call.
fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new(Probe);
    let mut group = criterion.benchmark_group("call");
    let nested: Vec<Value> = (0..100).map(|number| Value::map([("number", number)])).collect();
    let cases: [(&str, &str, Vec<Value>); 4] = [
        ("add", "probe.add", vec![1.5.into(), 2.into()]),
        ("asynchronous", "probe.later", vec![]),
        ("echo of 100 maps", "probe.echo", vec![nested.into()]),
        ("unknown method", "probe.nothing", vec![]),
    ];
    for (name, method, arguments) in cases {
        let request = peer::request(method, arguments);
        let mut peer = runtime.connect();
        group.bench_function(name, |bencher| bencher.iter(|| peer.call(black_box(&request))));
    }
    group.finish();
}

/// One call where there are that many methods.
fn dispatch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("dispatch");
    let runtimes = [(10, Runtime::new(Table::<10>)), (100, Runtime::new(Table::<100>)), (5000, Runtime::new(Table::<5000>))];
    for (methods, runtime) in &runtimes {
        let request = peer::request(&format!("table.{:04}", methods - 1), vec![]);
        let mut peer = runtime.connect();
        let id = BenchmarkId::new("methods", methods);
        group.bench_function(id, |bencher| bencher.iter(|| peer.call(black_box(&request))));
    }
    group.finish();
}

/// Chunks put together and cut.
fn chunks(criterion: &mut Criterion) {
    let runtime = Runtime::new(Probe);
    for (name, method) in [("upload", "probe.upload"), ("mirror", "probe.mirror")] {
        let mut group = criterion.benchmark_group(name);
        for size in [64 << 10, 1 << 20, 8 << 20] {
            let request = peer::request(method, vec![Attachment::new(vec![7; size]).into()]);
            let mut peer = runtime.connect();
            group.throughput(Throughput::Bytes(size as u64));
            let id = BenchmarkId::from_parameter(size);
            group.bench_function(id, |bencher| bencher.iter(|| peer.call(black_box(&request))));
        }
        group.finish();
    }
}

/// An event encoded once and put into every outbox.
fn events(criterion: &mut Criterion) {
    let runtime = Runtime::new(Probe);
    let publisher: Publisher = runtime.publisher();
    let payload = Value::from("a small event");
    let mut group = criterion.benchmark_group("publish");
    let mut peers: Vec<Peer<'_>> = Vec::new();
    for clients in [1, 50, 1000] {
        peers.resize_with(clients, || runtime.connect());
        let id = BenchmarkId::new("latest, not taken", clients);
        group.bench_function(id, |bencher| bencher.iter(|| publisher.publish(Probe::LATEST, black_box(&payload))));
        peers.iter_mut().for_each(Peer::receive);
        let id = BenchmarkId::new("reliable, taken", clients);
        group.bench_function(id, |bencher| {
            bencher.iter(|| {
                publisher.publish(Probe::RELIABLE, black_box(&payload));
                peers.iter_mut().for_each(Peer::receive);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, calls, dispatch, chunks, events);
criterion_main!(benches);
