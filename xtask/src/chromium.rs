//! Finds a Chromium, or installs Debian's where that can be done without asking.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::command::{self, Outcome};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The path of a Chromium.
pub(crate) fn find_or_install() -> Outcome<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM").map(PathBuf::from) {
        return if path.is_file() { Ok(path) } else { Err(format!("CHROMIUM is set, but there is no file {}", path.display())) };
    }
    if let Some(path) = find() {
        return Ok(path);
    }
    if !can_install() {
        return Err(missing());
    }
    command::run(Command::new("apt-get").arg("update"))?;
    let install = ["install", "-y", "--no-install-recommends", "chromium"];
    command::run(Command::new("apt-get").args(install).env("DEBIAN_FRONTEND", "noninteractive"))?;
    find().ok_or_else(missing)
}

fn find() -> Option<PathBuf> {
    NAMES.iter().find_map(|name| command::find_program(name))
}

fn can_install() -> bool {
    let user = command::output(Command::new("id").arg("-u"));
    user.is_some_and(|id| id.trim() == "0") && command::find_program("apt-get").is_some()
}

fn missing() -> String {
    format!(
        "Chromium is missing: none of {} is on PATH. Install it (Debian: `sudo apt-get install chromium`), \
         or set CHROMIUM to the path of one",
        NAMES.join(", ")
    )
}
