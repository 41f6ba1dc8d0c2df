//! The machines that are watched. They are made up: what each does follows from the time alone.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

/// Their names.
pub(crate) const NAMES: [&str; 6] = ["atlas", "borealis", "cygnus", "dorado", "eridanus", "fornax"];

/// How one machine is at some time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) machine: String,
    /// Of its processors, from 0 to 1.
    pub(crate) load: f64,
    /// In degrees Celsius.
    pub(crate) temperature: f64,
    /// Seconds since the server started.
    pub(crate) at: f64,
}

/// The machine called `name` after `seconds`; nothing when there is none.
pub(crate) fn sample(name: &str, seconds: f64) -> Option<Sample> {
    let index = NAMES.iter().position(|known| *known == name)?;
    let phase = TAU * (index as f64 / NAMES.len() as f64);
    let wave = |period: f64| (seconds * TAU / period + phase).sin();
    let load = (0.45 + 0.22 * wave(19.0 + index as f64) + 0.18 * wave(4.7) + 0.06 * wave(0.9)).clamp(0.02, 1.0);
    Some(Sample { machine: name.to_owned(), load, temperature: 34.0 + 38.0 * load + 2.0 * wave(31.0), at: seconds })
}
