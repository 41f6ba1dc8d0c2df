//! A program on the command line: what it is called, and how its arguments are read.

use std::{ffi::OsString, process::ExitCode};

use clap::{
    Args as _, Command, CommandFactory, FromArgMatches as _, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::Options;
use crate::server::Builder;

/// What `--version` and `--help` say of a program; [`program!`](crate::cli::program) takes it from the program's
/// `Cargo.toml`.
///
/// ```no_run
/// # use std::process::ExitCode;
/// fn main() -> ExitCode {
///     wslink::cli::program!().run(|builder| builder)
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Program {
    /// Its name; that of its file unless set.
    pub name: Option<&'static str>,
    /// Its version; there is no `--version` without.
    pub version: Option<&'static str>,
    /// What it does, in a sentence.
    pub description: Option<&'static str>,
}

impl Program {
    /// Of a name, a version and a description, of which any may be empty.
    #[must_use]
    pub const fn new(name: &'static str, version: &'static str, description: &'static str) -> Self {
        const fn given(text: &'static str) -> Option<&'static str> {
            if text.is_empty() { None } else { Some(text) }
        }
        Self { name: given(name), version: given(version), description: given(description) }
    }

    /// Parses the command line, serves what `set_up` mounts, and returns the status for `main`.
    pub fn run(self, set_up: impl FnOnce(Builder) -> Builder) -> ExitCode {
        let matches = matches(&self.command(), std::env::args_os().collect());
        match Options::from_arg_matches(&matches) {
            Ok(options) => options.run(set_up),
            Err(error) => error.exit(),
        }
    }

    fn command(self) -> Command {
        let mut command = Options::augment_args(Command::new("server"));
        if let Some(name) = self.name {
            command = command.name(name);
        }
        if let Some(version) = self.version {
            command = command.version(version);
        }
        if let Some(description) = self.description {
            command = command.about(description);
        }
        command
    }
}

/// The program whose `Cargo.toml` this is: its name, version and description, for `--version` and `--help`.
#[doc(hidden)]
#[macro_export]
macro_rules! __wslink_program {
    () => {
        $crate::cli::Program::new(
            ::core::env!("CARGO_PKG_NAME"),
            ::core::env!("CARGO_PKG_VERSION"),
            ::core::env!("CARGO_PKG_DESCRIPTION"),
        )
    };
}

/// Parses the command line of a program with options of its own and [`Options`] among them. As with the original server,
/// long options may be abbreviated, and of repeated ones the last counts; `--ignore-unknown` drops unknown options.
pub fn parse<P: Parser>() -> P {
    let matches = matches(&<P as CommandFactory>::command(), std::env::args_os().collect());
    P::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

fn matches(command: &Command, arguments: Vec<OsString>) -> clap::ArgMatches {
    // As with the original: long options may be shortened, and of two the last counts.
    let command = command.clone().infer_long_args(true).args_override_self(true);
    let mut arguments = arguments;
    let ignores = arguments.iter().any(|argument| argument == "--ignore-unknown");
    loop {
        let error = match command.clone().try_get_matches_from(&arguments) {
            Ok(matches) => return matches,
            Err(error) => error,
        };
        match unknown(&error).filter(|_| ignores).and_then(|unknown| position(&arguments, &unknown)) {
            Some(index) => {
                let ignored = arguments.remove(index);
                eprintln!("wslink: unknown option ignored: `{}`", ignored.to_string_lossy());
            }
            None => error.exit(),
        }
    }
}

/// The unknown argument that an error names.
fn unknown(error: &clap::Error) -> Option<String> {
    match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(argument))) => Some(argument.clone()),
        _ => None,
    }
}

/// `--unknown` stands for `--unknown=value` as well.
fn position(arguments: &[OsString], unknown: &str) -> Option<usize> {
    let is = |argument: &OsString| {
        let argument = argument.to_string_lossy();
        argument == unknown || argument.split('=').next() == Some(unknown)
    };
    arguments.iter().skip(1).position(is).map(|index| index + 1)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli) fn options(arguments: &str) -> Options {
        let arguments = arguments.split_whitespace().map(OsString::from).collect();
        Options::from_arg_matches(&matches(&Program::default().command(), arguments)).unwrap()
    }

    #[test]
    fn options_may_be_shortened_and_unknown_ones_left_out() {
        let options = options("app --auth abc --cont /tmp --ignore-unknown --unheard of --other=1 --port 1234");
        assert_eq!(options.auth_key.as_deref(), Some("abc"));
        assert_eq!(options.content.as_deref(), Some(std::path::Path::new("/tmp")));
        assert_eq!(options.port, 1234);
    }

    #[test]
    fn options_of_other_servers_are_no_mistakes() {
        let options =
            options("app --server --banner --app --hot-reload --trame-args x --no-ws-compress --no-http --follow-symlinks");
        assert!(options.no_http && options.follow_symlinks);
    }

    #[test]
    fn a_program_has_a_name_a_version_and_a_description() {
        let mut command = Program::new("station", "9.9.9", "Measures.").command();
        assert_eq!(command.render_version(), "station 9.9.9\n");
        assert!(command.render_help().to_string().starts_with("Measures."));
    }
}
