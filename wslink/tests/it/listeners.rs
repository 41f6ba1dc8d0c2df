//! Listening at something else than TCP.

use std::{
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::PathBuf,
};

use tokio::io::DuplexStream;
use wslink::{
    Secret, Server,
    server::{Listener, SocketFile, Source},
};

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("wslink-{}-{name}.sock", std::process::id()))
}

fn server() -> Server {
    Server::builder().secret(Secret::published()).build().unwrap()
}

fn handshake(mut stream: impl Read + Write) -> String {
    let request = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    String::from_utf8_lossy(&status).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_file_is_taken_over_from_the_dead_and_only_from_them() {
    let path = path("over");
    let bind = || SocketFile::bind(path.clone(), 0o660);
    // One that died leaves its file.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = server();
    let serving = tokio::spawn({
        let (server, listener) = (server.clone(), bind().await.unwrap());
        async move { server.serve(listener).await }
    });
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o660);
    let refused = bind().await.unwrap_err().to_string();
    assert!(refused.contains("in use"), "{refused}");
    let shaking = tokio::task::spawn_blocking({
        let path = path.clone();
        move || handshake(UnixStream::connect(path).unwrap())
    });
    assert_eq!(shaking.await.unwrap(), "HTTP/1.1 101");
    server.stop();
    serving.await.unwrap().unwrap();
    assert!(!path.exists(), "nothing is left");
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let path = path("file");
    std::fs::write(&path, "precious").unwrap();
    let refused = SocketFile::bind(&path, 0o600).await.unwrap_err().to_string();
    assert!(refused.contains("no socket"), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    std::fs::remove_file(&path).unwrap();
}

/// Connections that are made in this process.
struct Inside(tokio::sync::mpsc::Receiver<DuplexStream>);

impl Listener for Inside {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> std::io::Result<(DuplexStream, Source)> {
        match self.0.recv().await {
            Some(stream) => Ok((stream, Source::Local)),
            None => std::future::pending().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_stream_of_bytes_will_do() {
    let server = server();
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(Inside(receiver)).await }
    });
    let (ours, theirs) = tokio::io::duplex(1024);
    sender.send(theirs).await.unwrap();
    let shaking = tokio::task::spawn_blocking(|| handshake(tokio_util::io::SyncIoBridge::new(ours)));
    assert_eq!(shaking.await.unwrap(), "HTTP/1.1 101");
    server.stop();
    serving.await.unwrap().unwrap();
}
