//! What every part of a program works with: the time, the random numbers, the facts, the trace.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::{calls::Call, ledger::Ledger, link::Ms, setup::Setup, trace::Trace};

pub(crate) struct Env {
    pub(crate) now: Ms,
    /// The instant at which virtual time begins.
    base: Instant,
    pub(crate) rng: Rng,
    pub(crate) setup: Setup,
    pub(crate) ledger: Ledger,
    pub(crate) trace: Trace,
    /// Every call of the program, by its id.
    pub(crate) calls: Vec<Call>,
    /// No further faults.
    pub(crate) calm: bool,
}

impl Env {
    pub(crate) fn new(seed: u64, base: Instant, trace: Trace) -> Self {
        let mut rng = Rng::with_seed(seed);
        let setup = Setup::draw(&mut rng);
        Self { now: 0, base, rng, setup, ledger: Ledger::default(), trace, calls: Vec::new(), calm: false }
    }

    /// The virtual time, as a session is told it.
    pub(crate) fn instant(&self) -> Instant {
        self.base + Duration::from_millis(self.now)
    }

    /// The millisecond in which `at` has passed.
    pub(crate) fn due(&self, at: Option<Instant>) -> Ms {
        let Some(at) = at else { return Ms::MAX };
        let nanoseconds = at.saturating_duration_since(self.base).as_nanos();
        Ms::try_from(nanoseconds.div_ceil(1_000_000)).unwrap_or(Ms::MAX)
    }

    pub(crate) fn set_now(&mut self, now: Ms) {
        assert!(now >= self.now, "time goes forward");
        self.now = now;
        self.ledger.facts().now = now;
    }

    pub(crate) fn note<const N: usize>(&self, what: &'static str, numbers: [u64; N]) {
        self.trace.note(self.now, what, numbers);
    }

    /// True once in `times`.
    pub(crate) fn one_in(&mut self, times: u32) -> bool {
        self.rng.u32(..times) == 0
    }

    /// A topic, as the setup says.
    pub(crate) fn topic(&mut self) -> usize {
        self.setup.topic(&mut self.rng)
    }

    /// Bytes of something, as the setup says.
    pub(crate) fn size(&mut self) -> usize {
        self.setup.size(&mut self.rng)
    }
}
