//! How much is handed to a socket at once: more to one that keeps taking all of it.
//!
//! What is handed over can no longer be replaced by newer events nor overtaken by replies, so a slow
//! client is handed little. A fast one is woken less often by large pieces, which costs half as much.

/// What every socket is handed, and how much more each time that it took everything.
const STEP: usize = 256 * 1024;
const MAX: usize = 3 * STEP;

/// The bytes that may be handed to a socket before it has written any of them.
pub(super) struct Ahead(usize);

impl Ahead {
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
        let mut ahead = Ahead::new();
        ahead.took(STEP - 1);
        assert_eq!(ahead.bytes(), STEP);
        ahead.took(STEP);
        assert_eq!(ahead.bytes(), 2 * STEP);
        ahead.took(STEP);
        assert_eq!(ahead.bytes(), 2 * STEP);
        (0..9).for_each(|_| ahead.took(MAX));
        assert_eq!(ahead.bytes(), MAX);
        ahead.blocked();
        assert_eq!(ahead.bytes(), STEP);
    }
}
