//! The bytes that are buffered in a socket: more in one that keeps taking all of them.
//!
//! Buffered bytes can no longer be replaced by newer events nor overtaken by replies, so a slow client gets a small
//! buffer. A fast client is woken less often by large pieces, which costs half as much.

/// The least, and how much more each time that a socket took everything.
const STEP: usize = 256 * 1024;
const MAX: usize = 3 * STEP;

/// The bytes that may be buffered in a socket.
pub(super) struct WriteBudget(usize);

impl WriteBudget {
    pub(super) const fn new() -> Self {
        Self(STEP)
    }

    pub(super) const fn bytes(&self) -> usize {
        self.0
    }

    /// The socket took all of `handed` bytes at once.
    pub(super) fn took(&mut self, handed: usize) {
        if handed >= self.0 {
            self.0 = (self.0 + STEP).min(MAX);
        }
    }

    /// The socket takes no more for now.
    pub(super) const fn blocked(&mut self) {
        self.0 = STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_everything_is_handed_more_and_who_does_not_the_least() {
        let mut budget = WriteBudget::new();
        budget.took(STEP - 1);
        assert_eq!(budget.bytes(), STEP);
        budget.took(STEP);
        assert_eq!(budget.bytes(), 2 * STEP);
        budget.took(STEP);
        assert_eq!(budget.bytes(), 2 * STEP);
        (0..9).for_each(|_| budget.took(MAX));
        assert_eq!(budget.bytes(), MAX);
        budget.blocked();
        assert_eq!(budget.bytes(), STEP);
    }
}
