//! Node, npm, and the npm packages of this repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::command::{self, Outcome};

/// Major and minor version; vite needs it.
const OLDEST_NODE: (u32, u32) = (20, 19);

/// The package of the stock clients and the tests with them.
pub(crate) const STOCK: &str = "compat";

/// The package of our own client.
pub(crate) const OURS: &str = "js-client";

/// Runtimes in which our client is tested only where they are installed: name, variable and programs.
const OPTIONAL_RUNTIMES: [(&str, &str, &[&str]); 4] = [
    ("Firefox", "FIREFOX", &["firefox-esr", "firefox"]),
    ("Deno", "DENO", &["deno"]),
    ("Bun", "BUN", &["bun"]),
    ("A second Node.js, of version 22 or later,", "NODE_22", &[]),
];

/// The project of the page of the `render` example.
const RENDER_PAGE: &str = "examples/render/www";

/// npm in the folder of `package`, with what its lockfile names installed.
pub(crate) fn installed(package: &str) -> Outcome<Command> {
    check_node()?;
    let folder = command::root().join(package);
    if !is_installed(&folder) {
        command::run(npm(&folder)?.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    }
    npm(&folder)
}

/// The page of the `simple` example, which loads both clients from its folder `vendor`.
pub(crate) fn simple_page() -> Outcome<PathBuf> {
    let www = command::root().join("examples/simple/www");
    let vendor = www.join("vendor");
    installed(STOCK)?;
    let stock = command::root().join(STOCK).join("node_modules/wslink-v2/dist/wslink.js");
    fs::create_dir_all(&vendor)
        .and_then(|()| fs::copy(&stock, vendor.join("wslink.js")))
        .map_err(|error| format!("cannot copy {} to {}: {error}", stock.display(), vendor.display()))?;
    command::run(built_client()?.args(["run", "bundle", "--"]).arg(www.join("client.ts")).arg(vendor.join("client.js")))?;
    Ok(www)
}

/// The page of the `chat` example, which is the client's own example.
pub(crate) fn chat_page() -> Outcome<PathBuf> {
    command::run(built_client()?.args(["run", "build:example"]))?;
    Ok(command::root().join(OURS).join("example/dist"))
}

/// The page of the `dashboard` example, a module of our own client.
pub(crate) fn dashboard_page() -> Outcome<PathBuf> {
    let www = command::root().join("examples/dashboard/www");
    let bundle = www.join("vendor/dashboard.js");
    command::run(built_client()?.args(["run", "bundle", "--"]).arg(www.join("dashboard.js")).arg(bundle))?;
    Ok(www)
}

/// The page of the `room` example, on a generated client.
pub(crate) fn room_page() -> Outcome<PathBuf> {
    let www = command::root().join("examples/room/www");
    let bundle = www.join("vendor/room.js");
    command::run(built_client()?.args(["run", "bundle", "--"]).arg(www.join("room.ts")).arg(bundle))?;
    Ok(www)
}

/// The page of the `render` example.
pub(crate) fn render_page() -> Outcome<PathBuf> {
    built_client()?;
    command::run(installed(RENDER_PAGE)?.args(["run", "build"]))?;
    Ok(command::root().join(RENDER_PAGE).join("dist"))
}

/// npm in the folder of our own client, which is installed, and built once by each run of this program.
fn built_client() -> Outcome<Command> {
    static BUILT: OnceLock<Outcome> = OnceLock::new();
    BUILT.get_or_init(|| command::run(installed(OURS)?.args(["run", "build"]))).clone()?;
    installed(OURS)
}

/// One line for each runtime that the tests of our client skip, because this machine does not have it.
pub(crate) fn missing_runtimes() -> impl Iterator<Item = String> {
    let missing = |variable: &str, programs: &[&str]| {
        env::var_os(variable).is_none() && programs.iter().all(|program| command::find_program(program).is_none())
    };
    OPTIONAL_RUNTIMES.into_iter().filter(move |(_, variable, programs)| missing(variable, programs)).map(
        |(name, variable, programs)| {
            let place = if programs.is_empty() { "" } else { "put it on PATH or " };
            format!("{name} is missing, so its tests are skipped: {place}set {variable} to its path to run them")
        },
    )
}

fn npm(folder: &Path) -> Outcome<Command> {
    let missing = "npm is missing: install Node.js with npm (https://nodejs.org) and try again";
    let program = command::find_program("npm").ok_or(missing)?;
    let mut command = Command::new(program);
    command.current_dir(folder);
    Ok(command)
}

fn check_node() -> Outcome {
    let (major, minor) = OLDEST_NODE;
    let wanted = format!("install Node.js {major}.{minor} or newer (https://nodejs.org) and try again");
    let printed = command::output(Command::new("node").arg("--version"));
    let version = printed.ok_or_else(|| format!("node is missing: {wanted}"))?;
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST_NODE => Ok(()),
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
