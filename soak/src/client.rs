//! Well-behaved clients: each reply and each event is compared with what it must be.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::join_all};
use tokio::time::{Instant, sleep, timeout};
use wslink::{
    Attachment, ErrorCode, Topic, Value,
    client::{Error, ProtocolVersion, Session, Subscription, named},
};

use crate::{
    ledger::Ledger,
    service::{Counted, Upload, checksum, pattern},
};

/// Calls at a time.
const BURST: usize = 6;

/// Between two bursts.
const PAUSE: Duration = Duration::from_millis(30);

/// Nothing takes so long on a machine that is only busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Connects. A connection that is lost is a mistake, so it does not come back.
pub(crate) async fn connect(url: &str, protocol: ProtocolVersion) -> Result<Session, Error> {
    let builder = Session::builder(url).secret("wslink-secret").protocol(protocol);
    builder.without_reconnect().call_timeout(PATIENCE).connect().await
}

/// Calls until it is time.
pub(crate) async fn calls(session: Session, protocol: ProtocolVersion, seed: u64, until: Instant, ledger: Arc<Ledger>) {
    let mut random = fastrand::Rng::with_seed(seed);
    while Instant::now() < until {
        join_all((0..BURST).map(|_| call(&session, protocol, random.u64(..), &ledger))).await;
        sleep(PAUSE).await;
    }
}

/// One call of any kind.
async fn call(session: &Session, protocol: ProtocolVersion, seed: u64, ledger: &Ledger) {
    let mut random = fastrand::Rng::with_seed(seed);
    let outcome = match random.u8(..100) {
        0..40 => {
            let value = value(&mut random, 0);
            session.call::<Value>("soak.echo", (&value,)).await.map(|came| ("echo", came == value))
        }
        40..60 => {
            let bytes = size(&mut random, 2 << 20);
            let came = session.call::<Attachment>("soak.download", (bytes, seed)).await;
            came.map(|came| ("download", came == pattern(bytes, seed)))
        }
        60..78 => {
            // Protocol 1 cannot cut a message into chunks.
            let largest = if protocol == ProtocolVersion::V1 { 3 << 20 } else { 9 << 20 };
            let data = pattern(size(&mut random, largest), seed);
            let expected = Upload { bytes: data.len(), checksum: checksum(&data) };
            session.call::<Upload>("soak.upload", (data,)).await.map(|came| ("upload", came == expected))
        }
        78..84 => session.call::<u64>("soak.later", (20,)).await.map(|came| ("later", came == 20)),
        84..87 => session.call::<u64>("soak.block", (5,)).await.map(|came| ("block", came == 5)),
        87..92 => match session.call::<()>("soak.fail", ("why",)).await {
            Err(Error::Call(error)) => {
                let text = error.data().and_then(|data| data.get("exception")).and_then(Value::as_str);
                Ok(("failure", error.code() == ErrorCode::Exception && text == Some("why")))
            }
            other => other.map(|()| ("failure", false)),
        },
        92..96 => match session.call::<()>("soak.hang", ()).timeout(Duration::from_millis(50)).await {
            Err(Error::Timeout) => Ok(("deadline", true)),
            Err(Error::Call(error)) if error.code() == ErrorCode::DeadlineExceeded => Ok(("deadline", true)),
            other => other.map(|()| ("deadline", false)),
        },
        _ => {
            // A call that is not awaited to its end is cancelled.
            let unfinished = timeout(Duration::from_millis(20), session.call::<()>("soak.hang", ())).await;
            Ok(("cancel", unfinished.is_err()))
        }
    };
    match outcome {
        Ok((what, holds)) => ledger.check(what, holds, || format!("wrong reply in {protocol:?}, seed {seed}")),
        Err(error) => ledger.mistake(format_args!("a call failed in {protocol:?}: {error}")),
    }
}

/// Mostly small.
fn size(random: &mut fastrand::Rng, largest: usize) -> usize {
    match random.u8(..20) {
        0 => random.usize(..largest),
        1..6 => random.usize(..200_000),
        _ => random.usize(..4000),
    }
}

fn value(random: &mut fastrand::Rng, depth: usize) -> Value {
    match random.u8(..if depth < 4 { 8 } else { 6 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3 => random.u64(..).into(),
        4 => (random.f64() * 1e9).into(),
        5 => (0..random.usize(..40)).map(|_| random.char(..)).collect::<String>().into(),
        6 => (0..random.usize(..6)).map(|_| value(random, depth + 1)).collect::<Vec<_>>().into(),
        _ => Value::map((0..random.usize(..6)).map(|n| (format!("key {n}"), value(random, depth + 1)))),
    }
}

/// Counts what a topic publishes, to the last number, which is told in the end. Where nothing may be lost,
/// each number is the one after the last.
pub(crate) async fn events(
    mut events: Subscription<Counted>,
    is_reliable: bool,
    mut end: tokio::sync::watch::Receiver<Option<u64>>,
    ledger: Arc<Ledger>,
) {
    let what = if is_reliable { "reliable event" } else { "event that may be lost" };
    let mut expected: Option<u64> = None;
    loop {
        let last = *end.borrow_and_update();
        if last.is_some() && last == expected {
            return;
        }
        let next = tokio::select! {
            next = timeout(PATIENCE, events.next()) => next,
            _ = end.changed(), if last.is_none() => continue,
        };
        let Ok(Some(Ok(Counted { number, blob }))) = next else {
            return ledger.mistake(format_args!("{what}s ended before {last:?}, at {expected:?}"));
        };
        let follows = expected.is_none_or(|expected| if is_reliable { number == expected } else { number >= expected });
        let is_whole = blob.is_none_or(|blob| blob == pattern(40_000, number));
        ledger.check(what, follows && is_whole, || format!("{number} where {expected:?} was to come"));
        expected = Some(number + 1);
    }
}

/// Subscribes to one of the counting topics.
pub(crate) async fn subscribe(session: &Session, topic: Topic<Counted>, ledger: &Ledger) -> Option<Subscription<Counted>> {
    session.subscribe(topic).await.map_err(|error| ledger.mistake(format_args!("no subscription: {error}"))).ok()
}

/// Comes, asks for a stream and a reply, and goes, again and again.
pub(crate) async fn passers_by(url: String, until: Instant, ledger: Arc<Ledger>) {
    for turn in 0_u64.. {
        if Instant::now() > until {
            return;
        }
        let protocol = if turn.is_multiple_of(2) { ProtocolVersion::V1 } else { ProtocolVersion::V2 };
        if let Err(error) = pass_by(&url, protocol, turn, &ledger).await {
            ledger.mistake(format_args!("a new client in {protocol:?}: {error}"));
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn pass_by(url: &str, protocol: ProtocolVersion, turn: u64, ledger: &Ledger) -> Result<(), Error> {
    let session = connect(url, protocol).await?;
    let count = turn % 700;
    let numbers = session.subscribe_untyped::<u64>("soak.numbers").filter(named(Value::map([("count", count)]))).await?;
    let came: Vec<Result<u64, Error>> = timeout(PATIENCE, numbers.collect()).await.unwrap_or_default();
    let came: Result<Vec<u64>, Error> = came.into_iter().collect();
    ledger.check("stream of its own", came.is_ok_and(|came| came.into_iter().eq(0..count)), || format!("{count} numbers"));
    let echoed: u64 = session.call("soak.echo", (turn,)).await?;
    ledger.check("new client", echoed == turn, || echoed.to_string());
    session.close().await;
    Ok(())
}
