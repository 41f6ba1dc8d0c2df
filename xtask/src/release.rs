//! `cargo xtask release`: everything that a release needs but the uploads. Stops at the first thing that is not right.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

use crate::command::{Outcome, cargo, find_program, output, root, run};
use crate::node;

/// In the order in which they are uploaded.
const CRATES: [&str; 3] = ["wslink-macros", "wslink-core", "wslink"];

/// The npm packages, by folder.
const PACKAGES: [&str; 2] = ["js-client", "js-client/generator"];

/// Every package of npm has these files.
const NEEDED: [&str; 4] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "package.json"];

pub(crate) fn run_release() -> Outcome {
    println!("release: the working tree");
    let changes = output(Command::new("git").args(["status", "--porcelain"]).current_dir(root())).ok_or("`git status` failed")?;
    if !changes.is_empty() {
        return Err(format!("the working tree has changes; commit them first:\n{changes}"));
    }
    let version = version()?;
    println!("release: {version} in the change log and in every package");
    let log = read(&root().join("CHANGELOG.md"))?;
    if !log.lines().any(|line| line.starts_with(&format!("## {version}"))) {
        return Err(format!("CHANGELOG.md has no heading `## {version}`; rename `## Unreleased`"));
    }
    for package in PACKAGES {
        let found = manifest(package)?["version"].as_str().unwrap_or_default().to_owned();
        if found != version {
            return Err(format!("`{package}/package.json` is at {found}, the crates are at {version}; make them equal"));
        }
    }
    println!("release: licences, advisories and duplicates of the dependencies");
    let deny = find_program("cargo-deny").ok_or("cargo-deny is missing: `cargo install cargo-deny` and try again")?;
    run(Command::new(deny).args(["--all-features", "check"]).current_dir(root()))?;
    println!("release: the crates, packed and built from what was packed");
    publish_dry()?;
    for package in PACKAGES {
        println!("release: the package in `{package}`");
        check_package(package)?;
    }
    for name in CRATES.iter().chain(&PACKAGES) {
        println!("ready: {name} {version}");
    }
    Ok(())
}

/// Cargo keeps what it unpacks by the folder that it was packed in, and by version: in the folder of an earlier run it
/// would build what was packed then.
fn publish_dry() -> Outcome {
    let folder = root().join(format!("target/publish-{}", std::process::id()));
    let packages = CRATES.iter().flat_map(|name| ["--package", *name]);
    let built = run(cargo(&["publish", "--dry-run", "--target-dir"]).arg(&folder).args(packages));
    // What stays there is only disk space.
    let _ = fs::remove_dir_all(&folder);
    built
}

/// The version of the workspace.
fn version() -> Outcome<String> {
    let metadata = output(&mut cargo(&["metadata", "--no-deps", "--format-version", "1"])).ok_or("`cargo metadata` failed")?;
    let metadata: Value = serde_json::from_str(&metadata).map_err(|error| format!("`cargo metadata`: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut versions = packages.filter(|package| package["name"] == "wslink").filter_map(|package| package["version"].as_str());
    versions.next().map(str::to_owned).ok_or_else(|| "the workspace has no crate `wslink`".to_owned())
}

/// Packs it, and looks at the list of its files.
fn check_package(package: &str) -> Outcome {
    let folder = root().join(package);
    run(node::installed("js-client")?.args(["run", "build"]))?;
    let npm = find_program("npm").ok_or("npm is missing: install Node.js with npm (https://nodejs.org) and try again")?;
    let packed =
        output(Command::new(npm).args(["pack", "--dry-run", "--json"]).current_dir(&folder)).ok_or("`npm pack` failed")?;
    let packed: Value = serde_json::from_str(&packed).map_err(|error| format!("`npm pack`: {error}"))?;
    let files = packed[0]["files"].as_array().into_iter().flatten().filter_map(|file| file["path"].as_str());
    let files: Vec<_> = files.collect();
    if let Some(missing) = NEEDED.iter().find(|needed| !files.contains(*needed)) {
        return Err(format!("`npm pack` in `{package}` leaves `{missing}` out; put the file there"));
    }
    let manifest = manifest(package)?;
    for key in ["description", "license", "repository", "keywords"] {
        if manifest[key].is_null() {
            return Err(format!("`{package}/package.json` has no `{key}`"));
        }
    }
    Ok(())
}

fn manifest(package: &str) -> Outcome<Value> {
    let file = root().join(package).join("package.json");
    serde_json::from_str(&read(&file)?).map_err(|error| format!("{}: {error}", file.display()))
}

fn read(file: &Path) -> Outcome<String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}
