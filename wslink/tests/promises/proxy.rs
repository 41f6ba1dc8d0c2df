//! A network between a client and a server that can be slow, or stand still.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How bytes travel.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// Of each piece, one after the other.
    pub(crate) delay: Duration,
    /// The longest piece.
    pub(crate) piece: usize,
    /// Every so many pieces, one takes ten times as long, as if it had been lost.
    pub(crate) lost: usize,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    /// Forwards what connects to it.
    pub(crate) fn start(server: SocketAddr, link: Link) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(server).unwrap());
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                forward(client.try_clone().unwrap(), server.try_clone().unwrap(), link, Arc::clone(&told));
                forward(server, client, link, Arc::clone(&told));
            }
        });
        Self { address, cut }
    }

    /// From now on nothing gets through, or does again; nothing is lost.
    pub(crate) fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::Relaxed);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, link: Link, cut: Arc<AtomicBool>) {
    thread::spawn(move || {
        let mut piece = vec![0; link.piece];
        for n in 1.. {
            let Ok(read @ 1..) = from.read(&mut piece) else { break };
            while cut.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
            thread::sleep(if n % link.lost == 0 { link.delay * 10 } else { link.delay });
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        // One side has ended: so does the other.
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}
