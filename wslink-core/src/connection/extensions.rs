//! What a client may use beyond the original protocol, because both sides said so in hello.

use crate::Value;

/// The extensions in force on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extensions {
    pub(super) subscribe: bool,
    pub(super) cancel: bool,
    pub(super) progress: bool,
    pub(super) deadline: bool,
    pub(super) resume: bool,
    pub(super) manifest: bool,
    pub(super) refresh: bool,
}

/// What not every server has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offered {
    /// It remembers clients that were lost.
    pub(super) resume: bool,
    /// It has a manifest to show.
    pub(super) manifest: bool,
}

impl Extensions {
    /// Those of the client's list that this server has.
    pub(super) fn asked_for(hello: &Value, offered: Offered) -> Self {
        let Some(Value::List(asked)) = hello.get("extensions") else { return Self::default() };
        let has = |name: &str| asked.iter().any(|one| one.as_str() == Some(name));
        Self {
            subscribe: has("subscribe"),
            cancel: has("cancel"),
            progress: has("progress"),
            deadline: has("deadline"),
            // Only what is subscribed to can be counted.
            resume: has("resume") && has("subscribe") && offered.resume,
            manifest: has("manifest") && offered.manifest,
            refresh: has("refresh"),
        }
    }

    pub(super) fn any(self) -> bool {
        self != Self::default()
    }

    /// As they are announced.
    pub(super) fn names(self) -> Vec<&'static str> {
        let Self { subscribe, cancel, progress, deadline, resume, manifest, refresh } = self;
        let all = [
            (subscribe, "subscribe"),
            (cancel, "cancel"),
            (progress, "progress"),
            (deadline, "deadline"),
            (resume, "resume"),
            (manifest, "manifest"),
            (refresh, "refresh"),
        ];
        all.into_iter().filter_map(|(in_force, name)| in_force.then_some(name)).collect()
    }
}
