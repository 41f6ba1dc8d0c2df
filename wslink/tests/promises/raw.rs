//! Bytes below any protocol library: frames as no well-behaved client sends them.

use std::{
    io::{self, Write},
    net::TcpStream,
};

use crate::harness::{Got, Peer};

pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const PING: u8 = 0x89;

/// A frame that begins with the byte `first`. Its mask is zero, so that its payload stands as it is.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    [&header(first, payload.len() as u64), payload].concat()
}

/// The header of a frame that claims to have `len` bytes.
pub(crate) fn header(first: u8, len: u64) -> Vec<u8> {
    let mut header = vec![first];
    match len {
        0..126 => header.push(0x80 | u8::try_from(len).unwrap()),
        126..0x1_0000 => {
            header.push(0x80 | 126);
            header.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        _ => {
            header.push(0x80 | 127);
            header.extend(len.to_be_bytes());
        }
    }
    header.extend([0; 4]);
    header
}

pub(crate) trait Raw {
    /// Sends `bytes` as they are.
    fn raw(&mut self, bytes: &[u8]);

    /// Sends `bytes` `times` times, as long as the server takes them, and returns what it sends last.
    fn flood(self, bytes: &[u8], times: usize) -> Got;

    /// Cuts the connection off by a reset.
    fn reset(self);
}

impl Raw for Peer {
    fn raw(&mut self, bytes: &[u8]) {
        self.socket.get_mut().write_all(bytes).unwrap();
    }

    fn flood(mut self, bytes: &[u8], times: usize) -> Got {
        let stream = self.socket.get_ref().try_clone().unwrap();
        let reading = std::thread::spawn(move || self.end());
        // The server may have enough before everything is sent.
        let _ = write_times(stream, bytes, times);
        reading.join().unwrap()
    }

    fn reset(self) {
        socket2::SockRef::from(self.socket.get_ref()).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

/// Writes `bytes` `times` times, many at once.
pub(crate) fn write_times(mut stream: TcpStream, bytes: &[u8], times: usize) -> io::Result<()> {
    let many = (64 * 1024 / bytes.len()).clamp(1, times);
    let block = bytes.repeat(many);
    for _ in 0..times / many {
        stream.write_all(&block)?;
    }
    stream.write_all(&bytes.repeat(times % many))
}

/// Asserts that the connection ended cleanly, with one of `codes`.
pub(crate) fn assert_closed(got: &Got, codes: &[u16], what: &str) {
    assert!(matches!(got, Got::Close(code, reason) if codes.contains(code) && !reason.is_empty()), "{what}: {got:?}");
}
