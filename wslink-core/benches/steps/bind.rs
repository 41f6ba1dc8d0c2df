//! From a request to the values of a method's parameters.

use std::hint::black_box;

use serde::de::DeserializeOwned;

use super::{
    Run, Step,
    decode::Requests,
    sample::{self, NUMBERS, Scene},
};
use wslink_core::{
    Attachment, Value,
    rpc::{Bound, ParameterDescriptor},
    wire::{FrameKind, message::Parts},
};

pub(super) const STEPS: &[Step] = &[
    Step::new("two numbers, v1", || numbers(FrameKind::Text)),
    Step::new("two numbers, v2", || numbers(FrameKind::Binary)),
    Step::new("two numbers by name, v1", || named_numbers(FrameKind::Text)),
    Step::new("two numbers by name, v2", || named_numbers(FrameKind::Binary)),
    Step::new("nested, v1", || nested::<Scene>(FrameKind::Text)),
    Step::new("nested, v2", || nested::<Scene>(FrameKind::Binary)),
    Step::new("nested, untyped, v1", || nested::<Value>(FrameKind::Text)),
    Step::new("nested, untyped, v2", || nested::<Value>(FrameKind::Binary)),
    Step::new("attachment of 1 MiB, v2", || {
        bind::<Attachment, 1>(FrameKind::Binary, Parts { positional: Some(&[sample::attachment()]), named: None })
    }),
];

fn numbers(generation: FrameKind) -> Run {
    bind::<f64, 2>(generation, Parts { positional: Some(&NUMBERS), named: None })
}

fn named_numbers(generation: FrameKind) -> Run {
    let named = Value::map([("b", NUMBERS.0), ("a", NUMBERS.1.into())]);
    bind::<f64, 2>(generation, Parts { positional: None, named: Some(&named) })
}

fn nested<T: DeserializeOwned + 'static>(generation: FrameKind) -> Run {
    bind::<T, 1>(generation, Parts { positional: Some(&[Scene::new()]), named: None })
}

/// For a method with `N` parameters of the type.
fn bind<T: DeserializeOwned + 'static, const N: usize>(generation: FrameKind, sent: Parts<'_>) -> Run {
    let parameters = ["a", "b"].map(ParameterDescriptor::required::<T>);
    let mut requests = Requests::new(generation);
    let frames = sample::call(generation, sent, usize::MAX);
    let mut arguments = frames.iter().find_map(|frame| requests.next(frame)).unwrap().arguments;
    let named = arguments.named.clone();
    Box::new(move || {
        // Those with names are taken from it.
        arguments.named.clone_from(&named);
        let mut bound = Bound::default();
        bound.bind(&mut arguments, &parameters[..N]).unwrap();
        for place in 0..N {
            black_box(arguments.value::<T>(bound.slot(place).unwrap()).unwrap());
        }
    })
}
