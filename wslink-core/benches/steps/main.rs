//! The single steps of a call and of an event, each alone: `cargo bench -p wslink-core --bench steps`.
//!
//! A run leaves things as it found them, so that the next one does the same, and panics where a step has
//! not done its work.
#![allow(clippy::unwrap_used, reason = "a step that cannot go on is not to be measured")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod assembly;
mod bind;
mod call;
mod decode;
mod encode;
mod outbox;
mod publish;
mod sample;
mod send_queue;

/// Steps of one kind.
struct Group {
    /// Where in the server they are.
    name: &'static str,
    /// Each with another input.
    steps: &'static [Step],
}

/// A step with its input.
struct Step {
    /// What the input is.
    name: &'static str,
    /// How much of it one run takes.
    amount: Amount,
    /// Prepares it.
    prepare: fn() -> Run,
}

/// Runs a step once.
type Run = Box<dyn FnMut()>;

/// What the duration of a run is to be divided by.
#[derive(Clone, Copy, Debug)]
enum Amount {
    /// Messages, events or frames.
    Items(u64),
    /// Bytes, where each of them costs something.
    Bytes(u64),
}

/// Every step, in the order of a call and then of an event.
const GROUPS: &[Group] = &[
    Group { name: "assembly", steps: assembly::STEPS },
    Group { name: "decode", steps: decode::STEPS },
    Group { name: "bind", steps: bind::STEPS },
    Group { name: "core", steps: call::STEPS },
    Group { name: "encode", steps: encode::STEPS },
    Group { name: "publish", steps: publish::STEPS },
    Group { name: "outbox", steps: outbox::STEPS },
    Group { name: "send_queue", steps: send_queue::STEPS },
];

impl Step {
    const fn new(name: &'static str, prepare: fn() -> Run) -> Self {
        Self { name, amount: Amount::Items(1), prepare }
    }

    const fn items(self, items: usize) -> Self {
        Self { amount: Amount::Items(items as u64), ..self }
    }

    const fn bytes(self, bytes: usize) -> Self {
        Self { amount: Amount::Bytes(bytes as u64), ..self }
    }
}

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
