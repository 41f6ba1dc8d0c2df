//! The HTTP side: who may open a WebSocket, and what else is served.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::PathBuf,
    time::Duration,
};

use wslink::{Limits, Server};

use crate::{harness::TestServer, kit};

const HANDSHAKE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Sends a request and returns everything that comes until the end or, after a handshake, its header.
pub(crate) fn request(server: &TestServer, line: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(stream, "{line} HTTP/1.1\r\n{headers}\r\n").unwrap();
    let mut response = Vec::new();
    let mut byte = [0];
    while !(response.starts_with(b"HTTP/1.1 101") && response.ends_with(b"\r\n\r\n")) && stream.read(&mut byte).unwrap() == 1 {
        response.push(byte[0]);
    }
    String::from_utf8_lossy(&response).into_owned()
}

fn handshake(server: &TestServer, headers: &str) -> String {
    request(server, "GET /ws", &format!("{HANDSHAKE}{headers}"))
}

pub(crate) fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or_default()
}

fn folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("wslink-http-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("public")).unwrap();
    std::fs::write(folder.join("public/index.html"), "<title>front</title>").unwrap();
    std::fs::write(folder.join("private.txt"), "private").unwrap();
    #[cfg(unix)]
    if !folder.join("public/link.txt").exists() {
        let _ = std::os::unix::fs::symlink(folder.join("private.txt"), folder.join("public/link.txt"));
    }
    folder
}

fn server() -> TestServer {
    TestServer::start(|builder| {
        builder
            .service(kit::Kit::new)
            .content(folder().join("public"))
            .folder("/data", folder().join("public"))
            .allow_origin("https://app.example.com")
            .allow_host("render.example.com")
    })
}

#[test]
fn a_handshake_of_this_version_is_accepted() {
    let response = handshake(&server(), "Host: localhost\r\nSec-WebSocket-Version: 13\r\n");
    assert_eq!(status(&response), "101");
    assert!(response.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{response}");
}

#[test]
fn other_requests_to_the_endpoint_are_told_what_it_is() {
    let server = server();
    let other_version = handshake(&server, "Host: localhost\r\nSec-WebSocket-Version: 12\r\nConnection: close\r\n");
    assert_eq!(status(&other_version), "426");
    assert!(other_version.to_lowercase().contains("sec-websocket-version: 13"), "{other_version}");
    assert_eq!(status(&request(&server, "GET /ws", "Host: localhost\r\nConnection: close\r\n")), "426");
    assert_eq!(status(&request(&server, "POST /ws", "Host: localhost\r\nConnection: close\r\n")), "405");
}

#[test]
fn pages_of_other_origins_and_names_of_others_are_refused() {
    let server = server();
    let try_with = |host: &str, origin: &str| {
        let origin = if origin.is_empty() { String::new() } else { format!("Origin: {origin}\r\n") };
        let headers = format!("Host: {host}\r\nSec-WebSocket-Version: 13\r\nConnection: close\r\n{origin}");
        status(&handshake(&server, &headers)).to_owned()
    };
    assert_eq!(try_with("localhost", "http://localhost:3000"), "101");
    assert_eq!(try_with("render.example.com", "https://app.example.com"), "101");
    assert_eq!(try_with("localhost", "http://evil.example"), "403");
    assert_eq!(try_with("localhost", "null"), "403");
    assert_eq!(try_with("localhost", "https://app.example.com.evil.example"), "403");
    assert_eq!(try_with("evil.example", ""), "403");
    assert_eq!(try_with("evil.example", "http://evil.example"), "403");
}

#[test]
fn static_files_are_served_and_no_others() {
    let server = server();
    let get = |path: &str| request(&server, &format!("GET {path}"), "Host: localhost\r\nConnection: close\r\n");
    assert!(get("/index.html").ends_with("<title>front</title>"));
    assert!(get("/data/index.html").ends_with("<title>front</title>"));
    let front = get("/?secret=x&y=1");
    assert!(status(&front) == "302" && front.contains("location: index.html?secret=x&y=1"), "{front}");
    let foreign = request(&server, "GET /index.html", "Host: evil.example\r\nConnection: close\r\n");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    for path in [
        "/../private.txt",
        "/%2e%2e/private.txt",
        "/..%2fprivate.txt",
        "/data/../../private.txt",
        "/nothing",
        "/link.txt",
        "/data/link.txt",
    ] {
        let response = get(path);
        assert!(response.starts_with("HTTP/1.1 4") && !response.contains("private"), "{path}: {response}");
    }
}

#[test]
fn a_header_that_does_not_end_is_not_waited_for() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.handshake = Duration::from_millis(100);
        builder.limits(limits)
    });
    for sent in ["", "GET /ws HTTP/1.1\r\nHost: lo"] {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{rest:?}");
    }
}

#[test]
fn settings_that_cannot_be_served_are_errors_and_not_panics() {
    let build = |set_up: fn(wslink::server::Builder) -> wslink::server::Builder| {
        set_up(Server::builder()).build().map(drop).unwrap_err().to_string()
    };
    assert_eq!(build(|builder| builder.endpoint("ws".to_owned())), "`ws` is not a path to serve; write it like `/ws`");
    assert_eq!(build(|builder| builder.endpoint("/{x}".to_owned())), "`/{x}` is not a path to serve; write it like `/ws`");
    assert_eq!(build(|builder| builder.folder("/ws", ".")), "`/ws` is given to two things; choose another path for one");
}
