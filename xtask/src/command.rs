//! Runs other programs in the repository's root and turns their failures into messages.

use std::env;
use std::path::PathBuf;
use std::process::Command;

/// Succeeds, or says what is wrong in words for the person at the terminal.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// The root of the repository: the one that cargo runs this in, for clones may share a program that one of them built.
pub(crate) fn root() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut root = PathBuf::from(package);
    root.pop();
    root
}

/// The cargo that runs this program, in the repository's root.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end, its output shown.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let name = described(command);
    let status = command.status().map_err(|error| format!("`{name}` could not start: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{name}` failed ({status})")) }
}

/// Goes on as another program, so that a signal meant for it reaches it; only failing to is returned.
#[cfg(unix)]
pub(crate) fn become_program(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("`{}` could not start: {error}", described(command)))
}

/// Runs another program to its end where one program cannot become another.
#[cfg(not(unix))]
pub(crate) fn become_program(command: &mut Command) -> Outcome {
    run(command)
}

/// What a command prints, if it can be started and succeeds.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Looks a program up on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let suffixes: &[&str] = if cfg!(windows) { &[".exe", ".cmd"] } else { &[""] };
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let mut candidates =
        folders.iter().flat_map(|folder| suffixes.iter().map(move |suffix| folder.join(format!("{name}{suffix}"))));
    candidates.find(|path| path.is_file())
}

fn described(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
