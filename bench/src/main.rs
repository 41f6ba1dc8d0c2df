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
use std::time::Instant;

use self::options::Options;
use self::report::Report;

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
    for round in 1..=options.rounds {
        for workload in options.workloads().filter(|workload| round == 1 || !workload.is_steady()) {
            for peer in &peers {
                report.add(*workload, peer.name, workload.run(peer, options.time)?);
            }
        }
        eprintln!("round {round} of {} done after {:.0} s", options.rounds, begin.elapsed().as_secs_f32());
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
