//! What browsers get: files in parts, compressed, kept and protected; and the probes of load balancers.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    sync::LazyLock,
};

use wslink::{Server, server::Builder};

use crate::{
    harness::TestServer,
    http::{request, status},
};

const SCRIPT: &str = "console.log('the same again and again');\n";

/// Made once, because its files are told apart by their time.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("wslink-content-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("public/below/links")).unwrap();
    std::fs::create_dir_all(folder.join("public/empty")).unwrap();
    std::fs::write(folder.join("private.html"), "private").unwrap();
    std::fs::write(folder.join("public/below/index.html"), "below").unwrap();
    std::fs::write(folder.join("public/script.js"), SCRIPT.repeat(100)).unwrap();
    std::fs::write(folder.join("public/picture.png"), [7; 5000]).unwrap();
    std::fs::write(folder.join("public/style.css"), "text { }").unwrap();
    std::fs::write(folder.join("public/style.css.br"), "made before").unwrap();
    std::fs::write(folder.join("public/page.txt"), "page").unwrap();
    std::fs::create_dir_all(folder.join("public/below/packed")).unwrap();
    std::fs::write(folder.join("public/below/packed/index.html"), "packed").unwrap();
    #[cfg(unix)]
    if folder.join("public/other.png").symlink_metadata().is_err() {
        let _ = std::os::unix::fs::symlink("picture.png", folder.join("public/other.png"));
    }
    #[cfg(unix)]
    for link in
        ["public/below/links/index.html", "public/page.txt.gz", "public/other.png.br", "public/below/packed/index.html.gz"]
    {
        if folder.join(link).symlink_metadata().is_err() {
            let _ = std::os::unix::fs::symlink(folder.join("private.html"), folder.join(link));
        }
    }
    folder
});

fn server(set_up: fn(Builder) -> Builder) -> TestServer {
    let public = FOLDER.join("public");
    TestServer::start(move |builder| set_up(builder.content(&public).folder("/data", &public)))
}

fn get(server: &TestServer, path: &str, headers: &str) -> String {
    request(server, &format!("GET {path}"), &format!("Host: localhost\r\nConnection: close\r\n{headers}"))
}

fn header<'a>(response: &'a str, name: &str) -> Option<&'a str> {
    let head = response.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.split_once(": ").filter(|(header, _)| *header == name)).map(|(_, value)| value)
}

#[test]
fn parts_of_a_file() {
    let server = server(|builder| builder);
    let part = get(&server, "/script.js", "Range: bytes=8-10\r\n");
    assert_eq!((status(&part), header(&part, "content-range")), ("206", Some(&*format!("bytes 8-10/{}", SCRIPT.len() * 100))));
    assert!(part.ends_with("\r\n\r\nlog"), "{part}");
    let compressed = get(&server, "/script.js", "Range: bytes=8-10\r\nAccept-Encoding: gzip\r\n");
    assert!(status(&compressed) == "206" && compressed.ends_with("\r\n\r\nlog"), "{compressed}");
    assert_eq!(status(&get(&server, "/script.js", "Range: bytes=9000-\r\n")), "416");
    for odd in ["bytes=-", "bytes=5-1", "bytes=a-b", "lines=1-2", "bytes=99999999999999999999-", "bytes=0-1,2-3,4-5"] {
        let response = get(&server, "/script.js", &format!("Range: {odd}\r\n"));
        assert!(matches!(status(&response), "200" | "206" | "416"), "{odd}: {response}");
    }
}

#[test]
fn what_a_browser_has_is_not_sent_again() {
    let server = server(|builder| builder);
    let first = get(&server, "/script.js", "");
    assert_eq!((status(&first), header(&first, "cache-control")), ("200", Some("no-cache")));
    let etag = header(&first, "etag").unwrap();
    let again = get(&server, "/script.js", &format!("If-None-Match: {etag}\r\n"));
    assert!(status(&again) == "304" && again.ends_with("\r\n\r\n"), "{again}");
    assert_eq!(status(&get(&server, "/script.js", "If-None-Match: \"other\"\r\n")), "200");
}

#[test]
fn what_was_compressed_before_is_sent_so() {
    let server = server(|builder| builder);
    let style = get(&server, "/style.css", "Accept-Encoding: br\r\n");
    assert_eq!(
        (header(&style, "content-encoding"), header(&style, "content-type")),
        (Some("br"), Some("text/css; charset=utf-8"))
    );
    assert!(style.ends_with("made before"), "{style}");
    assert!(get(&server, "/style.css", "").ends_with("text { }"));
}

#[cfg(feature = "compression")]
#[test]
fn text_is_compressed_and_pictures_are_not() {
    let server = server(|builder| builder);
    let script = get(&server, "/script.js", "Accept-Encoding: gzip\r\n");
    assert_eq!((header(&script, "content-encoding"), header(&script, "vary")), (Some("gzip"), Some("accept-encoding")));
    assert!(script.len() < 1000, "{}", script.len());
    assert_eq!(header(&get(&server, "/script.js", ""), "content-encoding"), None);
    assert_eq!(header(&get(&server, "/picture.png", "Accept-Encoding: gzip\r\n"), "content-encoding"), None);
    let plain = self::server(|builder| builder.compress(false));
    assert_eq!(header(&get(&plain, "/script.js", "Accept-Encoding: gzip\r\n"), "content-encoding"), None);
}

#[test]
fn text_is_utf_8() {
    let server = server(|builder| builder);
    for (path, kind) in [
        ("/page.txt", "text/plain; charset=utf-8"),
        ("/script.js", "text/javascript; charset=utf-8"),
        ("/picture.png", "image/png"),
    ] {
        assert_eq!(header(&get(&server, path, ""), "content-type"), Some(kind), "{path}");
    }
}

/// The file is replaced by a link to the outside, and back, while it is asked for.
#[cfg(unix)]
#[test]
fn no_link_is_followed_out_between_two_looks() {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    let folder = std::env::temp_dir().join(format!("wslink-swapped-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("public")).unwrap();
    std::fs::write(folder.join("private.txt"), "private").unwrap();
    let (public, target) = (folder.join("public"), folder.join("public/page.txt"));
    std::fs::write(&target, "page").unwrap();
    let server = TestServer::start(move |builder| builder.content(&public));
    let ended = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let (file, link) = (folder.join("file"), folder.join("link"));
            while !ended.load(Relaxed) {
                let _ = std::os::unix::fs::symlink(folder.join("private.txt"), &link);
                let _ = std::fs::rename(&link, &target);
                let _ = std::fs::write(&file, "page");
                let _ = std::fs::rename(&file, &target);
            }
        });
        let seen: Vec<_> = (0..500).map(|_| get(&server, "/page.txt", "")).collect();
        ended.store(true, Relaxed);
        seen
    });
    assert!(seen.iter().all(|response| !response.contains("private")));
    assert!(seen.iter().any(|response| response.ends_with("page")), "{}", seen[0]);
}

#[test]
fn headers_protect_pages_and_may_be_others() {
    let plain = server(|builder| builder);
    for path in ["/", "/script.js", "/nothing", "/data/script.js", "/healthz", "/ws"] {
        let response = get(&plain, path, "");
        assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(header(&response, "referrer-policy"), Some("no-referrer"), "{path}");
    }
    let own = server(|builder| builder.header("Cache-Control", "max-age=60").header("X-Frame-Options", "DENY"));
    let response = get(&own, "/script.js", "");
    assert_eq!((header(&response, "cache-control"), header(&response, "x-frame-options")), (Some("max-age=60"), Some("DENY")));
    for (name, value) in [("a b", "c"), ("", "c"), ("a", "b\r\nc: d"), ("Content-Length", "5"), ("Connection", "close")] {
        assert!(Server::builder().header(name, value).build().is_err(), "{name}: {value}");
    }
}

#[test]
fn a_folder_leads_to_its_index_and_no_further() {
    let server = server(|builder| builder);
    for (path, to) in [("/below", "./below/"), ("/data/below?a=b", "./below/?a=b")] {
        let response = get(&server, path, "");
        assert_eq!((status(&response), header(&response, "location")), ("307", Some(to)), "{path}");
    }
    assert!(get(&server, "/data/below/", "").ends_with("below"));
    let long = format!("/{}", "x".repeat(5000));
    // Beside them lie links to the outside with the names of compressed forms.
    for (path, content) in [("/page.txt", "page"), ("/below/packed/", "packed"), ("/other.png", "\u{7}\u{7}")] {
        let response = get(&server, path, "Accept-Encoding: br, gzip\r\n");
        assert!(status(&response) == "200" && response.ends_with(content), "{path}: {response}");
    }
    for path in ["/empty/", "/below/links/", "/page.txt.gz", "/script.js.gz", "/data/below/links/", "/a%00b", "/%ff", "/%", &long]
    {
        let response = get(&server, path, "Accept-Encoding: gzip\r\n");
        assert!(response.starts_with("HTTP/1.1 404") && !response.contains("private"), "{path}: {response}");
    }
}

#[test]
fn a_header_has_an_end() {
    let server = server(|builder| builder);
    let many = "x: y\r\n".repeat(101);
    assert_eq!(status(&get(&server, "/script.js", &many)), "431");
    let mut stream = server.stream_from([127, 0, 0, 1]);
    let mut response = Vec::new();
    // What is still unread when the server closes resets the connection, which may overtake the answer.
    let _ = write!(stream, "GET / HTTP/1.1\r\nx: {}", "y".repeat(66_000)).and_then(|()| stream.read_to_end(&mut response));
    assert!(response.is_empty() || response.starts_with(b"HTTP/1.1 431"), "{response:?}");
    assert_eq!(status(&get(&server, "/script.js", "")), "200");
}

#[test]
fn load_balancers_may_ask() {
    let default = server(|builder| builder);
    let answers = |server, path: &str| {
        status(&request(server, &format!("GET {path}"), "Host: 10.0.0.7\r\nConnection: close\r\n")).to_owned()
    };
    assert_eq!(["/healthz", "/readyz"].map(|path| answers(&default, path)), ["200", "200"]);
    let other = server(|builder| builder.health(None).readiness("/ready".to_owned()));
    assert_eq!(["/healthz", "/readyz", "/ready"].map(|path| answers(&other, path)), ["404", "404", "200"]);
    let clash = Server::builder().health("/ws".to_owned()).build();
    assert!(clash.is_err(), "the WebSocket is there");
    assert!(Server::builder().endpoint("/healthz".to_owned()).build().is_ok(), "a default gives way");
}

/// In an application, the listener outlives the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopping_server_is_not_ready() {
    let server = Server::builder().readiness("/ready".to_owned()).build().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(axum::serve(listener, axum::Router::new().nest("/viewer", server.router())).into_future());
    let asked = |path: &'static str| tokio::task::spawn_blocking(move || ask(address, path));
    assert_eq!(asked("/viewer/ready").await.unwrap(), "200");
    assert_eq!(asked("/viewer/ws").await.unwrap(), "426");
    assert_eq!(asked("/viewer/healthz").await.unwrap(), "404");
    server.stop();
    server.stopped().await;
    assert_eq!(asked("/viewer/ready").await.unwrap(), "503");
    assert_eq!(asked("/viewer/ws").await.unwrap(), "503");
    serving.abort();
}

pub(crate) fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    status(&response).to_owned()
}
