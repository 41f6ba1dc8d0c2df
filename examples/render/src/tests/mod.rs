//! What vtk.js expects of a server, asked over a socket in both protocols.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unwrap_used,
    reason = "tests read better so, and one that cannot go on has failed"
)]

use serde_json::{Value as Json, json};

use self::{
    harness::{BOTH, ProtocolVersion, TestServer},
    page::{Image, Message, Page},
};
use crate::protocol::Render;

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../../../../wslink/tests/it/harness.rs"]
mod harness;
mod page;

fn start(shared: bool) -> TestServer {
    TestServer::start(move |builder| builder.service(move |publisher| Render::new(publisher, shared)))
}

#[test]
fn a_fresh_page_gets_the_reply_before_the_first_picture() {
    let server = start(false);
    for protocol in BOTH {
        let mut page = Page::open(&server, protocol);
        // All of it is sent before the first reply, as vtk.js does.
        let observe = page.begin("viewport.image.push.observer.add", &json!(["-1"]));
        let resize = page.begin("viewport.image.push.original.size", &json!(["-1", 400, 400]));
        let again = page.begin("viewport.image.push.original.size", &json!(["-1", 125.5, 90]));
        let invalidate = page.begin("viewport.image.push.invalidate.cache", &json!(["-1"]));
        let push = page.begin("viewport.image.push", &json!([{"view": "-1", "size": [500, 400]}]));

        let done = json!({"result": "success"});
        let first = Message::Reply { id: observe, result: json!({"success": true, "viewId": "1"}) };
        assert_eq!(page.next(), first);
        let (mut replies, mut last) = (Vec::new(), None::<Image>);
        // A picture may be drawn before the server has read all of it.
        while replies.len() < 4 || last.as_ref().is_none_or(|image| image.size() != [125, 90]) {
            match page.next() {
                Message::Reply { id, result } => replies.push((id, result)),
                Message::Image(image) => {
                    assert!([[400, 400], [125, 90]].contains(&image.size()), "{image:?}");
                    last = Some(image);
                }
                failure @ Message::Failure { .. } => panic!("{failure:?}"),
            }
        }
        let last = last.unwrap();
        assert_eq!(replies, [(resize, done.clone()), (again, done.clone()), (invalidate, done), (push, Json::Null)]);
        let Json::Object(event) = &last.event else { panic!("{:?}", last.event) };
        assert_eq!(
            [&event["id"], &event["global_id"], &event["format"], &event["stale"]],
            [&json!("1"), &json!("1"), &json!("jpeg"), &json!(false)]
        );
        assert_eq!(event["memsize"], last.jpeg.len());
        assert_eq!(event["localTime"], 0);
        assert!(event["workTime"].is_u64() && event["mtime"].is_u64());
    }
}

#[test]
fn what_nobody_observes_is_said_in_a_result() {
    let server = start(false);
    for protocol in BOTH {
        let mut page = Page::open(&server, protocol);
        let calls = [
            ("viewport.image.push.quality", json!(["-1", 60, 0.5])),
            ("viewport.image.push.original.size", json!(["-1", 10, 10])),
            ("viewport.image.push.enabled", json!(["-1", true])),
        ];
        let unobserved = json!({"error": "Unable to find subscription for view 1"});
        for (method, args) in &calls {
            assert_eq!(page.call(method, args.clone()), unobserved);
        }
        page.call("viewport.image.push.observer.add", json!([-1]));
        for (method, args) in &calls {
            assert_eq!(page.call(method, args.clone()), json!({"result": "success"}));
        }
        assert_eq!(page.call("viewport.image.push.observer.remove", json!(["1"])), json!({"result": "success"}));
        for (method, args) in &calls {
            assert_eq!(page.call(method, args.clone()), unobserved);
        }
    }
}

#[test]
fn another_view_is_unknown() {
    let server = start(false);
    let mut page = Page::open(&server, ProtocolVersion::V2);
    let views = [json!("2"), json!(7), json!("")];
    for view in views {
        for method in ["viewport.image.push.observer.add", "viewport.camera.reset", "viewport.image.animation.start"] {
            assert_eq!(page.ask(method, &json!([view])), Message::Failure { code: -32001 });
        }
        assert_eq!(page.ask("viewport.image.push", &json!([{"view": view}])), Message::Failure { code: -32001 });
    }
}

#[test]
fn dragging_turns_moves_and_zooms_at_the_interactive_quality() {
    let server = start(false);
    for protocol in BOTH {
        let (mut page, still) = Page::observing(&server, protocol);
        assert_eq!((still.size(), &still.event["stale"]), ([120, 90], &json!(false)));
        let mut seen = vec![still.clone()];
        for button in ["buttonLeft", "buttonMiddle", "buttonRight"] {
            page.call("viewport.image.push.quality", json!(["-1", 50, 0.5]));
            page.mouse("down", button, 0.5, 0.5);
            let begun = page.image();
            assert_eq!((begun.size(), &begun.event["stale"]), ([60, 45], &json!(true)));
            page.mouse("down", button, 0.6, 0.62);
            let moved = page.image();
            assert!(moved.jpeg != begun.jpeg, "{button}");
            page.mouse("up", button, 0.6, 0.62);
            page.call("viewport.image.push.quality", json!(["-1", 90, 1]));
            let after = page.looked();
            assert_eq!((after.size(), &after.event["stale"]), ([120, 90], &json!(false)));
            assert!(seen.iter().all(|before| before.jpeg != after.jpeg), "{button}");
            seen.push(after);
        }
        assert_eq!(page.call("viewport.camera.reset", json!(["-1"])), "1");
        assert!(page.image().jpeg == still.jpeg);
    }
}

#[test]
fn the_wheel_zooms() {
    let server = start(false);
    for protocol in BOTH {
        let (mut page, still) = Page::observing(&server, protocol);
        assert_eq!(page.wheel("StartMouseWheel", 1.0), Json::Null);
        let nearer = page.image();
        assert!(nearer.jpeg != still.jpeg);
        assert_eq!(page.wheel("MouseWheel", -1.0), Json::Null);
        assert_eq!(page.image().event["events"], 2);
        let end = json!([{"type": "EndMouseWheel", "view": "-1"}]);
        assert_eq!(page.call("viewport.mouse.zoom.wheel", end), Json::Null);
        assert!(page.looked().jpeg.len().abs_diff(still.jpeg.len()) < still.jpeg.len() / 20);
    }
}

#[test]
fn a_new_size_is_used_by_the_next_picture_and_sends_none_itself() {
    let server = start(false);
    let (mut page, before) = Page::observing(&server, ProtocolVersion::V2);
    for (ratio, expected) in [(1.0, [101, 57]), (0.5, [50, 28]), (2.0, [203, 114])] {
        page.call("viewport.image.push.original.size", json!(["-1", 101.9, 57.1]));
        page.call("viewport.image.push.quality", json!(["-1", 80, ratio]));
        assert_eq!(page.looked().size(), expected);
    }
    assert_eq!(page.looked().number(), before.number() + 4, "as many as were asked for");
    // Whatever a client says, a picture has a size that can be drawn.
    page.call("viewport.image.push.original.size", json!(["-1", -5, 0]));
    assert_eq!(page.looked().size(), [1, 1]);
}

#[test]
fn an_animation_goes_on_until_it_is_stopped() {
    let server = start(false);
    for protocol in BOTH {
        let (mut page, still) = Page::observing(&server, protocol);
        assert_eq!(page.call("viewport.image.animation.fps.get", json!([])), json!(30.0));
        assert_eq!(page.call("viewport.image.animation.fps.max", json!([60])), Json::Null);
        assert_eq!(page.call("viewport.image.animation.fps.get", json!([])), json!(60.0));
        assert_eq!(page.call("viewport.image.animation.start", json!(["-1"])), Json::Null);
        let frames: Vec<_> = (0..3).map(|_| page.image()).collect();
        assert!(frames.iter().all(|frame| frame.jpeg != still.jpeg) && frames[0].jpeg != frames[2].jpeg);
        assert_eq!(page.call("viewport.image.animation.stop", json!(["-1"])), Json::Null);
        page.settled();
    }
}

#[test]
fn a_camera_is_placed_where_the_page_has_it() {
    let server = start(false);
    let (mut page, still) = Page::observing(&server, ProtocolVersion::V1);
    let place = json!(["-1", [0, 0, 0], [0, 1, 0], [0, 2, 14], false]);
    assert_eq!(page.call("viewport.camera.update", place), Json::Null);
    let placed = page.looked();
    assert!(placed.jpeg != still.jpeg);
    assert_eq!(placed.number(), still.number() + 1, "no picture by itself");
    let parameters = json!({
        "focalPoint": [0, 0, 0], "viewUp": [0, 1, 0], "position": [0, 2, 14],
        "parallelProjection": false, "viewAngle": 20, "parallelScale": 1,
    });
    assert_eq!(page.call("viewport.camera.update.params", json!(["-1", parameters, true])), Json::Null);
    assert!(page.image().jpeg != placed.jpeg);
    let blind = json!(["-1", [0, 0, 0], [0, 1, 0], [0, 5, 0], true]);
    assert_eq!(page.ask("viewport.camera.update", &blind), Message::Failure { code: -32001 });
}

#[test]
fn each_client_has_its_own_camera_unless_it_is_shared() {
    for shared in [false, true] {
        let server = start(shared);
        let (mut one, still) = Page::observing(&server, ProtocolVersion::V1);
        let (mut other, _) = Page::observing(&server, ProtocolVersion::V2);
        one.mouse("down", "buttonLeft", 0.2, 0.5);
        one.mouse("down", "buttonLeft", 0.7, 0.5);
        one.mouse("up", "buttonLeft", 0.7, 0.5);
        let turned = one.settled();
        let seen = other.settled();
        assert!((turned.jpeg == seen.jpeg) == shared);
        assert!(turned.jpeg != still.jpeg && (seen.jpeg == still.jpeg) != shared);
    }
}

#[test]
fn who_disabled_its_view_gets_nothing_until_it_enables_it() {
    let server = start(false);
    let (mut page, still) = Page::observing(&server, ProtocolVersion::V2);
    page.call("viewport.image.push.enabled", json!(["-1", false]));
    page.call("viewport.image.push", json!([{"view": "-1"}]));
    page.call("viewport.image.push.enabled", json!(["-1", true]));
    assert!(page.looked().number() <= still.number() + 2);
}
