//! The service.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::Stream;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wslink::{Client, ClientId, Presence, PresenceChange, Publisher, RpcError, Topic, service};

/// The number of lines that later clients receive.
const KEPT: usize = 50;

/// The longest name and the longest line, in characters.
const NAME: usize = 24;
const LINE: usize = 500;

/// A room.
pub(crate) struct Room {
    publisher: Publisher,
    people: Presence<Person>,
    lines: Mutex<VecDeque<Line>>,
}

/// A person in the room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Person {
    /// Empty for a person who only watches.
    pub(crate) name: String,
    /// True while the person types a line.
    pub(crate) is_typing: bool,
}

/// A line of the conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Line {
    /// The id of the client.
    pub(crate) from: String,
    /// The person's name.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: String,
    /// The time, in milliseconds since 1970.
    pub(crate) at: u64,
}

/// The errors of the room.
#[derive(Debug, RpcError)]
pub(crate) enum RoomError {
    /// A name has 1 to 24 characters, and no other person has it.
    Name,
    /// Say your name before you speak.
    Nameless,
    /// A line has 1 to 500 characters.
    Line,
}

impl Room {
    /// An empty room.
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher, people: Presence::new(), lines: Mutex::default() }
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name_of(&self, client: &ClientId) -> Result<String, RoomError> {
        let entry = self.people.get(client).ok_or(RoomError::Nameless)?;
        if entry.name.is_empty() { Err(RoomError::Nameless) } else { Ok(entry.name) }
    }
}

#[service]
impl Room {
    /// Each new line.
    #[topic("room.said")]
    pub(crate) const SAID: Topic<Line>;

    /// The people in the room: the list first, then its changes.
    #[topic("room.people")]
    fn people(&self) -> impl Stream<Item = PresenceChange<Person>> + Send + 'static {
        self.people.watch()
    }

    #[connected]
    fn comes(&self, client: Client) {
        self.people.enter(&client, Person { name: String::new(), is_typing: false });
    }

    #[disconnected]
    fn goes(&self, client: Client) {
        self.people.leave(client.id());
    }

    /// Gives the caller a name. Returns the last lines.
    #[rpc("room.enter")]
    fn enter(&self, client: Client, name: String) -> Result<Vec<Line>, RoomError> {
        let name = name.trim();
        let is_taken = self.people.entries().iter().any(|other| other.data.name == name && other.id != client.id().as_str());
        if name.is_empty() || name.chars().count() > NAME || is_taken {
            return Err(RoomError::Name);
        }
        self.people.update(client.id(), |_| Person { name: name.to_owned(), is_typing: false });
        Ok(self.lines().iter().cloned().collect())
    }

    /// Tells the others whether the caller types.
    #[rpc("room.type")]
    fn set_typing(&self, client: Client, is_typing: bool) {
        self.people.update(client.id(), |person| Person { is_typing, ..person.clone() });
    }

    /// Sends a line to everybody in the room.
    #[rpc("room.say")]
    fn say(&self, client: Client, text: String) -> Result<(), RoomError> {
        let name = self.name_of(client.id())?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > LINE {
            return Err(RoomError::Line);
        }
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let at = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let line = Line { from: client.id().to_string(), name, text: text.to_owned(), at };
        self.people.update(client.id(), |person| Person { is_typing: false, ..person.clone() });
        let mut lines = self.lines();
        lines.push_back(line.clone());
        if lines.len() > KEPT {
            lines.pop_front();
        }
        self.publisher.publish(Self::SAID, &line);
        Ok(())
    }
}
