//! The clients as the hub of the server is to know them: who they are, and whether they are here.

use wslink_core::{Client, ClientId};

use super::{ledger::Facts, link::Ms, topics::TOPICS};

/// A principal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Who {
    #[default]
    Nobody,
    /// Has the authority `insider`, and sees the topic `u.alice`.
    Alice,
    Bob,
}

impl Who {
    pub(crate) fn of(client: &Client) -> Self {
        Self::named(client.principal().name())
    }

    /// Who says this in a hello.
    pub(crate) fn named(secret: &str) -> Self {
        match secret {
            "alice" => Self::Alice,
            "bob" => Self::Bob,
            _ => Self::Nobody,
        }
    }
}

/// A client as the hub of the server knows it.
pub(crate) struct HubClient {
    pub(crate) id: ClientId,
    pub(crate) who: Who,
    pub(crate) presence: Presence,
    /// Member of the one group that there is.
    pub(crate) grouped: bool,
    pub(crate) server: u32,
    /// The connection whose events it gets.
    pub(crate) connection: u32,
    /// How often it said hello again on it.
    pub(crate) renewals: u32,
    /// Who it was when the connection began.
    pub(crate) began_as: Who,
    /// The number of the next event of each topic when it last became another principal.
    pub(crate) changed_at: [u32; TOPICS.len()],
}

/// Whether a client can be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    /// Its connection was lost at that time, and it is remembered.
    Away(Ms),
    Gone,
}

impl Facts {
    /// The client of that id has said its first hello on this connection. Returns its index.
    pub(crate) fn joined(&mut self, id: &ClientId, who: Who, connection: u32) -> usize {
        if let Some(index) = self.clients.iter().position(|client| client.id == *id) {
            let client = &mut self.clients[index];
            assert_eq!(client.who, who, "client {index} is resumed by another principal");
            (client.presence, client.connection, client.renewals) = (Presence::Here, connection, 0);
            client.began_as = who;
            return index;
        }
        let (id, presence, server, changed_at) = (id.clone(), Presence::Here, self.server, [0; TOPICS.len()]);
        let (began_as, renewals) = (who, 0);
        self.clients.push(HubClient { id, who, presence, grouped: false, server, connection, renewals, began_as, changed_at });
        assert!(self.clients.len() <= 128, "receivers are 128 bits");
        self.clients.len() - 1
    }

    /// The client says hello again on its connection.
    pub(crate) fn renewed(&mut self, index: usize, who: Who, connection: u32) {
        let client = &mut self.clients[index];
        if client.connection != connection {
            return;
        }
        client.renewals += 1;
        if std::mem::replace(&mut client.who, who) != who {
            client.began_as = Who::Nobody;
            client.changed_at = std::array::from_fn(|topic| u32::try_from(self.publications[topic].len()).unwrap());
        }
    }

    /// There is another server, which knows nobody.
    pub(crate) fn restart(&mut self) {
        self.server += 1;
        self.clients.iter_mut().for_each(|client| client.presence = Presence::Gone);
    }

    /// Its connection is over.
    pub(crate) fn parted(&mut self, index: usize, connection: u32, presence: Presence) {
        let client = &mut self.clients[index];
        if client.connection == connection {
            client.presence = presence;
        }
    }
}
