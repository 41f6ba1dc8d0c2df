//! What Prometheus scrapes after known traffic.
//!
//! One test, since a process has one recorder of metrics.

use serde_json::json;
use wslink::Secret;

use crate::{
    harness::{BOTH, Got, Speaker, TestServer},
    http::request,
    kit::Kit,
};

fn scrape(server: &TestServer, headers: &str) -> String {
    request(server, "GET /metrics", &format!("Host: localhost\r\nConnection: close\r\n{headers}"))
}

/// The value of a sample, by its name and labels.
fn value(exposition: &str, sample: &str) -> f64 {
    let line = exposition.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in {exposition}")).parse().unwrap()
}

#[test]
fn a_scrape_after_known_traffic_has_its_numbers() {
    let server = TestServer::start(|builder| builder.prometheus("/metrics".to_owned()).service(Kit::new));
    for protocol in BOTH {
        let mut newcomer = Speaker::unauthenticated(&server, protocol);
        newcomer.hello("wrong");
        let mut speaker = Speaker::new(&server, protocol);
        speaker.call("kit.echo", json!([1]));
        speaker.call("kit.sleep", json!([5]));
        speaker.call("kit.raise", json!([7]));
        for unknown in 0..100 {
            speaker.call(&format!("kit.unknown.{unknown}"), json!([]));
        }
        speaker.call("kit.publish", json!(["a.topic", 1]));
        speaker.next();
        speaker.peer.close(1000);
        assert!(matches!(speaker.peer.next(), Got::Close(1000, _)));
    }
    while server.server.statistics().unwrap().connections > 0 {
        std::thread::yield_now();
    }

    let bearer = format!("Authorization: Bearer {}\r\n", Secret::published().reveal());
    let answer = scrape(&server, &bearer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    for (sample, expected) in [
        (r#"wslink_calls_total{method="kit.echo",outcome="ok"}"#, 2.0),
        (r#"wslink_calls_total{method="kit.raise",outcome="bad_arguments"}"#, 2.0),
        (r#"wslink_calls_total{method="(other)",outcome="not_found"}"#, 200.0),
        (r#"wslink_call_duration_seconds_count{method="kit.sleep"}"#, 2.0),
        (r#"wslink_call_duration_seconds_bucket{method="kit.sleep",le="0.0025"}"#, 0.0),
        (r#"wslink_call_duration_seconds_bucket{method="kit.sleep",le="+Inf"}"#, 2.0),
        ("wslink_calls_in_flight", 0.0),
        ("wslink_connections", 0.0),
        ("wslink_connections_total", 4.0),
        (r#"wslink_connections_closed_total{reason="closed"}"#, 2.0),
        (r#"wslink_connections_closed_total{reason="lost"}"#, 2.0),
        ("wslink_hellos_failed_total", 2.0),
        (r#"wslink_events_published_total{topic="(other)"}"#, 2.0),
        ("wslink_received_messages_total", 212.0),
        ("wslink_queued_bytes", 0.0),
    ] {
        assert!((value(&answer, sample) - expected).abs() < 0.5, "{sample} is not {expected}: {answer}");
    }
    assert!(value(&answer, "wslink_sent_bytes_total") > 10_000.0, "{answer}");
    assert!(answer.contains("# TYPE wslink_calls_total counter") && answer.contains("# HELP wslink_calls_total "), "{answer}");
    assert!(!answer.contains("kit.unknown"), "{answer}");

    for refused in ["", "Authorization: Bearer wrong\r\n", "Authorization: Basic d3NsaW5r\r\n"] {
        assert!(scrape(&server, refused).starts_with("HTTP/1.1 401"), "{refused}");
    }
    let page = format!("{bearer}Origin: http://evil.example\r\n");
    assert!(scrape(&server, &page).starts_with("HTTP/1.1 403"));
}
