//! The program, started and used by clients with tokens of all kinds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use wslink::{
    ErrorCode, Topic,
    client::{Error, Session},
};

const KEY: &str = "a key that only this test knows";

struct Program(Child, String);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wslink-example-auth-jwt"));
    command.env("JWT_KEY", key);
    command
}

fn start() -> Program {
    let mut child = program(KEY).args(["serve", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("{line}"));
    let url = format!("ws://{address}/ws");
    Program(child, url)
}

fn token(key: &str, arguments: &[&str]) -> String {
    let output = program(key).arg("issue").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn connect(program: &Program, token: String) -> Result<Session, Error> {
    Session::builder(&program.1).secret(token).without_reconnect().connect().await
}

fn is_forbidden<T: std::fmt::Debug>(result: &Result<T, Error>) -> bool {
    matches!(result, Err(Error::Call(error)) if error.code() == ErrorCode::Forbidden)
}

#[tokio::test]
async fn a_token_says_who_may_do_what() {
    let program = start();
    for bad in [token("another key", &["eve", "60", "editor"]), token(KEY, &["eve", "0"]), "no token".to_owned()] {
        let refused = connect(&program, bad).await;
        assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
    }
    let editor = connect(&program, token(KEY, &["alice", "60", "editor", "auditor"])).await.unwrap();
    let reader = connect(&program, token(KEY, &["bob", "60"])).await.unwrap();
    let refused = reader.call::<usize>("notes.write", ("mine",)).await;
    assert!(is_forbidden(&refused), "{refused:?}");

    assert_eq!(editor.call::<usize>("notes.write", ("a note",)).await.unwrap(), 1);
    assert_eq!(reader.call::<Vec<String>>("notes.read", ()).await.unwrap(), ["a note"]);

    let audit: Topic<(String, usize)> = Topic::new("notes.audit", wslink::Delivery::Reliable);
    let refused = reader.subscribe(audit).await;
    assert!(is_forbidden(&refused.map(drop)));
    let mut audit = editor.subscribe(audit).await.unwrap();
    assert_eq!(audit.next().await.unwrap().unwrap(), ("alice".to_owned(), 1), "what was retained");
}

#[tokio::test]
async fn a_session_lives_on_with_new_tokens() {
    let program = start();
    let issued = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&issued);
    let next = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, std::io::Error>(token(KEY, &["alice", "3", "editor"])) }
    };
    let session = Session::builder(&program.1).token(next).without_reconnect().connect().await.unwrap();
    // Without a reconnect, nothing but new tokens can get it as far as this.
    let mut is_in_force = false;
    while !is_in_force || issued.load(Ordering::SeqCst) < 3 {
        is_in_force = match session.call::<usize>("notes.write", ("still here",)).await {
            Ok(_) => true,
            // A busy machine may issue a token when the one before has expired.
            Err(Error::Call(error)) if error.code() == ErrorCode::Authentication => false,
            Err(error) => panic!("{error}"),
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
