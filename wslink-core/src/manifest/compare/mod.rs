//! Compares two manifests and classifies each change by its effect on existing clients.

use std::{collections::BTreeMap, fmt};

use self::schema::{Direction, Schemas};
use super::{
    Manifest,
    document::{Delivery, Docs, Limits, Method, Param, Topic, TypedError},
};

mod schema;

/// One difference between two manifests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// What it means to clients.
    pub kind: Kind,
    /// The URI of the method or topic.
    pub item: String,
    /// What is different, in words.
    pub text: String,
}

/// What a change means to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A client that worked may fail.
    Breaking,
    /// Clients can do more than before.
    Additive,
    /// Words, deprecations and versions.
    Documentation,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Breaking => "breaking",
            Kind::Additive => "additive",
            Kind::Documentation => "documentation",
        };
        write!(f, "{kind}: `{}`: {}", self.item, self.text)
    }
}

/// What is different in `new`: breaking changes first, then by URI.
#[must_use]
pub fn compare(old: &Manifest, new: &Manifest) -> Vec<Change> {
    let mut comparison = Comparison {
        schemas: Schemas { old: &old.0.components.schemas, new: &new.0.components.schemas },
        item: String::new(),
        changes: Vec::new(),
    };
    comparison.each(&old.0.methods, &new.0.methods, |one| &one.name, "method", Comparison::method);
    comparison.each(&old.0.wslink.topics, &new.0.wslink.topics, |one| &one.name, "topic", Comparison::topic);
    if let (Some(old), Some(new)) = (&old.0.wslink.limits, &new.0.wslink.limits) {
        comparison.limits(*old, *new);
    }
    comparison.changes.sort();
    comparison.changes
}

struct Comparison<'a> {
    schemas: Schemas<'a>,
    item: String,
    changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    fn add(&mut self, kind: Kind, text: impl Into<String>) {
        self.changes.push(Change { kind, item: self.item.clone(), text: text.into() });
    }

    /// Compares what is in both, and tells of what is in one only.
    fn each<T>(
        &mut self,
        old: &'a [T],
        new: &'a [T],
        name: impl Fn(&T) -> &str,
        what: &str,
        compare: impl Fn(&mut Self, &'a T, &'a T),
    ) {
        let news: BTreeMap<&str, &T> = new.iter().map(|one| (name(one), one)).collect();
        for one in old {
            self.item = name(one).to_owned();
            match news.get(name(one)) {
                Some(other) => compare(self, one, other),
                None => self.add(Kind::Breaking, format!("the {what} is gone")),
            }
        }
        for one in new.iter().filter(|new| old.iter().all(|old| name(old) != name(new))) {
            self.item = name(one).to_owned();
            self.add(Kind::Additive, format!("a new {what}"));
        }
    }

    fn limits(&mut self, old: Limits, new: Limits) {
        "the server".clone_into(&mut self.item);
        for (what, old, new) in [
            ("bytes of a frame", old.max_msg_size, new.max_msg_size),
            ("bytes of a message", old.message_bytes, new.message_bytes),
            ("calls in flight", old.calls_in_flight, new.calls_in_flight),
        ] {
            if old != new {
                let kind = if new < old { Kind::Breaking } else { Kind::Additive };
                self.add(kind, format!("it took {old} {what} and takes {new}"));
            }
        }
    }

    /// What is required of a client.
    fn require(&mut self, old: Option<&str>, new: Option<&str>) {
        if old != new {
            let kind = if new.is_none() { Kind::Additive } else { Kind::Breaking };
            let shown = |authority: Option<&str>| authority.map_or_else(|| "nothing".to_owned(), |name| format!("`{name}`"));
            self.add(kind, format!("it required {} and requires {}", shown(old), shown(new)));
        }
    }

    fn timeout(&mut self, old: Option<u64>, new: Option<u64>) {
        let shown = |timeout: Option<u64>| timeout.map_or_else(|| "as long as it liked".to_owned(), |ms| format!("{ms} ms"));
        let longest = |timeout: Option<u64>| timeout.unwrap_or(u64::MAX);
        if old != new {
            let kind = if longest(new) < longest(old) { Kind::Breaking } else { Kind::Additive };
            self.add(kind, format!("a call could take {} and may take {}", shown(old), shown(new).replace("liked", "likes")));
        }
    }

    fn method(&mut self, old: &'a Method, new: &'a Method) {
        self.docs((&old.docs, old.deprecated), (&new.docs, new.deprecated));
        self.params(&old.params, &new.params);
        self.schema("the result", Direction::Sent, &old.result.schema, &new.result.schema);
        self.require(old.wslink.require.as_deref(), new.wslink.require.as_deref());
        self.timeout(old.wslink.timeout_ms, new.wslink.timeout_ms);
        if old.wslink.rest != new.wslink.rest {
            let kind = if new.wslink.rest { Kind::Additive } else { Kind::Breaking };
            self.add(kind, if new.wslink.rest { "it takes further arguments" } else { "it takes no further arguments" });
        }
        for error in &old.wslink.errors {
            match new.wslink.errors.iter().find(|other| other.name == error.name) {
                Some(other) => self.error(error, other),
                None => self.add(Kind::Breaking, format!("the error `{}` is gone", error.name)),
            }
        }
        for error in new.wslink.errors.iter().filter(|new| old.wslink.errors.iter().all(|old| old.name != new.name)) {
            self.add(Kind::Additive, format!("a new error `{}`", error.name));
        }
    }

    /// They bind by name and by position.
    fn params(&mut self, old: &'a [Param], new: &'a [Param]) {
        for (at, param) in old.iter().enumerate() {
            let name = &param.name;
            let Some(now) = new.iter().position(|other| other.name == *name) else {
                self.add(Kind::Breaking, format!("parameter `{name}` is gone"));
                continue;
            };
            let other = &new[now];
            // Of several that moved behind one that is gone or new, the reason says enough.
            if now != at && old.iter().filter(|one| new.iter().any(|other| other.name == one.name)).count() == old.len() {
                self.add(Kind::Breaking, format!("parameter `{name}` was number {} and is number {}", at + 1, now + 1));
            }
            match (param.required, other.required) {
                (Some(false), Some(true)) => self.add(Kind::Breaking, format!("parameter `{name}` may no longer be left out")),
                (Some(true), Some(false)) => self.add(Kind::Additive, format!("parameter `{name}` may be left out")),
                _ => {}
            }
            self.schema(&format!("parameter `{name}`"), Direction::Taken, &param.schema, &other.schema);
        }
        for param in new.iter().filter(|new| old.iter().all(|old| old.name != new.name)) {
            let (kind, what) = match param.required {
                Some(true) => (Kind::Breaking, "required"),
                _ => (Kind::Additive, "optional"),
            };
            self.add(kind, format!("a new {what} parameter `{}`", param.name));
        }
    }

    fn error(&mut self, old: &'a TypedError, new: &'a TypedError) {
        let name = &old.name;
        if old.code != new.code {
            self.add(Kind::Breaking, format!("the error `{name}` had the code {} and has {}", old.code, new.code));
        }
        if old.message != new.message || old.docs != new.docs {
            self.add(Kind::Documentation, format!("the error `{name}` says something else"));
        }
        self.schema(&format!("the error `{name}`"), Direction::Sent, &old.data, &new.data);
    }

    fn topic(&mut self, old: &'a Topic, new: &'a Topic) {
        self.docs((&old.docs, old.deprecated), (&new.docs, new.deprecated));
        self.schema("the payload", Direction::Sent, &old.payload, &new.payload);
        self.params(&old.filter, &new.filter);
        self.require(old.require.as_deref(), new.require.as_deref());
        match (old.retain, new.retain) {
            (true, false) => self.add(Kind::Breaking, "who subscribes no longer gets the last payload"),
            (false, true) => self.add(Kind::Additive, "who subscribes gets the last payload"),
            _ => {}
        }
        match (old.delivery, new.delivery) {
            (old, new) if old == new => {}
            (Delivery::Reliable, _) => self.add(Kind::Breaking, "events may be lost now"),
            (_, Delivery::Reliable) => self.add(Kind::Additive, "no event is lost now"),
            _ => self.add(Kind::Additive, "another number of events may wait"),
        }
    }

    fn docs(&mut self, old: (&Docs, bool), new: (&Docs, bool)) {
        if old.0 != new.0 {
            self.add(Kind::Documentation, "its documentation");
        }
        if old.1 != new.1 {
            self.add(Kind::Documentation, if new.1 { "it is deprecated" } else { "it is no longer deprecated" });
        }
    }

    fn schema(&mut self, what: &str, direction: Direction, old: &'a serde_json::Value, new: &'a serde_json::Value) {
        for (kind, text) in self.schemas.compare(direction, old, new) {
            self.add(kind, format!("{what}{text}"));
        }
    }
}
