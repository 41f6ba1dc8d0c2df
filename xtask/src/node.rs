//! Node, npm, and the npm packages of this repository.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::command::{self, Outcome};

const OLDEST_NODE: u32 = 20;

/// The package of the stock clients and the tests with them.
pub(crate) const STOCK: &str = "compat";

/// The package of our own client.
pub(crate) const OURS: &str = "js-client";

/// npm in the folder of `package`, with what its lockfile names installed.
pub(crate) fn installed(package: &str) -> Outcome<Command> {
    check_node()?;
    let folder = command::root().join(package);
    if !is_installed(&folder) {
        command::run(npm(&folder)?.args(["ci", "--no-audit", "--no-fund"]))?;
    }
    npm(&folder)
}

/// Puts the stock client where the page of the `simple` example loads it from.
pub(crate) fn vendor_client(www: &Path) -> Outcome {
    let source = command::root().join(STOCK).join("node_modules/wslink-v2/dist/wslink.js");
    let folder = www.join("vendor");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::copy(&source, folder.join("wslink.js")))
        .map_err(|error| format!("cannot copy {} to {}: {error}", source.display(), folder.display()))?;
    Ok(())
}

fn npm(folder: &Path) -> Outcome<Command> {
    let missing = "npm is missing: install Node.js with npm (https://nodejs.org) and try again";
    let program = command::find_program("npm").ok_or(missing)?;
    let mut command = Command::new(program);
    command.current_dir(folder);
    Ok(command)
}

fn check_node() -> Outcome {
    let wanted = format!("install Node.js {OLDEST_NODE} or newer (https://nodejs.org) and try again");
    let printed = command::output(Command::new("node").arg("--version"));
    let version = printed.ok_or_else(|| format!("node is missing: {wanted}"))?;
    let major = version.trim().trim_start_matches('v').split('.').next();
    match major.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) if number >= OLDEST_NODE => Ok(()),
        _ => Err(format!("node {} is too old: {wanted}", version.trim())),
    }
}

/// npm writes its own copy of the lockfile last, so that one tells of a finished installation.
fn is_installed(package: &Path) -> bool {
    let modified = |file: &str| fs::metadata(package.join(file)).and_then(|data| data.modified()).ok();
    match (modified("node_modules/.package-lock.json"), modified("package-lock.json")) {
        (Some(installed), Some(wanted)) => installed >= wanted,
        _ => false,
    }
}
