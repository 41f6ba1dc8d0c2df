//! Random programs of clients, a server and faults between them, in virtual time, against the promises of a session.
//!
//! The environment says how many programs are played (`WSLINK_MODEL_PROGRAMS`, else 10,000), and the seed of the first
//! (`WSLINK_MODEL_SEED`), which is the only one unless it says how many. A failure prints the seed and the steps of the
//! shortest program that failed.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a program that cannot go on has failed")]

use std::{
    cell::RefCell,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use self::trace::Trace;

mod calls;
mod client;
mod client_end;
mod connection;
mod env;
mod flow;
mod handlers;
mod hub_clients;
mod ledger;
mod link;
mod program;
mod requests;
mod server;
mod server_end;
mod service;
mod setup;
mod steps;
mod topics;
mod trace;
mod watch;
mod world;

/// Programs that are played unless the environment says how many.
const PROGRAMS: u64 = 10_000;

/// After so many failures no further program is played.
const MAX_FAILURES: u64 = 2000;

thread_local! {
    /// Where and why the last panic of this thread was.
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A program that broke a promise.
#[derive(Default)]
struct Failure {
    seed: u64,
    why: String,
    steps: usize,
    trace: String,
}

/// By the place where a promise is checked: how many failed there, and the shortest of them.
#[derive(Default)]
struct Failures(BTreeMap<String, (u64, Failure)>);

impl Failures {
    /// Adds one, and returns how many there are.
    fn add(&mut self, failure: Failure) -> u64 {
        let place = failure.why.lines().next().unwrap_or_default().to_owned();
        let steps = failure.steps;
        let (count, shortest) = self.0.entry(place).or_insert_with(|| (0, Failure { steps: usize::MAX, ..Failure::default() }));
        *count += 1;
        if steps < shortest.steps {
            *shortest = failure;
        }
        self.0.values().map(|(count, _)| count).sum()
    }

    /// What to tell a person: the seeds, and the shortest program with its steps.
    fn report(&self) -> Option<String> {
        let Failure { seed, why, trace, .. } = self.0.values().map(|(_, failure)| failure).min_by_key(|failure| failure.steps)?;
        let mut text = format!("programs broke a promise\n{trace}{why}\nto play it again: WSLINK_MODEL_SEED={seed}\n");
        for (place, (count, Failure { seed, .. })) in &self.0 {
            text.push_str(&format!("{count:>6} failed as seed {seed}: {place}\n"));
        }
        Some(text)
    }
}

#[test]
fn random_programs_keep_every_promise() {
    let number = |name| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seed = number("WSLINK_MODEL_SEED");
    let programs = number("WSLINK_MODEL_PROGRAMS").unwrap_or(if seed.is_some() { 1 } else { PROGRAMS });
    let first = seed.unwrap_or(0);
    // A program that fails says so once, at the end.
    std::panic::set_hook(Box::new(|panic| PANIC.set(panic.to_string())));
    let (next, played) = (AtomicU64::new(first), AtomicU64::new(0));
    let failures = Mutex::new(Failures::default());
    let base = Instant::now();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let seed = next.fetch_add(1, Ordering::Relaxed)
                    && seed < first + programs
                {
                    played.fetch_add(1, Ordering::Relaxed);
                    let Some(failure) = play(seed, base) else { continue };
                    if failures.lock().unwrap_or_else(PoisonError::into_inner).add(failure) >= MAX_FAILURES {
                        next.store(first + programs, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let _ = std::panic::take_hook();
    println!("{} programs in {:.1} s", played.into_inner(), base.elapsed().as_secs_f64());
    if let Some(report) = failures.into_inner().unwrap_or_else(PoisonError::into_inner).report() {
        panic!("{report}");
    }
}

fn play(seed: u64, base: Instant) -> Option<Failure> {
    let trace = Trace::default();
    let played = catch_unwind(AssertUnwindSafe(|| program::play(seed, base, trace.clone())));
    played.err().map(|_| Failure { seed, why: PANIC.take(), steps: trace.len(), trace: trace.text() })
}
