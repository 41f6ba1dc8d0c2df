//! Collects measurements and prints their medians.

use std::collections::BTreeMap;
use std::iter::once;

use serde_json::{Value, json};

use crate::peer::{OURS, RAW};
use crate::statistics::{median, quantile};
use crate::workload::mixed::Meeting;
use crate::workload::{Measured, Workload};

/// All rounds of one workload on one server.
type Rounds = Vec<Measured>;

#[derive(Default)]
pub struct Report {
    /// In the order of measuring.
    workloads: Vec<Workload>,
    rounds: BTreeMap<(String, String), Rounds>,
    peers: Vec<String>,
    /// KiB of each server that has done nothing for a while.
    at_rest: BTreeMap<String, f64>,
    notes: Vec<String>,
}

impl Report {
    pub fn add(&mut self, workload: Workload, peer: &str, measured: Measured) {
        self.rounds.entry((workload.name(), peer.to_owned())).or_default().push(measured);
        if !self.workloads.iter().any(|known| known.name() == workload.name()) {
            self.workloads.push(workload);
        }
        if !self.peers.iter().any(|known| known == peer) {
            self.peers.push(peer.to_owned());
        }
    }

    /// Adds the memory of a server after everything.
    pub fn at_rest(&mut self, peer: &str, memory: f64) {
        self.at_rest.insert(peer.to_owned(), memory);
    }

    /// Adds a paragraph.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    pub fn markdown(&self) -> String {
        let tables = [self.costs(), self.rates(), self.latencies(), self.meetings(), self.memory()];
        let paragraphs: Vec<_> = tables.into_iter().flatten().chain(self.notes.iter().cloned()).collect();
        format!("\n{}\n", paragraphs.join("\n\n"))
    }

    pub fn json(&self) -> String {
        let results = self.rounds.iter().map(|((workload, peer), rounds)| {
            let rounds: Vec<_> = rounds.iter().map(round).collect();
            json!({"workload": workload, "server": peer, "rounds": rounds})
        });
        json!({ "results": results.collect::<Vec<_>>(), "memory_at_rest_kib": self.at_rest, "notes": self.notes }).to_string()
    }

    fn of(&self, workload: Workload, peer: &str) -> &[Measured] {
        self.rounds.get(&(workload.name(), peer.to_owned())).map_or(&[], |rounds| rounds)
    }

    fn middle(&self, workload: Workload, peer: &str, part: impl Fn(&Measured) -> f64) -> f64 {
        median(&self.of(workload, peer).iter().map(part).collect::<Vec<_>>())
    }

    /// How many times cheaper ours is; the median over the rounds, each of which compares neighbours.
    fn ratio(&self, workload: Workload, peer: &str) -> f64 {
        let rounds = self.of(workload, peer).iter().zip(self.of(workload, OURS));
        median(&rounds.map(|(theirs, ours)| theirs.cost / ours.cost).collect::<Vec<_>>())
    }

    /// Who ours is compared with: what is built directly on the library, the original, and ours built in other ways.
    fn compared(&self) -> impl Iterator<Item = &str> {
        let measured = self.peers.iter().any(|peer| peer == OURS);
        let compared = move |peer: &&str| measured && *peer != OURS && (*peer == RAW || peer.contains(OURS));
        self.peers.iter().map(String::as_str).filter(compared)
    }

    fn costs(&self) -> Option<String> {
        let short = |peer: &str| peer.replace("wslink + ", "").replace(" wslink", "");
        let head = ["workload", "unit"].map(str::to_owned).into_iter().chain(self.peers.iter().cloned());
        let head = head.chain(self.compared().map(|peer| format!("vs {}", short(peer))));
        let rows = self.workloads.iter().map(|&workload| {
            let costs = self.peers.iter().map(|peer| figure(self.middle(workload, peer, |measured| measured.cost)));
            let ratios = self.compared().map(|peer| figure(self.ratio(workload, peer)));
            [workload.name(), workload.unit().to_owned()].into_iter().chain(costs).chain(ratios).collect()
        });
        table("Server CPU per operation, and how many times less of it ours takes:", 2, head.collect(), rows.collect())
    }

    fn rates(&self) -> Option<String> {
        self.by_workload("Throughput, per second:", |workload, peer| {
            format!("{} {}", figure(self.middle(workload, peer, |measured| measured.rate)), workload.rate_unit())
        })
    }

    fn memory(&self) -> Option<String> {
        let mib = |kib: f64| figure(kib / 1024.0);
        let title = "Resident memory of the server after each workload of the first round, MiB; `idle` has a server of its own, \
                     and its connections are still there:";
        // Later rounds find what earlier ones left.
        let first = |workload, peer: &str| self.of(workload, peer).first().map_or(f64::NAN, |measured| measured.memory);
        let text = self.by_workload(title, |workload, peer| mib(first(workload, peer)))?;
        let at_rest = self.peers.iter().map(|peer| mib(self.at_rest.get(peer).copied().unwrap_or(f64::NAN)));
        Some(format!("{text}\n{}", row(once("a few seconds later".to_owned()).chain(at_rest))))
    }

    /// A table with one column for each server.
    fn by_workload(&self, title: &str, cell: impl Fn(Workload, &str) -> String) -> Option<String> {
        let head = once("workload".to_owned()).chain(self.peers.iter().cloned());
        let rows = self
            .workloads
            .iter()
            .map(|&workload| once(workload.name()).chain(self.peers.iter().map(|peer| cell(workload, peer))).collect());
        table(title, 1, head.collect(), rows.collect())
    }

    fn latencies(&self) -> Option<String> {
        let rows = self.peers.iter().filter(|peer| !self.of(Workload::Latency, peer).is_empty()).map(|peer| {
            let part =
                |at: usize| self.middle(Workload::Latency, peer, |measured| measured.latency.map_or(f64::NAN, |all| all[at]));
            once(peer.clone()).chain([0, 1, 2].map(|at| figure(part(at)))).collect()
        });
        let head = ["server", "p50", "p99", "p99.9"].map(str::to_owned);
        table("Latency of one call at a time, µs:", 1, head.into(), rows.collect())
    }

    /// Of all rounds together, because there are few such calls where one waits for the whole event.
    fn meetings(&self) -> Option<String> {
        let rows = self.peers.iter().filter_map(|peer| {
            let rounds = || self.of(Workload::Mixed, peer).iter().filter_map(|measured| measured.meeting.as_ref());
            let all = |part: fn(&Meeting) -> &Vec<f64>| rounds().flat_map(part).copied().collect::<Vec<_>>();
            let [mut calls, longest, events] = [all(|all| &all.calls), all(|all| &all.longest), all(|all| &all.events)];
            rounds().next()?;
            let counts = [events.len(), calls.len()].map(|count| count.to_string());
            let [p50, p99] = [0.5, 0.99].map(|part| quantile(&mut calls, part));
            let micros = [p50, p99, median(&longest), median(&events)].map(figure);
            Some(once(peer.clone()).chain(counts).chain(micros).collect())
        });
        let head = ["server", "events", "calls", "p50 µs", "p99 µs", "longest wait of each event, p50 µs", "event, p50 µs"];
        let head = head.map(str::to_owned);
        table("Calls that meet an event of 8 MiB:", 1, head.into(), rows.collect())
    }
}

/// A table whose first columns are text and whose others are numbers; none without rows.
fn table(title: &str, texts: usize, head: Vec<String>, rows: Vec<Vec<String>>) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let line = format!("|{}{}", "---|".repeat(texts), "---:|".repeat(head.len() - texts));
    let rows: Vec<_> = rows.into_iter().map(row).collect();
    Some(format!("{title}\n\n{}\n{line}\n{}", row(head), rows.join("\n")))
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    cells.into_iter().fold("|".to_owned(), |row, cell| format!("{row} {cell} |"))
}

fn round(measured: &Measured) -> Value {
    let meeting = measured
        .meeting
        .as_ref()
        .map(|meeting| json!({"calls_us": meeting.calls, "longest_us": meeting.longest, "events_us": meeting.events}));
    json!({
        "cost": measured.cost,
        "rate": measured.rate,
        "latency_us": measured.latency,
        "meeting": meeting,
        "memory_kib": measured.memory,
    })
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
