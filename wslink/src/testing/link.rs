//! A simulated link: byte streams in memory that are as slow and as unreliable as they are told to be.
//! Knows nothing of what is sent.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use crate::{
    Handshake, Server,
    client::{Builder, Session},
    transport::Role,
};

/// What is put on the line at once, so that a narrow one delivers bit by bit.
const SEGMENT: usize = 4096;

/// A link between clients and servers of the same process.
///
/// A clone is the same link. What it is told while connections use it holds for all of them.
///
/// ```
/// use std::time::Duration;
/// use wslink::{Server, testing::Link};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().build()?;
/// let link = Link::default().latency(Duration::from_millis(5)).bandwidth(1_250_000);
/// let session = link.session(&server).connect().await?;
/// link.cut();
/// session.states().until(|state| state != wslink::client::State::Connected).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Link {
    latency: Duration,
    bandwidth: Option<u64>,
    buffer: usize,
    handshake: Handshake,
    state: Arc<Mutex<State>>,
}

/// What can change while connections use the link.
#[derive(Default)]
struct State {
    unplugged: bool,
    stalled: bool,
    pipes: Vec<Weak<Mutex<Pipe>>>,
}

impl Default for Link {
    /// A perfect one: at once, of any width, with 64 KiB on the way in each direction.
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            bandwidth: None,
            buffer: 64 * 1024,
            handshake: Handshake::default(),
            state: Arc::default(),
        }
    }
}

impl Link {
    /// The same, on which every byte takes so long.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { latency, ..self }
    }

    /// The same, which takes so many bytes per second in each direction.
    #[must_use]
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        Self { bandwidth: Some(bytes_per_second.max(1)), ..self }
    }

    /// The same, on which so many bytes may be on their way in each direction, those that were not read
    /// yet included; further writes wait.
    #[must_use]
    pub fn buffer(self, bytes: usize) -> Self {
        Self { buffer: bytes.max(1), ..self }
    }

    /// The same, whose clients have made this request for their WebSocket: what
    /// [`Client::handshake`](crate::Client::handshake) shows.
    #[must_use]
    pub fn request<B>(self, request: &http::Request<B>) -> Self {
        Self { handshake: Handshake::new(None, None, request.uri(), request.headers()), ..self }
    }

    /// A session with `server` over this link, with the server's secret if it has one; to be set up
    /// further. Each of its connections is a new one over the link.
    pub fn session(&self, server: &Server) -> Builder {
        let (link, other) = (self.clone(), server.clone());
        let secret = server.secret().map_or("", |secret| secret.reveal());
        Session::builder("ws://localhost/ws").secret(secret).dial(move || {
            let (near, far) = link.open()?;
            link.serve(&other, far);
            Ok(near)
        })
    }

    /// Has `server` serve a connection whose WebSocket handshake is done.
    pub(super) fn serve(&self, server: &Server, end: End) {
        let (handshake, other) = (self.handshake.clone(), server.clone());
        server.connections().spawn(async move { other.drive(end, Role::Server, &[], handshake, None).await });
    }

    /// The two ends of a new connection.
    ///
    /// # Errors
    /// The link is [unplugged](Self::unplug).
    pub fn open(&self) -> io::Result<(End, End)> {
        let mut state = self.state();
        if state.unplugged {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let pipe = || Arc::new(Mutex::new(Pipe::new(state.stalled)));
        let (there, back) = (pipe(), pipe());
        state.pipes.retain(|pipe| pipe.strong_count() > 0);
        state.pipes.extend([&there, &back].map(Arc::downgrade));
        let end = |reads: &Arc<Mutex<Pipe>>, writes: &Arc<Mutex<Pipe>>| End {
            link: self.clone(),
            reads: Arc::clone(reads),
            writes: Arc::clone(writes),
            timer: None,
        };
        Ok((end(&back, &there), end(&there, &back)))
    }

    /// Breaks every connection: what is on its way is lost, and both ends fail. New ones can be made.
    pub fn cut(&self) {
        self.each_pipe(Pipe::cut);
    }

    /// Breaks every connection and refuses new ones until [`plug_in`](Self::plug_in).
    pub fn unplug(&self) {
        self.state().unplugged = true;
        self.cut();
    }

    /// Lets connections be made again.
    pub fn plug_in(&self) {
        self.state().unplugged = false;
    }

    /// Holds back whatever is on its way until [`flow`](Self::flow): nobody is told.
    pub fn stall(&self) {
        self.set_stalled(true);
    }

    /// Goes on after [`stall`](Self::stall).
    pub fn flow(&self) {
        self.set_stalled(false);
    }

    fn set_stalled(&self, stalled: bool) {
        self.state().stalled = stalled;
        self.each_pipe(|pipe| {
            pipe.stalled = stalled;
            pipe.wake();
        });
    }

    fn each_pipe(&self, mut change: impl FnMut(&mut Pipe)) {
        let pipes: Vec<_> = self.state().pipes.iter().filter_map(Weak::upgrade).collect();
        pipes.iter().for_each(|pipe| change(&mut lock(pipe)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A test that panics elsewhere has failed already.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One direction of a connection.
struct Pipe {
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
    fn new(stalled: bool) -> Self {
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

    fn cut(&mut self) {
        self.cut = true;
        self.segments.clear();
        self.wake();
    }

    fn wake(&mut self) {
        [self.reader.take(), self.writer.take()].into_iter().flatten().for_each(Waker::wake);
    }

    fn write(&mut self, bytes: &[u8], link: &Link) -> Poll<io::Result<usize>> {
        if self.cut || self.closed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = bytes.len().min(SEGMENT).min(link.buffer - self.held);
        if taken == 0 && !bytes.is_empty() {
            return Poll::Pending;
        }
        let line = link
            .bandwidth
            .map_or(Duration::ZERO, |bandwidth| Duration::from_nanos((taken as u64).saturating_mul(1_000_000_000) / bandwidth));
        self.free_at = self.free_at.max(Instant::now()) + line;
        self.held += taken;
        self.segments.push_back((self.free_at + link.latency, Bytes::copy_from_slice(&bytes[..taken])));
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

/// One end of a connection over a [`Link`]. Dropping it closes the connection.
pub struct End {
    link: Link,
    reads: Arc<Mutex<Pipe>>,
    writes: Arc<Mutex<Pipe>>,
    timer: Option<Pin<Box<Sleep>>>,
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
        let written = pipe.write(bytes, &self.link);
        if written.is_pending() {
            pipe.writer = Some(cx.waker().clone());
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut pipe = lock(&self.writes);
        pipe.closed = true;
        pipe.wake();
        Poll::Ready(Ok(()))
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut pipe = lock(&self.writes);
        pipe.closed = true;
        pipe.wake();
        drop(pipe);
        // Nobody reads any more, and the writer is to know.
        lock(&self.reads).cut();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latency, bandwidth, buffer, .. } = self;
        f.debug_struct("Link")
            .field("latency", latency)
            .field("bandwidth", bandwidth)
            .field("buffer", buffer)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("End(…)")
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bytes_take_the_time_that_they_are_told_to() {
        let link = Link::default().latency(Duration::from_millis(100)).bandwidth(SEGMENT as u64);
        let (mut near, mut far) = link.open().unwrap();
        let start = Instant::now();
        near.write_all(&[1; 2 * SEGMENT]).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "they are on their way");
        let mut read = vec![0; SEGMENT];
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 1100);
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(start.elapsed().as_millis(), 2100);
    }

    #[tokio::test(start_paused = true)]
    async fn who_writes_more_than_is_read_waits() {
        let (mut near, mut far) = Link::default().buffer(10).open().unwrap();
        assert_eq!(near.write(&[0; 20]).await.unwrap(), 10);
        assert!(tokio::time::timeout(Duration::from_secs(1), near.write(&[0; 1])).await.is_err());
        assert_eq!(far.read(&mut [0; 4]).await.unwrap(), 4);
        assert_eq!(near.write(&[0; 20]).await.unwrap(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_holds_back_and_loses_nothing() {
        let link = Link::default();
        let (mut near, mut far) = link.open().unwrap();
        link.stall();
        near.write_all(b"late").await.unwrap();
        let mut read = [0; 4];
        assert!(tokio::time::timeout(Duration::from_secs(60), far.read_exact(&mut read)).await.is_err());
        link.flow();
        far.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"late");
    }

    #[tokio::test(start_paused = true)]
    async fn a_close_comes_after_what_was_written_and_a_cut_before() {
        let link = Link::default();
        let (mut near, mut far) = link.open().unwrap();
        near.write_all(b"last words").await.unwrap();
        drop(near);
        let mut read = Vec::new();
        far.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"last words");
        assert_eq!(far.write(b"?").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);

        let (mut near, mut far) = link.open().unwrap();
        near.write_all(b"lost").await.unwrap();
        link.unplug();
        assert_eq!(far.read(&mut [0; 4]).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert_eq!(link.open().unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        link.plug_in();
        link.open().unwrap();
    }
}
