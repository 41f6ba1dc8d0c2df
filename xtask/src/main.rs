//! The commands of this repository: reads the command line and nothing else.

mod autobahn;
mod bench;
mod chromium;
mod command;
mod compile_times;
mod demo;
mod model;
mod node;
mod registration;
mod release;
mod servers;
mod soak;
mod steps;

use std::process::ExitCode;

const USAGE: &str = "\
The commands of this repository.

    cargo xtask bench [--quick] [ARGUMENT…]
        Measures wslink beside its peers; see docs/performance.md.

    cargo xtask bench allocators [ARGUMENT…]
        Measures the server with the allocator of the system, mimalloc and jemalloc; needs a C compiler and make.

    cargo xtask bench client
        Measures the TypeScript client beside the stock one in Chromium; see docs/performance.md.

    cargo xtask bench compile
        Measures what 200 methods cost to compile, beside peers; see docs/compile-times.md.

    cargo xtask bench render
        Measures frames and mouse-to-picture delay of the `render` example's page, beside the original server.

    cargo xtask demo [simple|chat|room|dashboard|render] [--port N] [ARGUMENT…]
        Starts an example with its page. Further arguments are the server's own.

    cargo xtask soak [MINUTES]
        Loads a server for 3 minutes, with hostile peers beside, and says whether every promise was kept.

    cargo xtask model [PROGRAMS]
        Plays a million random programs against sessions on a simulated network.

    cargo xtask autobahn [CASES]
        Runs the Autobahn TestSuite; see CONTRIBUTING.md for what it needs.

    cargo xtask release
        Checks everything that a release needs, packs it, and uploads nothing.

    cargo xtask test [STEP…]
        Runs the steps, all but `registration-all` when none is named, and stops at the first that fails:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.split_first() {
        Some((command, rest)) if command == "bench" => bench(rest),
        Some((command, rest)) if command == "demo" => demo::run(rest),
        Some((command, rest)) if command == "soak" => soak::run(rest),
        Some((command, rest)) if command == "model" => model::run_model(rest),
        Some((command, rest)) if command == "autobahn" => autobahn::run(rest),
        Some((command, [])) if command == "release" => release::run_release(),
        Some((command, rest)) if command == "test" => steps::run(rest),
        Some((command, _)) => Err(format!("there is no command `{command}`\n\n{}", usage())),
        None => Err(usage()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn bench(arguments: &[String]) -> command::Outcome {
    match arguments.first().map(String::as_str) {
        Some("allocators") => bench::allocators(&arguments[1..]),
        Some("client") => bench::client(),
        Some("compile") => compile_times::run(),
        Some("render") => bench::render(),
        _ => bench::run(arguments),
    }
}

fn usage() -> String {
    let steps = steps::STEPS.map(|step| format!("        {:<12} {}\n", step.name, step.purpose));
    format!("{USAGE}{}", steps.concat())
}
