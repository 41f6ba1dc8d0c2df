//! The greeting of a connection, as both ends write and read it.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Value, topic::Resume};

/// The extensions beyond the original protocol that both ends know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// Events of subscribed topics only.
    pub subscribe: bool,
    /// Calls can be cancelled.
    pub cancel: bool,
    /// Calls report progress.
    pub progress: bool,
    /// Requests say how long their sender waits.
    pub deadline: bool,
    /// A lost connection can be resumed.
    pub resume: bool,
    /// The server shows its manifest.
    pub manifest: bool,
    /// The server says when a hello expires.
    pub refresh: bool,
}

impl Extensions {
    /// Those of the list that `offered` has, too.
    pub(super) fn negotiate<'a>(listed: impl IntoIterator<Item = &'a str>, offered: Self) -> Self {
        let mut common = Self::default();
        for name in listed {
            if let Some((_, flag)) = common.flags().into_iter().find(|(known, _)| *known == name) {
                *flag = true;
            }
        }
        let mut offered = offered;
        let both: Vec<bool> = common.flags().into_iter().zip(offered.flags()).map(|(a, b)| *a.1 && *b.1).collect();
        for ((_, flag), both) in common.flags().into_iter().zip(both) {
            *flag = both;
        }
        // Only events of subscriptions can be counted.
        common.resume &= common.subscribe;
        common
    }

    /// All but those that a server may lack.
    pub(super) const fn offered(resume: bool, manifest: bool) -> Self {
        Self { subscribe: true, cancel: true, progress: true, deadline: true, resume, manifest, refresh: true }
    }

    pub(super) fn any(self) -> bool {
        self != Self::default()
    }

    /// The names of those that are in force.
    pub(super) fn names(mut self) -> Vec<&'static str> {
        self.flags().into_iter().filter_map(|(name, flag)| flag.then_some(name)).collect()
    }

    fn flags(&mut self) -> [(&'static str, &mut bool); 7] {
        let Self { subscribe, cancel, progress, deadline, resume, manifest, refresh } = self;
        [
            ("subscribe", subscribe),
            ("cancel", cancel),
            ("progress", progress),
            ("deadline", deadline),
            ("resume", resume),
            ("manifest", manifest),
            ("refresh", refresh),
        ]
    }
}

/// The argument of a hello, as a client writes it.
#[derive(Serialize)]
pub(super) struct Hello<'a> {
    pub(super) secret: &'a str,
    pub(super) extensions: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resume: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) received: Option<u64>,
}

/// The result of a good hello.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct Welcome {
    #[serde(rename = "clientID")]
    pub(super) client_id: String,
    #[serde(rename = "maxMsgSize", default, skip_serializing_if = "Option::is_none")]
    pub(super) max_frame: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) extensions: Option<Vec<String>>,
    #[serde(rename = "expiresInMs", default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_in_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<AnnouncedLimits>,
    /// The token to resume this connection with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resume: Option<String>,
    /// Present where the client wanted to resume; null where that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resumed: Option<Option<Resumption>>,
}

/// The largest messages that a client may send.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(super) struct AnnouncedLimits {
    #[serde(rename = "maxMsgSize", default)]
    pub(super) frame_bytes: Option<usize>,
    #[serde(rename = "messageBytes", default)]
    pub(super) message_bytes: Option<usize>,
    #[serde(rename = "callsInFlight", default)]
    pub(super) calls_in_flight: Option<usize>,
}

/// The parts of a lost connection that continue.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Resumption {
    /// How many events of each topic are lost for good.
    #[serde(default)]
    pub(super) missed: BTreeMap<String, u64>,
    /// The numbers of the subscriptions that continue.
    #[serde(default)]
    pub(super) kept: Vec<u64>,
}

impl Welcome {
    pub(super) fn lifetime(&self) -> Option<Duration> {
        self.expires_in_ms.map(Duration::from_millis)
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The lost connection that a hello wants to resume.
pub(super) fn resume(hello: &Value) -> Option<Resume> {
    let token = hello.get("resume")?.as_str()?.to_owned();
    let count = |value: &Value| match value {
        Value::Integer(count) => u64::try_from(*count).ok(),
        Value::Unsigned(count) => Some(*count),
        _ => None,
    };
    let received = match hello.get("received") {
        // Clients that count each topic by itself.
        Some(Value::Map(counts)) => counts.iter().filter_map(|(_, value)| count(value)).fold(0, u64::saturating_add),
        Some(total) => count(total).unwrap_or(0),
        None => 0,
    };
    Some(Resume { token, received })
}

/// The extensions that a hello lists.
pub(super) fn listed(hello: &Value) -> impl Iterator<Item = &str> {
    let list = match hello.get("extensions") {
        Some(Value::List(list)) => list.as_slice(),
        _ => &[],
    };
    list.iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extensions_in_force_are_those_that_both_ends_know() {
        let offered = Extensions::offered(true, false);
        let common = Extensions::negotiate(["cancel", "manifest", "resume", "later"], offered);
        assert_eq!(common.names(), ["cancel"], "resuming needs subscriptions");
        assert_eq!(Extensions::negotiate(["resume", "subscribe"], offered).names(), ["subscribe", "resume"]);
        assert!(!Extensions::negotiate([], offered).any());
    }
}
