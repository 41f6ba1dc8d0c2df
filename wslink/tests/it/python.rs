//! The Rust client against the original servers, installed by pip into an environment of the tests.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use futures_util::future::join_all;
use serde::Deserialize;
use wslink::{
    Attachment, ErrorCode, Value,
    client::{Continuity, Error, Event, ProtocolVersion, Session, named},
};

use crate::client::eager;

#[tokio::test]
async fn the_original_of_the_first_protocol() {
    talk_to("1.12.4", ProtocolVersion::V1).await;
}

#[tokio::test]
async fn the_original_of_the_second_protocol() {
    talk_to("2.6.0", ProtocolVersion::V2).await;
}

async fn talk_to(version: &str, protocol: ProtocolVersion) {
    let server = match Python::start(version) {
        Ok(server) => server,
        // Written to the terminal, past what the test runner captures.
        Err(why) => return skip(version, &why),
    };
    let relay = Relay::to(server.port);
    let address = format!("ws://{}/ws", relay.address);
    let builder = || Session::builder(&address).protocol(protocol).reconnect(eager());
    let refused = builder().secret("wrong").connect().await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");

    let session = builder().secret("a secret").connect().await.unwrap();
    calls(&session).await;
    attachments(&session).await;
    events(&session).await;
    errors(&session).await;
    come_back(&session, server, &relay, version).await;
    session.close().await;
}

#[derive(Deserialize, Debug, PartialEq)]
struct Echo {
    args: Vec<Value>,
    kwargs: Value,
}

async fn calls(session: &Session) {
    let args = vec![1.into(), "é".into(), Value::Null, Value::Float(0.5), vec![true.into()].into()];
    let kwargs = Value::map([("name", 3)]);
    let echo: Echo = session.call("probe.echo", named(&kwargs).after(args.clone())).await.unwrap();
    assert_eq!(echo, Echo { args, kwargs });
    let answers = join_all((0..100).map(|n| session.call::<Echo>("probe.echo", (n,)))).await;
    for (n, answer) in answers.into_iter().enumerate() {
        assert_eq!(answer.unwrap().args, [Value::from(n)]);
    }
}

/// What `pattern` in the service makes.
fn pattern(size: usize) -> Attachment {
    Attachment::new((0..=250).cycle().take(size).collect::<Vec<u8>>())
}

async fn attachments(session: &Session) {
    for size in [10, 100_000, 3 << 20] {
        let twice: Vec<Attachment> = session.call("probe.blob", named(Value::map([("times", 2)])).after((size,))).await.unwrap();
        assert!(twice == [pattern(size), pattern(size)]);
        let blob = pattern(size);
        let named = named(Value::map([("again", blob.clone())])).after((&blob, &blob));
        assert_eq!(session.call::<Vec<bool>>("probe.check", named).await.unwrap(), [true; 3], "{size} bytes");
    }
}

#[derive(Deserialize)]
struct Blob {
    blob: Attachment,
}

async fn events(session: &Session) {
    let mut numbers = session.subscribe_untyped::<u32>("numbers").await.unwrap();
    let () = session.call("probe.publish", ("numbers", 100)).await.unwrap();
    for n in 0..100 {
        assert_eq!(numbers.next().await.unwrap().unwrap(), n);
    }
    let mut blobs = session.subscribe_untyped::<Blob>("blobs").await.unwrap();
    let () = session.call("probe.publish.blob", ("blobs", 1 << 20)).await.unwrap();
    assert!(blobs.next().await.unwrap().unwrap().blob == pattern(1 << 20));
}

async fn errors(session: &Session) {
    let raised = session.call::<()>("probe.raise", ("why",)).await;
    let Err(Error::Call(error)) = raised else { panic!("{raised:?}") };
    assert_eq!((error.code(), error.message()), (ErrorCode::Exception, "Exception raised"));
    assert_eq!(error.data().and_then(|data| data.get("exception")?.as_str()), Some("ValueError('why')"));
    let missing = session.call::<()>("probe.none", ()).await;
    assert!(matches!(&missing, Err(Error::Call(error)) if error.code() == ErrorCode::MethodNotFound), "{missing:?}");
    // Such a server knows no deadline, so the client keeps time alone.
    let late = session.call::<f64>("probe.sleep", (0.5,)).timeout(std::time::Duration::from_millis(20)).await;
    assert!(matches!(late, Err(Error::Timeout)), "{late:?}");
}

async fn come_back(session: &Session, server: Python, relay: &Relay, version: &str) {
    let mut numbers = session.subscribe_untyped::<u32>("numbers").await.unwrap();
    let lost = session.call::<()>("probe.exit", ()).await;
    assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
    relay.lead(None);
    drop(server);
    let again = Python::start(version).unwrap();
    relay.lead(Some(again.port));
    let () = session.call("probe.publish", ("numbers", 1)).await.unwrap();
    assert_eq!(numbers.next_event().await.unwrap().unwrap(), Event::Reconnected(Continuity::Fresh));
    assert_eq!(numbers.next().await.unwrap().unwrap(), 0);
}

/// An address that stays the same while the servers behind it come and go: one that a server has left, another
/// program may take before the next server does.
struct Relay {
    address: SocketAddr,
    target: Arc<Mutex<Option<u16>>>,
}

impl Relay {
    fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let target = Arc::new(Mutex::new(Some(port)));
        let now = Arc::clone(&target);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (near, port) = (near.unwrap(), *now.lock().unwrap());
                // Who comes while there is no server is sent away.
                if let Some(Ok(far)) = port.map(|port| TcpStream::connect(("127.0.0.1", port))) {
                    pass_on(near.try_clone().unwrap(), far.try_clone().unwrap());
                    pass_on(far, near);
                }
            }
        });
        Self { address, target }
    }

    fn lead(&self, port: Option<u16>) {
        *self.target.lock().unwrap() = port;
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        // However it ends, both ends do.
        let _ = std::io::copy(&mut from, &mut to);
        for stream in [from, to] {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    });
}

/// A server of the original; ends when it is dropped.
struct Python {
    child: Child,
    port: u16,
}

impl Python {
    /// Starts it at a port that is free. An error says what this machine lacks.
    fn start(version: &str) -> Result<Self, String> {
        let service = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/service.py");
        let mut command = Command::new(environment(version)?);
        command.arg(service).args(["--host", "127.0.0.1", "--timeout", "0", "--port", "0"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let Some(line) = lines.next() else { panic!("the service of {version} ended without a port") };
            if let Some(port) = line.unwrap().strip_prefix("port ") {
                break port.parse().unwrap();
            }
        };
        // It must not block on what it says later.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, port })
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python of an environment that has this version, made at the first time.
fn environment(version: &str) -> Result<PathBuf, String> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wslink-{version}"));
    let python = |folder: &Path| folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if folder.is_dir() {
        return Ok(python(&folder));
    }
    // Another run of the tests may do the same: what is complete is moved in place at once.
    let making = folder.with_file_name(format!("wslink-{version}-{}", std::process::id()));
    run(Command::new(if cfg!(windows) { "python" } else { "python3" }).args(["-m", "venv"]).arg(&making))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(python(&making)).args(install).arg(format!("wslink=={version}")))?;
    if fs::rename(&making, &folder).is_err() {
        fs::remove_dir_all(&making).unwrap();
    }
    Ok(python(&folder))
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn skip(version: &str, why: &str) {
    use std::io::Write;
    let note = format!("\nSKIPPED: wslink {version} for Python cannot be installed here, so nothing was tried with it\n{why}\n");
    std::io::stderr().write_all(note.as_bytes()).unwrap();
}
