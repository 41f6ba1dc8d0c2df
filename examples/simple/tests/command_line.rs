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
    command.env_remove("RUST_LOG").env_remove("WSLINK_READY_MSG").args(["--host", "127.0.0.1", "--port", "0"]).args(options);
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
    /// What it said before that, on its standard error.
    said: String,
}

impl Program {
    fn start(options: &[&str]) -> Self {
        Self::run(&mut command(options))
    }

    fn run(command: &mut Command) -> Self {
        let mut program = Self::piped(command);
        assert_eq!(program.line(), "wslink: Starting factory");
        program
    }

    /// As far as it says where it listens.
    fn piped(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            assert_ne!(errors.read_line(&mut line).unwrap(), 0, "it ended: {said}");
            if let Some(url) = line.trim_end().strip_prefix("wslink: listening on ") {
                break url.to_owned();
            }
            said += &line;
        };
        // What it logs must not stop it when nobody reads.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self { child, output, url, said }
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

/// `systemctl reload`
fn hang_up(program: &Program) {
    assert!(Command::new("kill").args(["-HUP", &program.child.id().to_string()]).status().unwrap().success());
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
    let wins = Program::start(&["--authKeyFile", file, "--authKey", "x"]);
    assert_eq!(wins.add("/ws", "of the file").await.unwrap(), 6);
    for options in [&["--authKey-file", "/dev/null"][..], &["--authKey-file", "/nowhere"]] {
        let failed = ended(options);
        assert!(!failed.status.success() && !failed.stderr.is_empty(), "{options:?}");
    }
}

#[tokio::test]
async fn a_secret_that_nobody_could_say_is_refused_and_blanks_are_none_of_it() {
    for failed in
        [ended(&["--authKey", ""]), ended(&["--authKey", "  "]), command(&[]).env("WSLINK_AUTH_KEY", "").output().unwrap()]
    {
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(failed.status.code() == Some(1) && said.contains("the secret of `--authKey`"), "{said}");
    }
    let file = folder("blanks").join("secret");
    std::fs::write(&file, "\u{feff}of the file \r\nmore\n").unwrap();
    let program = Program::start(&["--authKey-file", file.to_str().unwrap()]);
    assert_eq!(program.add("/ws", "of the file").await.unwrap(), 6);
    assert!(program.said.contains("blanks around the secret"), "{}", program.said);
}

#[test]
fn what_launchers_and_images_say_to_other_servers_is_no_mistake() {
    let options = ["--server", "--banner", "--app", "--hot-reload", "--trame-args", "x", "--no-ws-compress", "--content", ""];
    let program = Program::start(&[&options[..], &["--fs-endpoints", "", "--ssl", ""]].concat());
    assert!(program.url.starts_with("http://"), "{}", program.url);
    assert!(program.said.contains("--no-ws-compress, --server"), "{}", program.said);
    assert_eq!(ended(&["--unheard"]).status.code(), Some(2));
    let program = Program::start(&["--unheard", "--of=1", "--ignore-unknown"]);
    assert!(program.said.contains("`--unheard`") && program.said.contains("`--of=1`"), "{}", program.said);
}

#[tokio::test]
async fn long_options_may_be_shortened() {
    assert_eq!(Program::start(&["--auth", "abc"]).add("/ws", "abc").await.unwrap(), 6);
    assert_eq!(ended(&["--max-cl", "1"]).status.code(), Some(2), "there are two of them");
}

#[test]
fn variables_of_the_original_are_obeyed() {
    let hello = |program: &Program| {
        let (mut socket, _) = tungstenite::connect(format!("ws://{}/ws", program.host())).unwrap();
        let hello = r#"{"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": "wslink-secret"}]}"#;
        socket.send(Message::text(hello)).unwrap();
        socket
    };
    let program = Program::run(command(&[]).env("WSLINK_MAX_MSG_SIZE", "65536").env("WSLINK_HEART_BEAT", "0"));
    let mut socket = hello(&program);
    assert!(socket.read().unwrap().into_text().unwrap().contains("clientID"));
    socket.send(Message::text("x".repeat(65536 + 5000))).unwrap();
    let closed = loop {
        match socket.read() {
            Ok(Message::Close(Some(frame))) => break u16::from(frame.code),
            Ok(_) => {}
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(closed, 1009);
    let folder = folder("headers");
    std::fs::write(folder.join("headers.json"), r#"{"X-Mine": "yes"}"#).unwrap();
    let program = Program::run(command(&[]).env("WSLINK_HTTP_HEADERS", folder.join("headers.json")));
    assert!(program.get("/healthz").contains("x-mine: yes\r\n"));
    for (name, value) in [("WSLINK_MAX_MSG_SIZE", "much"), ("WSLINK_HTTP_HEADERS", "/nowhere"), ("WSLINK_HEART_BEAT", "x")] {
        let failed = command(&[]).env(name, value).output().unwrap();
        assert!(failed.status.code() == Some(1) && String::from_utf8_lossy(&failed.stderr).contains(name), "{name}");
    }
}

#[test]
fn links_out_of_a_folder_are_followed_where_that_is_wanted() {
    let folder = folder("links");
    std::fs::create_dir_all(folder.join("public")).unwrap();
    std::fs::write(folder.join("private.txt"), "private").unwrap();
    let _ = std::os::unix::fs::symlink(folder.join("private.txt"), folder.join("public/link.txt"));
    let public = folder.join("public");
    let content = ["--content", public.to_str().unwrap()];
    assert!(Program::start(&content).get("/link.txt").starts_with("HTTP/1.1 404"));
    let follows = Program::start(&[&content[..], &["--follow-symlinks"]].concat());
    assert!(follows.get("/link.txt").ends_with("private") && follows.said.contains("lead out of"), "{}", follows.said);
    let follows = Program::run(command(&content).env("WSLINK_FOLLOW_SYMLINKS", "1"));
    assert!(follows.get("/link.txt").ends_with("private"));
    let none = Program::start(&[&content[..], &["--no-http"]].concat());
    assert!(none.get("/index.html").starts_with("HTTP/1.1 404") && none.get("/ws").starts_with("HTTP/1.1 426"));
}

#[test]
fn origins_and_hosts_that_could_never_match_are_refused_at_the_start() {
    for options in [["--allow-origin", "app.example.com"], ["--allow-origin", "*"], ["--allow-host", "*.example.com"]] {
        let failed = ended(&options);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(failed.status.code() == Some(1) && said.contains("write"), "{options:?}: {said}");
    }
    let any = Program::start(&["--allow-origin", "any", "--allow-host", "any"]);
    assert!(any.said.contains("every origin") && any.said.contains("every host name"), "{}", any.said);
    assert!(Program::start(&["--host", "[::1]"]).url.contains("[::1]"), "an address as it stands in URLs");
}

/// Given in place of the port, by whoever starts it.
#[test]
fn a_supervisors_socket_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Only the process itself can say who it is, and the first descriptor that is passed is 3.
    let script = format!("export LISTEN_PID=$$ LISTEN_FDS=1; exec {PROGRAM} --host 127.0.0.1 --port 1 3<&0");
    let stdin = Stdio::from(std::os::fd::OwnedFd::from(listener));
    let program = Program::run(Command::new("sh").args(["-c", &script]).env_remove("RUST_LOG").stdin(stdin));
    assert_eq!(program.host(), address.to_string());
    assert!(program.get("/ws").starts_with("HTTP/1.1 426"));
}

#[test]
fn it_says_what_it_is() {
    let version = ended(&["--version"]);
    let expected = concat!("wslink-example-simple ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&version.stdout), expected);
    let help = ended(&["--help"]);
    assert!(String::from_utf8_lossy(&help.stdout).starts_with(env!("CARGO_PKG_DESCRIPTION")));
    #[cfg(feature = "manifest")]
    {
        let manifest = ended(&["--manifest"]);
        let manifest = String::from_utf8_lossy(&manifest.stdout).into_owned();
        assert!(manifest.contains(r#""title": "wslink-example-simple""#), "{manifest}");
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
    let renewed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(&certificate, "half done").unwrap();
    hang_up(&program);
    std::fs::write(&key, renewed.signing_key.serialize_pem()).unwrap();
    std::fs::write(&certificate, renewed.cert.pem()).unwrap();
    hang_up(&program);
    while add(session().certificate(renewed.cert.pem()).unwrap()).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert!(add(session().certificate(made.cert.pem()).unwrap()).await.is_err(), "the certificate of before");
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
    assert_eq!(Program::start(&[]).end("-HUP").code(), Some(0), "there is nothing to reload");
    assert_eq!(Program::start(&["--nosignalhandlers"]).end("-HUP").signal(), Some(1));
    assert_eq!(Program::start(&["--nosignalhandlers"]).end("-TERM").signal(), Some(15));
    let mut idle = Program::start(&["--timeout", "0.2"]);
    assert_eq!(idle.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let failed = Command::new(PROGRAM).args(["--host", "127.0.0.1", "--port", &port]).output().unwrap();
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(failed.status.code() == Some(1) && said.contains(&port), "{said}");
}

#[test]
fn a_launcher_chooses_the_line_that_it_waits_for() {
    let mut child =
        command(&["--debug"]).env("WSLINK_READY_MSG", "go").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "go");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(lines.next().is_none(), "that line alone");
    let mut silent = Program::piped(command(&[]).env("WSLINK_READY_MSG", ""));
    silent.child.kill().unwrap();
    assert_eq!(silent.line(), "", "an empty one is none");
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
    for (options, form) in [
        (["--max-message", "much"], "write one like `64MiB`"),
        (["--ping", "30"], "write one like `500ms`"),
        (["--grace", "soon"], "write one like `500ms`"),
        (["--max-clients", "-1"], "write one like `64`"),
        (["--max-calls", "many"], "write one like `64`"),
        (["--trust-proxy", "nginx"], "write one like `10.0.0.0/8`"),
    ] {
        let failed = ended(&options);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(failed.status.code() == Some(2) && said.contains(options[0]) && said.contains(form), "{options:?}: {said}");
    }
    for option in ["--max-clients", "--max-blocking", "--max-calls"] {
        let failed = ended(&[option, "0"]);
        let said = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert!(failed.status.code() == Some(1) && said.contains(option), "{option}: {said}");
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

#[test]
fn it_connects_out_over_tls_to_a_relay_that_proves_itself() {
    use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = folder("relay").join("trusted.pem");
    std::fs::write(&trusted, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.into()], key)
        .unwrap();
    let config = std::sync::Arc::new(config);
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("wss://localhost:{}/relay", relay.local_addr().unwrap().port());
    let start = |command: &mut Command| command.args(["--reverse-url", &url]).stdout(Stdio::null()).spawn().unwrap();
    let accept = || StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), relay.accept().unwrap().0);

    let mut child = start(command(&[]).env("SSL_CERT_FILE", &trusted));
    let mut socket = tungstenite::accept(accept()).unwrap();
    let hello = r#"{"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": "wslink-secret"}]}"#;
    socket.send(Message::text(hello)).unwrap();
    assert!(socket.read().unwrap().into_text().unwrap().contains("clientID"));
    socket.close(None).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));

    let mut child = start(command(&[]).env_remove("SSL_CERT_FILE"));
    assert!(tungstenite::accept(accept()).is_err(), "a relay that anybody could be");
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
