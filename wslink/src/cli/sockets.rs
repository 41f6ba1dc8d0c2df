//! Sockets that a supervisor has opened already (`LISTEN_FDS`, as of systemd), in place of those that options name.

use tokio::net::TcpListener;

use crate::Error;

/// All of them; none without a supervisor.
pub(super) fn inherited() -> Result<Vec<TcpListener>, Error> {
    let mut given = listenfd::ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..given.len() {
        let wrong = |error: std::io::Error| {
            Error::Setting(format!("socket {index} of `LISTEN_FDS` cannot be listened at: {error}; pass TCP sockets that listen"))
        };
        if let Some(listener) = given.take_tcp_listener(index).map_err(wrong)? {
            listener.set_nonblocking(true).map_err(wrong)?;
            listeners.push(TcpListener::from_std(listener).map_err(wrong)?);
        }
    }
    Ok(listeners)
}
