//! Clients on one thread: what is to be sent goes out in bulk, what comes in is only counted, and pings are answered.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, Bytes};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Result;
use crate::inbox::{Inbox, Message};
use crate::protocol::{Protocol, websocket};

/// Longer than any measurement; only a peer that hangs is waited for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Read at once.
const BUFFER: usize = 256 * 1024;

struct Client {
    stream: TcpStream,
    inbox: Inbox,
    out: VecDeque<Bytes>,
}

/// Clients of one peer.
pub struct Crowd {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
    buffer: Vec<u8>,
    /// Clients that have something to send.
    dirty: Vec<usize>,
}

impl Crowd {
    /// `count` clients that are admitted.
    pub fn connect(protocol: &dyn Protocol, address: SocketAddr, count: usize) -> Result<Self> {
        let mut crowd = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            clients: Vec::new(),
            buffer: vec![0; BUFFER],
            dirty: Vec::new(),
        };
        crowd.grow(protocol, address, count)?;
        Ok(crowd)
    }

    /// `count` more clients.
    pub fn grow(&mut self, protocol: &dyn Protocol, address: SocketAddr, count: usize) -> Result<()> {
        for _ in 0..count {
            let stream = protocol.open(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let token = Token(self.clients.len());
            self.poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            self.clients.push(Client { stream, inbox: Inbox::new(protocol.framing()), out: VecDeque::new() });
            if let Some(greeting) = protocol.greeting() {
                self.call(token.0, &greeting)?;
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Sends `bytes` with the next [`step`](Self::step).
    pub fn send(&mut self, client: usize, bytes: &Bytes) {
        let out = &mut self.clients[client].out;
        if out.is_empty() {
            self.dirty.push(client);
        }
        out.push_back(bytes.clone());
    }

    /// Sends a request and waits for one message.
    pub fn call(&mut self, client: usize, bytes: &Bytes) -> Result<()> {
        self.send(client, bytes);
        let mut answered = false;
        while !answered {
            self.step(&mut |_, _| answered = true)?;
        }
        Ok(())
    }

    /// Sends what is to be sent and waits until something can be read; calls `on` for each message.
    pub fn step(&mut self, on: &mut dyn FnMut(usize, Message<'_>)) -> Result<()> {
        if !self.step_until(PATIENCE, on)? {
            return Err("the peer went silent".into());
        }
        Ok(())
    }

    /// The same with a limit to the waiting; tells whether anything happened.
    pub fn step_until(&mut self, limit: Duration, on: &mut dyn FnMut(usize, Message<'_>)) -> Result<bool> {
        for client in std::mem::take(&mut self.dirty) {
            self.clients[client].write()?;
        }
        self.poll.poll(&mut self.events, Some(limit))?;
        for event in &self.events {
            let at = event.token().0;
            let client = &mut self.clients[at];
            if event.is_writable() {
                client.write()?;
            }
            if event.is_readable() {
                client.read(&mut self.buffer, &mut |message| on(at, message))?;
            }
        }
        Ok(!self.events.is_empty())
    }
}

impl Client {
    fn write(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            let slices: Vec<_> = self.out.iter().take(64).map(|bytes| IoSlice::new(bytes)).collect();
            let mut written = match self.stream.write_vectored(&slices) {
                Ok(written) => written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            while let Some(first) = self.out.front_mut() {
                if first.len() > written {
                    first.advance(written);
                    break;
                }
                written -= first.len();
                self.out.pop_front();
            }
        }
        Ok(())
    }

    /// Reads until the socket is empty: a short read tells that without asking again.
    fn read(&mut self, buffer: &mut [u8], on: &mut dyn FnMut(Message<'_>)) -> Result<()> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err("the peer closed the connection".into()),
                Ok(read) => {
                    self.inbox.feed(&buffer[..read], &mut *on);
                    if let Some(ping) = self.inbox.ping.take() {
                        self.out.push_back(websocket::pong(&ping));
                        self.write()?;
                    }
                    if read < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }
}
