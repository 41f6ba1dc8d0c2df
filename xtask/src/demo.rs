//! `cargo xtask demo`: the `simple` example with its page, from a fresh clone.

use std::process::Command;

use crate::command::{self, Outcome};
use crate::{node, servers};

/// Builds what is needed and serves, at port 8080 unless the arguments say otherwise, until the server is ended.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let www = command::root().join("examples/simple/www");
    println!("demo: installing the stock client");
    node::installed(node::STOCK)?;
    node::vendor_client(&www)?;
    println!("demo: building the server");
    let program = servers::SIMPLE.build()?;

    let mut server = Command::new(program);
    server.arg("--content").arg(&www).args(arguments);
    if !arguments.iter().any(|argument| argument.starts_with("--timeout")) {
        // A page that nobody opens for a while must not end the demo.
        server.args(["--timeout", "0"]);
    }
    println!("demo: open the address below in a browser; Ctrl-C ends the demo\n");
    command::become_program(&mut server)
}
