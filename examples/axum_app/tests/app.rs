//! The application as its users meet it: the program, over loopback, to its end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use wslink::client::{Session, State};

struct App {
    program: Child,
    output: BufReader<std::process::ChildStdout>,
    host: String,
    secret: String,
}

impl App {
    fn start() -> Self {
        let mut program =
            Command::new(env!("CARGO_BIN_EXE_wslink-example-axum-app")).arg("0").stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let (host, secret) = line.trim().strip_prefix("listening on http://").unwrap().split_once("/viewer/?secret=").unwrap();
        Self { host: host.to_owned(), secret: secret.to_owned(), program, output }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response
    }

    async fn session(&self) -> Session {
        let url = format!("ws://{}/viewer/ws", self.host);
        Session::builder(&url).secret(&self.secret).without_reconnect().connect().await.unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[test]
fn routes_files_and_probes_share_the_port() {
    let app = App::start();
    assert!(app.get("/").ends_with("visit 1\n"));
    for (path, to) in [("/viewer?a=b", "./viewer/index.html?a=b"), ("/viewer/?a=b", "index.html?a=b")] {
        assert!(app.get(path).contains(&format!("location: {to}\r\n")), "{path}: {}", app.get(path));
    }
    let page = app.get("/viewer/index.html");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<title>Viewer</title>"), "{page}");
    assert!(page.contains("x-content-type-options: nosniff") && page.contains("x-served-by: axum-app"), "{page}");
    assert!(app.get("/viewer/ws").starts_with("HTTP/1.1 426"));
    assert!(app.get("/viewer/ready").ends_with("ready\n"));
    for path in ["/viewer/healthz", "/healthz", "/viewer/%2e%2e/Cargo.toml", "/viewer/..%2fCargo.toml"] {
        assert!(app.get(path).starts_with("HTTP/1.1 404"), "{path}");
    }
}

#[tokio::test]
async fn a_viewer_sees_what_the_application_does() {
    let app = App::start();
    let session = app.session().await;
    let mut changes = session.subscribe_untyped::<u64>("visits.changed").await.unwrap();
    app.get("/");
    assert_eq!(changes.next().await.unwrap().unwrap(), 1);
    assert_eq!(session.call::<u64>("visits.count", ()).await.unwrap(), 1);
    assert_eq!(session.call::<String>("visits.address", ()).await.unwrap(), "127.0.0.1");
    session.close().await;
}

#[tokio::test]
async fn both_end_gracefully() {
    let mut app = App::start();
    let session = app.session().await;
    let waiting = session.call::<u32>("visits.wait", (500,));
    let waiting = tokio::spawn(waiting.into_future());
    assert_eq!(session.call::<u64>("visits.count", ()).await.unwrap(), 0);
    Command::new("kill").arg(app.program.id().to_string()).status().unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), 500, "what is in flight is answered");
    session.states().until(|state| matches!(state, State::Closed)).await;
    assert!(app.program.wait().unwrap().success());
    let mut rest = String::new();
    app.output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ended\n");
}
