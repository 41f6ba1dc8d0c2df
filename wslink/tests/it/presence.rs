//! Who is here: the list and its changes agree for every watcher, whatever the connections do.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{Stream, future::join_all};
use serde::{Deserialize, Serialize};
use wslink::{
    Client, LoginRequest, Presence, PresenceChange, PresenceEntry, Principal, Rejection, Server,
    client::{Session, State},
    service,
    testing::Link,
};

use crate::client::BOTH;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Person {
    is_typing: bool,
}

#[derive(Default)]
struct Chat {
    people: Presence<Person>,
    last: Arc<Mutex<Option<Client>>>,
}

#[service]
impl Chat {
    #[connected]
    fn joined(&self, client: Client) {
        self.people.enter(&client, Person { is_typing: false });
        *self.last.lock().unwrap() = Some(client);
    }

    #[disconnected]
    fn left(&self, client: Client) {
        self.people.leave(client.id());
    }

    #[rpc("chat.type")]
    fn set_typing(&self, client: Client, is_typing: bool) -> bool {
        self.people.update(client.id(), |_| Person { is_typing })
    }

    #[topic("chat.people")]
    fn people(&self) -> impl Stream<Item = PresenceChange<Person>> + Send + 'static {
        self.people.watch()
    }
}

type List = BTreeMap<String, PresenceEntry<Person>>;

fn server() -> (Server, Presence<Person>) {
    serve(Chat::default())
}

fn serve(chat: Chat) -> (Server, Presence<Person>) {
    let people = chat.people.clone();
    let authenticator = async |login: LoginRequest| Ok::<_, Rejection>(Principal::new(login.token().unwrap_or_default()));
    (Server::builder().authenticator(authenticator).mount(chat).build().unwrap(), people)
}

async fn connect(server: &Server, link: &Link, name: &str) -> Session {
    link.session(server).secret(name).connect().await.unwrap()
}

fn entry(id: &str, connections: usize, is_typing: bool) -> PresenceEntry<Person> {
    PresenceEntry { id: id.to_owned(), connections, data: Person { is_typing } }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_receives_the_list_and_then_what_changes() {
    for protocol in BOTH {
        let (server, people) = server();
        let ada = Link::default().session(&server).protocol(protocol).secret("ada").connect().await.unwrap();
        let mut changes = ada.subscribe_untyped::<PresenceChange<Person>>("chat.people").await.unwrap();
        let mut next = async || changes.next().await.unwrap().unwrap();
        assert_eq!(next().await, PresenceChange::List { entries: vec![entry("ada", 1, false)] });
        let link = Link::default();
        let bob = connect(&server, &link, "bob").await;
        assert_eq!(next().await, PresenceChange::Joined { entry: entry("bob", 1, false) });
        let other = connect(&server, &Link::default(), "bob").await;
        assert_eq!(next().await, PresenceChange::Changed { entry: entry("bob", 2, false) });
        assert!(bob.call::<bool>("chat.type", (true,)).await.unwrap());
        assert_eq!(next().await, PresenceChange::Changed { entry: entry("bob", 2, true) });
        other.close().await;
        assert_eq!(next().await, PresenceChange::Changed { entry: entry("bob", 1, true) });
        link.unplug();
        tokio::time::sleep(Duration::from_secs(2)).await;
        link.plug_in();
        bob.states().until(|state| state == State::Connected).await;
        assert!(bob.call::<bool>("chat.type", (false,)).await.unwrap());
        assert_eq!(next().await, PresenceChange::Changed { entry: entry("bob", 1, false) }, "nobody saw that it was lost");
        bob.close().await;
        assert_eq!(next().await, PresenceChange::Left { id: "bob".to_owned() });
        assert_eq!(people.entries(), [entry("ada", 1, false)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_that_was_too_slow_receives_the_list_anew() {
    let chat = Chat::default();
    let last = Arc::clone(&chat.last);
    let (server, people) = serve(chat);
    let link = Link::default();
    let ada = connect(&server, &link, "ada").await;
    let mut changes = ada.subscribe_untyped::<PresenceChange<Person>>("chat.people").await.unwrap();
    let mut list = List::new();
    changes.next().await.unwrap().unwrap().apply(&mut list);
    link.stall();
    let id = last.lock().unwrap().as_ref().unwrap().id().clone();
    for round in 0..20_000 {
        people.update(&id, |_| Person { is_typing: round % 2 == 0 });
    }
    link.flow();
    let mut lists = 0;
    people.update(&id, |_| Person { is_typing: true });
    while list["ada"] != entry("ada", 1, true) || lists == 0 {
        let change = changes.next().await.unwrap().unwrap();
        lists += usize::from(matches!(change, PresenceChange::List { .. }));
        change.apply(&mut list);
    }
}

/// A generator of numbers, whose seed a failure shows.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
        println!("seed {seed}");
        Self(u64::try_from(seed & u128::from(u64::MAX)).unwrap() | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// 2,000 clients of 700 principals.
#[tokio::test(start_paused = true)]
async fn the_list_is_right_after_any_coming_and_going() {
    const CLIENTS: u64 = 2000;
    let mut random = Random::new();
    let (server, people) = server();
    let watcher = connect(&server, &Link::default(), "watcher").await;
    let mut changes = watcher.subscribe_untyped::<PresenceChange<Person>>("chat.people").await.unwrap();
    let seen = Arc::<Mutex<List>>::default();
    let list = Arc::clone(&seen);
    let watching = tokio::spawn(async move {
        while let Some(change) = changes.next().await {
            change.unwrap().apply(&mut list.lock().unwrap());
        }
    });
    let names: Vec<_> = (0..CLIENTS).map(|number| format!("user{}", number % 700)).collect();
    let connecting = names.iter().map(async |name| {
        let link = Link::default();
        let session = connect(&server, &link, name).await;
        Some((link, session))
    });
    let mut clients = join_all(connecting).await;
    for _ in 0..4000 {
        let at = usize::try_from(random.below(CLIENTS)).unwrap();
        match (random.below(4), &clients[at]) {
            (0, Some((_, session))) => {
                session.close().await;
                clients[at] = None;
            }
            (1, Some((link, _))) => link.cut(),
            (2, Some((link, session))) => {
                link.unplug();
                tokio::time::sleep(Duration::from_millis(random.below(2000))).await;
                link.plug_in();
                if random.below(2) == 0 {
                    session.states().until(|state| state == State::Connected).await;
                }
            }
            (_, None) => {
                let link = Link::default();
                let session = connect(&server, &link, &names[at]).await;
                clients[at] = Some((link, session));
            }
            _ => {}
        }
    }
    for (_, session) in clients.iter().flatten() {
        session.states().until(|state| state == State::Connected).await;
    }
    let mut expected = List::from([("watcher".to_owned(), entry("watcher", 1, false))]);
    for (at, _) in clients.iter().enumerate().filter(|(_, client)| client.is_some()) {
        expected.entry(names[at].clone()).or_insert_with(|| entry(&names[at], 0, false)).connections += 1;
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let entries: List = people.entries().into_iter().map(|entry| (entry.id.clone(), entry)).collect();
    assert_eq!(entries, expected);
    assert_eq!(*seen.lock().unwrap(), expected);
    assert!(!watching.is_finished());
}
