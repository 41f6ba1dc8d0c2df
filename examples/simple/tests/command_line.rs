//! The command line, option by option, on the program itself.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, net::UnixStream, process::ExitStatusExt},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use tungstenite::Message;
use wslink::client::{Error, Session};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wslink-example-simple");

/// The program at a free port.
fn command(options: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_remove("PORT").env_remove("RUST_LOG").args(["--host", "127.0.0.1", "--port", "0"]).args(options);
    command
}

/// What it says when it has ended by itself.
fn ended(options: &[&str]) -> Output {
    command(options).output().unwrap()
}

struct Program {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What it says that it listens at.
    url: String,
}

impl Program {
    fn start(options: &[&str]) -> Self {
        Self::run(&mut command(options))
    }

    fn run(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut program = Self { child, output, url: String::new() };
        program.url = program.line().strip_prefix("wslink: listening on ").unwrap().to_owned();
        assert_eq!(program.line(), "wslink: Starting factory");
        program
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Host and port.
    fn host(&self) -> &str {
        self.url.split('/').nth(2).unwrap()
    }

    fn get(&self, path: &str) -> String {
        ask(TcpStream::connect(self.host()).unwrap(), path)
    }

    async fn add(&self, endpoint: &str, secret: &str) -> Result<i64, Error> {
        add(Session::builder(&format!("ws://{}{endpoint}", self.host())).secret(secret)).await
    }

    fn end(mut self, signal: &str) -> std::process::ExitStatus {
        Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn add(session: wslink::client::Builder) -> Result<i64, Error> {
    let session = session.without_reconnect().connect().await?;
    let sum = session.call("myprotocol.add", ([1, 2, 3],)).await;
    session.close().await;
    sum
}

fn ask(mut stream: impl Read + Write, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("wslink-command-line-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test]
async fn secrets_come_from_the_command_line_a_file_or_the_environment() {
    let file = folder("secret").join("secret");
    std::fs::write(&file, "of the file\n").unwrap();
    let file = file.to_str().unwrap();
    for (program, secret) in [
        (Program::start(&[]), "wslink-secret"),
        (Program::start(&["--authKey", "given"]), "given"),
        (Program::start(&["--authKey-file", file]), "of the file"),
        (Program::run(command(&[]).env("WSLINK_AUTH_KEY", "environment")), "environment"),
    ] {
        assert!(!program.url.contains("secret"), "what is known is not printed: {}", program.url);
        assert_eq!(program.add("/ws", secret).await.unwrap(), 6);
        assert!(program.add("/ws", "wrong").await.is_err());
    }
    for options in
        [&["--authKey-file", "/dev/null"][..], &["--authKey-file", "/nowhere"], &["--authKey-file", file, "--authKey", "x"]]
    {
        let failed = ended(options);
        assert!(!failed.status.success() && !failed.stderr.is_empty(), "{options:?}");
    }
}

#[test]
fn files_are_served_where_they_are_told_to_be() {
    let (front, data) = (folder("front"), folder("data"));
    std::fs::write(front.join("index.html"), "front").unwrap();
    std::fs::write(data.join("data.txt"), "data").unwrap();
    let endpoints = format!("data={0}|more={0}", data.display());
    let options = ["--content", front.to_str().unwrap(), "--fs-endpoints", &endpoints, "--header", "X-Mine: yes"];
    let program = Program::start(&options);
    assert!(program.get("/?a=b").contains("location: index.html?a=b\r\n"));
    assert!(program.get("/index.html").ends_with("front") && program.get("/index.html").contains("x-mine: yes\r\n"));
    assert!(program.get("/data/data.txt").ends_with("data") && program.get("/more/data.txt").ends_with("data"));
    for options in [["--content", "/nowhere"], ["--fs-endpoints", "data"], ["--header", "none"]] {
        assert!(!ended(&options).status.success(), "{options:?}");
    }
}

#[tokio::test]
async fn the_websocket_is_where_it_is_told_to_be_or_nowhere() {
    let elsewhere = Program::start(&["--ws-endpoint", "a/socket"]);
    assert_eq!(elsewhere.add("/a/socket", "wslink-secret").await.unwrap(), 6);
    assert!(elsewhere.get("/ws").starts_with("HTTP/1.1 404"));
    assert!(Program::start(&["--no-ws-endpoint"]).get("/ws").starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn tls_comes_from_files_or_is_made() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = folder("tls");
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let program = Program::start(&["--ssl", &format!("{},{}", certificate.display(), key.display())]);
    assert!(program.url.starts_with("https://"));
    let session = || Session::builder(&format!("wss://{}/ws", program.host()));
    assert_eq!(add(session().certificate(made.cert.pem()).unwrap()).await.unwrap(), 6);
    assert!(add(session()).await.is_err(), "a certificate that nobody trusts");
    let adhoc = Program::start(&["--ssl", "adhoc"]);
    let refused = add(Session::builder(&format!("wss://{}/ws", adhoc.host()))).await.unwrap_err();
    assert!(refused.to_string().to_lowercase().contains("certificate"), "{refused}");
    for options in [["--ssl", "one-file"], ["--ssl", "/nowhere,/nowhere"]] {
        assert!(!ended(&options).status.success(), "{options:?}");
    }
}

#[test]
fn it_ends_when_it_is_told_to() {
    assert_eq!(Program::start(&[]).end("-TERM").code(), Some(0));
    assert_eq!(Program::start(&[]).end("-INT").code(), Some(0));
    assert_eq!(Program::start(&["--nosignalhandlers"]).end("-TERM").signal(), Some(15));
    let mut idle = Program::start(&["--timeout", "0.2"]);
    assert_eq!(idle.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let failed = Command::new(PROGRAM).args(["--host", "127.0.0.1"]).env("PORT", &port).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(failed.status.code() == Some(1) && said.contains(&port), "`PORT` is the default of `--port`: {said}");
}

#[test]
fn a_launcher_chooses_the_line_that_it_waits_for() {
    let mut child =
        command(&["--debug"]).env("WSLINK_READY_MSG", "go").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.map(Result::unwrap).nth(1).as_deref(), Some("go"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_unix_socket_has_the_mode_that_it_is_given() {
    let path = folder("unix").join("simple.sock");
    let options = ["--unix", path.to_str().unwrap(), "--unix-mode", "660"];
    let program = Program::start(&options);
    assert_eq!(program.url, format!("unix:{}", path.display()));
    assert!(ask(UnixStream::connect(&path).unwrap(), "/ws").starts_with("HTTP/1.1 426"));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);
    assert!(!ended(&options).status.success(), "somebody is there");
    assert_eq!(program.end("-TERM").code(), Some(0));
    assert!(!path.exists());
    assert!(!ended(&["--unix-mode", "999"]).status.success());
}

#[test]
fn limits_have_units() {
    let program = Program::start(&["--max-clients", "1", "--max-message", "64MiB", "--ping", "1m 30s", "--grace", "500ms"]);
    let _inside = TcpStream::connect(program.host()).unwrap();
    while !program.get("/ws").starts_with("HTTP/1.1 503") {}
    for options in [["--max-message", "much"], ["--ping", "30"], ["--max-clients", "-1"], ["--trust-proxy", "nginx"]] {
        assert_eq!(ended(&options).status.code(), Some(2), "{options:?}");
    }
    assert!(!ended(&["--max-message", "8GiB"]).status.success(), "more than a chunk can say");
    let help = ended(&["--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--max-message <SIZE>"));
}

#[test]
fn it_connects_out_when_it_is_told_where() {
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/relay?session=1", relay.local_addr().unwrap());
    let mut child = command(&["--reverse-url", &url]).stdout(Stdio::null()).spawn().unwrap();
    let mut socket = tungstenite::accept(relay.accept().unwrap().0).unwrap();
    let hello = r#"{"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": "wslink-secret"}]}"#;
    socket.send(Message::text(hello)).unwrap();
    assert!(socket.read().unwrap().into_text().unwrap().contains("clientID"));
    socket.close(None).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let nobody = ended(&["--reverse-url", &url.replace("ws://", "http://")]);
    assert!(!nobody.status.success());
}
