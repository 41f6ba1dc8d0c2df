//! How sessions of the Rust client begin, come back and end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use wslink::{
    Limits, Value,
    client::{Continuity, Error, Event, ProtocolVersion, Session, State},
};

use crate::{
    client::{BOTH, builder, eager, mount},
    harness::TestServer,
};

#[tokio::test]
async fn who_cannot_be_connected_to_or_does_not_admit_is_told_apart() {
    let server = TestServer::start(mount);
    let refused = builder(&server, ProtocolVersion::V2).secret("wrong").connect().await;
    assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
    let page = Session::builder(&format!("ws://{}/nothing", server.address)).connect().await;
    assert!(matches!(page, Err(Error::Handshake(_))), "{page:?}");
    let address = server.address;
    drop(server);
    let nobody = Session::builder(&format!("ws://{address}/ws")).connect().await;
    assert!(matches!(nobody, Err(Error::Io(_))), "{nobody:?}");
    for url in ["http://127.0.0.1/ws", "nonsense", "ws://"] {
        let odd = Session::builder(url).connect().await;
        assert!(matches!(odd, Err(Error::Address(_))), "{url}: {odd:?}");
    }
}

#[tokio::test]
async fn a_session_comes_back_while_nobody_knows_who_it_is() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let server = TestServer::build(move || {
        let authenticator = move |login: wslink::LoginRequest| {
            let number = count.fetch_add(1, Ordering::SeqCst);
            async move {
                match (number, login.token()) {
                    (0..5, _) => Err(wslink::Rejection::unavailable("no database yet")),
                    (_, Some("alice")) => Ok(wslink::Principal::new("alice")),
                    _ => Err(wslink::Rejection::new("unknown")),
                }
            }
        };
        mount(wslink::Server::builder()).authenticator(authenticator)
    });
    let url = format!("ws://{}/ws", server.address);
    let session = Session::builder(&url).secret("alice").reconnect(eager()).start().unwrap();
    session.call::<()>("kit.null", ()).await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 6);
    let unknown = Session::builder(&url).secret("mallory").reconnect(eager()).start().unwrap();
    assert!(matches!(unknown.call::<()>("kit.null", ()).await, Err(Error::Unauthorized(_))), "a rejection is final");
}

#[tokio::test]
async fn a_session_comes_back_with_a_new_token_and_its_subscriptions() {
    for protocol in BOTH {
        let server = TestServer::start(|builder| {
            let mut limits = Limits::default();
            limits.grace = Duration::ZERO;
            mount(builder).limits(limits)
        });
        let address = server.address;
        let asked = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&asked);
        let token = move || {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, std::io::Error>("wslink-secret".to_owned()) }
        };
        let session = builder(&server, protocol).token(token).connect().await.unwrap();
        let mut events = session.subscribe_untyped::<String>("t").await.unwrap();
        let mut hanging = session.call::<()>("kit.hang", ());
        // The reply to a later call says that the earlier one has begun.
        tokio::select! {
            biased;
            ended = &mut hanging => panic!("{ended:?}"),
            answer = session.call::<()>("kit.null", ()) => answer.unwrap(),
        }
        let mut states = session.states();
        drop(server);
        let lost = hanging.await;
        assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
        assert!(states.until(|state| matches!(state, State::Reconnecting { .. })).await);
        let _server = TestServer::start_at(address, mount);
        // A call that is made meanwhile waits.
        let () = session.call("kit.publish", ("t", "again")).await.unwrap();
        assert_eq!(session.state(), State::Connected);
        assert_eq!(events.next_event().await.unwrap().unwrap(), Event::Reconnected(Continuity::Fresh));
        assert_eq!(events.next().await.unwrap().unwrap(), "again");
        assert!(asked.load(Ordering::SeqCst) >= 2);
        session.close().await;
    }
}

#[tokio::test]
async fn a_session_may_begin_before_its_server_and_may_give_up() {
    let address = TestServer::start(mount).address;
    let url = format!("ws://{address}/ws");
    let session = Session::builder(&url).reconnect(eager()).start().unwrap();
    assert_eq!(session.state(), State::Connecting);
    let waiting = session.call::<()>("kit.null", ());
    let server = TestServer::start_at(address, mount);
    waiting.await.unwrap();
    let ending = Session::builder(&url).without_reconnect().connect().await.unwrap();
    let brief = Session::builder(&url).reconnect(eager().attempts(2)).connect().await.unwrap();
    let mut events = brief.subscribe_untyped::<Value>("t").await.unwrap();
    drop(server);
    assert!(ending.states().until(|state| state == State::Closed).await);
    assert!(brief.states().until(|state| state == State::Closed).await);
    assert!(matches!(brief.call::<()>("kit.null", ()).await, Err(Error::Io(_))));
    assert!(matches!(events.next().await, Some(Err(Error::Io(_)))));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_session_ends_with_its_last_handle() {
    let server = TestServer::start(mount);
    let session = builder(&server, ProtocolVersion::V2).connect().await.unwrap();
    let events = session.subscribe_untyped::<Value>("t").await.unwrap();
    let mut states = session.states();
    drop(session);
    assert_eq!(states.current(), State::Connected);
    drop(events);
    assert!(states.until(|state| state == State::Closed).await);
}

/// As `openssl req -x509` makes it, whose certificates are those of authorities.
#[cfg(all(feature = "client-tls", feature = "tls"))]
#[tokio::test]
async fn a_certificate_that_a_server_signed_itself_is_trusted_for_its_name_and_time() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let key = rcgen::KeyPair::generate().unwrap();
    let files = |name: &str| [name, "key"].map(|kind| folder.join(format!("{name}-{kind}-{}.pem", std::process::id())));
    for (name, host, year, trusted) in [
        ("self-signed", "127.0.0.1", 4000, true),
        ("of-another", "render.example.com", 4000, false),
        ("expired", "127.0.0.1", 2000, false),
    ] {
        let mut params = rcgen::CertificateParams::new([host.to_owned()]).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
        let pem = params.self_signed(&key).unwrap().pem();
        let [certificate_file, key_file] = files(name);
        std::fs::write(&certificate_file, &pem).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        let tls = wslink::server::Tls::from_files(&certificate_file, &key_file).unwrap();
        let server = TestServer::start(|builder| mount(builder).tls(tls));
        let url = format!("wss://{}/ws", server.address);
        let newcomer = Session::builder(&url).connect().await;
        assert!(matches!(newcomer, Err(Error::Io(_))), "{newcomer:?}");
        let session = Session::builder(&url).certificate(&pem).unwrap().connect().await;
        assert_eq!(session.is_ok(), trusted, "{name}: {:?}", session.err());
        for file in [certificate_file, key_file] {
            std::fs::remove_file(file).unwrap();
        }
    }
}

#[cfg(all(feature = "client-tls", feature = "tls"))]
#[tokio::test]
async fn tls_is_for_servers_that_are_trusted() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let [certificate, key] = ["certificate", "key"].map(|name| folder.join(format!("{name}-{}.pem", std::process::id())));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let tls = wslink::server::Tls::from_files(&certificate, &key).unwrap();
    let mut limits = Limits::default();
    limits.handshake = Duration::from_secs(3600);
    let server = TestServer::start(|builder| mount(builder).tls(tls).limits(limits));
    let mut silent = std::net::TcpStream::connect(server.address).unwrap();
    silent.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let url = format!("wss://{}/ws", server.address);
    let newcomer = Session::builder(&url).connect().await;
    assert!(matches!(newcomer, Err(Error::Io(_))), "{newcomer:?}");
    let session = Session::builder(&url).certificate(made.cert.pem()).unwrap().connect().await.unwrap();
    // Enough to fill every buffer on the way, several times.
    let blob = crate::kit::pattern(8 << 20, 0);
    for _ in 0..4 {
        let echo: Value = session.call("kit.echo", (&blob,)).await.unwrap();
        assert!(echo.get("args") == Some(&Value::List(vec![blob.clone().into()])));
    }
    session.close().await;
    server.server.stop();
    assert_eq!(std::io::Read::read(&mut silent, &mut [0]).unwrap(), 0, "a stop waits for nobody who is silent");
    for file in [certificate, key] {
        std::fs::remove_file(file).unwrap();
    }
}
