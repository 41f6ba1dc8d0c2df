//! The properties of the fuzz targets, on what is stored in `fuzz/corpus` and on variations of it. The same
//! ones in every run.
#![allow(clippy::unwrap_used, reason = "what cannot go on has failed")]

use std::{fs, path::Path};

use peak_alloc::PeakAlloc;
use proptest::{
    collection::vec,
    prelude::{Strategy, any, prop_oneof},
    sample::{Index, select},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use wslink_properties::TARGETS;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Variations for each target.
const VARIATIONS: u32 = 800;

/// One test, since memory is measured of the whole process.
#[test]
fn what_is_stored_holds_and_what_is_like_it() {
    for target in TARGETS {
        let stored = corpus(target.name);

        stored.iter().for_each(|data| (target.check)(data));
        let config = Config { cases: VARIATIONS, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
        let outcome = runner.run(&variation(stored), |data| {
            (target.check)(&data);
            Ok(())
        });
        outcome.unwrap_or_else(|failure| panic!("{}: {failure}", target.name));
    }
}

/// Sorted, so that a run is like the last.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Something stored, edited here and there.
fn variation(stored: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(stored), vec(edit(), 0..6)).prop_map(|(mut data, edits)| {
        for edit in edits {
            edit.apply(&mut data);
        }
        data
    })
}

#[derive(Clone, Debug)]
enum Edit {
    Put(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// Once more, elsewhere.
    Repeat(Index, Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Put(at, byte)),
        (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        (any::<Index>(), 1..16_usize).prop_map(|(at, len)| Edit::Remove(at, len)),
        (any::<Index>(), any::<Index>(), 1..64_usize).prop_map(|(from, to, len)| Edit::Repeat(from, to, len)),
    ]
}

impl Edit {
    fn apply(&self, data: &mut Vec<u8>) {
        let place = |at: &Index| at.index(data.len() + 1);
        match self {
            Self::Put(at, byte) => {
                let at = place(at);
                data.splice(at..data.len().min(at + 1), [*byte]);
            }
            Self::Insert(at, bytes) => _ = data.splice(place(at)..place(at), bytes.iter().copied()),
            Self::Remove(at, len) => _ = data.drain(place(at)..data.len().min(place(at) + len)),
            Self::Repeat(from, to, len) => {
                let (from, to) = (place(from), place(to));
                let part = data[from..data.len().min(from + len)].to_vec();
                data.splice(to..to, part);
            }
        }
    }
}
