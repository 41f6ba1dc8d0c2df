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
    wire::{Parts, Protocol, V1, V2},
};

pub(super) const STEPS: &[Step] = &[
    Step::new("two numbers, v1", || numbers(V1)),
    Step::new("two numbers, v2", || numbers(V2)),
    Step::new("two numbers by name, v1", || named_numbers(V1)),
    Step::new("two numbers by name, v2", || named_numbers(V2)),
    Step::new("nested, v1", || nested::<Scene>(V1)),
    Step::new("nested, v2", || nested::<Scene>(V2)),
    Step::new("nested, untyped, v1", || nested::<Value>(V1)),
    Step::new("nested, untyped, v2", || nested::<Value>(V2)),
    Step::new("attachment of 1 MiB, v2", || {
        bind::<Attachment, 1>(V2, Parts { positional: Some(&[sample::attachment()]), named: None })
    }),
];

fn numbers(protocol: &'static dyn Protocol) -> Run {
    bind::<f64, 2>(protocol, Parts { positional: Some(&NUMBERS), named: None })
}

fn named_numbers(protocol: &'static dyn Protocol) -> Run {
    let named = Value::map([("b", NUMBERS.0), ("a", NUMBERS.1.into())]);
    bind::<f64, 2>(protocol, Parts { positional: None, named: Some(&named) })
}

fn nested<T: DeserializeOwned + 'static>(protocol: &'static dyn Protocol) -> Run {
    bind::<T, 1>(protocol, Parts { positional: Some(&[Scene::new()]), named: None })
}

/// For a method with `N` parameters of the type.
fn bind<T: DeserializeOwned + 'static, const N: usize>(protocol: &'static dyn Protocol, sent: Parts<'_>) -> Run {
    let parameters = ["a", "b"].map(ParameterDescriptor::required::<T>);
    let mut requests = Requests::new(protocol);
    let frames = sample::call(protocol, sent, usize::MAX);
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
