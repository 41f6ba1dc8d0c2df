//! One run: the server, everybody who loads it, and what is measured meanwhile.

use std::{error::Error, fmt, io, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval, sleep},
};
use wslink::client::{ProtocolVersion, Session};

use crate::{client, hostile, ledger::Ledger, process::Process, service::Soak};

/// Sessions of each protocol that call.
const CALLERS: u64 = 3;

/// Seconds until memory is compared: until then, what is kept to be used again grows.
const WARM_UP: usize = 60;

/// Seconds that a comparison takes.
const COMPARED: usize = 60;

/// The most that memory may grow, in MiB a minute.
const MAX_SLOPE: f64 = 4.0;

/// Descriptors that may be left over.
const MAX_LEFT: usize = 6;

/// How long a server may take to clean up.
const SETTLING: Duration = Duration::from_secs(5);

/// What came of a run.
pub(crate) struct Summary {
    ledger: Arc<Ledger>,
    duration: Duration,
    lived: bool,
    /// KiB at each second.
    resident: Vec<u64>,
    descriptors: [usize; 2],
}

/// Loads a server for `duration`.
pub(crate) async fn run(duration: Duration) -> Result<Summary, Box<dyn Error>> {
    let mut process = Process::start().await?;
    let url = format!("ws://127.0.0.1:{}/ws", process.port);
    let before = process.descriptors()?;
    let ledger = Arc::new(Ledger::default());
    let until = Instant::now() + duration;

    let mut callers = JoinSet::new();
    let mut sessions = Vec::new();
    let mut counting = JoinSet::new();
    let (tell_end, end) = watch::channel(None);
    for protocol in [ProtocolVersion::V1, ProtocolVersion::V2] {
        for seed in 0..CALLERS {
            let session = client::connect(&url, protocol).await?;
            callers.spawn(client::calls(session.clone(), protocol, seed, until, Arc::clone(&ledger)));
            sessions.push(session);
        }
        let session = client::connect(&url, protocol).await?;
        for (topic, is_reliable) in [(Soak::RELIABLE, true), (Soak::LATEST, false), (Soak::SOME, false)] {
            if let Some(events) = client::subscribe(&session, topic, &ledger).await {
                counting.spawn(client::events(events, is_reliable, end.clone(), Arc::clone(&ledger)));
            }
        }
        sessions.push(session);
    }
    callers.spawn(client::passers_by(url, until, Arc::clone(&ledger)));
    callers.spawn(hostile::peers(process.port, until, Arc::clone(&ledger)));

    let resident = measure(&process, until).await?;
    callers.join_all().await;
    finish(&sessions[0], &tell_end, &ledger).await?;
    counting.join_all().await;
    for session in sessions {
        session.close().await;
    }
    let after = settle(&process, before).await?;
    Ok(Summary { lived: process.is_alive(), ledger, duration, resident, descriptors: [before, after] })
}

/// The server's memory at each second.
async fn measure(process: &Process, until: Instant) -> io::Result<Vec<u64>> {
    let mut seconds = interval(Duration::from_secs(1));
    let mut resident = Vec::new();
    while Instant::now() < until {
        seconds.tick().await;
        resident.push(process.resident()?);
    }
    Ok(resident)
}

/// Ends the counting, and sees that nothing hangs that was cancelled or whose client has gone.
async fn finish(session: &Session, end: &watch::Sender<Option<u64>>, ledger: &Ledger) -> Result<(), Box<dyn Error>> {
    let published: u64 = session.call("soak.stop", ()).await?;
    end.send_replace(Some(published));
    let deadline = Instant::now() + SETTLING;
    let mut hanging: u64 = session.call("soak.hanging", ()).await?;
    while hanging > 0 && Instant::now() < deadline {
        sleep(Duration::from_millis(100)).await;
        hanging = session.call("soak.hanging", ()).await?;
    }
    ledger.check("all calls ended", hanging == 0, || format!("{hanging} hang"));
    Ok(())
}

/// Descriptors once the server has cleaned up.
async fn settle(process: &Process, before: usize) -> io::Result<usize> {
    let deadline = Instant::now() + SETTLING;
    loop {
        let now = process.descriptors()?;
        if now <= before + MAX_LEFT || Instant::now() > deadline {
            return Ok(now);
        }
        sleep(Duration::from_millis(100)).await;
    }
}

impl Summary {
    /// Whether every promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        let is_level = self.slope().is_none_or(|slope| slope <= MAX_SLOPE);
        self.lived && self.ledger.is_clean() && is_level && self.left() <= MAX_LEFT
    }

    fn left(&self) -> usize {
        self.descriptors[1].saturating_sub(self.descriptors[0])
    }

    /// MiB a minute, by the least squares of what was measured after the warm-up; `None` when that is too little.
    fn slope(&self) -> Option<f64> {
        let measured = self.resident.get(WARM_UP..).filter(|measured| measured.len() >= COMPARED)?;
        let points: Vec<(f64, f64)> =
            (0_u32..).zip(measured).map(|(second, kib)| (f64::from(second) / 60.0, *kib as f64 / 1024.0)).collect();
        let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let along: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        Some(along / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>())
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "soak of {:.1} minutes", self.duration.as_secs_f64() / 60.0)?;
        write!(f, "{}", self.ledger)?;
        let mib = |kib: Option<&u64>| kib.map_or(0.0, |kib| *kib as f64 / 1024.0);
        let (first, last, peak) = (self.resident.first(), self.resident.last(), self.resident.iter().max());
        writeln!(f, "memory: {:.1} MiB at first, {:.1} at last, {:.1} at most", mib(first), mib(last), mib(peak))?;
        match self.slope() {
            Some(slope) => writeln!(f, "memory grows by {slope:.2} MiB a minute after the first (at most {MAX_SLOPE})")?,
            None => writeln!(f, "memory: too short to tell whether it grows")?,
        }
        writeln!(f, "descriptors: {} before, {} after (at most {MAX_LEFT} more)", self.descriptors[0], self.descriptors[1])?;
        writeln!(f, "the server {}", if self.lived { "lived" } else { "DIED" })?;
        write!(f, "{}", if self.is_clean() { "every promise was kept" } else { "A PROMISE WAS BROKEN" })
    }
}
