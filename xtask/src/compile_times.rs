//! `cargo xtask bench compile`: what 200 methods cost to compile, here and with others.
//!
//! Generates one crate for each library, with the same signatures, and measures the crate alone: its dependencies
//! are built before. CPU seconds, because machines are shared.

mod sources;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use self::sources::{Edit, LIBRARIES, Library};
use crate::command::{self, Outcome};

const METHODS: usize = 200;
const RUNS: usize = 3;

/// What is measured, as arguments of cargo.
const BUILDS: [(&str, &[&str]); 3] = [
    ("check", &["check"]),
    ("debug", &["build"]),
    ("release", &["build", "--release", "--config", "profile.release.strip=true"]),
];

pub(crate) fn run() -> Outcome {
    let folder = command::root().join("target/compile-times");
    let mut table = format!(
        "| {METHODS} methods | check, CPU s | debug, CPU s | release, CPU s | release, KiB | of which {} methods | check after an \
         edit of a body, CPU s | of a parameter | of lines before it |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        METHODS - 1
    );
    for library in LIBRARIES {
        println!("compile: {}", library.name);
        let _ = writeln!(table, "{}", measure(&library, &folder)?);
    }
    println!("\n{table}");
    Ok(())
}

/// One line of the table.
fn measure(library: &Library, folder: &Path) -> Outcome<String> {
    let package = folder.join(library.package);
    library.write(&package, 1, None)?;
    let mut line = format!("| {} ", library.name);
    for (_, arguments) in BUILDS {
        cpu_seconds(&package, folder, arguments, Incremental::No)?;
    }
    let program = folder.join("built/release").join(library.package);
    let empty = kibibytes(&program)?;
    for (name, arguments) in BUILDS {
        let mut seconds = Vec::new();
        for _ in 0..RUNS {
            // Written anew, so that cargo compiles it anew.
            library.write(&package, METHODS, None)?;
            seconds.push(cpu_seconds(&package, folder, arguments, Incremental::No)?);
        }
        seconds.sort_by(f64::total_cmp);
        println!("compile: {} {name} {seconds:.2?}", library.name);
        let _ = write!(line, "| {:.1} ", seconds[RUNS / 2]);
    }
    let full = kibibytes(&program)?;
    let _ = write!(line, "| {full} | {} ", full.saturating_sub(empty));
    for edit in [Edit::Body, Edit::Parameter, Edit::Lines] {
        let mut seconds = Vec::new();
        for _ in 0..RUNS {
            library.write(&package, METHODS, None)?;
            cpu_seconds(&package, folder, &["check"], Incremental::Yes)?;
            library.write(&package, METHODS, Some(edit))?;
            seconds.push(cpu_seconds(&package, folder, &["check"], Incremental::Yes)?);
        }
        seconds.sort_by(f64::total_cmp);
        let _ = write!(line, "| {:.1} ", seconds[RUNS / 2]);
    }
    Ok(line + "|")
}

fn kibibytes(program: &PathBuf) -> Outcome<u64> {
    let data = fs::metadata(program).map_err(|error| format!("cannot read {}: {error}", program.display()))?;
    Ok(data.len() / 1024)
}

/// Whether the compiler keeps what it knows for the next time.
#[derive(Clone, Copy)]
enum Incremental {
    No,
    Yes,
}

/// Runs cargo, and returns the user and system time of all that it started.
fn cpu_seconds(package: &Path, folder: &Path, arguments: &[&str], incremental: Incremental) -> Outcome<f64> {
    let (incremental, built) = match incremental {
        Incremental::No => ("0", "built"),
        Incremental::Yes => ("1", "built-incremental"),
    };
    let cargo = command::cargo(arguments);
    let mut shell = Command::new("sh");
    // `times` tells of the shell in its first line and of its children in the second.
    shell.args(["-c", "\"$0\" \"$@\" --quiet && times"]).arg(cargo.get_program()).args(cargo.get_args());
    shell.current_dir(package).env("CARGO_INCREMENTAL", incremental).env("CARGO_TARGET_DIR", folder.join(built));
    let output = shell.output().map_err(|error| format!("cannot start a shell: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo failed in {}:\n{}", package.display(), String::from_utf8_lossy(&output.stderr)));
    }
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let children = printed.lines().last().and_then(|line| line.split(' ').map(seconds).sum());
    children.ok_or_else(|| format!("cannot read the times of a shell: {printed}"))
}

/// `1m2.345s`
fn seconds(text: &str) -> Option<f64> {
    let (minutes, seconds) = text.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}
