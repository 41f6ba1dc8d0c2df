//! The manifest of a service: as recorded, by HTTP, and compared with changed ones.

use std::{env, fs};

use wslink::{
    Manifest, Server,
    manifest::{Kind, compare},
};

use crate::{
    gallery::Gallery,
    harness::TestServer,
    http::{request, status},
};

const GOLDEN: &str = "tests/golden/gallery.openrpc.json";

fn gallery() -> Manifest {
    Manifest::of::<Gallery>().named("gallery", "1.0.0")
}

#[test]
fn it_is_as_recorded_byte_for_byte() {
    let manifest = gallery();
    if env::var_os("UPDATE_MANIFEST").is_some() {
        fs::write(GOLDEN, manifest.to_json()).unwrap();
    }
    let recorded = fs::read_to_string(GOLDEN).unwrap();
    assert!(manifest.to_json() == recorded, "{GOLDEN} differs; `UPDATE_MANIFEST=1 cargo test` writes it anew");
    assert_eq!(recorded.parse::<Manifest>().unwrap(), manifest);
    manifest.assert_unchanged(GOLDEN);
}

#[test]
fn a_server_tells_what_it_has_mounted_and_the_program_what_it_has_linked() {
    let server = Server::builder().service(Gallery::new).secret_grants(["curator"]).build().unwrap();
    assert_eq!(compare(&server.manifest(), &Manifest::of::<Gallery>()), []);
    let told: serde_json::Value = serde_json::from_str(&server.manifest().to_json()).unwrap();
    let limits = serde_json::json!({"maxMsgSize": 4_194_304, "messageBytes": 268_435_456, "callsInFlight": 1024});
    assert_eq!(told["x-wslink"]["limits"], limits);
    let linked = wslink::manifest().to_json();
    assert!(linked.contains("gallery.find") && linked.contains("kit.echo"), "{linked}");
}

#[test]
fn it_is_served_when_it_is_asked_for_and_to_whom_the_websocket_is() {
    let serving = TestServer::start(|builder| builder.service(Gallery::new).secret_grants(["curator"]).manifest(true));
    let response = request(&serving, "GET /manifest.json", "Host: localhost\r\nConnection: close\r\n");
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("application/json"), "{head}");
    assert_eq!(body, serving.server.manifest().to_json());
    let foreign = request(&serving, "GET /manifest.json", "Host: rebound.example.com\r\nConnection: close\r\n");
    assert_eq!(status(&foreign), "403");

    let silent = TestServer::start(|builder| builder.service(Gallery::new).secret_grants(["curator"]));
    assert_eq!(status(&request(&silent, "GET /manifest.json", "Host: localhost\r\nConnection: close\r\n")), "404");
}

/// What `change` does to the recorded manifest, in words.
fn changes(change: &[(&str, &str)]) -> Vec<String> {
    let old = gallery().to_json();
    let new = change.iter().fold(old.clone(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the manifest");
        text.replacen(from, to, 1)
    });
    let changes = compare(&old.parse().unwrap(), &new.parse().unwrap());
    changes.iter().map(ToString::to_string).collect()
}

#[test]
fn what_breaks_clients_is_told_from_what_does_not() {
    for (change, told) in [
        (
            ("gallery.find", "gallery.look_up"),
            vec!["breaking: `gallery.find`: the method is gone", "additive: `gallery.look_up`: a new method"],
        ),
        (("Finds a picture.", "Looks a picture up."), vec!["documentation: `gallery.find`: its documentation"]),
        (("\"deprecated\": true", "\"deprecated\": false"), vec!["documentation: `gallery.any`: it is no longer deprecated"]),
        (("\"policy\": \"latest\"", "\"policy\": \"reliable\""), vec!["additive: `gallery.hung`: no event is lost now"]),
        (
            ("\"default\": 90", "\"default\": 75"),
            vec!["breaking: `gallery.hang`: parameter `quality` had the default `90` and has `75`"],
        ),
        (("\"code\": 413", "\"code\": 414"), vec![]),
        (
            ("\"timeoutMs\": 5000", "\"timeoutMs\": 4000"),
            vec!["breaking: `gallery.any`: a call could take 5000 ms and may take 4000 ms"],
        ),
        (
            ("\"require\": \"curator\"", "\"require\": \"director\""),
            vec!["breaking: `gallery.any`: it required `curator` and requires `director`"],
        ),
        (
            (",\n        \"require\": \"curator\"", ""),
            vec!["additive: `gallery.any`: it required `curator` and requires nothing"],
        ),
        (
            ("\"name\": \"not_found\"", "\"name\": \"missing\""),
            vec!["breaking: `gallery.find`: the error `not_found` is gone", "additive: `gallery.find`: a new error `missing`"],
        ),
    ] {
        assert_eq!(changes(&[change]), told, "{change:?}");
    }
}

#[test]
fn a_changed_type_is_judged_by_where_it_is_used() {
    // Of a type that is taken as `Size` and sent as `SizeOutput`.
    let taken = (
        "\"Size\": {\n        \"description\": \"Width and height.\",\n        \"properties\": {",
        "\"Size\": {\n        \"description\": \"Width and height.\",\n        \"properties\": {\n          \"depth\": {},",
    );
    assert_eq!(changes(&[taken]).len(), 3, "{:?}", changes(&[taken]));
    assert!(changes(&[taken]).iter().all(|change| change.starts_with("additive:") && change.ends_with("depth is new")));
    let retyped = ("\"format\": \"uint8\"", "\"format\": \"uint16\"");
    let changes = changes(&[retyped]);
    assert_eq!(changes, ["breaking: `gallery.hang`: parameter `quality` had `\"uint8\"` as its format and has `\"uint16\"`"]);
}

#[test]
fn lower_limits_break_clients_and_higher_ones_do_not() {
    let with = |message_bytes| {
        let mut limits = wslink::Limits::default();
        limits.message_bytes = message_bytes;
        Server::builder().service(Gallery::new).secret_grants(["curator"]).limits(limits).build().unwrap().manifest()
    };
    let told = |old, new| compare(&with(old), &with(new)).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(told(9000, 8000), ["breaking: `the server`: it took 9000 bytes of a message and takes 8000"]);
    assert_eq!(told(8000, 9000), ["additive: `the server`: it took 8000 bytes of a message and takes 9000"]);
}

#[test]
fn equal_manifests_have_no_changes() {
    assert_eq!(compare(&gallery(), &gallery()), []);
    assert!(Kind::Breaking < Kind::Documentation, "what breaks comes first");
}
