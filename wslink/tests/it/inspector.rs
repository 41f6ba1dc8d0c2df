//! Where the inspector is served, and to whom.

use serde_json::json;
use tokio::net::TcpListener;
use wslink::{LoginRequest, Principal, Rejection, Server, server::Inspector};

use crate::{
    content::ask,
    harness::{ProtocolVersion, Speaker, TestServer},
    http::request,
    kit::Kit,
};

const METHODS: [&str; 2] = ["wslink.inspector.manifest", "wslink.inspector.statistics"];

#[tokio::test]
async fn it_is_on_for_other_machines_only_when_that_is_said() {
    let server = Server::builder().service(Kit::new).inspector(Inspector::Loopback).build().unwrap();
    let refused = server.serve(TcpListener::bind("0.0.0.0:0").await.unwrap()).await.unwrap_err().to_string();
    assert!(refused.contains("--inspector=anywhere") && refused.contains("Inspector::Anywhere"), "{refused}");
    let server = Server::builder().service(Kit::new).inspector(Inspector::Anywhere).build().unwrap();
    server.stop();
    server.serve(TcpListener::bind("0.0.0.0:0").await.unwrap()).await.unwrap();
    let blind = Server::builder().endpoint(None).inspector(Inspector::Loopback).build().unwrap_err().to_string();
    assert!(blind.contains("endpoint"), "{blind}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_that_listens_itself_has_it_only_when_that_is_said() {
    for (reach, status) in [(Inspector::Loopback, "403"), (Inspector::Anywhere, "200")] {
        let server = Server::builder().inspector(reach).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(axum::serve(listener, axum::Router::new().nest("/viewer", server.router())).into_future());
        let asked = tokio::task::spawn_blocking(move || ask(address, "/viewer/_wslink")).await.unwrap();
        assert_eq!(asked, status, "{reach:?}");
        serving.abort();
    }
}

#[test]
fn its_page_knows_where_the_socket_is_and_loads_nothing_from_elsewhere() {
    let server = TestServer::start(|builder| builder.endpoint("/a/socket".to_owned()).inspector(Inspector::Loopback));
    let page = request(&server, "GET /_wslink", "Host: localhost\r\nConnection: close\r\n");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("content=\"/a/socket\""), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"), "{page}");
    for file in ["inspector.js", "style.css"] {
        let answer = request(&server, &format!("GET /_wslink/{file}"), "Host: localhost\r\nConnection: close\r\n");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let foreign = request(&server, "GET /_wslink", "Host: evil.example\r\nConnection: close\r\n");
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    let off = TestServer::start(|builder| builder);
    assert!(request(&off, "GET /_wslink", "Host: localhost\r\nConnection: close\r\n").starts_with("HTTP/1.1 404"));
}

#[test]
fn it_is_for_those_who_know_the_secret_and_is_no_part_of_what_is_offered() {
    let server = TestServer::start(|builder| builder.service(Kit::new).inspector(Inspector::Loopback));
    let mut newcomer = Speaker::unauthenticated(&server, ProtocolVersion::V2);
    for method in METHODS {
        assert_eq!(newcomer.call(method, json!([]))["error"]["code"], -32000);
    }
    let mut speaker = Speaker::new(&server, ProtocolVersion::V2);
    assert_eq!(speaker.call(METHODS[1], json!([]))["result"]["connections"], 2);
    let manifest = speaker.call(METHODS[0], json!([]))["result"].to_string();
    assert!(manifest.contains("kit.echo") && !manifest.contains("wslink.inspector"), "{manifest}");
    assert!(!server.server.manifest().to_json().contains("wslink.inspector"));
    // Nobody is to be told to mount it, or has it in the manifest of a program.
    assert!(wslink::rpc::linked().iter().all(|service| service.name != "Inspection"));
}

#[test]
fn an_authenticator_says_who_may_inspect() {
    async fn authenticate(attempt: LoginRequest) -> Result<Principal, Rejection> {
        match attempt.token() {
            Some("operator") => Ok(Principal::new("operator").granting(["wslink.inspector"])),
            _ => Ok(Principal::new("guest")),
        }
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, address) = runtime.block_on(async {
        let builder = Server::builder().service(Kit::new).inspector(Inspector::Loopback);
        let server = builder.authenticator(authenticate).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = server.clone();
        tokio::spawn(async move { serving.serve(listener).await });
        (server, address)
    });
    let url = format!("ws://{address}/ws");
    runtime.block_on(async {
        for (token, admitted) in [("guest", false), ("operator", true)] {
            let session = wslink::client::Session::builder(&url).secret(token).connect().await.unwrap();
            for method in METHODS {
                let answer: Result<serde_json::Value, _> = session.call(method, ()).await;
                assert_eq!(answer.is_ok(), admitted, "{method} {answer:?}");
            }
        }
        server.stop();
        server.stopped().await;
    });
}
