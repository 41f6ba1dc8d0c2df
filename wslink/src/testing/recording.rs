//! Recorded exchanges: plays the client's side against a server of this process and compares what the
//! server answers with what another one did.

use std::{fmt, future::poll_fn, time::Duration};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    End, Link,
    compare::{Keys, masked},
};
use crate::{
    Server,
    transport::{Incoming, Role, WebSocket},
};
use wslink_core::wire::{Frame, FrameKind};

/// For how long the server may say nothing while it is to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Before each chunk of protocol 2.
const CHUNK_HEADER: usize = 12;

/// Exchanges between a client and a server, frame by frame.
///
/// Recordings are text, one frame a line, each a JSON object with `exchange` (its name; lines of one
/// exchange follow each other), `dir` (`c2s` or `s2c`), `op` (`text`, `binary` or `close`) and the
/// frame: `text`; or `hex`, for long ones of a server `sha256_after_header` and `length`; or `code` and
/// `reason`. Frames of a server of protocol 2 have `header: {"offset", "total"}`.
///
/// ```
/// use wslink::{Server, testing::Recording};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recording = Recording::parse(concat!(
///     r#"{"exchange":"newcomer","dir":"c2s","op":"text","text":"{\"id\":\"system:c0:0\",\"method\":\"wslink.hello\"}"}"#,
///     "\n",
///     r#"{"exchange":"newcomer","dir":"s2c","op":"text","text":"{\"wslink\": \"1.0\", \"id\": \"system:c0:0\", \"error\": {\"code\": -32000, \"message\": \"Authentication failed\"}}"}"#,
/// ))?;
/// for exchange in recording.exchanges() {
///     let server = Server::builder().build()?;
///     for answer in exchange.play(&server).await {
///         assert_eq!(answer.difference(), None, "{}", exchange.name());
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recording {
    exchanges: Vec<Exchange>,
}

/// One of the exchanges of a [`Recording`], over a connection of its own.
#[derive(Clone, Debug)]
pub struct Exchange {
    name: String,
    steps: Vec<Step>,
}

/// What a server sends; of protocol 2, chunks put together, without their headers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// A text frame.
    Text(String),
    /// A binary frame, or a message of protocol 2.
    Binary(Vec<u8>),
    /// The server closed, with this code (1005 for none) and reason.
    Close(u16, String),
    /// The connection ended without a close frame, or nothing came for 30 s.
    Nothing,
}

/// What a server sent where the recorded one sent something.
#[derive(Clone, Debug)]
pub struct Answer {
    got: Message,
    close: Option<u16>,
    difference: Option<String>,
}

impl Answer {
    /// What the server sent.
    #[must_use]
    pub const fn got(&self) -> &Message {
        &self.got
    }

    /// The code with which the recorded server closed, if that is what it did.
    #[must_use]
    pub const fn recorded_close(&self) -> Option<u16> {
        self.close
    }

    /// How it differs from what was recorded, in words. Client ids, ids of log entries, the numbers of
    /// attachments, where messages are cut, spaces and the spelling of numbers may differ.
    #[must_use]
    pub fn difference(&self) -> Option<&str> {
        self.difference.as_deref()
    }
}

/// What is wrong with a recording, and in which line, from 1.
#[derive(Debug)]
pub struct RecordingError {
    line: usize,
    what: String,
}

impl fmt::Display for RecordingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the recording: {}", self.line, self.what)
    }
}

impl std::error::Error for RecordingError {}

impl Recording {
    /// From its text.
    ///
    /// # Errors
    /// A line is no frame.
    pub fn parse(text: &str) -> Result<Self, RecordingError> {
        let mut exchanges = Vec::<Exchange>::new();
        for (at, line) in text.lines().enumerate() {
            let wrong = |what| RecordingError { line: at + 1, what };
            let record: Record = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let name = record.exchange.clone();
            let step = Step::new(record).map_err(|what| wrong(what.to_owned()))?;
            match exchanges.last_mut().filter(|exchange| exchange.name == name) {
                Some(exchange) => exchange.add(step),
                None => exchanges.push(Exchange { name, steps: vec![step] }),
            }
        }
        Ok(Self { exchanges })
    }

    /// Its exchanges, in order.
    pub fn exchanges(&self) -> impl ExactSizeIterator<Item = &Exchange> {
        self.exchanges.iter()
    }
}

/// A line of a recording.
#[derive(Deserialize)]
struct Record {
    exchange: String,
    dir: Direction,
    op: Op,
    text: Option<String>,
    hex: Option<String>,
    sha256_after_header: Option<String>,
    length: Option<usize>,
    header: Option<Header>,
    code: Option<u16>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Direction {
    C2s,
    S2c,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Op {
    Text,
    Binary,
    Close,
}

#[derive(Deserialize)]
struct Header {
    offset: usize,
    total: usize,
}

#[derive(Clone, Debug)]
enum Step {
    Say(Said),
    /// A whole message.
    Hear(Heard),
}

#[derive(Clone, Debug)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Close(u16),
}

#[derive(Clone, Debug)]
enum Heard {
    Text(String),
    Binary(Vec<u8>),
    /// A message of chunks.
    Chunks {
        total: usize,
        parts: Vec<Part>,
    },
    Close(u16, String),
}

#[derive(Clone, Debug)]
struct Part {
    offset: usize,
    bytes: Bytes,
}

#[derive(Clone, Debug)]
enum Bytes {
    Whole(Vec<u8>),
    /// Only their number and SHA-256, in hexadecimal, were kept.
    Digest(usize, String),
}

impl Step {
    fn new(record: Record) -> Result<Self, &'static str> {
        let Record { dir, op, text, hex, sha256_after_header, length, header, code, reason, .. } = record;
        let bytes = hex.as_deref().map(|hex| unhex(hex).ok_or("`hex` is no hexadecimal text")).transpose()?;
        Ok(match (dir, op) {
            (Direction::C2s, Op::Text) => Self::Say(Said::Text(text.ok_or("`text` is missing")?)),
            (Direction::C2s, Op::Binary) => Self::Say(Said::Binary(bytes.ok_or("`hex` is missing")?)),
            (Direction::C2s, Op::Close) => Self::Say(Said::Close(code.ok_or("`code` is missing")?)),
            (Direction::S2c, Op::Text) => Self::Hear(Heard::Text(text.ok_or("`text` is missing")?)),
            (Direction::S2c, Op::Close) => Self::Hear(Heard::Close(code.ok_or("`code` is missing")?, reason)),
            (Direction::S2c, Op::Binary) => Self::Hear(match (header, bytes) {
                (None, bytes) => Heard::Binary(bytes.ok_or("`hex` is missing")?),
                (Some(Header { offset, total }), bytes) => {
                    let bytes = match (bytes, sha256_after_header, length) {
                        (Some(bytes), ..) => Bytes::Whole(bytes.get(CHUNK_HEADER..).ok_or("a chunk has no header")?.to_vec()),
                        (None, Some(digest), Some(length)) => Bytes::Digest(length.saturating_sub(CHUNK_HEADER), digest),
                        _ => return Err("`hex` is missing, or `sha256_after_header` and `length`"),
                    };
                    Heard::Chunks { total, parts: vec![Part { offset, bytes }] }
                }
            }),
        })
    }
}

impl Exchange {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Chunks of the message that is there already belong to it.
    fn add(&mut self, step: Step) {
        match (self.steps.last_mut(), step) {
            (Some(Step::Hear(Heard::Chunks { parts, .. })), Step::Hear(Heard::Chunks { parts: more, .. }))
                if more.iter().any(|part| part.offset > 0) =>
            {
                parts.extend(more);
            }
            (_, step) => self.steps.push(step),
        }
    }

    /// Plays the client's side, and returns what `server` sent where the recorded server sent
    /// something.
    ///
    /// # Panics
    /// When called outside a tokio runtime.
    pub async fn play(&self, server: &Server) -> Vec<Answer> {
        let link = Link::default();
        let Ok((near, far)) = link.open() else { return Vec::new() };
        link.serve(server, far);
        let mut peer = Peer(WebSocket::new(near, Role::Client, &[], usize::MAX));
        let (mut recorded_keys, mut keys) = (Keys::default(), Keys::default());
        let mut answers = Vec::new();
        for step in &self.steps {
            let recorded = match step {
                Step::Say(said) => {
                    peer.say(said);
                    continue;
                }
                Step::Hear(recorded) => recorded,
            };
            let got = match recorded {
                Heard::Chunks { .. } => peer.message().await,
                _ => peer.frame().await,
            };
            let difference = recorded.difference(&got, &mut recorded_keys, &mut keys);
            let close = if let Heard::Close(code, _) = recorded { Some(*code) } else { None };
            answers.push(Answer { got, close, difference });
        }
        answers
    }
}

impl Heard {
    fn difference(&self, got: &Message, recorded_keys: &mut Keys, keys: &mut Keys) -> Option<String> {
        match (self, got) {
            (Self::Text(recorded), Message::Text(got)) => {
                let (recorded, got) = (recorded_keys.plain(recorded), keys.plain(got));
                (recorded != got).then(|| format!("recorded: {recorded}\ngot: {got}"))
            }
            (Self::Binary(recorded), Message::Binary(got)) => {
                (recorded != got).then(|| format!("recorded: {}\ngot: {}", hexed(recorded), hexed(got)))
            }
            (Self::Chunks { total, parts }, Message::Binary(got)) => {
                if got.len() != *total {
                    return Some(format!("recorded: {total} bytes\ngot: {}", got.len()));
                }
                let got = masked(got.clone());
                parts.iter().find_map(|part| part.difference(&got))
            }
            (Self::Close(code, reason), Message::Close(got, why)) if (code, reason) == (got, why) => None,
            (recorded, got) => Some(format!("recorded: {recorded:?}\ngot: {got:?}")),
        }
    }
}

impl Part {
    fn difference(&self, message: &[u8]) -> Option<String> {
        let same_place = |len: usize| message.get(self.offset..)?.get(..len);
        match &self.bytes {
            Bytes::Whole(recorded) => {
                let recorded = masked(recorded.clone());
                let got = same_place(recorded.len()).unwrap_or_default();
                (recorded != got).then(|| format!("recorded: {}\ngot: {}", hexed(&recorded), hexed(got)))
            }
            Bytes::Digest(len, recorded) => {
                let got = hexed(&Sha256::digest(same_place(*len).unwrap_or_default()));
                (*recorded != got).then(|| format!("recorded: SHA-256 {recorded}\ngot: {got}"))
            }
        }
    }
}

/// A client that says what it is told to.
struct Peer(WebSocket<End>);

impl Peer {
    fn say(&mut self, said: &Said) {
        match said {
            Said::Text(text) => self.0.put(Frame::new(FrameKind::Text, text.clone())),
            Said::Binary(bytes) => self.0.put(Frame::new(FrameKind::Binary, bytes.clone())),
            Said::Close(code) => self.0.close(*code, ""),
        }
    }

    /// The next frame.
    async fn frame(&mut self) -> Message {
        let next = poll_fn(|cx| {
            loop {
                // A connection that takes nothing has ended, which reading tells.
                let _ = self.0.poll_flush(cx);
                let incoming = std::task::ready!(self.0.poll_read(cx));
                return std::task::Poll::Ready(match incoming {
                    Incoming::Alive | Incoming::Pong => continue,
                    Incoming::Frame(FrameKind::Text, text) => Message::Text(String::from_utf8_lossy(&text).into_owned()),
                    Incoming::Frame(FrameKind::Binary, bytes) => Message::Binary(bytes.to_vec()),
                    Incoming::Closed { code, reason } => Message::Close(code, reason),
                    Incoming::Broken(_) | Incoming::Lost => Message::Nothing,
                });
            }
        });
        tokio::time::timeout(PATIENCE, next).await.unwrap_or(Message::Nothing)
    }

    /// The next message of protocol 2, whose chunks come in order and alone.
    async fn message(&mut self) -> Message {
        let mut message = Vec::new();
        loop {
            let chunk = match self.frame().await {
                Message::Binary(chunk) => chunk,
                other => return other,
            };
            let Some((header, bytes)) = chunk.split_at_checked(CHUNK_HEADER) else { return Message::Binary(chunk) };
            message.extend_from_slice(bytes);
            if u32::from_le_bytes([header[8], header[9], header[10], header[11]]) as usize <= message.len() {
                return Message::Binary(message);
            }
        }
    }
}

fn unhex(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn hexed(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
