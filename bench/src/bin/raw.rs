//! tokio-tungstenite with its default buffers and no protocol: the best that a server built directly
//! on it does without effort. Flushes only when nothing else is ready.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::future::poll_fn;
use futures_util::{Sink, Stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::Receiver;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};
use wslink_bench::{Answer, Bare, Error, run};

struct Connection {
    socket: WebSocketStream<TcpStream>,
    events: Option<Receiver<Bytes>>,
    server: Arc<Bare>,
}

fn main() -> Result<(), Error> {
    run(async |listener: TcpListener| {
        let server = Arc::new(Bare::default());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let server = Arc::clone(&server);
            tokio::spawn(async move {
                let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
                let Ok(socket) = accept_async_with_config(stream, Some(config)).await else { return };
                let mut connection = Connection { socket, events: None, server };
                poll_fn(|cx| connection.poll(cx)).await;
            });
        }
    })
}

impl Connection {
    /// Ready when the connection has ended.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match Pin::new(&mut self.socket).poll_ready(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
            let message = match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(Message::Binary(request)))) => match self.server.answer(request) {
                    Answer::Now(bytes) => Some(bytes),
                    Answer::Subscribe(events) => {
                        self.events = Some(events);
                        Some(Bytes::from_static(b"subscribed"))
                    }
                    Answer::Nothing => continue,
                },
                Poll::Ready(Some(Ok(_))) => continue,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => match self.events.as_mut().map(|events| events.poll_recv(cx)) {
                    Some(Poll::Ready(event)) => event,
                    _ => None,
                },
            };
            let Some(message) = message else {
                return match Pin::new(&mut self.socket).poll_flush(cx) {
                    Poll::Ready(Err(_)) => Poll::Ready(()),
                    _ => Poll::Pending,
                };
            };
            if Pin::new(&mut self.socket).start_send(Message::Binary(message)).is_err() {
                return Poll::Ready(());
            }
        }
    }
}
