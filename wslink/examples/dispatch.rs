//! Calls on a server with many methods, for counting instructions: `dispatch METHODS CALLS`.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

#[allow(dead_code, reason = "other benchmarks use the rest")]
#[path = "../benches/peer.rs"]
mod peer;
#[path = "../benches/table.rs"]
mod table;

use std::env;

use peer::Runtime;
use table::Table;

fn main() {
    let [methods, calls] = [1, 2].map(|at| env::args().nth(at).unwrap().parse().unwrap());
    let runtime = match methods {
        10 => Runtime::new(Table::<10>),
        100 => Runtime::new(Table::<100>),
        5000 => Runtime::new(Table::<5000>),
        _ => panic!("10, 100 or 5000 methods"),
    };
    let request = peer::request(&format!("table.{:04}", methods - 1), vec![]);
    let mut peer = runtime.connect();
    (0..calls).for_each(|_: usize| peer.call(&request));
}
