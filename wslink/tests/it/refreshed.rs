//! Sessions whose tokens expire, under a paused clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use wslink::{
    Client, LoginRequest, Principal, Rejection, Server,
    client::{Error, Session},
    service, testing,
};

struct Who;

#[service]
impl Who {
    #[rpc("who.am.i")]
    fn who_am_i(&self, client: Client) -> (String, String) {
        (client.id().to_string(), client.principal().name().to_owned())
    }
}

const LIFETIME: Duration = Duration::from_secs(60);

/// Good for a minute are the tokens that are no word.
fn server() -> Server {
    let admit = async |attempt: LoginRequest| {
        let number: u32 = attempt.token().unwrap_or_default().parse()?;
        Ok::<_, Rejection>(Principal::new(format!("guest {number}")).expires_in(LIFETIME))
    };
    Server::builder().authenticator(admit).mount(Who).build().unwrap()
}

async fn who(session: &Session) -> (String, String) {
    session.call("who.am.i", ()).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_said_before_the_old_one_expires() {
    let server = server();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let token = move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        // The second one cannot be had.
        async move { if number == 1 { Err("no network") } else { Ok(number.to_string()) } }
    };
    let session = testing::session(&server).token(token).connect().await.unwrap();
    let (id, name) = who(&session).await;
    assert_eq!(name, "guest 0");
    for _ in 0..100 {
        tokio::time::sleep(LIFETIME / 10).await;
        let (same, _) = who(&session).await;
        assert_eq!(same, id, "it is the same connection all the time");
    }
    let asked = asked.load(Ordering::SeqCst);
    assert!((10..20).contains(&asked), "10 minutes, and asked {asked} times");
    assert_eq!(who(&session).await.1, format!("guest {}", asked - 1));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_costs_the_connection_and_the_next_begins_with_another() {
    let server = server();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let token = move || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { Ok::<_, Error>(if number == 1 { "no number".to_owned() } else { number.to_string() }) }
    };
    let session = testing::session(&server).token(token).connect().await.unwrap();
    let (first, _) = who(&session).await;
    tokio::time::sleep(LIFETIME + Duration::from_secs(5)).await;
    let refused = session.call::<(String, String)>("who.am.i", ()).await;
    assert!(matches!(&refused, Err(Error::Call(error)) if error.message() == "Authentication expired"), "{refused:?}");
    tokio::time::sleep(Duration::from_secs(20)).await;
    let (second, name) = who(&session).await;
    assert_ne!(second, first);
    assert_eq!(name, "guest 2");
}

#[tokio::test(start_paused = true)]
async fn what_expires_at_once_is_not_renewed_without_a_pause() {
    let hellos = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&hellos);
    let admit = move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Principal::new("guest").expires_in(Duration::ZERO)))
    };
    let server = Server::builder().authenticator(admit).mount(Who).build().unwrap();
    let token = || async { Ok::<_, Error>("x".to_owned()) };
    let _session = testing::session(&server).token(token).connect().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let hellos = hellos.load(Ordering::SeqCst);
    assert!((2..=11).contains(&hellos), "{hellos} in a second");
}
