//! The load generator: starts each server, measures them in turn and prints the tables.

mod crowd;
mod drive;
mod inbox;
mod options;
mod peer;
mod process;
mod protocol;
mod report;
mod statistics;
mod workload;

use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use self::options::Options;
use self::report::Report;

/// How long servers do nothing before it is seen what memory they keep.
const REST: Duration = Duration::from_secs(3);

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [flag, address, operation, count] if flag == "--drive" => drive(address, operation, count),
        _ => Options::parse(arguments.into_iter()).and_then(|options| run(&options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn drive(address: &str, operation: &str, count: &str) -> Result<()> {
    drive::run(address.parse()?, operation, count.parse()?)
}

fn run(options: &Options) -> Result<()> {
    process::raise_file_limit()?;
    let begin = Instant::now();
    let mut report = Report::default();
    let peers = peer::start_all(options)?;
    let rounds = if options.workloads().all(|workload| workload.is_steady()) { 1 } else { options.rounds };
    for round in 1..=rounds {
        for workload in options.workloads().filter(|workload| round == 1 || !workload.is_steady()) {
            for peer in &peers {
                report.add(*workload, &peer.name, workload.run(peer, options.time)?);
            }
        }
        eprintln!("round {round} of {rounds} done after {:.0} s", begin.elapsed().as_secs_f32());
    }
    if options.workloads().next().is_some() {
        sleep(REST);
        for peer in &peers {
            report.at_rest(&peer.name, peer.server.memory()?);
        }
    }
    if options.wants_rest() {
        report.note(workload::rest::run(&peers)?);
    }
    if options.wants_extras()
        && let Some(ours) = peers.iter().find(|peer| peer.name == peer::OURS)
    {
        let original = peers.iter().find(|peer| peer.name == peer::PYTHON);
        report.note(workload::frames::run(ours, original, options.time * 10)?);
        report.note(workload::threads::run(ours, options.time)?);
        let calls = options.time.as_millis() as usize * 100;
        workload::clients::run(&peers, calls)?.into_iter().for_each(|table| report.note(table));
    }
    drop(peers);
    print!("{}", report.markdown());
    if let Some(path) = &options.json {
        std::fs::write(path, report.json())?;
    }
    Ok(())
}
