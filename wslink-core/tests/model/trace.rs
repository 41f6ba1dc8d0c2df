//! Records what a program did, for the report of one that fails.

use std::{cell::RefCell, fmt::Write as _, rc::Rc};

use super::link::Ms;

/// The steps of one program. Written as text only when the program fails.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<RefCell<Vec<Step>>>);

struct Step {
    at: Ms,
    /// With `{}` in place of each number.
    what: &'static str,
    numbers: [u64; 3],
}

impl Trace {
    pub(crate) fn note<const N: usize>(&self, at: Ms, what: &'static str, numbers: [u64; N]) {
        let mut all = [0; 3];
        all[..N].copy_from_slice(&numbers);
        self.0.borrow_mut().push(Step { at, what, numbers: all });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// A line for each step.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for Step { at, what, numbers } in &*self.0.borrow() {
            let mut numbers = numbers.iter();
            let mut line = format!("{at:>9} ms  ");
            for (place, part) in what.split("{}").enumerate() {
                if place > 0 {
                    let _ = write!(line, "{}", numbers.next().copied().unwrap_or_default());
                }
                line.push_str(part);
            }
            let _ = writeln!(text, "{line}");
        }
        text
    }
}
