//! Collects measurements and prints their medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::peer::{OURS, PYTHON, RAW};
use crate::statistics::median;
use crate::workload::{Measured, Workload};

/// All rounds of one workload on one server.
type Rounds = Vec<Measured>;

#[derive(Default)]
pub struct Report {
    /// In the order of measuring.
    workloads: Vec<Workload>,
    rounds: BTreeMap<(String, &'static str), Rounds>,
    peers: Vec<&'static str>,
    notes: Vec<String>,
}

impl Report {
    pub fn add(&mut self, workload: Workload, peer: &'static str, measured: Measured) {
        let rounds = self.rounds.entry((workload.name(), peer)).or_default();
        rounds.push(measured);
        if !self.workloads.iter().any(|known| known.name() == workload.name()) {
            self.workloads.push(workload);
        }
        if !self.peers.contains(&peer) {
            self.peers.push(peer);
        }
    }

    /// Adds a paragraph.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    fn of(&self, workload: Workload, peer: &'static str) -> &[Measured] {
        self.rounds.get(&(workload.name(), peer)).map_or(&[], |rounds| rounds)
    }

    fn middle(&self, workload: Workload, peer: &'static str, part: impl Fn(&Measured) -> f64) -> f64 {
        median(&self.of(workload, peer).iter().map(part).collect::<Vec<_>>())
    }

    /// How many times cheaper ours is; the median over the rounds, each of which compares neighbours.
    fn ratio(&self, workload: Workload, peer: &'static str) -> f64 {
        let rounds = self.of(workload, peer).iter().zip(self.of(workload, OURS));
        median(&rounds.map(|(theirs, ours)| theirs.cost / ours.cost).collect::<Vec<_>>())
    }

    pub fn markdown(&self) -> String {
        let mut text =
            String::from("\nServer CPU per operation, and how many times less of it ours takes:\n\n| workload | unit |");
        self.peers.iter().for_each(|peer| _ = write!(text, " {peer} |"));
        text += " vs tungstenite | vs Python |\n|---|---|";
        text += &"---:|".repeat(self.peers.len() + 2);
        for &workload in &self.workloads {
            let _ = write!(text, "\n| {} | {} |", workload.name(), workload.unit());
            for peer in &self.peers {
                let _ = write!(text, " {} |", figure(self.middle(workload, peer, |measured| measured.cost)));
            }
            let _ = write!(text, " {} | {} |", figure(self.ratio(workload, RAW)), figure(self.ratio(workload, PYTHON)));
        }
        text += "\n\nThroughput, per second:\n\n| workload |";
        self.peers.iter().for_each(|peer| _ = write!(text, " {peer} |"));
        text += "\n|---|";
        text += &"---:|".repeat(self.peers.len());
        for &workload in &self.workloads {
            let _ = write!(text, "\n| {} |", workload.name());
            for peer in &self.peers {
                let rate = self.middle(workload, peer, |measured| measured.rate);
                let _ = write!(text, " {} {} |", figure(rate), workload.rate_unit());
            }
        }
        text += "\n\nLatency of one call at a time, µs:\n\n| server | p50 | p99 | p99.9 |\n|---|---:|---:|---:|\n";
        for peer in &self.peers {
            let part =
                |at: usize| self.middle(Workload::Latency, peer, |measured| measured.latency.map_or(f64::NAN, |all| all[at]));
            let _ = writeln!(text, "| {peer} | {} | {} | {} |", figure(part(0)), figure(part(1)), figure(part(2)));
        }
        self.notes.iter().for_each(|note| _ = write!(text, "\n{note}\n"));
        text
    }

    pub fn json(&self) -> String {
        let results = self.rounds.iter().map(|((workload, peer), rounds)| {
            let rounds: Vec<_> = rounds
                .iter()
                .map(|measured| serde_json::json!({"cost": measured.cost, "rate": measured.rate, "latency_us": measured.latency}))
                .collect();
            serde_json::json!({"workload": workload, "server": peer, "rounds": rounds})
        });
        serde_json::json!({ "results": results.collect::<Vec<_>>(), "notes": self.notes }).to_string()
    }
}

/// Three digits that matter.
pub fn figure(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".into(),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
