//! Frames read from a stream and written to one, each step alone: `cargo bench -p wslink --features testing --bench websocket`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod socket;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn steps(criterion: &mut Criterion) {
    for (name, amount, prepare) in socket::STEPS {
        let mut group = criterion.benchmark_group("websocket");
        group.throughput(Throughput::Elements(*amount));
        let mut run = None;
        group.bench_function(*name, |bencher| bencher.iter(run.get_or_insert_with(prepare)));
        group.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
