//! Arguments are bound to parameters as Python binds them.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use crate::{authenticated, next};
use wslink_core::{
    Client, Limits, Value,
    rpc::{Args, Bound, ParameterDescriptor},
    wire::{self, Parts, Target},
};

/// Every argument goes to the parameter that Python would give it to, or the call is refused.
pub fn binding(data: &[u8]) {
    let _ = bound(&mut Unstructured::new(data));
}

/// What clients can name; the last two are no parameters.
const NAMES: [&str; 5] = ["a", "b", "c", "client", "x"];

/// Where the first three of [`NAMES`] stand among the parameters.
const PLACES: [usize; 3] = [0, 2, 3];

fn bound(input: &mut Unstructured<'_>) -> Result<()> {
    let takes_rest: bool = input.arbitrary()?;
    let mut parameters = vec![
        ParameterDescriptor::required::<Value>(NAMES[0]),
        ParameterDescriptor::required::<Client>("client"),
        ParameterDescriptor::optional::<Value>(NAMES[1], "1"),
        ParameterDescriptor::required::<Option<Value>>(NAMES[2]),
    ];
    parameters.extend(takes_rest.then(|| ParameterDescriptor::required::<Args>("rest")));

    // Each argument has a number of its own.
    let positional: Vec<u32> = (0..input.int_in_range(0..=5)?).collect();
    let named: Vec<(String, u32)> =
        (0..input.int_in_range(0..=4)?).map(|at| Ok(((*input.choose(&NAMES)?).to_owned(), 100 + at))).collect::<Result<_>>()?;
    let expected = as_python(&positional, &named, takes_rest);

    let named = Value::map(named);
    let parts = Parts { positional: Some(&positional), named: Some(&named) };
    for protocol in wire::ALL {
        let sent = protocol.draft(Target::Method("a.method"), parts).unwrap().seal(1, None, 100_000);
        let [frame] = sent.frames() else { panic!("small messages are one frame") };
        let mut decoder = authenticated(protocol, &Limits::default());
        let mut arguments = next(&mut *decoder, frame.kind, Bytes::clone(&frame.head)).unwrap().unwrap().1.arguments;
        let mut bound = Bound::default();
        let outcome = bound.bind(&mut arguments, &parameters).map(|()| {
            let rest = arguments.positional[bound.rest..].to_vec();
            let mut value = |span| arguments.value::<u32>(span).unwrap();
            Expected {
                slots: PLACES.map(|place| bound.slot(place).map(&mut value)),
                positional: rest.into_iter().map(&mut value).collect(),
                named: bound.named.iter().map(|(name, span)| (name.clone(), value(*span))).collect(),
            }
        });
        match outcome {
            Ok(bound) => assert_eq!(Some(bound), expected),
            Err(error) => {
                assert_eq!(None, expected, "{error:?}");
                let encoded = serde_json::to_string(&error.into_call_error("a.method")).unwrap();
                assert!(encoded.len() < 8192, "{encoded}");
            }
        }
    }
    Ok(())
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Expected {
    slots: [Option<u32>; 3],
    positional: Vec<u32>,
    named: Vec<(String, u32)>,
}

fn as_python(positional: &[u32], named: &[(String, u32)], takes_rest: bool) -> Option<Expected> {
    let mut expected = Expected::default();
    for (at, argument) in positional.iter().enumerate() {
        match expected.slots.get_mut(at) {
            Some(slot) => *slot = Some(*argument),
            None => expected.positional.push(*argument),
        }
    }
    for (name, argument) in named {
        match NAMES[..3].iter().position(|known| known == name) {
            Some(at) if expected.slots[at].is_some() => return None,
            Some(at) => expected.slots[at] = Some(*argument),
            None => expected.named.push((name.clone(), *argument)),
        }
    }
    (takes_rest || expected.positional.is_empty() && expected.named.is_empty()).then_some(expected)
}
