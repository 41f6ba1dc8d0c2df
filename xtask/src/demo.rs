//! `cargo xtask demo`: the `simple` example with its page, from a fresh clone.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::command::{self, Outcome};
use crate::{node, servers};

const PORT: &str = "8080";

/// Builds what is needed and serves until the server ends.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let www = command::root().join("examples/simple/www");
    println!("demo: installing the stock client");
    node::install()?;
    node::vendor_client(&www)?;
    println!("demo: building the server");
    let program = servers::SIMPLE.build()?;

    let mut server = Command::new(program);
    server.arg("--content").arg(&www).args(arguments);
    if !arguments.iter().any(|argument| names_port(argument)) {
        server.args(["--port", PORT]);
    }
    serve(&mut server)
}

fn names_port(argument: &str) -> bool {
    argument.starts_with("--port") || (argument.starts_with("-p") && !argument.starts_with("--"))
}

/// Passes on what the server prints and adds, once it listens, what to do now.
fn serve(command: &mut Command) -> Outcome {
    let failed = |error: std::io::Error| format!("the server could not start: {error}");
    let mut server = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(stdout) = server.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            println!("{line}");
            if let Some(url) = line.strip_prefix("wslink: listening on ") {
                println!("\n    Open {url} in a browser. Ctrl-C ends the demo.\n");
            }
        }
    }
    let status = server.wait().map_err(failed)?;
    if status.success() { Ok(()) } else { Err(format!("the server failed ({status})")) }
}
