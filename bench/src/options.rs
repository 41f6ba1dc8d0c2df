//! The options of the command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Result;
use crate::workload::{self, Workload};

const USAGE: &str = "\
usage: wslink-bench [--quick] [--rounds N] [--only TEXT,…] [--peers NAME,…] [--json FILE] [--ours NAME=PROGRAM]… \
                    [--python PROGRAM SCRIPT]
       wslink-bench --drive ADDRESS OPERATION COUNT";

pub struct Options {
    /// Only a look: shorter and fewer rounds.
    pub quick: bool,
    pub rounds: usize,
    /// How long one measurement of one server takes.
    pub time: Duration,
    /// Parts of the names of the workloads to run.
    only: Option<Vec<String>>,
    peers: Option<Vec<String>>,
    pub json: Option<PathBuf>,
    /// Our server, more than one when it is built in several ways.
    pub ours: Vec<(String, PathBuf)>,
    pub python: Option<[PathBuf; 2]>,
}

impl Options {
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            quick: false,
            rounds: 0,
            time: Duration::ZERO,
            only: None,
            peers: None,
            json: None,
            ours: vec![],
            python: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--rounds" => options.rounds = value()?.parse()?,
                "--only" => options.only = Some(list(&value()?)),
                "--peers" => options.peers = Some(list(&value()?)),
                "--json" => options.json = Some(value()?.into()),
                "--ours" => {
                    let value = value()?;
                    let (name, program) = value.split_once('=').ok_or(USAGE)?;
                    options.ours.push((name.to_owned(), program.into()));
                }
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
        let wanted = |workload: &&Workload| self.names(&workload.name());
        workload::ALL.iter().filter(wanted).filter(|workload| !self.quick || !workload.is_long())
    }

    /// Whether the CPU of idle connections is measured, which takes most of a minute.
    pub fn wants_rest(&self) -> bool {
        !self.quick && self.names("CPU of idle connections")
    }

    /// Whether what only our server offers is measured too.
    pub fn wants_extras(&self) -> bool {
        self.names("extras")
    }

    fn names(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.iter().any(|part| name.contains(part.as_str())))
    }

    /// Whether the peer of this name is to be measured.
    pub fn wants(&self, peer: &str) -> bool {
        self.peers.as_ref().is_none_or(|peers| peers.iter().any(|name| name == peer))
    }
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}
