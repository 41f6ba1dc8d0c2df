//! `cargo xtask bench`: wslink beside its peers, on this machine, in one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Outcome};
use crate::{chromium, node};

/// What the original server needs, in the versions that were measured.
const PYTHON_PACKAGES: [&str; 2] = ["wslink==2.6.0", "aiohttp==3.14.5"];

/// Builds all servers and the load generator and runs it; the arguments are the load generator's.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let target = target()?;
    let folder = target.join("bench");
    let peers = command::root().join("bench");
    println!("bench: building the servers and the load generator");
    let ours = server()?;
    let mut build = command::cargo(&["build", "--release", "--quiet", "--locked", "--bins", "--manifest-path"]);
    command::run(build.arg(peers.join("Cargo.toml")).arg("--target-dir").arg(&folder))?;

    let mut load = Command::new(folder.join("release/wslink-bench"));
    load.arg("--ours").arg(format!("wslink={}", ours.display()));
    load.arg("--json").arg(folder.join("results.json"));
    match python(&folder.join("python")) {
        Ok(python) => _ = load.arg("--python").arg(python).arg(peers.join("python/server.py")),
        Err(reason) => println!("bench: without the original server: {reason}"),
    }
    println!("bench: measuring; anything else that runs on this machine spoils the figures");
    command::run(load.args(arguments))?;
    println!("\nbench: every round is in {}", folder.join("results.json").display());
    Ok(())
}

/// `cargo xtask bench render`: frames to a page, and the delay from its mouse, with the original server and with ours.
pub(crate) fn render() -> Outcome {
    node::render_page()?;
    println!("bench: building the server");
    command::run(&mut command::cargo(&["build", "--release", "--quiet", "--package", "wslink-example-render"]))?;
    let target = target()?;
    let mut npm = node::installed(node::STOCK)?;
    npm.args(["run", "--silent", "bench:render"]).env("CHROMIUM", chromium::find_or_install()?);
    npm.env("RENDER_BIN", target.join("release/wslink-example-render"));
    match python(&target.join("bench/python")) {
        Ok(python) => _ = npm.env("PYTHON", python),
        Err(reason) => println!("bench: without the original server: {reason}"),
    }
    println!("bench: measuring; anything else that runs on this machine spoils the figures");
    command::run(&mut npm)
}

/// Measures the TypeScript client beside the stock one, both in one page of Chromium.
pub(crate) fn client() -> Outcome {
    let mut npm = node::installed(node::OURS)?;
    npm.env("BENCH_BIN", server()?).env("CHROMIUM", chromium::find_or_install()?);
    println!("bench: measuring; anything else that runs on this machine spoils the figures");
    command::run(npm.args(["run", "--silent", "bench"]))
}

/// Builds our server and tells where it is.
fn server() -> Outcome<PathBuf> {
    command::run(&mut command::cargo(&["build", "--release", "--quiet", "--package", "wslink-example-bench-server"]))?;
    Ok(target()?.join("release/wslink-example-bench-server"))
}

/// Where cargo puts what it builds: this program is in a folder of it that is named like its profile.
pub(crate) fn target() -> Outcome<PathBuf> {
    let this = std::env::current_exe().map_err(|error| format!("cannot tell where cargo puts programs: {error}"))?;
    this.parent().and_then(Path::parent).map(Path::to_owned).ok_or_else(|| "cargo put this program nowhere".to_owned())
}

/// The Python of a virtual environment in `folder` with the original server, made when it is not there.
fn python(folder: &Path) -> Outcome<PathBuf> {
    let python = folder.join("bin/python");
    let complete = folder.join("complete");
    if fs::read_to_string(&complete).is_ok_and(|packages| packages == PYTHON_PACKAGES.join(" ")) {
        return Ok(python);
    }
    let system = command::find_program("python3").ok_or("there is no python3")?;
    command::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(folder))?;
    command::run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PYTHON_PACKAGES))?;
    fs::write(&complete, PYTHON_PACKAGES.join(" ")).map_err(|error| format!("cannot write {}: {error}", complete.display()))?;
    Ok(python)
}
