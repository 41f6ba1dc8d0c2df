//! A peer that sends any bytes and reads frames strictly.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What comes back.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Back {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Pong(Vec<u8>),
    /// Without a code where there is none.
    Close(Option<u16>),
    /// A close frame with one of these codes.
    Fail(&'static [u16]),
}

pub(super) struct Peer(TcpStream);

impl Peer {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let key = "dGhlIHNhbXBsZSBub25jZQ==";
        write!(
            stream,
            "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        )
        .unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101 ") && head.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "{head}");
        assert!(!head.contains("sec-websocket-extensions"), "{head}");
        Self(stream)
    }

    /// The server may have closed before it has read everything.
    pub(super) fn send(&mut self, bytes: &[u8], pieces: usize) {
        for piece in bytes.chunks(bytes.len().div_ceil(pieces).max(1)) {
            if self.0.write_all(piece).is_err() {
                return;
            }
        }
    }

    /// Reads until the server closes; where it is not expected to, the peer does.
    pub(super) fn expect(&mut self, expected: &[Back], what: &str) {
        let mut expected = expected.to_vec();
        if !matches!(expected.last(), Some(Back::Close(_) | Back::Fail(_))) {
            self.send(&super::cases::frame(0x88, &1000_u16.to_be_bytes()), 1);
            expected.push(Back::Close(Some(1000)));
        }
        let mut expected = expected.into_iter().peekable();
        loop {
            let back = self.frame(what);
            let mut next = expected.next();
            // RFC 6455, 5.5.3: of pings in a row only the last must be answered.
            while let (Back::Pong(_), Some(Back::Pong(_))) = (&back, &next)
                && Some(&back) != next.as_ref()
            {
                next = expected.next();
            }
            match (&back, &next) {
                (Back::Close(Some(code)), Some(Back::Fail(codes))) => {
                    assert!(codes.contains(code), "{what}: {code}, not {codes:?}");
                }
                (back, expected) => assert_eq!(Some(back), expected.as_ref(), "{what}"),
            }
            if let Back::Close(_) = back {
                break;
            }
        }
        assert_eq!(expected.next(), None, "{what}");
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0, "{what}: something after the close frame");
    }

    /// RFC 6455, 5.1 and 5.2: not masked, no reserved bits, and the length in as few bytes as it needs.
    fn frame(&mut self, what: &str) -> Back {
        let mut header = [0; 2];
        self.0.read_exact(&mut header).unwrap_or_else(|error| panic!("{what}: nothing comes: {error}"));
        let [first, second] = header;
        let len = match second {
            126 => {
                let mut len = [0; 2];
                self.0.read_exact(&mut len).unwrap();
                u64::from(u16::from_be_bytes(len))
            }
            127 => {
                let mut len = [0; 8];
                self.0.read_exact(&mut len).unwrap();
                u64::from_be_bytes(len)
            }
            len => len.into(),
        };
        assert!(second < 126 || len > 125 && (second == 126) == (len <= 0xffff), "{what}: {len} as {second}");
        let mut payload = vec![0; usize::try_from(len).unwrap()];
        self.0.read_exact(&mut payload).unwrap();
        match first {
            0x81 => Back::Text(payload),
            0x82 => Back::Binary(payload),
            0x8a => Back::Pong(payload),
            0x88 => {
                assert!(payload.len() <= 125 && payload.len() != 1, "{what}");
                assert!(payload.get(2..).is_none_or(|reason| std::str::from_utf8(reason).is_ok()), "{what}");
                Back::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))
            }
            first => panic!("{what}: a frame that begins with {first:#x}"),
        }
    }
}
