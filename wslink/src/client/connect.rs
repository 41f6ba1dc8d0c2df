//! From an address to a connection that has said hello.

use std::{future::poll_fn, sync::Arc, time::Duration};

use super::{
    Error,
    error::call_error,
    hello::{self, Greeting, Resume},
    link::{Link, Stream},
    settings::Settings,
};
use crate::{
    ErrorCode, Limits,
    transport::{Role, WebSocket},
};
use wslink_core::wire::message::Received;

/// After so much silence the server is pinged.
const PING: Duration = Duration::from_secs(20);

/// A connection that has said hello, and what it was answered.
pub(super) type Connected = (Link, Arc<Greeting>);

/// Connects and says hello, as connection number `epoch` of a session.
pub(super) async fn connect(settings: Arc<Settings>, epoch: u64, resume: Option<Resume>) -> Result<Connected, Error> {
    let secret = settings.credentials.secret().await?;
    let connecting = async {
        let mut link = open(&settings).await?;
        link.outbound.control(hello::hello(settings.wire, &secret, resume.as_ref())?);
        let greeting = greet(&mut link, epoch).await?;
        if settings.ping.is_none() && !greeting.extended {
            link.be_patient();
        }
        Ok((link, Arc::new(greeting)))
    };
    let in_time = tokio::time::timeout(settings.connect_timeout, connecting).await;
    in_time.unwrap_or_else(|_| Err(Error::Handshake(format!("no answer within {:?}", settings.connect_timeout))))
}

async fn open(settings: &Settings) -> Result<Link, Error> {
    let (stream, read) = reach(settings).await?;
    let socket = WebSocket::new(stream, Role::Client, &read, settings.message_bytes);
    let mut limits = Limits::default();
    limits.message_bytes = settings.message_bytes;
    (limits.incomplete_messages, limits.attachment_keys) = (4096, 4096);
    limits.attachment_bytes = settings.message_bytes;
    Ok(Link::new(socket, settings.wire.messages(&limits), settings.ping.unwrap_or(PING)))
}

/// A stream whose handshake is done, and what came with it.
async fn reach(settings: &Settings) -> Result<(Box<dyn Stream>, Vec<u8>), Error> {
    #[cfg(feature = "testing")]
    if let Some(dial) = &settings.dial {
        return Ok((Box::new(dial()?), Vec::new()));
    }
    let address = &settings.address;
    let tcp = address.dial().await?;
    #[cfg(feature = "client-tls")]
    let mut stream: Box<dyn Stream> = match &settings.trust {
        Some(trust) => Box::new(trust.encrypt(tcp, address.host()).await?),
        None => Box::new(tcp),
    };
    #[cfg(not(feature = "client-tls"))]
    let mut stream: Box<dyn Stream> = Box::new(tcp);
    let read = address.shake_hands(&mut stream).await?;
    Ok((stream, read))
}

async fn greet(link: &mut Link, epoch: u64) -> Result<Greeting, Error> {
    loop {
        let message = poll_fn(|cx| link.poll_message(cx)).await.map_err(|ended| Error::Handshake(ended.0.to_owned()))?;
        if message.id != hello::ID {
            continue;
        }
        return match message.content {
            Received::Result(body) => Greeting::read(&body, epoch),
            Received::Error(body) => Err(match call_error(&body) {
                error if error.code() == ErrorCode::Authentication => Error::Unauthorized(error),
                error => Error::Handshake(error.to_string()),
            }),
            Received::Progress(_) | Received::End => continue,
        };
    }
}
