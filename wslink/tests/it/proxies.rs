//! Behind a proxy: whose word is taken of who the client is.

use serde_json::{Value, json};
use wslink::{Client, Limits, service};

use crate::harness::{ProtocolVersion, Speaker, TestServer};

const PROXY: [u8; 4] = [127, 0, 0, 1];
const ANYBODY: [u8; 4] = [127, 0, 0, 2];

/// Tells clients what the server knows of them.
struct Mirror;

#[service]
impl Mirror {
    #[rpc("mirror.address")]
    fn address(&self, client: Client) -> Option<String> {
        client.handshake().address().map(|address| address.to_string())
    }

    #[rpc("mirror.secure")]
    fn secure(&self, client: Client) -> Option<bool> {
        client.handshake().secure()
    }
}

fn server(change: fn(&mut Limits)) -> TestServer {
    TestServer::start(move |builder| {
        let mut limits = Limits::default();
        change(&mut limits);
        builder.mount(Mirror).limits(limits).trust_proxy("127.0.0.1/32".parse().unwrap()).allow_host("app.example.com")
    })
}

fn ask(server: &TestServer, source: [u8; 4], headers: &[(&'static str, &str)], method: &str) -> Value {
    let mut speaker = Speaker::over(server.connect_from(source, headers).unwrap(), ProtocolVersion::V2);
    assert!(speaker.hello("wslink-secret")["result"]["clientID"].is_string());
    speaker.call(method, json!([]))["result"].clone()
}

#[test]
fn a_trusted_proxy_tells_who_the_client_is() {
    let server = server(|_| {});
    let nginx = [("x-forwarded-for", "6.6.6.6, 192.0.2.7"), ("x-forwarded-proto", "https")];
    assert_eq!(ask(&server, PROXY, &nginx, "mirror.address"), "192.0.2.7:0");
    assert_eq!(ask(&server, PROXY, &nginx, "mirror.secure"), true);
    let standard = [("forwarded", "for=\"[2001:db8::7]:4711\";proto=http;host=app.example.com")];
    assert_eq!(ask(&server, PROXY, &standard, "mirror.address"), "[2001:db8::7]:4711");
    assert_eq!(ask(&server, PROXY, &standard, "mirror.secure"), false);
}

#[test]
fn nobody_else_does() {
    let server = server(|_| {});
    let lies = [("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https"), ("forwarded", "for=192.0.2.8")];
    let address = ask(&server, ANYBODY, &lies, "mirror.address");
    assert!(address.as_str().unwrap().starts_with("127.0.0.2:"), "{address}");
    assert_eq!(ask(&server, ANYBODY, &lies, "mirror.secure"), Value::Null);
    let host = [("x-forwarded-host", "evil.example")];
    assert_eq!(server.connect_from(PROXY, &host).err(), Some(403), "the host that the proxy was asked for is not ours");
    assert!(server.connect_from(ANYBODY, &host).is_ok(), "what others say of it is nothing");
}

#[test]
fn the_page_is_compared_with_what_the_proxy_was_asked_for() {
    let server = server(|_| {});
    let from = |scheme, origin| {
        let headers = [("x-forwarded-host", "app.example.com"), ("x-forwarded-proto", scheme), ("origin", origin)];
        server.connect_from(PROXY, &headers).err()
    };
    assert_eq!(from("https", "https://app.example.com"), None);
    assert_eq!(from("http", "http://app.example.com"), None);
    assert_eq!(from("https", "http://app.example.com"), Some(403));
    assert_eq!(from("https", "https://evil.example"), Some(403));
}

#[test]
fn headers_that_contradict_each_other_are_refused() {
    let server = server(|_| {});
    let headers = [("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=6.6.6.6")];
    assert_eq!(server.connect_from(PROXY, &headers).err(), Some(400));
}

#[test]
fn clients_of_a_proxy_are_counted_each() {
    let server = server(|limits| limits.address_unauthenticated = 2);
    let connect = |address: &str| server.connect_from(PROXY, &[("x-forwarded-for", address)]);
    let mut peers: Vec<_> = (0..2).map(|_| connect("192.0.2.7").unwrap()).collect();
    assert_eq!(connect("192.0.2.7").err(), Some(429));
    peers.extend((1..=8).map(|n| connect(&format!("2001:db8:0:{n}::1")).unwrap()));
    peers.extend((0..8).map(|_| server.connect_from(PROXY, &[]).unwrap()));
    peers.push(connect("2001:db8:0:1:2::3").unwrap());
    assert_eq!(connect("2001:db8:0:1:4::5").err(), Some(429), "one customer");
}
