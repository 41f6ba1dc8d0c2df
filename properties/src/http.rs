//! HTTP requests: what they may read, and whose they are.

use std::{fs, io, net::IpAddr, path::PathBuf, sync::LazyLock};

use axum::{Router, body::Body};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header, uri::Authority};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::runtime::{Builder, Runtime};

use super::within;
use wslink::{Server, testing::internals::forwarded_client};

/// No path leads out of the folder that is served. The data is the target of a request.
pub fn paths(data: &[u8]) {
    let Ok(target) = Uri::try_from(data) else { return };
    let host = HeaderValue::from_static("localhost");
    let (status, body) = ask(&SITE, Request::get(target).header(header::HOST, host));
    assert!(!status.is_server_error(), "{status}");
    assert!(!body.windows(OUTSIDE.len()).any(|part| part == OUTSIDE.as_bytes()), "what is outside was read");
    if status == StatusCode::OK {
        assert_eq!(body, INSIDE.as_bytes());
    }
}

/// A page connects only from where it may. The data is a `Host` and, after the first line break, an `Origin`.
pub fn origins(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n').map(HeaderValue::from_bytes);
    let Some(Ok(host)) = lines.next() else { return };
    let mut request = Request::get("/ws").header(header::HOST, &host);
    let origin = match lines.next() {
        Some(Ok(origin)) => {
            request = request.header(header::ORIGIN, &origin);
            Some(origin)
        }
        Some(Err(_)) => return,
        None => None,
    };
    let (status, _) = ask(&SITE, request);
    // What is admitted is told that it forgot to ask for a WebSocket.
    match status {
        StatusCode::FORBIDDEN => {}
        StatusCode::UPGRADE_REQUIRED => assert!(may_connect(&host, origin.as_ref()), "{origin:?} to {host:?}"),
        status => panic!("{status}"),
    }
}

/// Whatever a client sends, a proxy that adds the client's address to it is believed. The data is what the
/// client says of itself.
pub fn forwarded(data: &[u8]) {
    const STRANGER: [u8; 4] = [203, 0, 113, 9];
    let Ok(said) = HeaderValue::from_bytes(data) else { return };
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    for (name, added) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("forwarded", "for=\"203.0.113.9:80\";proto=https"),
        ("forwarded", "for=203.0.113.9"),
    ] {
        let joined = HeaderValue::from_bytes(&[data, b", ", added.as_bytes()].concat()).unwrap();
        for lines in [vec![joined], vec![said.clone(), HeaderValue::from_static(added)]] {
            let mut headers = lines.into_iter().map(|line| (HeaderName::from_static(name), line)).collect::<HeaderMap>();
            if name == "x-forwarded-for" {
                headers.insert("x-forwarded-host", said.clone());
            }
            // Each byte may begin another hop.
            let client = within(256, data.len(), || forwarded_client(&trusted, &headers));
            assert_eq!(client, Some(STRANGER.into()), "{headers:?}");
        }
    }
}

/// The rule, with another parser.
fn may_connect(host: &HeaderValue, origin: Option<&HeaderValue>) -> bool {
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    let is_ours = is_loopback(&host) || address(&host).is_some() || host.host().eq_ignore_ascii_case("render.example.com");
    if !is_ours || host.as_str().contains('@') {
        return false;
    }
    let Some(origin) = origin else { return true };
    if origin == "https://app.example.com" {
        return true;
    }
    let Some(origin) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
    let (Some(scheme), Some(page)) = (origin.scheme_str(), origin.authority()) else { return false };
    let default = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return false,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default);
    let same = page.host().eq_ignore_ascii_case(host.host()) && port(page) == port(&host);
    !page.as_str().contains('@') && origin.path() == "/" && (same || is_loopback(page) && is_loopback(&host))
}

fn address(authority: &Authority) -> Option<IpAddr> {
    authority.host().trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_loopback(authority: &Authority) -> bool {
    authority.host().eq_ignore_ascii_case("localhost") || address(authority).is_some_and(|address| address.is_loopback())
}

fn ask(router: &Router, request: http::request::Builder) -> (StatusCode, Vec<u8>) {
    const MAX_BODY: usize = 1 << 20;
    let request = request.body(Body::empty()).unwrap();
    RUNTIME.block_on(async {
        let response = TowerToHyperService::new(router.clone()).call(request).await.unwrap();
        let status = response.status();
        (status, axum::body::to_bytes(response.into_body(), MAX_BODY).await.unwrap().to_vec())
    })
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_all().build().unwrap());

/// Serves a folder at its root and below a path.
static SITE: LazyLock<Router> = LazyLock::new(|| {
    let root = folder().unwrap();
    let builder = Server::builder().content(&root).folder("/files", &root);
    builder.allow_host("render.example.com").allow_origin("https://app.example.com").build().unwrap().router()
});

const INSIDE: &str = "this may be read";
const OUTSIDE: &str = "this may not be read";

/// A folder to serve, with links that lead out of it.
fn folder() -> io::Result<PathBuf> {
    let top = std::env::temp_dir().join("wslink-fuzzing");
    let root = top.join("root");
    fs::create_dir_all(root.join("folder"))?;
    fs::write(top.join("outside.txt"), OUTSIDE)?;
    fs::write(root.join("inside.txt"), INSIDE)?;
    fs::write(root.join("folder/inside.txt"), INSIDE)?;
    #[cfg(unix)]
    for (target, link) in [("../outside.txt", "link.txt"), ("..", "out"), ("inside.txt", "in.txt")] {
        match std::os::unix::fs::symlink(target, root.join(link)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(root)
}
