//! `cargo xtask bench`: wslink beside its peers, on this machine, in one run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Outcome};
use crate::{chromium, node};

/// What the original server needs, in the versions that were measured.
const PYTHON_PACKAGES: [&str; 2] = ["wslink==2.6.0", "aiohttp==3.14.5"];

/// The programs of `bench/allocators` and what their columns are called. Ratios are those of the first.
const ALLOCATORS: [(&str, &str); 3] =
    [("wslink", "server-system"), ("wslink + mimalloc", "server-mimalloc"), ("wslink + jemalloc", "server-jemalloc")];

/// Where an allocator could matter.
const OF_ALLOCATORS: &str = "rpc,blob,upload,fan-out,idle 1000";

/// Builds all servers and the load generator and runs it; the arguments are the load generator's.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    println!("bench: building the servers and the load generator");
    let ours = server()?;
    let mut load = load_generator()?;
    load.arg("--ours").arg(format!("wslink={}", ours.display()));
    match python(&folder()?.join("python")) {
        Ok(python) => _ = load.arg("--python").arg(python).arg(command::root().join("bench/python/server.py")),
        Err(reason) => println!("bench: without the original server: {reason}"),
    }
    measure(load, "results.json", arguments)
}

/// `cargo xtask bench allocators`: our server with each allocator, and nothing else.
pub(crate) fn allocators(arguments: &[String]) -> Outcome {
    println!("bench: building the servers and the load generator");
    build("wslink-bench-allocators").map_err(|reason| format!("{reason}\n{}", missing_for_c()))?;
    let mut load = load_generator()?;
    for (name, program) in ALLOCATORS {
        load.arg("--ours").arg(format!("{name}={}", folder()?.join("release").join(program).display()));
    }
    load.args(["--peers", &ALLOCATORS.map(|(name, _)| name).join(","), "--only", OF_ALLOCATORS]);
    measure(load, "allocators.json", arguments)
}

/// What the allocators are built with, which are written in C, and what of it is not there.
fn missing_for_c() -> String {
    // Who names another compiler knows what it is.
    let compiler = env::var_os("CC").is_none().then_some("cc");
    let programs = compiler.into_iter().chain(["make"]);
    let missing: Vec<_> = programs.filter(|name| command::find_program(name).is_none()).collect();
    let wanted = "mimalloc and jemalloc are built with a C compiler, jemalloc also with make";
    if missing.is_empty() { wanted.to_owned() } else { format!("{wanted}; missing here: {}", missing.join(", ")) }
}

/// Builds the programs of a package of `bench/`.
fn build(package: &str) -> Outcome {
    let mut build = command::cargo(&["build", "--release", "--quiet", "--locked", "--bins", "--package", package]);
    build.arg("--manifest-path").arg(command::root().join("bench/Cargo.toml"));
    command::run(build.arg("--target-dir").arg(folder()?))
}

/// Builds the load generator, and the peers, which are its package's too.
fn load_generator() -> Outcome<Command> {
    build("wslink-bench")?;
    Ok(Command::new(folder()?.join("release/wslink-bench")))
}

/// Runs the load generator. What it is told last counts.
fn measure(mut load: Command, results: &str, arguments: &[String]) -> Outcome {
    let results = folder()?.join(results);
    println!("bench: measuring; anything else that runs on this machine spoils the figures");
    command::run(load.arg("--json").arg(&results).args(arguments))?;
    println!("\nbench: every round is in {}", results.display());
    Ok(())
}

/// Where `bench/` is built and measured.
fn folder() -> Outcome<PathBuf> {
    Ok(target()?.join("bench"))
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
    let this = env::current_exe().map_err(|error| format!("cannot tell where cargo puts programs: {error}"))?;
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
