//! `cargo xtask demo`: an example with its page, from a fresh clone.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{self, Outcome};
use crate::node;
use crate::servers::{self, Server};

/// An example that has a page.
struct Demo {
    name: &'static str,
    server: Server,
    /// Installs and builds the page, and returns its folder.
    page: fn() -> Outcome<PathBuf>,
}

const DEMOS: [Demo; 5] = [
    Demo { name: "simple", server: servers::SIMPLE, page: node::simple_page },
    Demo { name: "chat", server: servers::CHAT, page: node::chat_page },
    Demo { name: "dashboard", server: servers::DASHBOARD, page: node::dashboard_page },
    Demo { name: "room", server: servers::ROOM, page: node::room_page },
    Demo { name: "render", server: servers::RENDER, page: node::render_page },
];

/// Builds what is needed and serves, at port 8080 unless the arguments say otherwise, until the server is ended.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let (demo, arguments) = chosen(arguments)?;
    println!("demo: installing and building the page of {}", demo.name);
    let page = (demo.page)()?;
    println!("demo: building the server");
    let program = demo.server.build()?;

    let mut server = Command::new(program);
    server.arg("--content").arg(page).args(arguments);
    if !arguments.iter().any(|argument| argument.starts_with("--timeout")) {
        // A page that nobody opens for a while must not end the demo.
        server.args(["--timeout", "0"]);
    }
    println!("demo: open the address below in a browser; Ctrl-C ends the demo\n");
    command::become_program(&mut server)
}

/// The demo that the first argument names, `simple` if that is an option of the server, and the other arguments.
fn chosen(arguments: &[String]) -> Outcome<(&'static Demo, &[String])> {
    let Some((name, rest)) = arguments.split_first().filter(|(first, _)| !first.starts_with('-')) else {
        return Ok((&DEMOS[0], arguments));
    };
    let demo = DEMOS.iter().find(|demo| demo.name == name);
    let names = DEMOS.map(|demo| demo.name).join(", ");
    demo.map(|demo| (demo, rest)).ok_or_else(|| format!("there is no demo `{name}`; write one of {names}"))
}
