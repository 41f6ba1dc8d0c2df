//! `cargo xtask model`: more random programs against the sessions of the core than the tests play.

use crate::command::{Outcome, cargo, run};

/// A million take about four minutes on two cores.
const PROGRAMS: &str = "1000000";

pub(crate) fn run_model(arguments: &[String]) -> Outcome {
    let programs = match arguments {
        [] => PROGRAMS,
        [programs] if programs.parse::<u64>().is_ok() => programs,
        _ => return Err("write `cargo xtask model` or `cargo xtask model PROGRAMS`".to_owned()),
    };
    let test = ["test", "--release", "--package", "wslink-core", "--test", "model", "--", "--nocapture"];
    run(cargo(&test).env("WSLINK_MODEL_PROGRAMS", programs))
}
