//! Single steps of a server, each prepared and run by itself: what `benches/steps.rs` measures. Nothing
//! here is API.
//!
//! A run leaves things as it found them, so that the next one does the same, and panics where a step has
//! not done its work.
#![allow(clippy::unwrap_used, reason = "a step that cannot go on is not to be measured")]

mod assembly;
mod bind;
mod call;
mod decode;
mod egress;
mod encode;
mod outbox;
mod publish;
mod sample;
mod socket;

/// Steps of one kind.
pub struct Group {
    /// Where in the server they are.
    pub name: &'static str,
    /// Each with another input.
    pub steps: &'static [Step],
}

/// A step with its input.
pub struct Step {
    /// What the input is.
    pub name: &'static str,
    /// How much of it one run takes.
    pub amount: Amount,
    /// Prepares it.
    pub prepare: fn() -> Run,
}

/// Runs a step once.
pub type Run = Box<dyn FnMut()>;

/// What the duration of a run is to be divided by.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// Messages, events or frames.
    Items(u64),
    /// Bytes, where each of them costs something.
    Bytes(u64),
}

/// Every step, in the order of a call and then of an event.
pub const GROUPS: &[Group] = &[
    Group { name: "read", steps: socket::READ },
    Group { name: "assembly", steps: assembly::STEPS },
    Group { name: "decode", steps: decode::STEPS },
    Group { name: "bind", steps: bind::STEPS },
    Group { name: "core", steps: call::STEPS },
    Group { name: "encode", steps: encode::STEPS },
    Group { name: "publish", steps: publish::STEPS },
    Group { name: "outbox", steps: outbox::STEPS },
    Group { name: "egress", steps: egress::STEPS },
    Group { name: "write", steps: socket::WRITE },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_can_be_run_again() {
        for step in GROUPS.iter().flat_map(|group| group.steps) {
            let mut run = (step.prepare)();
            (0..3).for_each(|_| run());
        }
    }
}
