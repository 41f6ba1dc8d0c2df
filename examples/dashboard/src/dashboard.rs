//! The service: how machines are, what happens to them, and what can be done about it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, interval, sleep};
use wslink::{Progress, Publisher, RpcError, Topic, service};

use crate::machines::{NAMES, Sample, sample};

/// How often everything is looked at.
const PERIOD: Duration = Duration::from_millis(200);

/// The service.
pub(crate) struct Dashboard {
    publisher: Publisher,
    started: Instant,
    entries: Arc<AtomicU64>,
}

/// Something that happened. The numbers have no gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) machine: String,
    pub(crate) text: String,
}

/// What a diagnosis found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Diagnosis {
    pub(crate) machine: String,
    pub(crate) verdict: String,
}

/// Why there is no diagnosis.
#[derive(Debug, RpcError)]
pub(crate) enum DashboardError {
    /// There is no such machine.
    #[rpc_error(code = 404, message = "no machine is called {machine}")]
    NoSuchMachine { machine: String },
}

impl Dashboard {
    /// The service, of machines that nobody watches yet.
    pub(crate) fn new(publisher: Publisher) -> Self {
        Self { publisher, started: Instant::now(), entries: Arc::default() }
    }

    /// The service, whose machines are watched from now on.
    pub(crate) fn running(publisher: Publisher) -> Self {
        let dashboard = Self::new(publisher);
        let watcher = Self { publisher: dashboard.publisher.clone(), entries: Arc::clone(&dashboard.entries), ..dashboard };
        tokio::spawn(async move { watcher.watch().await });
        dashboard
    }

    async fn watch(&self) {
        let mut period = interval(PERIOD);
        for round in 0_usize.. {
            period.tick().await;
            self.look();
            if round.is_multiple_of(3) {
                self.note(NAMES[round / 3 % NAMES.len()], "was looked at");
            }
        }
    }

    /// Publishes how every machine is.
    pub(crate) fn look(&self) {
        let seconds = self.started.elapsed().as_secs_f64();
        for sample in NAMES.iter().filter_map(|name| sample(name, seconds)) {
            self.publisher.publish(Self::NOW, &sample);
        }
    }

    /// Adds an entry to the log.
    pub(crate) fn note(&self, machine: &str, text: &str) {
        let number = self.entries.fetch_add(1, Ordering::Relaxed) + 1;
        self.publisher.publish(Self::LOG, &Entry { number, machine: machine.to_owned(), text: text.to_owned() });
    }
}

#[service(client)]
impl Dashboard {
    /// How a machine is. Who is slow sees the newest of each.
    #[topic("dashboard.now", delivery = latest(key = machine))]
    pub(crate) const NOW: Topic<Sample>;

    /// What happens. Nobody misses any of it.
    #[topic("dashboard.log")]
    pub(crate) const LOG: Topic<Entry>;

    /// One machine, looked at closely for as long as somebody does.
    #[topic("dashboard.close", delivery = drop_oldest(32))]
    fn close(&self, machine: String, #[arg(default = 50)] every_ms: u64) -> impl Stream<Item = Sample> + Send + 'static {
        let started = self.started;
        let period = interval(Duration::from_millis(every_ms.max(10)));
        stream::unfold((period, machine), move |(mut period, machine)| async move {
            let now = period.tick().await;
            let sample = sample(&machine, now.duration_since(started).as_secs_f64())?;
            Some((sample, (period, machine)))
        })
    }

    /// Looks into a machine, which takes a while; reports how much is done, from 0 to 1.
    #[rpc("dashboard.diagnose")]
    async fn diagnose(&self, machine: String, progress: Progress<f64>) -> Result<Diagnosis, DashboardError> {
        const STEPS: u32 = 40;
        if !NAMES.contains(&machine.as_str()) {
            return Err(DashboardError::NoSuchMachine { machine });
        }
        self.note(&machine, "is being diagnosed");
        for step in 1..=STEPS {
            sleep(Duration::from_millis(75)).await;
            progress.report(&(f64::from(step) / f64::from(STEPS)));
        }
        let verdict = "is fine".to_owned();
        self.note(&machine, &verdict);
        Ok(Diagnosis { machine, verdict })
    }
}
