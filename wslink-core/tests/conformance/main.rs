//! The conformance suite of clients: exchanges between this crate's client and server sessions, with what the client sees,
//! recorded as steps in `v1.json` and `v2.json`. Every other client plays them back and has to send and see the same;
//! the TypeScript client does so in `js-client/test/conformance`.
//!
//! `UPDATE_GOLDEN=1` renews the files; without it, this test fails when the sessions do something else than is recorded.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{env, fs, path::Path};

use serde_json::json;
use wslink_core::wire::{ALL, Protocol};

use self::recorder::Recorder;

mod observed;
#[allow(dead_code, reason = "shared with another test")]
#[path = "../sessions/pair.rs"]
mod pair;
mod recorder;
mod service;

type Case = (&'static str, fn(&mut Recorder));

const CASES: [Case; 18] = [
    ("hello is answered", |_| {}),
    ("a secret that is refused ends the session", |case| {
        case.lose();
        case.connect_with("mallory");
    }),
    ("results come in the order of the calls", results),
    ("errors have a code, a message and data", errors),
    ("binary data comes as it was", |case| {
        case.call("few", "kit.blob", &json!([3]));
        case.call("none", "kit.blob", &json!([0]));
        case.run();
    }),
    ("progress comes before the result", |case| {
        case.call("steps", "kit.steps", &json!([3]));
        case.run();
    }),
    ("the reply of a call precedes the event that it published", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.run();
        case.call("publish", "kit.publish", &json!(["x"]));
        case.call("after", "kit.echo", &json!([1]));
        case.run();
    }),
    ("two subscriptions of a topic hear each event once", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.subscribe("b", "kit.text", &json!({}));
        case.run();
        case.publish("x");
        case.publish("y");
        case.run();
        case.unsubscribe("a");
        case.run();
        case.publish("z");
        case.run();
    }),
    ("what a topic retains comes to each new subscription alone", |case| {
        case.retain("on");
        case.subscribe("a", "kit.state", &json!({}));
        case.run();
        case.subscribe("b", "kit.state", &json!({}));
        case.run();
        case.retain("off");
        case.run();
    }),
    ("a stream of its own has a filter and an end", |case| {
        case.subscribe("few", "kit.count", &json!({ "to": 3 }));
        case.subscribe("none", "kit.count", &json!({ "to": 0 }));
        case.run();
        case.call("after", "kit.echo", &json!([1]));
        case.run();
    }),
    ("a subscription is refused", |case| {
        case.subscribe("unknown", "kit.unknown", &json!({}));
        case.subscribe("wrong", "kit.count", &json!({ "to": "x" }));
        case.subscribe("good", "kit.text", &json!({}));
        case.run();
    }),
    ("a call is cancelled", |case| {
        case.call("hang", "kit.hang", &json!([]));
        case.call("other", "kit.echo", &json!([1]));
        case.run();
        case.cancel("hang");
        case.call("after", "kit.echo", &json!([2]));
        case.run();
    }),
    ("a call on a lost connection may have been executed", |case| {
        case.call("hang", "kit.hang", &json!([]));
        case.run();
        case.lose();
        case.connect();
        case.call("after", "kit.echo", &json!([1]));
        case.run();
    }),
    ("a client that resumes misses nothing", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.run();
        case.publish("arrives");
        case.run();
        case.publish("lost on the way");
        case.run_without_arrival();
        case.lose();
        case.publish("while it was away");
        case.connect();
        case.publish("after");
        case.run();
    }),
    ("a client that resumes hears how much it missed", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.run();
        case.lose();
        for _ in 0..3 {
            case.publish(&"x".repeat(600));
        }
        case.connect();
    }),
    ("what a topic retained is not heard twice after a resumption", |case| {
        case.retain("on");
        case.subscribe("a", "kit.state", &json!({}));
        case.run();
        case.lose();
        case.connect();
        case.retain("off");
        case.run();
    }),
    ("a server that has forgotten the client is asked for everything again", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.subscribe("b", "kit.count", &json!({ "to": 1 }));
        case.subscribe("c", "kit.text", &json!({}));
        case.run();
        case.unsubscribe("c");
        case.run();
        case.lose();
        case.restart();
        case.connect();
        case.publish("again");
        case.run();
    }),
    ("a subscription that ended while away is not resumed", |case| {
        case.subscribe("a", "kit.text", &json!({}));
        case.subscribe("b", "kit.text", &json!({}));
        case.run();
        case.lose();
        case.unsubscribe("a");
        case.connect();
        case.publish("x");
        case.run();
    }),
];

fn results(case: &mut Recorder) {
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(9_007_199_254_740_991_i64),
        json!(1.5),
        json!("é\u{1f980}\u{0}"),
        json!([]),
        json!([[1, [2]], {}]),
        json!({ "a": { "b": [null] }, "": 0, "__proto__": 1 }),
    ];
    for (at, value) in values.into_iter().enumerate() {
        case.call(&format!("echo {at}"), "kit.echo", &json!([value]));
    }
    for integer in ["largest", "smallest", "beyond"] {
        case.call(integer, "kit.integer", &json!([integer]));
    }
    case.run();
}

fn errors(case: &mut Recorder) {
    case.call("own", "kit.fail", &json!([{ "why": ["x", 1] }]));
    case.call("unknown", "kit.unknown", &json!([]));
    case.call("too many", "kit.echo", &json!([1, 2]));
    case.call("too few", "kit.echo", &json!([]));
    case.call("wrong", "kit.blob", &json!(["x"]));
    case.run();
}

#[test]
fn a_client_sends_and_sees_what_is_recorded() {
    ALL.into_iter().for_each(check);
}

fn check(protocol: &'static dyn Protocol) {
    let lines: Vec<String> = CASES
        .iter()
        .map(|(title, play)| {
            let mut case = Recorder::new(protocol);
            case.connect();
            play(&mut case);
            json!({ "case": title, "steps": case.finish() }).to_string()
        })
        .collect();
    let made = format!("[\n{}\n]\n", lines.join(",\n"));
    let name = format!("{}.json", protocol.name());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &made).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap();
    for (made, kept) in made.lines().zip(kept.lines()) {
        assert_eq!(made, kept, "if this is intended, renew the file with UPDATE_GOLDEN=1");
    }
    assert_eq!(made, kept);
}
