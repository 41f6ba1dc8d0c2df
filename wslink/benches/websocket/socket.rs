//! Bytes that come from a stream, as frames, and frames that go to one.

use std::{
    hint::black_box,
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf, empty, join, sink};

use wslink::testing::internals::{Incoming, Role, WebSocket};
use wslink_core::wire::{Frame, FrameKind};

const MIB: usize = 1 << 20;

/// Small frames that are read or written at once.
const BURST: usize = 64;

/// Frames in which what is large comes.
const CHUNKS: usize = 4;

/// One run of a step.
pub(crate) type Run = Box<dyn FnMut()>;

/// Its name, its frames in one run, and its preparation.
type Step = (&'static str, u64, fn() -> Run);

/// Each with the number of frames of one run.
pub(crate) const STEPS: &[Step] = &[
    ("read small frames", BURST as u64, || read(&vec![small_frame(); BURST])),
    ("read 1 MiB in 4 frames", CHUNKS as u64, || read(&vec![chunk(MIB / CHUNKS); CHUNKS])),
    ("write small frames", BURST as u64, || write(vec![small_frame(); BURST])),
    ("write 1 MiB in 4 frames", CHUNKS as u64, || write(vec![chunk(MIB / CHUNKS); CHUNKS])),
];

fn small_frame() -> Frame {
    Frame::new(FrameKind::Binary, vec![7; 64])
}

/// A header, and a body that is shared.
fn chunk(bytes: usize) -> Frame {
    Frame { kind: FrameKind::Binary, head: vec![7; 12].into(), body: vec![7; bytes].into() }
}

fn read(frames: &[Frame]) -> Run {
    let mut masked = Vec::new();
    let mut client = WebSocket::new(join(empty(), &mut masked), Role::Client, &[], MIB);
    frames.iter().for_each(|frame| client.put(frame.clone()));
    assert!(client.poll_flush(&mut Context::from_waker(Waker::noop())).is_ready());
    drop(client);
    let count = frames.len();
    let again = Again { bytes: masked.into(), left: Bytes::new() };
    let mut socket = WebSocket::new(join(again, sink()), Role::Server, &[], MIB);
    Box::new(move || {
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..count {
            let Poll::Ready(Incoming::Frame(_, payload)) = socket.poll_read(&mut cx) else { panic!("no frame") };
            black_box(payload);
        }
    })
}

fn write(frames: Vec<Frame>) -> Run {
    let mut socket = WebSocket::new(join(empty(), sink()), Role::Server, &[], MIB);
    Box::new(move || {
        frames.iter().for_each(|frame| socket.put(frame.clone()));
        assert!(socket.poll_flush(&mut Context::from_waker(Waker::noop())).is_ready());
    })
}

/// A stream of the same bytes again and again. What is read at once ends where they do.
struct Again {
    bytes: Bytes,
    left: Bytes,
}

impl AsyncRead for Again {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left.is_empty() {
            self.left = self.bytes.clone();
        }
        let here = space.remaining().min(self.left.len());
        space.put_slice(&self.left.split_to(here));
        Poll::Ready(Ok(()))
    }
}
