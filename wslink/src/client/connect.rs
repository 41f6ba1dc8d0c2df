//! From an address to a connection whose hello is answered.

use std::{future::poll_fn, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};
use wslink_core::session::{ClientEvent, ClientSettings, HelloError, Lost, Memory, Session};

use super::{
    Error,
    connection::{Connection, Stream},
    handle::Greeting,
    settings::Settings,
};
use crate::{
    ErrorCode, Limits,
    transport::{Role, WebSocket},
};

/// After so much silence the server is pinged.
const PING: Duration = Duration::from_secs(20);

/// A connection whose hello is answered.
pub(super) type Connected = (Connection, Arc<Greeting>);

/// Connects and says hello, as connection number `epoch` of a session that goes on from `memory`, which is given back
/// where that fails.
pub(super) async fn connect(settings: Arc<Settings>, epoch: u64, memory: Memory) -> Result<Connected, (Error, Memory)> {
    let secret = match settings.credentials.secret().await {
        Ok(secret) => secret,
        Err(error) => return Err((error, memory)),
    };
    let start = Instant::now();
    // A time-out beyond the clock never passes.
    let deadline = start.checked_add(settings.connect_timeout).unwrap_or(start + Duration::from_secs(1 << 30));
    let late = || Error::Handshake(format!("no answer within {:?}", settings.connect_timeout));
    let socket = match timeout_at(deadline, open(&settings)).await.unwrap_or_else(|_| Err(late())) {
        Ok(socket) => socket,
        Err(error) => return Err((error, memory)),
    };
    let session = Session::client(&session_settings(&settings), memory, Instant::now().into_std());
    let mut connection = Connection::new(socket, session);
    let greeted = match connection.session.hello(&secret) {
        Ok(()) => timeout_at(deadline, greet(&mut connection, epoch)).await.unwrap_or_else(|_| Err(late())),
        Err(error) => Err(Error::Encode(error.0)),
    };
    match greeted {
        Ok(greeting) => Ok((connection, Arc::new(greeting))),
        Err(error) => {
            let lost = connection.abandon().await.into_lost();
            Err((error, lost.map(|Lost { memory, .. }| memory).unwrap_or_default()))
        }
    }
}

fn session_settings(settings: &Settings) -> ClientSettings {
    let limits = Limits::with(|limits| {
        (limits.message_bytes, limits.attachment_bytes) = (settings.message_bytes, settings.message_bytes);
        (limits.incomplete_messages, limits.attachment_keys) = (4096, 4096);
    });
    ClientSettings {
        protocol: settings.protocol,
        limits,
        ping: settings.ping.unwrap_or(PING),
        waits_for_stock_servers: settings.ping.is_none(),
    }
}

async fn open(settings: &Settings) -> Result<WebSocket<Box<dyn Stream>>, Error> {
    let (stream, read) = reach(settings).await?;
    Ok(WebSocket::new(stream, Role::Client, &read, settings.message_bytes))
}

/// A stream whose handshake is done, and the bytes that came with it.
async fn reach(settings: &Settings) -> Result<(Box<dyn Stream>, Vec<u8>), Error> {
    #[cfg(feature = "testing")]
    if let Some(dial) = &settings.dial {
        return Ok((dial()?, Vec::new()));
    }
    let Settings { address, connector, proxy, headers, .. } = settings;
    let mut stream = match (connector, proxy) {
        (Some(connector), _) => connector().await?,
        (None, Some(proxy)) => Box::new(address.dial_through(proxy).await?),
        (None, None) => Box::new(address.dial().await?),
    };
    #[cfg(feature = "client-tls")]
    if let Some(encryption) = &settings.encryption {
        stream = Box::new(encryption.encrypt(stream, address.host()).await?);
    }
    let read = address.shake_hands(&mut stream, headers).await?;
    Ok((stream, read))
}

async fn greet(connection: &mut Connection, epoch: u64) -> Result<Greeting, Error> {
    loop {
        let event = poll_fn(|cx| connection.poll_event(cx)).await.map_err(|end| Error::Handshake(end.to_string()))?;
        let ClientEvent::Welcome(welcome) = event else { continue };
        return match welcome {
            Ok(welcome) => Ok(Greeting { epoch, welcome }),
            Err(HelloError::Malformed(why)) => Err(Error::Handshake(format!("its hello is not understood: {why}"))),
            Err(HelloError::Refused(error)) if error.code() == ErrorCode::Authentication => Err(Error::Unauthorized(error)),
            Err(HelloError::Refused(error)) => Err(Error::Call(error)),
        };
    }
}
