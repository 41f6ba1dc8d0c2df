//! How the Rust client reaches a server: headers, proxies, other streams, TLS; and what it does when a connection ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::Instant,
};
use wslink::{
    Client, Server,
    client::{Backoff, Disconnect, Error, Session, State},
    service,
    testing::Link,
};

use crate::harness::TestServer;

struct Mirror;

#[service]
impl Mirror {
    /// A header of the client's handshake.
    #[rpc("mirror.header")]
    fn header(&self, client: Client, name: String) -> Vec<String> {
        let values = client.handshake().headers().get_all(&name).into_iter();
        values.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
    }

    /// The certificate that the client showed, empty without one.
    #[rpc("mirror.certificate")]
    fn certificate(&self, client: Client) -> Vec<u8> {
        client.handshake().client_certificate().unwrap_or_default().to_vec()
    }
}

fn server() -> TestServer {
    TestServer::start(|builder| builder.mount(Mirror))
}

fn builder(server: &TestServer) -> wslink::client::Builder {
    Session::builder(&format!("ws://{}/ws", server.address))
}

#[tokio::test]
async fn a_client_without_tls_shows_no_certificate() {
    let server = server();
    let session = builder(&server).connect().await.unwrap();
    assert!(session.call::<Vec<u8>>("mirror.certificate", ()).await.unwrap().is_empty());
}

#[tokio::test]
async fn headers_of_the_program_are_part_of_the_handshake() {
    let server = server();
    let with = builder(&server).header("X-Tenant", "blue").unwrap().header("x-tenant", "green").unwrap();
    let session = with.header("User-Agent", "a viewer").unwrap().connect().await.unwrap();
    let header = async |name: &str| session.call::<Vec<String>>("mirror.header", (name,)).await.unwrap();
    assert_eq!(header("x-tenant").await, ["blue", "green"]);
    assert_eq!(header("user-agent").await, ["a viewer"]);
    for (name, value) in [("Upgrade", "h2c"), ("Sec-WebSocket-Protocol", "mqtt"), ("two words", ""), ("X", "a\nb")] {
        let refused = builder(&server).header(name, value);
        assert!(matches!(refused, Err(Error::Setting(_))), "{name}: {value:?}");
    }
}

/// A proxy that connects whoever knows the password to wherever they want; returns its address and counts connections.
async fn proxy(made: Arc<AtomicU32>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let made = Arc::clone(&made);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut lines = Vec::new();
                while lines.last().is_none_or(|line: &String| !line.trim().is_empty()) {
                    let mut line = String::new();
                    stream.read_line(&mut line).await.unwrap();
                    lines.push(line);
                }
                if !lines.iter().any(|line| line == "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n") {
                    stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await.unwrap();
                    return;
                }
                let target = lines[0].strip_prefix("CONNECT ").unwrap().split(' ').next().unwrap().to_owned();
                let mut other = TcpStream::connect(target).await.unwrap();
                made.fetch_add(1, Ordering::SeqCst);
                stream.write_all(b"HTTP/1.1 200 Connection Established\r\nX-Via: a test\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut other).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_proxy_connects_whom_it_knows() {
    let server = server();
    let made = Arc::new(AtomicU32::new(0));
    let proxy = proxy(Arc::clone(&made)).await;
    let known = builder(&server).proxy(&format!("http://user:p%40ss@{proxy}")).unwrap().connect().await.unwrap();
    known.call::<Vec<String>>("mirror.header", ("host",)).await.unwrap();
    assert_eq!(made.load(Ordering::SeqCst), 1);
    let unknown = builder(&server).proxy(&format!("http://{proxy}")).unwrap().connect().await;
    let Err(Error::Handshake(why)) = unknown else { panic!("{unknown:?}") };
    assert!(why.contains("407"), "{why}");
    assert!(matches!(builder(&server).proxy("socks5://127.0.0.1:1080"), Err(Error::Setting(_))));
}

#[tokio::test]
async fn any_stream_of_bytes_can_be_connected_by() {
    let server = server();
    let address = server.address;
    let elsewhere = Session::builder("ws://localhost/ws").connector(move || TcpStream::connect(address));
    let session = elsewhere.connect().await.unwrap();
    assert_eq!(session.call::<Vec<String>>("mirror.header", ("host",)).await.unwrap(), ["localhost"]);
}

#[tokio::test(start_paused = true)]
async fn how_a_connection_ended_is_known() {
    let server = Server::builder().mount(Mirror).build().unwrap();
    let link = Link::default();
    let backoff = Backoff::default().first(Duration::from_secs(1));
    let session = link.session(&server).reconnect(backoff).connect().await.unwrap();
    assert_eq!(session.last_disconnect(), None);
    let mut states = session.states();
    link.cut();
    assert!(states.until(|state| state != State::Connected).await);
    assert_eq!(session.last_disconnect(), Some(Disconnect::Lost));
    assert!(states.until(|state| state == State::Connected).await);
    link.stall();
    assert!(states.until(|state| state != State::Connected).await);
    let Some(Disconnect::GaveUp { reason, .. }) = session.last_disconnect() else { panic!("{:?}", session.last_disconnect()) };
    assert_eq!(reason, "no answer to a ping");
    link.flow();
    assert!(states.until(|state| state == State::Connected).await);
    server.stop();
    assert!(states.until(|state| state != State::Connected).await);
    assert_eq!(session.last_disconnect(), Some(Disconnect::Closed { code: 1001, reason: "Server shutdown".to_owned() }));
}

#[tokio::test(start_paused = true)]
async fn a_program_that_knows_better_need_not_wait() {
    let server = Server::builder().mount(Mirror).build().unwrap();
    let link = Link::default();
    let hours = Backoff::default().first(Duration::from_secs(7200)).longest(Duration::from_secs(7200));
    let session = link.session(&server).reconnect(hours).connect().await.unwrap();
    let mut states = session.states();
    session.reconnect_now();
    link.unplug();
    assert!(states.until(|state| state != State::Connected).await);
    link.plug_in();
    let start = Instant::now();
    session.reconnect_now();
    assert!(states.until(|state| state == State::Connected).await);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn connections_that_do_not_last_are_made_ever_more_seldom() {
    let server = Server::builder().mount(Mirror).build().unwrap();
    let link = Link::default();
    let backoff = Backoff::default().first(Duration::from_secs(1)).longest(Duration::from_secs(60)).attempts(1);
    let session = link.session(&server).reconnect(backoff).connect().await.unwrap();
    let mut states = session.states();
    let mut reconnects = async || {
        link.cut();
        assert!(states.until(|state| state != State::Connected).await);
        let start = Instant::now();
        assert!(states.until(|state| state == State::Connected).await);
        start.elapsed().as_secs_f64()
    };
    for longest in [1.0, 2.0, 4.0, 8.0, 16.0] {
        let waited = reconnects().await;
        assert!((longest / 2.0..=longest).contains(&waited), "{waited} s of {longest}");
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let waited = reconnects().await;
    assert!((0.5..=1.0).contains(&waited), "{waited} s after a connection that lasted");
}

#[cfg(all(feature = "client-tls", feature = "tls"))]
mod tls {
    use rcgen::{CertificateParams, CertifiedIssuer, KeyPair};
    use tokio::io::AsyncReadExt;
    use tokio_rustls::{
        TlsAcceptor,
        rustls::{
            HandshakeKind, RootCertStore, ServerConfig,
            crypto::ring,
            pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
            server::WebPkiClientVerifier,
        },
    };

    use super::*;

    /// The configuration of a server that admits the clients of its authority only; that authority, and a client's
    /// certificate and key.
    fn strict() -> (ServerConfig, [String; 3]) {
        let made = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            (CertificateParams::new(names).unwrap(), KeyPair::generate().unwrap())
        };
        let (mut params, key) = made(&[]);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, key).unwrap();
        let issued = |names: &[&str]| {
            let (params, key) = made(names);
            (params.signed_by(&key, &authority).unwrap().pem(), key.serialize_pem())
        };
        let ((server, server_key), (client, client_key)) = (issued(&["127.0.0.1"]), issued(&["a viewer"]));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(server.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(server_key.as_bytes()).unwrap(),
            )
            .unwrap();
        (config, [authority.pem(), client, client_key])
    }

    /// Refuses with 503, and tells how the first three clients were shaken hands with.
    async fn refusing(config: ServerConfig) -> (std::net::SocketAddr, tokio::task::JoinHandle<Vec<HandshakeKind>>) {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut kinds = Vec::new();
            while kinds.len() < 3 {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                kinds.push(stream.get_ref().1.handshake_kind().unwrap());
                stream.read_u8().await.unwrap();
                stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").await.unwrap();
                stream.shutdown().await.unwrap();
            }
            kinds
        });
        (address, serving)
    }

    #[tokio::test]
    async fn a_client_proves_its_identity_and_resumes_its_tls_session() {
        let (config, [authority, certificate, key]) = strict();
        let (address, serving) = refusing(config).await;
        let url = format!("wss://{address}/ws");
        let trusting = || Session::builder(&url).certificate(&authority).unwrap();
        let unknown = trusting().connect().await;
        assert!(matches!(unknown, Err(Error::Io(_))), "{unknown:?}");
        let backoff = Backoff::default().first(Duration::from_millis(1)).attempts(2);
        let session = trusting().identity(&certificate, &key).unwrap().reconnect(backoff).start().unwrap();
        assert!(session.states().until(|state| state == State::Closed).await);
        let [full, HandshakeKind::Resumed, HandshakeKind::Resumed] = serving.await.unwrap()[..] else { panic!("not resumed") };
        assert!(matches!(full, HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest));
        for (certificate, key) in [(&*certificate, "no key"), ("no certificate", &*key), (&*certificate, &*certificate)] {
            assert!(matches!(trusting().identity(certificate, key), Err(Error::Certificate(_))));
        }
    }

    #[tokio::test]
    async fn a_server_asks_for_certificates_of_its_clients() {
        let (mut config, [authority, certificate, key]) = strict();
        // A browser that is offered HTTP/2 takes it, and there is no WebSocket.
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let tls = wslink::server::Tls::from_config(config);
        assert!(!tls.reload(true).unwrap(), "there are no files to read again");
        let server = TestServer::start(|builder| builder.mount(Mirror).tls(tls));
        let url = format!("wss://{}/ws", server.address);
        let trusting = || Session::builder(&url).certificate(&authority).unwrap();
        let unknown = trusting().connect().await;
        assert!(matches!(unknown, Err(Error::Io(_))), "{unknown:?}");
        let session = trusting().identity(&certificate, &key).unwrap().connect().await.unwrap();
        let shown: Vec<u8> = session.call("mirror.certificate", ()).await.unwrap();
        assert_eq!(shown, CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap().to_vec());
    }

    #[test]
    fn certificates_of_the_operating_system_are_trusted_beside_the_others() {
        // Where there are none, that is said; nothing else can go wrong.
        match Session::builder("wss://localhost/ws").system_certificates() {
            Ok(_) | Err(Error::Certificate(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
