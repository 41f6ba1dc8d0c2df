//! Plain TCP, messages behind their lengths: what the operating system alone costs.

use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use wslink_bench::{Answer, Bare, Error, run};

/// Read at once, and the most that is kept of an upload: what is longer is only counted.
const BUFFER: usize = 64 * 1024;

struct Connection {
    stream: TcpStream,
    events: Option<Receiver<Bytes>>,
    server: Arc<Bare>,
    input: BytesMut,
    /// Length of the upload that is coming, and how much of it is still to come.
    upload: Option<(usize, usize)>,
    output: Vec<Bytes>,
}

fn main() -> Result<(), Error> {
    run(async |listener: TcpListener| {
        let server = Arc::new(Bare::default());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let server = Arc::clone(&server);
            let input = BytesMut::new();
            let connection = Connection { stream, events: None, server, input, upload: None, output: Vec::new() };
            tokio::spawn(connection.serve());
        }
    })
}

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        loop {
            self.input.reserve(BUFFER);
            tokio::select! {
                biased;
                read = self.stream.read_buf(&mut self.input) => {
                    if read? == 0 {
                        return Ok(());
                    }
                    self.take();
                }
                event = next(&mut self.events) => {
                    self.put(event);
                    while let Some(Ok(event)) = self.events.as_mut().map(Receiver::try_recv) {
                        self.put(event);
                    }
                }
            }
            self.write().await?;
        }
    }

    /// Answers everything that has come.
    fn take(&mut self) {
        loop {
            if let Some((len, left)) = &mut self.upload {
                let here = self.input.len().min(*left);
                self.input.advance(here);
                *left -= here;
                if *left > 0 {
                    return;
                }
                let len = *len as u64;
                self.upload = None;
                self.put(Bytes::copy_from_slice(&len.to_le_bytes()));
            }
            let Some(head) = self.input.first_chunk::<4>() else { return };
            let len = u32::from_le_bytes(*head) as usize;
            if len > BUFFER / 2 {
                self.input.advance(4);
                self.upload = Some((len, len));
                continue;
            }
            if self.input.len() < 4 + len {
                return;
            }
            self.input.advance(4);
            let request = self.input.split_to(len).freeze();
            match self.server.answer(request) {
                Answer::Now(bytes) => self.put(bytes),
                Answer::Subscribe(events) => {
                    self.events = Some(events);
                    self.put(Bytes::from_static(b"subscribed"));
                }
                Answer::Nothing => {}
            }
        }
    }

    fn put(&mut self, message: Bytes) {
        self.output.push(Bytes::copy_from_slice(&(message.len() as u32).to_le_bytes()));
        self.output.push(message);
    }

    async fn write(&mut self) -> io::Result<()> {
        let small: usize = self.output.iter().map(Bytes::len).sum();
        if small <= BUFFER {
            let joined = self.output.drain(..).fold(Vec::with_capacity(small), |mut joined, bytes| {
                joined.extend_from_slice(&bytes);
                joined
            });
            return self.stream.write_all(&joined).await;
        }
        let mut slices: Vec<_> = self.output.iter().map(|bytes| IoSlice::new(bytes)).collect();
        let mut slices = &mut slices[..];
        while !slices.is_empty() {
            let written = self.stream.write_vectored(&slices[..slices.len().min(64)]).await?;
            IoSlice::advance_slices(&mut slices, written);
        }
        self.output.clear();
        Ok(())
    }
}

async fn next(events: &mut Option<Receiver<Bytes>>) -> Bytes {
    match events {
        Some(events) => match events.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
