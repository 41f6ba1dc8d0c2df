//! Hello: what a client says of itself, and what the server's answer settles for the connection.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::Error;
use crate::wire::{
    Encoded,
    message::{Body, ClientWire, Parts},
};

/// The extensions that this client uses where the server knows them.
const EXTENSIONS: [&str; 6] = ["subscribe", "cancel", "progress", "deadline", "resume", "refresh"];

/// The id of the hello, on each connection.
pub(super) const ID: &str = "system:c0:0";

#[derive(Serialize)]
struct Hello<'a> {
    secret: &'a str,
    extensions: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
}

/// What to go on from: the token of the last connection, and what came on it.
pub(super) struct Resume {
    pub(super) token: String,
    /// How many events.
    pub(super) received: u64,
}

/// The frames of a hello.
pub(super) fn hello(wire: &dyn ClientWire, secret: &str, resume: Option<&Resume>) -> Result<Encoded, Error> {
    let token = resume.map(|resume| &*resume.token);
    let received = resume.map(|resume| resume.received);
    let hello = (Hello { secret, extensions: &EXTENSIONS, resume: token, received },);
    let parts = Parts { positional: Some(&hello), named: None };
    let draft = wire.draft("wslink.hello", parts).map_err(|error| Error::Encode(error.0))?;
    Ok(draft.seal(ID, None, usize::MAX))
}

/// What is settled for one connection.
#[derive(Debug)]
pub(super) struct Greeting {
    /// Which connection of the session this is.
    pub(super) epoch: u64,
    pub(super) client_id: String,
    pub(super) extensions: Extensions,
    /// Whether the server knows of extensions at all.
    pub(super) extended: bool,
    /// Bytes of a frame that the server takes.
    pub(super) max_frame: usize,
    /// Bytes of a message that the server takes.
    max_message: usize,
    /// For how long it is good, unless for ever.
    pub(super) lifetime: Option<Duration>,
    /// What the next connection may resume this one with.
    pub(super) resume: Option<String>,
    /// What goes on of the connection before.
    pub(super) resumed: Option<Resumed>,
}

/// The extensions in force that change what the client sends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extensions {
    pub(super) subscribe: bool,
    pub(super) cancel: bool,
    pub(super) deadline: bool,
}

#[derive(Deserialize)]
struct Welcome {
    #[serde(rename = "clientID")]
    client_id: String,
    #[serde(rename = "maxMsgSize", default)]
    max_frame: Option<usize>,
    #[serde(default)]
    extensions: Vec<String>,
    #[serde(default)]
    limits: Option<Limits>,
    #[serde(rename = "expiresInMs", default)]
    expires_in_ms: Option<u64>,
    #[serde(default)]
    resume: Option<String>,
    #[serde(default)]
    resumed: Option<Resumed>,
}

#[derive(Deserialize)]
struct Limits {
    #[serde(rename = "maxMsgSize", default)]
    max_frame: Option<usize>,
    #[serde(rename = "messageBytes", default)]
    max_message: Option<usize>,
}

/// What goes on of a connection that was lost.
#[derive(Debug, Deserialize)]
pub(super) struct Resumed {
    /// How many events of each topic were missed.
    #[serde(default)]
    pub(super) missed: HashMap<String, u64>,
    /// The numbers of the subscriptions that there still are.
    #[serde(default)]
    pub(super) kept: HashSet<u64>,
}

impl Greeting {
    /// From the result of a hello.
    pub(super) fn read(body: &Body, epoch: u64) -> Result<Self, Error> {
        let welcome: Welcome = body.decode().map_err(|why| Error::Handshake(format!("its hello is not understood: {why}")))?;
        let knows = |name| welcome.extensions.iter().any(|known| known == name);
        let extensions = Extensions { subscribe: knows("subscribe"), cancel: knows("cancel"), deadline: knows("deadline") };
        let limit = |of: fn(&Limits) -> Option<usize>| welcome.limits.as_ref().and_then(of);
        Ok(Self {
            epoch,
            extensions,
            extended: !welcome.extensions.is_empty(),
            max_frame: welcome.max_frame.or(limit(|limits| limits.max_frame)).unwrap_or(usize::MAX),
            max_message: limit(|limits| limits.max_message).unwrap_or(usize::MAX),
            client_id: welcome.client_id,
            lifetime: welcome.expires_in_ms.map(Duration::from_millis),
            resume: welcome.resume,
            resumed: welcome.resumed,
        })
    }

    /// Refuses what the server would end the connection for.
    pub(super) fn admit(&self, request: &Encoded) -> Result<(), Error> {
        let frame = request.frames().iter().map(crate::wire::Frame::len).max().unwrap_or(0);
        for (bytes, limit) in [(frame, self.max_frame), (request.len(), self.max_message)] {
            if bytes > limit {
                return Err(Error::TooLarge { bytes, limit });
            }
        }
        Ok(())
    }
}
