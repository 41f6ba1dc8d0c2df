//! `cargo xtask soak`: mixed load on a server's process, with hostile peers beside it.

use crate::command::{self, Outcome};

/// Three minutes, or as many as the argument says.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let minutes = match arguments {
        [] => "3",
        [minutes] if minutes.parse::<f64>().is_ok_and(|minutes| minutes > 0.0) => minutes,
        _ => return Err("the arguments are not understood; write `cargo xtask soak` or `cargo xtask soak MINUTES`".to_owned()),
    };
    println!("soak: building");
    let mut soak = command::cargo(&["run", "--release", "--quiet", "--package", "wslink-soak", "--", minutes]);
    command::run(&mut soak)
}
