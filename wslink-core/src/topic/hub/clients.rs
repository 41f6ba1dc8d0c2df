//! The clients of a server by their ids, and those that a publication is for.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    ClientId,
    topic::{Outbox, discarded::Discarded, peer::Peer, resume::Away},
};

#[derive(Default)]
pub(in crate::topic) struct Clients {
    pub(in crate::topic) peers: HashMap<ClientId, Peer>,
    pub(super) groups: HashMap<String, HashSet<ClientId>>,
    pub(in crate::topic) away: Away,
}

impl Clients {
    /// The client, if `outbox` is that of its connection, and not of one that it had before.
    pub(in crate::topic) fn of(&mut self, id: &ClientId, outbox: &Arc<Outbox>) -> Option<&mut Peer> {
        self.peers.get_mut(id).filter(|peer| Arc::ptr_eq(&peer.outbox, outbox))
    }

    /// Removes a client.
    pub(in crate::topic) fn remove(&mut self, id: &ClientId, discarded: &mut Discarded) {
        let Some(peer) = self.peers.remove(id) else { return };
        peer.outbox.close(discarded);
        discarded.other(peer);
        self.groups.retain(|_, members| {
            members.remove(id);
            !members.is_empty()
        });
    }

    /// Visits everybody of `audience`, those who are away included.
    pub(super) fn each(&self, audience: &Audience, mut visit: impl FnMut(&Peer)) {
        let peer = |id| self.peers.get(id);
        match audience {
            Audience::All => self.peers.values().for_each(visit),
            Audience::Only(id) => peer(id).into_iter().for_each(visit),
            Audience::AllBut(id) => self.peers.iter().filter(|(other, _)| *other != id).for_each(|(_, peer)| visit(peer)),
            Audience::Group(name) => self.groups.get(name).into_iter().flatten().filter_map(peer).for_each(visit),
        }
    }
}

/// Which clients a publication is for.
#[derive(Clone, Debug)]
pub(in crate::topic) enum Audience {
    All,
    Only(ClientId),
    AllBut(ClientId),
    Group(String),
}
