//! The presence list: the principals that are connected, with data of the application, and its changes.
//!
//! A watcher that is slower than the changes receives the list anew instead of a long tail, so the list and some hundred
//! changes bound the memory, whatever the number of watchers.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex},
};

use futures_util::Stream;
use serde::{Deserialize, Serialize};

use self::{
    list::{Dropped, List, lock},
    watch::{Watch, entry},
};
use crate::{Client, ClientId};

mod list;
mod watch;

/// Who is here, with data of type `T`. A clone is the same list.
///
/// Several connections of one principal are one entry; a client without a principal is an entry by its id. Clients enter
/// and leave where the service says so, mostly in its hooks:
///
/// ```
/// # extern crate wslink_core as wslink;
/// use futures_util::Stream;
/// use serde::Serialize;
/// use wslink::{Client, Presence, PresenceChange, service};
///
/// #[derive(Clone, Serialize)]
/// struct Person {
///     name: String,
///     is_typing: bool,
/// }
///
/// #[derive(Default)]
/// struct Chat {
///     people: Presence<Person>,
/// }
///
/// #[service]
/// impl Chat {
///     #[connected]
///     fn joined(&self, client: Client) {
///         self.people.enter(&client, Person { name: client.principal().name().to_owned(), is_typing: false });
///     }
///
///     #[disconnected]
///     fn left(&self, client: Client) {
///         self.people.leave(client.id());
///     }
///
///     #[rpc("chat.type")]
///     fn set_typing(&self, client: Client, is_typing: bool) {
///         self.people.update(client.id(), |person| Person { is_typing, ..person.clone() });
///     }
///
///     /// Who is here: the whole list first, then what changes.
///     #[topic("chat.people")]
///     fn people(&self) -> impl Stream<Item = PresenceChange<Person>> + Send + 'static {
///         self.people.watch()
///     }
/// }
/// ```
pub struct Presence<T>(Arc<Mutex<List<T>>>);

/// An entry in the list of those who are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "manifest", derive(schemars::JsonSchema))]
pub struct PresenceEntry<T> {
    /// The name of the principal, or the id of a client without one.
    pub id: String,
    /// How many clients of the principal are here.
    pub connections: usize,
    /// The data of the application.
    pub data: T,
}

/// A change in the list of those who are here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "manifest", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PresenceChange<T> {
    /// The whole list, in the order of the ids: first of all, and again for a subscriber that was too slow.
    List {
        /// Everybody who is here.
        entries: Vec<PresenceEntry<T>>,
    },
    /// Somebody has come.
    Joined {
        /// The new entry.
        entry: PresenceEntry<T>,
    },
    /// The data or the number of connections of an entry is another.
    Changed {
        /// The entry as it is now.
        entry: PresenceEntry<T>,
    },
    /// Somebody has gone.
    Left {
        /// The id of the entry.
        id: String,
    },
}

impl<T> Presence<T> {
    /// A list of nobody.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(List::new())))
    }

    /// The client is here, with this data: a new entry, or another connection or other data of the entry of its
    /// principal.
    pub fn enter(&self, client: &Client, data: T) {
        let name = client.principal().name();
        let id = if name.is_empty() { client.id().as_str() } else { name }.into();
        let (data, mut dropped) = (Arc::new(data), Dropped::default());
        lock(&self.0).enter(client.id(), id, data, &mut dropped);
    }

    /// Gives the entry of the client other data, made from what it has. Returns whether the client is here.
    pub fn update(&self, client: &ClientId, change: impl FnOnce(&T) -> T) -> bool {
        let Some(current) = self.data(client) else { return false };
        let (data, mut dropped) = (Arc::new(change(&current)), Dropped::default());
        lock(&self.0).set(client, data, &mut dropped)
    }

    /// The client is gone, and its entry with the last client of its principal. Returns whether it was here.
    pub fn leave(&self, client: &ClientId) -> bool {
        let mut dropped = Dropped::default();
        lock(&self.0).leave(client, &mut dropped)
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        lock(&self.0).len()
    }

    /// Whether nobody is here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn data(&self, client: &ClientId) -> Option<Arc<T>> {
        lock(&self.0).data(client)
    }
}

impl<T: Clone> Presence<T> {
    /// The data of the client's entry, if the client is here.
    #[must_use]
    pub fn get(&self, client: &ClientId) -> Option<T> {
        self.data(client).map(|data| T::clone(&data))
    }

    /// Everybody who is here, in the order of the ids.
    #[must_use]
    pub fn entries(&self) -> Vec<PresenceEntry<T>> {
        let entries = lock(&self.0).snapshot();
        entries.into_iter().map(entry).collect()
    }
}

impl<T: Clone + Send + Sync + 'static> Presence<T> {
    /// The list, and then what changes in it, for the function of a `#[topic]`.
    pub fn watch(&self) -> impl Stream<Item = PresenceChange<T>> + Send + 'static + use<T> {
        Watch::new(Arc::clone(&self.0))
    }
}

impl<T> Clone for Presence<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Presence<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Presence<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presence").field("entries", &self.len()).finish()
    }
}

impl<T> PresenceChange<T> {
    /// Makes the change in `list`, which a subscriber keeps: it is empty before the first change.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// use std::collections::BTreeMap;
    /// use wslink::{PresenceChange, PresenceEntry};
    ///
    /// let mut list = BTreeMap::new();
    /// let ada = PresenceEntry { id: "ada".to_owned(), connections: 1, data: () };
    /// PresenceChange::List { entries: vec![ada] }.apply(&mut list);
    /// PresenceChange::<()>::Left { id: "ada".to_owned() }.apply(&mut list);
    /// assert!(list.is_empty());
    /// ```
    pub fn apply(self, list: &mut BTreeMap<String, PresenceEntry<T>>) {
        match self {
            Self::List { entries } => *list = entries.into_iter().map(|entry| (entry.id.clone(), entry)).collect(),
            Self::Joined { entry } | Self::Changed { entry } => _ = list.insert(entry.id.clone(), entry),
            Self::Left { id } => _ = list.remove(&id),
        }
    }
}
