//! Faults of the machine, the network and the process: nothing is lost silently, and everything comes back.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use wslink::{
    Limits,
    client::{Backoff, Error, Session, State},
};

use crate::{
    canary::Canary,
    harness::{BOTH, Got, Peer, ProtocolVersion, Speaker, TestServer},
    kit,
    program::{self, ABUSER, GOOD, Program},
    proxy::{Link, Proxy},
    raw::{self, BINARY, Raw, assert_closed},
    trial::{settle, spinning},
};

#[tokio::test]
async fn kill9_restart() {
    let program = Program::start();
    let port = program.address.port();
    let session = Session::builder(&format!("ws://{}/ws", program.address))
        .secret("wslink-secret")
        .reconnect(Backoff::default())
        .connect()
        .await
        .unwrap();
    let mut hanging = session.call::<()>("kit.hang", ());
    // The reply to a later call says that the earlier one has begun.
    tokio::select! {
        biased;
        ended = &mut hanging => panic!("{ended:?}"),
        answer = session.call::<()>("kit.null", ()) => answer.unwrap(),
    }
    let mut states = session.states();
    program.signal("KILL");
    let lost = hanging.await;
    assert!(matches!(lost, Err(Error::Lost { maybe_executed: true })), "{lost:?}");
    assert!(states.until(|state| matches!(state, State::Reconnecting { .. })).await);
    drop(program);
    // At the same port, at once.
    let _program = Program::run(&mut Command::new(program::path()), port);
    let () = session.call("kit.null", ()).await.unwrap();
    assert_eq!(session.state(), State::Connected);
    session.close().await;
}

#[test]
fn sigterm_and_sigint_graceful() {
    for signal in ["TERM", "INT"] {
        let program = Program::start();
        let mut idle = BOTH.map(|protocol| program.guest(protocol));
        let mut newcomer = program.connect(ABUSER);
        let mut busy = BOTH.map(|protocol| program.guest(protocol));
        for guest in &mut busy {
            guest.begin("kit.sleep", json!([1000]));
            guest.call("kit.null", json!([]));
        }
        program.signal(signal);
        idle.iter_mut().for_each(|guest| assert_closed(&guest.peer.next(), &[1001], "an idle client"));
        assert_closed(&newcomer.next(), &[1001], "a newcomer");
        // Nobody new is let in.
        while TcpStream::connect(program.address).is_ok() {
            thread::sleep(Duration::from_millis(5));
        }
        for guest in &mut busy {
            assert_eq!(guest.next()["result"], 1000, "a call in flight");
            assert_closed(&guest.peer.next(), &[1001], "a busy client");
        }
        drop((idle, busy, newcomer));
        assert!(program.wait().success(), "SIG{signal}");
    }
}

#[test]
fn sigterm_long_call_and_slow_reader() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.grace = Duration::from_millis(300);
        builder.limits(limits).service(kit::Kit::new)
    });
    let mut waiting = Speaker::new(&server, ProtocolVersion::V2);
    waiting.begin("kit.hang", json!([]));
    waiting.call("kit.null", json!([]));
    let mut deaf = Speaker::new(&server, ProtocolVersion::V2);
    (0..30).for_each(|_| drop(deaf.begin("kit.blob", json!([1 << 20]))));
    // Its replies have begun to come, so they fill all that is between.
    let Got::Binary(_) = deaf.peer.next() else { panic!("no reply") };
    server.server.stop();
    assert_closed(&waiting.peer.end(), &[1001], "a call that does not end");
    // Ends although somebody never reads; who begins to read in time is told why.
    assert!(matches!(deaf.peer.end(), Got::Close(1001, _) | Got::End));
    drop(server);
}

#[test]
fn a_frozen_server_loses_nothing() {
    let program = Program::start();
    let mut guests = BOTH.map(|protocol| program.guest(protocol));
    program.signal("STOP");
    let ids = guests.each_mut().map(|guest| (0..50).map(|n| guest.begin("kit.echo", json!([n]))).collect::<Vec<_>>());
    thread::sleep(Duration::from_secs(2));
    program.signal("CONT");
    for (guest, ids) in guests.iter_mut().zip(ids) {
        for (n, id) in ids.iter().enumerate() {
            let reply = guest.next();
            assert_eq!((&reply["id"], &reply["result"]["args"]), (&json!(id), &json!([n])));
        }
        assert_eq!(guest.call("kit.null", json!([]))["result"], Value::Null, "nothing came twice");
    }
}

/// Over each kind of link, every reply and event comes once, whole and in order.
#[test]
fn slow_and_cut_networks_lose_nothing() {
    let program = Program::start();
    let links = [
        ("50 ms, 1 % lost", Link { delay: Duration::from_millis(2), piece: 64 << 10, lost: 100 }),
        ("100 ms, 5 % lost", Link { delay: Duration::from_millis(5), piece: 16 << 10, lost: 20 }),
        ("2 Mbit/s", Link { delay: Duration::from_millis(16), piece: 4096, lost: usize::MAX }),
    ];
    for (what, link) in links {
        let proxy = Proxy::start(program.address, link);
        for protocol in BOTH {
            let mut guest = Speaker::over(Peer::over(TcpStream::connect(proxy.address).unwrap(), "/ws", &[]), protocol).greeted();
            let mut stop = true;
            for round in 0..3 {
                guest.begin("kit.publish", json!(["link", "x".repeat(2000), 40]));
                proxy.cut(stop);
                thread::sleep(Duration::from_millis(if stop { 500 } else { 0 }));
                proxy.cut(false);
                stop = false;
                assert_eq!(guest.next()["result"], Value::Null, "{what}, round {round}");
                for n in 0..40 {
                    let event = guest.next();
                    assert_eq!(
                        (&event["result"]["n"], event["result"]["payload"].as_str().map(str::len)),
                        (&json!(n), Some(2000))
                    );
                }
            }
        }
    }
}

#[test]
fn cpu_starved() {
    let nice = ["nice", "-n", "15", "taskset", "-c", "0"];
    let program = Program::run(Command::new(nice[0]).args(&nice[1..]).arg(program::path()), 0);
    let mut busy = Command::new("taskset").args(["-c", "0", "sh", "-c", "while :; do :; done"]).process_group(0).spawn().unwrap();
    let canary = Canary::start(&program);
    for protocol in BOTH {
        let mut guest = program.guest(protocol);
        for n in 0..50 {
            assert_eq!(guest.call("kit.echo", json!([n]))["result"]["args"], json!([n]));
        }
    }
    let sung = canary.stop();
    busy.kill().unwrap();
    busy.wait().unwrap();
    println!("promise cpu_starved: {} right replies, the longest after {:?}", sung.replies, sung.longest_reply);
}

#[test]
fn descriptor_limit() {
    let limited = ["-c", "ulimit -n 64; exec \"$0\" \"$@\""];
    let program = Program::run(Command::new("sh").args(limited).arg(program::path()), 0);
    let idle = program.descriptors();
    let mut inside = BOTH.map(|protocol| Speaker::over(program.connect(GOOD), protocol).greeted());
    let crowd: Vec<_> = (0..150).map(|_| program.dial(ABUSER)).collect();
    settle(&program, "a crowd", |program| program.descriptors() >= 63);
    for n in 0..20 {
        for guest in &mut inside {
            assert_eq!(guest.call("kit.echo", json!([n]))["result"]["args"], json!([n]));
        }
    }
    let spun = spinning(&program);
    drop(crowd);
    program.guest(ProtocolVersion::V2).call("kit.null", json!([]));
    println!("promise descriptor_limit: {spun:.0} % of a processor while there are none left");
    assert!(spun <= 30.0, "accepting goes on in vain, {spun:.0} % of the time");
    drop(inside);
    settle(&program, "a crowd that left", |program| program.descriptors() <= idle + 6);
}

#[test]
fn port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut program = Command::new(program::path());
    let mut program = program.args(["--host", "127.0.0.1", "--port", &port]).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    program.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!program.wait().unwrap().success());
    assert!(said.contains(&format!("cannot listen on 127.0.0.1:{port}")), "{said}");
}

#[test]
fn a_peer_that_is_dead_or_deaf_is_dropped() {
    let server = TestServer::start(|builder| {
        let mut limits = Limits::default();
        limits.ping = Duration::from_millis(100);
        // Who is alive has to answer within this time on a busy machine as well.
        limits.pong = Duration::from_secs(2);
        builder.limits(limits).service(kit::Kit::new)
    });
    let mut silent = Speaker::new(&server, ProtocolVersion::V2);
    let mut stalled = Speaker::new(&server, ProtocolVersion::V2);
    stalled.peer.raw(&[&raw::header(BINARY, 1000)[..], b"half a frame"].concat());
    // Answers pings, as it reads.
    let mut alive = Speaker::new(&server, ProtocolVersion::V2);
    let gone = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while server.server.publisher().clients() > 1 {
                thread::sleep(Duration::from_millis(5));
            }
            gone.store(true, Ordering::SeqCst);
        });
        while !gone.load(Ordering::SeqCst) {
            alive.call("kit.null", json!([]));
        }
    });
    assert_closed(&silent.peer.end(), &[1008], "no answer to a ping");
    assert_closed(&stalled.peer.end(), &[1008], "half a frame");
    alive.call("kit.null", json!([]));
}
