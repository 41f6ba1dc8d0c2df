//! Limits the rate of log lines that unauthenticated peers can cause, and counts the suppressed ones. Knows nothing of
//! what the lines say.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Log lines of one kind per window.
const LINES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(1);

/// A rate limit for one kind of log line.
pub(super) struct LogLimit(Mutex<State>);

struct State {
    window: Option<Instant>,
    lines: u32,
    suppressed: u64,
}

impl LogLimit {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(State { window: None, lines: 0, suppressed: 0 }))
    }

    /// The number of lines suppressed since the last one, if another may be written at `now`.
    pub(super) fn admit(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.window.is_none_or(|begun| now.saturating_duration_since(begun) >= WINDOW) {
            (state.window, state.lines) = (Some(now), 0);
        }
        if state.lines < LINES {
            state.lines += 1;
            return Some(std::mem::take(&mut state.suppressed));
        }
        state.suppressed += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_its_lines_and_the_next_says_what_was_suppressed() {
        let (limit, start) = (LogLimit::new(), Instant::now());
        let admitted = (0..1000).filter(|_| limit.admit(start) == Some(0)).count();
        assert_eq!(admitted, 10);
        assert_eq!(limit.admit(start + Duration::from_millis(999)), None);
        assert_eq!(limit.admit(start + WINDOW), Some(991));
        assert_eq!(limit.admit(start + WINDOW), Some(0));
    }
}
