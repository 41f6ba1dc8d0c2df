//! The masks of a client's frames: RFC 6455, section 5.3.

/// Random bytes that are taken from the system at once.
const STOCK: usize = 256;

/// Masks that nobody else can foresee. Randomness comes from the system, for many frames at a time.
pub(super) struct Masks {
    stock: [u8; STOCK],
    used: usize,
}

impl Default for Masks {
    fn default() -> Self {
        Self { stock: [0; STOCK], used: STOCK }
    }
}

impl Masks {
    pub(super) fn next(&mut self) -> [u8; 4] {
        if self.used == STOCK {
            // Masks protect what stands between the two ends; without entropy no end is less safe than without masks.
            let _ = getrandom::fill(&mut self.stock);
            self.used = 0;
        }
        let mask = self.stock[self.used..].first_chunk().copied().unwrap_or_default();
        self.used += 4;
        mask
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_mask_is_used_twice() {
        let mut masks = Masks::default();
        let taken: HashSet<_> = (0..1000).map(|_| masks.next()).collect();
        assert!(taken.len() > 990, "of 1000 random masks of 32 bits hardly any are alike");
    }
}
