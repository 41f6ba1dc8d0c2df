//! A simulated link between clients and servers of one process: how slow it is, and what happens to it while
//! connections use it.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, Weak},
    time::Duration,
};

use super::pipe::{End, Line, Pipe, lock};
use crate::{
    Handshake, Server,
    client::{Builder, Session},
    transport::Role,
};

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
    line: Line,
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
        let line = Line { latency: Duration::ZERO, bandwidth: None, buffer: 64 * 1024 };
        Self { line, handshake: Handshake::default(), state: Arc::default() }
    }
}

impl Link {
    /// The same, on which every byte takes so long.
    #[must_use]
    pub fn latency(self, latency: Duration) -> Self {
        Self { line: Line { latency, ..self.line }, ..self }
    }

    /// The same, which takes so many bytes per second in each direction.
    #[must_use]
    pub fn bandwidth(self, bytes_per_second: u64) -> Self {
        Self { line: Line { bandwidth: Some(bytes_per_second.max(1)), ..self.line }, ..self }
    }

    /// The same, on which so many bytes may be on their way in each direction, those that were not read
    /// yet included; further writes wait.
    #[must_use]
    pub fn buffer(self, bytes: usize) -> Self {
        Self { line: Line { buffer: bytes.max(1), ..self.line }, ..self }
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
        server
            .connections()
            .tracker
            .spawn(async move { other.connections().drive(end, Role::Server, &[], handshake, None).await });
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
        Ok((End::new(self.line, &back, &there), End::new(self.line, &there, &back)))
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
        self.each_pipe(|pipe| pipe.set_stalled(stalled));
    }

    fn each_pipe(&self, mut change: impl FnMut(&mut Pipe)) {
        let pipes: Vec<_> = self.state().pipes.iter().filter_map(Weak::upgrade).collect();
        pipes.iter().for_each(|pipe| change(&mut lock(pipe)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line { latency, bandwidth, buffer } = &self.line;
        f.debug_struct("Link")
            .field("latency", latency)
            .field("bandwidth", bandwidth)
            .field("buffer", buffer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;
    use crate::testing::pipe::SEGMENT;

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
