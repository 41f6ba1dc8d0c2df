//! `cargo xtask test`: the steps in their order, each with its name and duration.

use std::process::Command;
use std::time::Instant;

use crate::command::{Outcome, cargo, output, run as run_command};
use crate::{chromium, node, registration, servers};

/// One step of the tests.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) purpose: &'static str,
    /// Whether it takes so long that it only runs when it is named.
    asked: bool,
    run: fn() -> Outcome,
}

/// All steps, cheap ones first.
pub(crate) const STEPS: [Step; 11] = [
    Step { name: "fmt", purpose: "the formatting", asked: false, run: fmt },
    Step { name: "clippy", purpose: "the lints, warnings denied", asked: false, run: clippy },
    Step { name: "core", purpose: "the core, and each feature alone, warnings denied", asked: false, run: core },
    Step { name: "rust", purpose: "the Rust tests with doc and compile-fail tests", asked: false, run: rust },
    Step { name: "promises", purpose: "what docs/promises.md says, on servers that are abused", asked: false, run: promises },
    Step {
        name: "registration",
        purpose: "no method is lost in a debug build and in a fully optimised one",
        asked: false,
        run: registration::run_sample,
    },
    Step {
        name: "registration-all",
        purpose: "no method is lost, whatever the profile and the linker",
        asked: true,
        run: registration::run_all,
    },
    Step { name: "js", purpose: "the stock npm clients in node", asked: false, run: js },
    Step { name: "browser", purpose: "the stock npm clients and the examples' pages in Chromium", asked: false, run: browser },
    Step {
        name: "client",
        purpose: "the TypeScript client, its adapters and generator, in node and browsers",
        asked: false,
        run: client,
    },
    Step { name: "docs", purpose: "the documentation, warnings denied", asked: false, run: docs },
];

/// The features of the core, checked one by one; the empty one is none.
const CORE_FEATURES: [&str; 3] = ["", "manifest", "metrics"];

/// What the core must not depend on: it knows no sockets.
const NOT_IN_CORE: [&str; 5] = ["axum", "hyper", "mio", "tokio", "tungstenite"];

/// The features of wslink, checked likewise.
const FEATURES: [&str; 12] = [
    "",
    "client",
    "client-tls",
    "cli",
    "compression",
    "inspector",
    "manifest",
    "metrics",
    "prometheus",
    "server",
    "testing",
    "tls",
];

/// Runs the named steps in their order; all of them when none is named.
pub(crate) fn run(names: &[String]) -> Outcome {
    if let Some(name) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("there is no step `{name}`; the steps are {}", STEPS.map(|step| step.name).join(", ")));
    }
    let start = Instant::now();
    for step in STEPS.iter().filter(|step| names.is_empty() && !step.asked || names.iter().any(|name| name == step.name)) {
        let begin = Instant::now();
        println!("== {}: {}", step.name, step.purpose);
        (step.run)().map_err(|reason| format!("== {} FAILED: {reason}", step.name))?;
        println!("== {} passed in {:.1} s", step.name, begin.elapsed().as_secs_f32());
    }
    println!("== all passed in {:.1} s", start.elapsed().as_secs_f32());
    Ok(())
}

fn fmt() -> Outcome {
    run_command(&mut cargo(&["fmt", "--all", "--check"]))
}

fn clippy() -> Outcome {
    // The promises are no target that is tested unless it is named.
    for targets in [&["--workspace", "--all-targets"][..], &["--package", "wslink", "--test", "promises"]] {
        run_command(cargo(&["clippy", "--all-features"]).args(targets).args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

/// Clippy, because it denies warnings of this repository alone; RUSTFLAGS would rebuild every dependency.
fn core() -> Outcome {
    let tree = ["tree", "--package", "wslink-core", "--all-features", "--edges", "normal", "--prefix", "none"];
    let tree = output(&mut cargo(&tree)).ok_or("`cargo tree` failed")?;
    if let Some(line) = tree.lines().find(|line| NOT_IN_CORE.iter().any(|name| line.split(' ').next() == Some(name))) {
        return Err(format!("wslink-core depends on {line}, which it must not know"));
    }
    for (package, features) in [("wslink-core", &CORE_FEATURES[..]), ("wslink", &FEATURES)] {
        for feature in features {
            let arguments = [
                "clippy",
                "--quiet",
                "--package",
                package,
                "--no-default-features",
                "--features",
                feature,
                "--",
                "-D",
                "warnings",
            ];
            run_command(&mut cargo(&arguments))?;
        }
    }
    Ok(())
}

fn rust() -> Outcome {
    run_command(&mut cargo(&["test", "--workspace", "--all-features"]))
}

/// Prints what it measures.
fn promises() -> Outcome {
    let arguments = ["test", "--package", "wslink", "--all-features", "--test", "promises", "--", "--nocapture"];
    run_command(&mut cargo(&arguments))
}

fn js() -> Outcome {
    run_command(with_servers(node::STOCK)?.arg("test"))
}

fn browser() -> Outcome {
    let mut npm = with_servers(node::STOCK)?;
    node::simple_page()?;
    node::dashboard_page()?;
    node::room_page()?;
    node::render_page()?;
    run_command(npm.args(["run", "test:browser"]).env("CHROMIUM", chromium::find_or_install()?))
}

fn client() -> Outcome {
    let mut npm = with_servers(node::OURS)?;
    for line in node::missing_runtimes() {
        println!("{line}");
    }
    run_command(npm.arg("test").env("CHROMIUM", chromium::find_or_install()?))
}

/// npm in an installed package, told where the servers are.
fn with_servers(package: &str) -> Outcome<Command> {
    let mut npm = node::installed(package)?;
    for server in servers::ALL {
        npm.env(server.variable, server.build()?);
    }
    Ok(npm)
}

fn docs() -> Outcome {
    let arguments = ["doc", "--workspace", "--all-features", "--no-deps"];
    run_command(cargo(&arguments).env("RUSTDOCFLAGS", "-Dwarnings"))
}
