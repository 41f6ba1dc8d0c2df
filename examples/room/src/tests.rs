use std::collections::BTreeMap;

use wslink::{
    PresenceChange, PresenceEntry, Server,
    client::{Error, Session, Subscription},
    testing,
};

use crate::room::{Line, Person, Room, RoomError};

fn server() -> Server {
    Server::builder().service(Room::new).build().unwrap()
}

async fn named(server: &Server, name: &str) -> Session {
    let session = testing::connect(server).await.unwrap();
    let _: Vec<Line> = session.call("room.enter", (name,)).await.unwrap();
    session
}

/// The names of those who are here, once `enough` says that the list is as expected.
async fn until(
    changes: &mut Subscription<PresenceChange<Person>>,
    list: &mut BTreeMap<String, PresenceEntry<Person>>,
    enough: impl Fn(&[Person]) -> bool,
) {
    loop {
        changes.next().await.unwrap().unwrap().apply(list);
        let people: Vec<_> = list.values().map(|entry| entry.data.clone()).collect();
        if enough(&people) {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_sees_who_comes_types_and_goes() {
    let server = server();
    let ada = named(&server, "Ada").await;
    let mut changes = ada.subscribe_untyped("room.people").await.unwrap();
    let mut list = BTreeMap::new();
    until(&mut changes, &mut list, |people| people.len() == 1 && people[0].name == "Ada").await;
    let bob = named(&server, "Bob").await;
    let bob_types = |people: &[Person]| people.iter().any(|person| person.name == "Bob" && person.is_typing);
    let () = bob.call("room.type", (true,)).await.unwrap();
    until(&mut changes, &mut list, bob_types).await;
    let () = bob.call("room.say", ("hello",)).await.unwrap();
    until(&mut changes, &mut list, |people| people.len() == 2 && !bob_types(people)).await;
    bob.close().await;
    until(&mut changes, &mut list, |people| people.len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn who_comes_later_reads_what_was_said() {
    let server = server();
    let ada = named(&server, "Ada").await;
    let mut said = ada.subscribe(Room::SAID).await.unwrap();
    for number in 0..60 {
        let () = ada.call("room.say", (format!("line {number}"),)).await.unwrap();
        assert_eq!(said.next().await.unwrap().unwrap().text, format!("line {number}"));
    }
    let bob = testing::connect(&server).await.unwrap();
    let lines: Vec<Line> = bob.call("room.enter", ("Bob",)).await.unwrap();
    assert_eq!(lines.iter().map(|line| &*line.text).collect::<Vec<_>>().first(), Some(&"line 10"));
    assert_eq!(lines.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn names_and_lines_have_bounds() {
    let server = server();
    let ada = named(&server, "Ada").await;
    let guest = testing::connect(&server).await.unwrap();
    let refusal = |error: Error| error.typed::<RoomError>().unwrap();
    for name in ["", "  ", "Ada", &"x".repeat(25)] {
        let error = guest.call::<Vec<Line>>("room.enter", (name,)).await.unwrap_err();
        assert!(matches!(refusal(error), RoomError::Name), "{name}");
    }
    assert!(matches!(refusal(guest.call::<()>("room.say", ("hello",)).await.unwrap_err()), RoomError::Nameless));
    for text in ["", &"x".repeat(501)] {
        assert!(matches!(refusal(ada.call::<()>("room.say", (text,)).await.unwrap_err()), RoomError::Line));
    }
}
