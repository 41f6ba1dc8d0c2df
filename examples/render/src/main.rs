//! Renders a molecule on the processor and serves it to vtk.js's `RemoteView`: reads the command line.

use std::process::ExitCode;

use clap::Parser;
use wslink::Secret;

mod camera;
mod events;
mod image;
mod protocol;
mod scene;
mod shade;
#[cfg(test)]
mod tests;
mod trace;
mod view;

/// Renders a molecule on the processor and serves it to vtk.js's RemoteView
#[derive(Parser)]
#[command(version)]
struct CommandLine {
    /// Show everybody the same view, which whoever drags it turns for all; else each client has its own
    #[arg(long)]
    shared: bool,
    #[command(flatten)]
    options: wslink::cli::Options,
}

fn main() -> ExitCode {
    let CommandLine { shared, options } = wslink::cli::parse();
    options.run(|builder| {
        // Everybody knows this secret; pages of the original examples use it without being told.
        builder.secret(Secret::published()).manifest(true).service(move |publisher| protocol::Render::new(publisher, shared))
    })
}
