//! The Rust client against the original servers, installed by pip into an environment of the tests.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
};

use futures_util::future::join_all;
use serde::Deserialize;
use wslink::{
    Attachment, ErrorCode, Value,
    client::{Continuity, Error, Event, Generation, Session, named},
};

use crate::client::eager;

#[tokio::test]
async fn the_original_of_the_first_generation() {
    talk_to("1.12.4", Generation::V1).await;
}

#[tokio::test]
async fn the_original_of_the_second_generation() {
    talk_to("2.6.0", Generation::V2).await;
}

async fn talk_to(version: &str, generation: Generation) {
    let server = match Python::start(version, 0) {
        Ok(server) => server,
        // Written to the terminal, past what the test runner captures.
        Err(why) => return skip(version, &why),
    };
    let address = format!("ws://127.0.0.1:{}/ws", server.port);
    let builder = || Session::builder(&address).generation(generation).reconnect(eager());
    let refused = builder().secret("wrong").connect().await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");

    let session = builder().secret("a secret").connect().await.unwrap();
    calls(&session).await;
    attachments(&session).await;
    events(&session).await;
    errors(&session).await;
    come_back(&session, server, version).await;
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

async fn come_back(session: &Session, server: Python, version: &str) {
    let mut numbers = session.subscribe_untyped::<u32>("numbers").await.unwrap();
    let lost = session.call::<()>("probe.exit", ()).await;
    assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
    let port = server.port;
    drop(server);
    let _again = Python::start(version, port).unwrap();
    let () = session.call("probe.publish", ("numbers", 1)).await.unwrap();
    assert_eq!(numbers.next_event().await.unwrap().unwrap(), Event::Reconnected(Continuity::Fresh));
    assert_eq!(numbers.next().await.unwrap().unwrap(), 0);
}

/// A server of the original; ends when it is dropped.
struct Python {
    child: Child,
    port: u16,
}

impl Python {
    /// Starts it at `port`, or any that is free. An error says what this machine lacks.
    fn start(version: &str, port: u16) -> Result<Self, String> {
        let service = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/service.py");
        let mut command = Command::new(environment(version)?);
        command.arg(service).args(["--host", "127.0.0.1", "--timeout", "0", "--port", &port.to_string()]);
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
