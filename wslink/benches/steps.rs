//! Single steps of a server, each alone: `cargo bench -p wslink --features measuring --bench steps`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use wslink::measuring::{Amount, GROUPS};

fn steps(criterion: &mut Criterion) {
    for group in GROUPS {
        let mut benchmarks = criterion.benchmark_group(group.name);
        for step in group.steps {
            benchmarks.throughput(match step.amount {
                Amount::Items(items) => Throughput::Elements(items),
                Amount::Bytes(bytes) => Throughput::Bytes(bytes),
            });
            // Prepared once, and only if it is asked for.
            let mut run = None;
            benchmarks.bench_function(step.name, |bencher| bencher.iter(run.get_or_insert_with(step.prepare)));
        }
        benchmarks.finish();
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
