//! Chunks of the second protocol, put together to a message of 1 MiB.

use std::hint::black_box;

use bytes::Bytes;

use super::{
    Run, Step,
    decode::Requests,
    sample::{self, MIB},
};
use wslink_core::wire::{Parts, V2};

pub(super) const STEPS: &[Step] = &[
    Step::new("256 KiB in order", || assembly(256 << 10, |_| {})).bytes(MIB),
    Step::new("4 KiB in order", || assembly(4 << 10, |_| {})).bytes(MIB),
    Step::new("4 KiB, neighbours swapped", || assembly(4 << 10, swap_neighbours)).bytes(MIB),
    Step::new("4 KiB backwards", || assembly(4 << 10, <[_]>::reverse)).bytes(MIB),
];

fn assembly(chunk: usize, arrange: fn(&mut [Bytes])) -> Run {
    let arguments = [sample::attachment()];
    let parts = Parts { positional: Some(&arguments), named: None };
    let mut chunks = sample::call(V2, parts, chunk);
    arrange(&mut chunks);
    let mut requests = Requests::new(V2);
    Box::new(move || {
        let (last, others) = chunks.split_last().unwrap();
        others.iter().for_each(|chunk| assert!(requests.next(chunk).is_none()));
        black_box(requests.next(last).unwrap());
    })
}

fn swap_neighbours(chunks: &mut [Bytes]) {
    chunks.as_chunks_mut().0.iter_mut().for_each(|[one, other]| std::mem::swap(one, other));
}
