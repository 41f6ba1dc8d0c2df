//! What the command line asks for.

use std::path::PathBuf;
use std::time::Duration;

use crate::Result;
use crate::workload::{self, Workload};

const USAGE: &str = "\
usage: wslink-bench [--quick] [--rounds N] [--only TEXT] [--peers NAME,…] [--json FILE] [--ours PROGRAM] [--python PROGRAM SCRIPT]
       wslink-bench --drive ADDRESS OPERATION COUNT";

pub struct Options {
    /// Only a look: shorter and fewer rounds.
    pub quick: bool,
    pub rounds: usize,
    /// How long one measurement of one server takes.
    pub time: Duration,
    /// A part of the names of the workloads to run.
    only: Option<String>,
    peers: Option<Vec<String>>,
    pub json: Option<PathBuf>,
    pub ours: Option<PathBuf>,
    pub python: Option<[PathBuf; 2]>,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options =
            Self { quick: false, rounds: 0, time: Duration::ZERO, only: None, peers: None, json: None, ours: None, python: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--only" => options.only = Some(value()?),
                "--peers" => options.peers = Some(value()?.split(',').map(str::to_owned).collect()),
                "--json" => options.json = Some(value()?.into()),
                "--ours" => options.ours = Some(value()?.into()),
                "--python" => options.python = Some([value()?.into(), value()?.into()]),
                _ => return Err(USAGE.into()),
            }
        }
        let (rounds, millis) = if options.quick { (2, 150) } else { (5, 500) };
        options.time = Duration::from_millis(millis);
        if options.rounds == 0 {
            options.rounds = rounds;
        }
        Ok(options)
    }

    pub fn workloads(&self) -> impl Iterator<Item = &'static Workload> {
        let wanted = |workload: &&Workload| self.only.as_ref().is_none_or(|only| workload.name().contains(only.as_str()));
        workload::ALL.iter().filter(wanted).filter(|workload| !self.quick || !workload.is_long())
    }

    /// Whether what only our server offers is measured too.
    pub fn wants_extras(&self) -> bool {
        self.only.as_ref().is_none_or(|only| only == "extras")
    }

    /// Whether the peer of this name is to be measured.
    pub fn wants(&self, peer: &str) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.iter().any(|name| name == peer))
    }
}
