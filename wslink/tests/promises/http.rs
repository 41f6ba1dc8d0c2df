//! The HTTP side: files that are not offered, and requests that are none.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::Command,
    time::Duration,
};

use crate::{
    program::{self, ABUSER, Program},
    trial::{Bounds, trial},
};

/// Sends `bytes` as they are and returns what comes until the connection ends.
fn exchange(program: &Program, bytes: &[u8]) -> String {
    let mut stream = program.dial(ABUSER);
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The server may have had enough before everything is sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn http_static() {
    let folder = std::env::temp_dir().join(format!("wslink-promises-{}", std::process::id()));
    let (public, private) = (folder.join("public"), folder.join("private.txt"));
    fs::create_dir_all(public.join("empty")).unwrap();
    fs::write(public.join("index.html"), "front").unwrap();
    fs::write(&private, "top secret").unwrap();
    fs::create_dir_all(folder.join("public-not")).unwrap();
    fs::write(folder.join("public-not/private.txt"), "top secret").unwrap();
    for (link, to) in [("link.txt", private.as_path()), ("up", folder.as_path()), ("chain", Path::new("link.txt"))] {
        let _ = std::os::unix::fs::symlink(to, public.join(link));
    }
    let program = Program::run(Command::new(program::path()).arg("--content").arg(&public), 0);
    let get = |target: &str| {
        exchange(&program, format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes())
    };
    assert!(get("/index.html").ends_with("front"));
    let absolute = private.display().to_string();
    let traversals = [
        "/../private.txt".to_owned(),
        "/../../../../../../etc/passwd".into(),
        "/./../private.txt".into(),
        "/empty/../../private.txt".into(),
        "/%2e%2e/private.txt".into(),
        "/%2e%2e%2fprivate.txt".into(),
        "/..%2fprivate.txt".into(),
        "/.%2e/private.txt".into(),
        "/%2E%2E/private.txt".into(),
        "/%252e%252e/private.txt".into(),
        "/%252e%252e%252fprivate.txt".into(),
        "/..%5cprivate.txt".into(),
        "/..\\private.txt".into(),
        "/%5c..%5cprivate.txt".into(),
        "/..%c0%afprivate.txt".into(),
        "/%c0%ae%c0%ae/private.txt".into(),
        "/..%ff/private.txt".into(),
        "/private.txt%00.html".into(),
        "/index.html%00".into(),
        "/%00".into(),
        "//private.txt".into(),
        format!("/{absolute}"),
        format!("/%2f{}", &absolute[1..]),
        "/../public-not/private.txt".into(),
        "http://localhost/../private.txt".into(),
        "/link.txt".into(),
        "/up/private.txt".into(),
        "/chain".into(),
        "/up/".into(),
    ];
    assert_eq!(traversals.len(), 29);
    for target in traversals {
        let answer = get(&target);
        assert!(answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 30"), "{target}: {answer}");
        assert!(!answer.contains("top secret") && !answer.contains("root:"), "{target}: {answer}");
    }
    for directory in ["/empty/", "/empty", "/."] {
        let answer = get(directory);
        assert!(!answer.contains("link.txt") && !answer.contains("HTTP/1.1 5"), "{directory}: {answer}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn http_hostile() {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    const VERSION: &str = "Sec-WebSocket-Version: 13\r\n";
    let get = |headers: &str| format!("GET /ws HTTP/1.1\r\n{headers}\r\n").into_bytes();
    let host = "Host: localhost\r\n";
    let hostile: [(&str, Vec<u8>); 24] = [
        ("nothing like HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".into()),
        ("binary noise", [0xff; 300].into()),
        ("no version", b"GET /ws\r\n\r\n".into()),
        ("version 9.9", b"GET /ws HTTP/9.9\r\nHost: localhost\r\n\r\n".into()),
        ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        ("HTTP/1.0", format!("GET /ws HTTP/1.0\r\n{host}{UPGRADE}{KEY}{VERSION}\r\n").into()),
        ("no host", get(&format!("Connection: close\r\n{UPGRADE}{KEY}{VERSION}"))),
        ("two hosts", get(&format!("{host}Host: evil.example\r\n{UPGRADE}{KEY}{VERSION}"))),
        ("a space before the colon", get(&format!("Host : localhost\r\n{UPGRADE}{KEY}{VERSION}"))),
        ("a folded header", get(&format!("{host}X-Folded: a\r\n b\r\n{UPGRADE}{VERSION}"))),
        ("a NUL in a header", get(&format!("{host}X-Nul: a\0b\r\n{UPGRADE}{KEY}{VERSION}"))),
        ("a header without a name", get(&format!("{host}: value\r\n{UPGRADE}{KEY}{VERSION}"))),
        ("a target of 100 000 bytes", format!("GET /{} HTTP/1.1\r\n{host}\r\n", "x".repeat(100_000)).into()),
        ("a header of 100 000 bytes", get(&format!("{host}X-Long: {}\r\n{UPGRADE}{KEY}{VERSION}", "x".repeat(100_000)))),
        ("101 headers", get(&format!("{host}{}{UPGRADE}{KEY}{VERSION}", "X-Many: x\r\n".repeat(101)))),
        ("10 000 headers", get(&format!("{host}{}{UPGRADE}{KEY}{VERSION}", "X-Many: x\r\n".repeat(10_000)))),
        ("no key", get(&format!("{host}Connection: Upgrade, close\r\nUpgrade: websocket\r\n{VERSION}"))),
        ("a short key", get(&format!("{host}{UPGRADE}Sec-WebSocket-Key: c2hvcnQ=\r\n{VERSION}Connection: close\r\n"))),
        ("a key that is not base64", get(&format!("{host}{UPGRADE}Sec-WebSocket-Key: ***\r\n{VERSION}Connection: close\r\n"))),
        ("version 12", get(&format!("{host}{UPGRADE}{KEY}Sec-WebSocket-Version: 12\r\nConnection: close\r\n"))),
        ("no version of WebSocket", get(&format!("{host}{UPGRADE}{KEY}Connection: close\r\n"))),
        ("no upgrade", get(&format!("{host}{KEY}{VERSION}Connection: close\r\n"))),
        (
            "POST",
            format!("POST /ws HTTP/1.1\r\n{host}{UPGRADE}{KEY}{VERSION}Content-Length: 5\r\nConnection: close\r\n\r\nhello")
                .into(),
        ),
        (
            "two lengths",
            format!("POST /ws HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 50\r\nConnection: close\r\n\r\nhello")
                .into(),
        ),
    ];
    trial("http_hostile", Bounds::peak(16), |program| {
        for (what, request) in &hostile {
            let answer = exchange(program, request);
            assert!(
                answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4"),
                "{what}: {answer}"
            );
            match *what {
                "101 headers" | "10 000 headers" | "a header of 100 000 bytes" => {
                    assert!(answer.contains(" 431 "), "{what}: {answer}");
                }
                "version 12" => {
                    assert!(answer.contains(" 426 ") && answer.to_lowercase().contains("sec-websocket-version: 13"), "{answer}");
                }
                _ => {}
            }
        }
    });
}
