//! The two byte streams of a connection, in memory, as slow and as unreliable as they are told to be. Knows nothing
//! of what is sent.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

/// What is put on the line at once, so that a narrow one delivers bit by bit.
pub(super) const SEGMENT: usize = 4096;

/// What each pipe of a link is like.
#[derive(Clone, Copy)]
pub(super) struct Line {
    pub(super) latency: Duration,
    /// Bytes per second, if it is not of any width.
    pub(super) bandwidth: Option<u64>,
    /// Bytes that may be on their way.
    pub(super) buffer: usize,
}

/// One direction of a connection.
pub(super) struct Pipe {
    /// What is on its way, with the time of its arrival.
    segments: VecDeque<(Instant, Bytes)>,
    held: usize,
    /// When the line will have taken everything.
    free_at: Instant,
    stalled: bool,
    /// Its writer has closed it: the reader gets what is on its way, and then the end.
    closed: bool,
    cut: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    pub(super) fn new(stalled: bool) -> Self {
        Self {
            segments: VecDeque::new(),
            held: 0,
            free_at: Instant::now(),
            stalled,
            closed: false,
            cut: false,
            reader: None,
            writer: None,
        }
    }

    pub(super) fn cut(&mut self) {
        self.cut = true;
        self.segments.clear();
        self.wake();
    }

    pub(super) fn set_stalled(&mut self, stalled: bool) {
        self.stalled = stalled;
        self.wake();
    }

    fn close(&mut self) {
        self.closed = true;
        self.wake();
    }

    fn wake(&mut self) {
        [self.reader.take(), self.writer.take()].into_iter().flatten().for_each(Waker::wake);
    }

    fn write(&mut self, bytes: &[u8], line: Line) -> Poll<io::Result<usize>> {
        if self.cut || self.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(SEGMENT).min(line.buffer - self.held);
        if taken == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        let takes = line
            .bandwidth
            .map_or(Duration::ZERO, |bandwidth| Duration::from_nanos((taken as u64).saturating_mul(1_000_000_000) / bandwidth));
        self.free_at = self.free_at.max(Instant::now()) + takes;
        self.held += taken;
        self.segments.push_back((self.free_at + line.latency, Bytes::copy_from_slice(&bytes[..taken])));
        self.reader.take().into_iter().for_each(Waker::wake);
        Poll::Ready(Ok(taken))
    }

    /// Reads what has arrived, or tells when something will.
    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> Read {
        if self.cut {
            return Read::Done(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match self.segments.front_mut() {
            _ if self.stalled => Read::Wait(None),
            None if self.closed => Read::Done(Ok(())),
            None => Read::Wait(None),
            Some((arrival, _)) if *arrival > Instant::now() => Read::Wait(Some(*arrival)),
            Some((_, bytes)) => {
                let taken = bytes.split_to(bytes.len().min(buffer.remaining()));
                buffer.put_slice(&taken);
                self.held -= taken.len();
                if bytes.is_empty() {
                    self.segments.pop_front();
                }
                self.writer.take().into_iter().for_each(Waker::wake);
                Read::Done(Ok(()))
            }
        }
    }
}

enum Read {
    Done(io::Result<()>),
    /// Until then, or until the pipe says so.
    Wait(Option<Instant>),
}

/// One end of a connection over a [`Link`](super::Link). Dropping it closes the connection.
pub struct End {
    line: Line,
    reads: Arc<Mutex<Pipe>>,
    writes: Arc<Mutex<Pipe>>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl End {
    pub(super) fn new(line: Line, reads: &Arc<Mutex<Pipe>>, writes: &Arc<Mutex<Pipe>>) -> Self {
        Self { line, reads: Arc::clone(reads), writes: Arc::clone(writes), timer: None }
    }
}

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { reads, timer, .. } = self.get_mut();
        loop {
            let mut pipe = lock(reads);
            let arrival = match pipe.read(buffer) {
                Read::Done(read) => return Poll::Ready(read),
                Read::Wait(arrival) => {
                    pipe.reader = Some(cx.waker().clone());
                    arrival
                }
            };
            drop(pipe);
            let Some(arrival) = arrival else { return Poll::Pending };
            let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(arrival)));
            if timer.deadline() != arrival {
                timer.as_mut().reset(arrival);
            }
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut pipe = lock(&self.writes);
        let written = pipe.write(bytes, self.line);
        if written.is_pending() {
            pipe.writer = Some(cx.waker().clone());
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        lock(&self.writes).close();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        lock(&self.writes).close();
        // Nobody reads any more, and the writer is to know.
        lock(&self.reads).cut();
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End(…)")
    }
}

/// A test that panics elsewhere has failed already.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
