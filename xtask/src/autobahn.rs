//! `cargo xtask autobahn`: the Autobahn TestSuite against an endpoint that echoes on the server's transport.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    bench,
    command::{self, Outcome},
};

/// Compression, which is not offered.
const EXCLUDED: [&str; 2] = ["12.*", "13.*"];

/// Text is looked at when a message is complete, so these are answered later than they could be.
const MAY_BE_LATE: &str = "6.4.";

/// Runs the cases that the argument names, such as `6.*`; all when there is none.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let cases = arguments.first().map_or("*", String::as_str);
    let wstest = wstest()?;
    println!("autobahn: building");
    let build = ["build", "--release", "--quiet", "--package", "wslink", "--example", "echo", "--features", "testing"];
    command::run(&mut command::cargo(&build))?;
    let target = bench::target()?;
    let folder = target.join("autobahn");
    fs::create_dir_all(&folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))?;

    let echo = Echo::start(&target.join("release/examples/echo"))?;
    let report = folder.join("report");
    let spec = json!({
        "outdir": report,
        "servers": [{"agent": "wslink", "url": echo.url}],
        "cases": [cases],
        "exclude-cases": EXCLUDED,
        "exclude-agent-cases": {},
        // Python needs longer for the large messages than its suite gives the server.
        "options": {"closeHandshakeTimeout": 60, "serverConnectionDropTimeout": 60},
    });
    let file = folder.join("spec.json");
    fs::write(&file, spec.to_string()).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    command::run(Command::new(wstest).args(["-m", "fuzzingclient", "-s"]).arg(&file))?;
    judge(&report.join("index.json"))
}

/// The program of the suite.
fn wstest() -> Outcome<PathBuf> {
    if let Some(program) = env::var_os("WSTEST") {
        return Ok(program.into());
    }
    command::find_program("wstest").ok_or_else(|| {
        "there is no `wstest`: install `autobahntestsuite` for Python 2.7, or set WSTEST to a program that takes its \
         arguments; see CONTRIBUTING.md"
            .to_owned()
    })
}

/// Counts the results, and fails where one is not as it must be.
fn judge(index: &Path) -> Outcome {
    let unreadable = |error: &dyn std::fmt::Display| format!("cannot read {}: {error}", index.display());
    let text = fs::read_to_string(index).map_err(|error| unreadable(&error))?;
    let index: Value = serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    let mut counts = BTreeMap::new();
    let mut failed = Vec::new();
    for (case, result) in index["wslink"].as_object().into_iter().flatten() {
        let [behavior, close] = ["behavior", "behaviorClose"].map(|key| result[key].as_str().unwrap_or("missing"));
        *counts.entry(behavior).or_insert(0) += 1;
        let is_good = match behavior {
            "OK" | "INFORMATIONAL" => true,
            "NON-STRICT" => case.starts_with(MAY_BE_LATE),
            _ => false,
        };
        if !is_good || !matches!(close, "OK" | "INFORMATIONAL") {
            failed.push(format!("{case} ({behavior}, closing: {close})"));
        }
    }
    println!("autobahn: {counts:?}");
    match failed.is_empty() && !counts.is_empty() {
        true => Ok(()),
        false => Err(format!("these cases are not as they must be: {}", failed.join(", "))),
    }
}

/// The endpoint, for as long as it is needed.
struct Echo {
    process: Child,
    url: String,
}

impl Echo {
    fn start(program: &Path) -> Outcome<Self> {
        let started = Command::new(program).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn();
        let mut process = started.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut url = String::new();
        if let Some(stdout) = process.stdout.take() {
            let _ = BufReader::new(stdout).read_line(&mut url);
        }
        Ok(Self { process, url: url.trim().to_owned() })
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
