//! One abuse of a server, measured from outside: the process must live, serve others, and be as it was afterwards.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{canary::Canary, harness::ProtocolVersion, program::Program};

const MIB: u64 = 1 << 20;

/// Descriptors that may be left.
const DESCRIPTORS: usize = 6;

/// Only a failing test waits so long for the server to become as it was.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much more memory the server may have, in MiB: at any time, and when the abuser has left.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) peak: u64,
    pub(crate) left: u64,
    /// Of addresses, whether memory is behind them or not.
    pub(crate) mapped: Option<u64>,
}

impl Bounds {
    pub(crate) const fn peak(peak: u64) -> Self {
        Self { peak, left: 32, mapped: None }
    }

    pub(crate) const fn mapped(self, mapped: u64) -> Self {
        Self { mapped: Some(mapped), ..self }
    }

    pub(crate) const fn left(self, left: u64) -> Self {
        Self { left, ..self }
    }
}

/// Lets `abuse` loose on a server of its own, beside a good client, and prints what was measured.
pub(crate) fn trial(name: &str, bounds: Bounds, abuse: impl FnOnce(&Program)) {
    let mut program = Program::start();
    let descriptors = program.descriptors();
    program.guest(ProtocolVersion::V1).call("kit.null", serde_json::json!([]));
    program.guest(ProtocolVersion::V2).call("kit.echo", serde_json::json!(["x".repeat(60_000)]));
    settle(&program, "a good client", |program| program.descriptors() <= descriptors);
    let before = program.memory();
    program.forget_peak();

    let (mapped, done) = (AtomicU64::new(before.mapped), AtomicBool::new(false));
    let canary = Canary::start(&program);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                mapped.fetch_max(program.memory().mapped, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(2));
            }
        });
        // The scope waits for the one who measures, also when the abuse fails.
        let _done = Done(&done);
        abuse(&program);
    });
    let sung = canary.stop();
    let peak = program.peak().saturating_sub(before.resident);
    let mapped = mapped.into_inner().saturating_sub(before.mapped);

    settle(&program, name, |program| {
        program.descriptors() <= descriptors + DESCRIPTORS && grown(program, before.resident) <= bounds.left * MIB
    });
    let left = grown(&program, before.resident);
    let spun = calm(&program, name);
    assert!(program.has_ended().is_none(), "{name}: the server has ended");
    println!(
        "promise {name}: peak {:.1} MiB of {}, mapped {:.0} MiB, left {:.1} MiB of {}; {} right replies, the longest after {:?}; \
         {} newcomers, the longest {:?}; then {spun:.0} % of a processor",
        in_mib(peak),
        bounds.peak,
        in_mib(mapped),
        in_mib(left),
        bounds.left,
        sung.replies,
        sung.longest_reply,
        sung.newcomers,
        sung.longest_welcome,
    );
    assert!(peak <= bounds.peak * MIB, "{name}: {:.1} MiB more were resident", in_mib(peak));
    assert!(bounds.mapped.is_none_or(|bound| mapped <= bound * MIB), "{name}: {:.0} MiB more were mapped", in_mib(mapped));
}

struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until the server is as it should be.
pub(crate) fn settle(program: &Program, after: &str, is_settled: impl Fn(&Program) -> bool) {
    let begin = Instant::now();
    while !is_settled(program) {
        let (memory, descriptors) = (program.memory().resident, program.descriptors());
        assert!(begin.elapsed() < PATIENCE, "after {after}: {:.1} MiB, {descriptors} descriptors", in_mib(memory));
        thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until the server, with nothing to do, uses little of a processor, and tells how many percent.
fn calm(program: &Program, after: &str) -> f64 {
    let begin = Instant::now();
    loop {
        let spun = spinning(program);
        if spun <= 70.0 {
            return spun;
        }
        assert!(begin.elapsed() < PATIENCE, "after {after}: the server goes on working, {spun:.0} % of the time");
    }
}

/// How many percent of one processor the server uses now.
pub(crate) fn spinning(program: &Program) -> f64 {
    let (begin, before) = (Instant::now(), program.cpu());
    thread::sleep(Duration::from_millis(300));
    100.0 * (program.cpu() - before).as_secs_f64() / begin.elapsed().as_secs_f64()
}

fn grown(program: &Program, before: u64) -> u64 {
    program.memory().resident.saturating_sub(before)
}

#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn in_mib(bytes: u64) -> f64 {
    bytes as f64 / MIB as f64
}
