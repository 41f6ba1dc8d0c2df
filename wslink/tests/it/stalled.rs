//! Answers of HTTP that nobody reads, under a paused clock.

use std::{future, io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::Instant,
};
use wslink::{
    Server,
    server::{Listener, Source},
};

/// Where one connection comes in.
struct Once(Option<DuplexStream>);

impl Listener for Once {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, Source)> {
        match self.0.take() {
            Some(stream) => Ok((stream, Source::Local)),
            None => future::pending().await,
        }
    }
}

/// A connection that has asked for something, and takes 16 bytes of the answer unless it reads.
async fn asking() -> DuplexStream {
    let (mut near, far) = tokio::io::duplex(16);
    let server = Server::builder().build().unwrap();
    tokio::spawn(async move { server.serve(Once(Some(far))).await });
    near.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    near
}

#[tokio::test(start_paused = true)]
async fn who_reads_nothing_of_an_answer_is_given_up() {
    let mut peer = asking().await;
    let asked = Instant::now();
    // Nobody takes any of it, until nobody is there.
    let more = async { while peer.write_all(b"more").await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(600), more).await.unwrap();
    assert_eq!(asked.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn who_reads_slowly_gets_all_of_an_answer() {
    let mut peer = asking().await;
    let mut answer = Vec::new();
    while let Ok(byte) = peer.read_u8().await {
        answer.push(byte);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(answer.ends_with(b"alive\n"), "{}", String::from_utf8_lossy(&answer));
}
