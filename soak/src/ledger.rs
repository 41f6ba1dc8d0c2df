//! Counts events of the run, and those that should not have happened.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    sync::{Mutex, PoisonError},
};

/// Mistakes that are shown.
const SHOWN: usize = 20;

/// Shared by everybody who loads the server.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    counts: BTreeMap<&'static str, u64>,
    mistakes: Vec<String>,
}

impl Ledger {
    /// Something happened as it should.
    pub(crate) fn count(&self, what: &'static str) {
        self.with(|entries| *entries.counts.entry(what).or_default() += 1);
    }

    /// Something did not.
    pub(crate) fn mistake(&self, what: impl Display) {
        self.with(|entries| entries.mistakes.push(what.to_string()));
    }

    /// Counts it when it is as it should be.
    pub(crate) fn check(&self, what: &'static str, holds: bool, why: impl FnOnce() -> String) {
        if holds { self.count(what) } else { self.mistake(format_args!("{what}: {}", why())) }
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.with(|entries| entries.mistakes.is_empty())
    }

    fn with<R>(&self, act: impl FnOnce(&mut Entries) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|Entries { counts, mistakes }| {
            for (what, count) in counts {
                writeln!(f, "{count:>9}  {what}")?;
            }
            writeln!(f, "{:>9}  MISTAKES", mistakes.len())?;
            mistakes.iter().take(SHOWN).try_for_each(|mistake| writeln!(f, "           {mistake}"))
        })
    }
}
