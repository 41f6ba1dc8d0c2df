//! Builds the servers that the demo and the tests with the stock clients start, and knows where they are.

use std::env;
use std::path::PathBuf;

use crate::command::{self, Outcome};

/// One of the servers: the package and target that cargo builds, and the variable by which the tests find it.
#[derive(Clone, Copy)]
pub(crate) struct Server {
    pub(crate) variable: &'static str,
    build: &'static [&'static str],
    program: &'static str,
}

pub(crate) const SIMPLE: Server =
    Server { variable: "SIMPLE_BIN", build: &["--package", "wslink-example-simple"], program: "wslink-example-simple" };

pub(crate) const CHAT: Server =
    Server { variable: "CHAT_BIN", build: &["--package", "wslink-example-chat"], program: "wslink-example-chat" };

pub(crate) const RENDER: Server =
    Server { variable: "RENDER_BIN", build: &["--package", "wslink-example-render"], program: "wslink-example-render" };

pub(crate) const DASHBOARD: Server =
    Server { variable: "DASHBOARD_BIN", build: &["--package", "wslink-example-dashboard"], program: "wslink-example-dashboard" };

pub(crate) const ROOM: Server =
    Server { variable: "ROOM_BIN", build: &["--package", "wslink-example-room"], program: "wslink-example-room" };

const KIT: Server = Server {
    variable: "KIT_BIN",
    build: &["--package", "wslink", "--example", "kit", "--all-features"],
    program: "examples/kit",
};

/// Every server that the tests start.
pub(crate) const ALL: [Server; 6] = [SIMPLE, CHAT, RENDER, DASHBOARD, ROOM, KIT];

impl Server {
    /// Builds the server and returns the path of its program.
    pub(crate) fn build(self) -> Outcome<PathBuf> {
        command::run(command::cargo(&["build", "--quiet"]).args(self.build))?;
        // The servers are built beside this program, wherever cargo was told to put that.
        let this = env::current_exe().map_err(|error| format!("cannot tell where cargo puts programs: {error}"))?;
        let program = this.with_file_name(format!("{}{}", self.program, env::consts::EXE_SUFFIX));
        if program.is_file() { Ok(program) } else { Err(format!("cargo built no {}", program.display())) }
    }
}
