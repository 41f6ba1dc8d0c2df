//! Classifies changes of a JSON Schema: arguments may accept more, results may promise more.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Kind;
use crate::schema::DEFINITIONS;

/// The definitions of both documents.
#[derive(Clone, Copy)]
pub(super) struct Schemas<'a> {
    pub(super) old: &'a Map<String, Value>,
    pub(super) new: &'a Map<String, Value>,
}

/// On which side of the server a value is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Taken,
    Sent,
}

/// Words that mean nothing to a program.
const WORDS: [&str; 4] = ["title", "description", "deprecated", "examples"];

/// Keys that are compared one level deeper.
const DEEPER: [&str; 5] = ["properties", "required", "items", "additionalProperties", "default"];

impl<'a> Schemas<'a> {
    /// The differences, each with what to say behind the name of the value.
    pub(super) fn compare(self, direction: Direction, old: &'a Value, new: &'a Value) -> Vec<(Kind, String)> {
        let mut walk = Walk { schemas: self, direction, seen: BTreeSet::new(), found: Vec::new() };
        walk.value("", old, new);
        walk.found
    }
}

struct Walk<'a> {
    schemas: Schemas<'a>,
    direction: Direction,
    /// Definitions that are being compared: types may contain themselves.
    seen: BTreeSet<(&'a str, &'a str)>,
    found: Vec<(Kind, String)>,
}

impl<'a> Walk<'a> {
    fn add(&mut self, kind: Kind, path: &str, text: &str) {
        self.found.push((kind, format!("{path} {text}")));
    }

    fn value(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        if let (Some(a), Some(b)) = (reference(old), reference(new))
            && !self.seen.insert((a, b))
        {
            return;
        }
        if let (Some(before), Some(after)) = (old.get("default"), new.get("default"))
            && before != after
        {
            self.add(Kind::Breaking, path, &format!("had the default `{before}` and has `{after}`"));
        }
        let (old, new) = (resolved(old, self.schemas.old), resolved(new, self.schemas.new));
        let (Value::Object(before), Value::Object(after)) = (old, new) else {
            if old != new {
                self.add(Kind::Breaking, path, &format!("was `{old}` and is `{new}`"));
            }
            return;
        };
        if WORDS.iter().any(|word| before.get(*word) != after.get(*word)) {
            self.add(Kind::Documentation, path, "has another documentation");
        }
        self.properties(path, before, after);
        for (key, part) in [("items", "[]"), ("additionalProperties", "{}")] {
            match (before.get(key), after.get(key)) {
                (Some(old), Some(new)) => self.value(&format!("{path}{part}"), old, new),
                (None, None) => {}
                _ => self.add(Kind::Breaking, path, "has another type"),
            }
        }
        for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            if WORDS.contains(&key.as_str()) || DEEPER.contains(&key.as_str()) {
                continue;
            }
            self.rest(path, key, before.get(key), after.get(key));
        }
    }

    fn properties(&mut self, path: &str, old: &'a Map<String, Value>, new: &'a Map<String, Value>) {
        let (before, after) = (members(old), members(new));
        for (name, schema) in before.into_iter().flatten() {
            let path = format!("{path}.{name}");
            let Some(other) = after.and_then(|after| after.get(name)) else {
                self.add(Kind::Breaking, &path, "is gone");
                continue;
            };
            match (self.direction, requires(old, name), requires(new, name)) {
                (Direction::Taken, false, true) => self.add(Kind::Breaking, &path, "may no longer be left out"),
                (Direction::Taken, true, false) => self.add(Kind::Additive, &path, "may be left out"),
                (Direction::Sent, true, false) => self.add(Kind::Breaking, &path, "may be missing now"),
                (Direction::Sent, false, true) => self.add(Kind::Additive, &path, "is always there now"),
                _ => {}
            }
            self.value(&path, schema, other);
        }
        let is_new = |name: &&String| before.is_none_or(|before| !before.contains_key(*name));
        for name in after.into_iter().flat_map(Map::keys).filter(is_new) {
            let breaks = self.direction == Direction::Taken && requires(new, name);
            let kind = if breaks { Kind::Breaking } else { Kind::Additive };
            self.add(kind, &format!("{path}.{name}"), "is new");
        }
    }

    fn rest(&mut self, path: &str, key: &str, old: Option<&'a Value>, new: Option<&'a Value>) {
        if let ("enum" | "oneOf" | "anyOf", Some(Value::Array(before)), Some(Value::Array(after))) = (key, old, new) {
            return self.alternatives(path, before, after);
        }
        let plain = |value: Option<&Value>, definitions| value.map(|value| stripped(value, definitions, 0));
        if plain(old, self.schemas.old) != plain(new, self.schemas.new) {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"));
            self.add(Kind::Breaking, path, &format!("had {} as its {key} and has {}", shown(old), shown(new)));
        }
    }

    /// They may become more where clients choose, and fewer where the server does.
    fn alternatives(&mut self, path: &str, before: &'a [Value], after: &'a [Value]) {
        let among = |one: &Value, others: &'a [Value]| others.iter().find(|other| label(other) == label(one));
        for one in before {
            match among(one, after) {
                Some(other) if one.is_object() => self.value(path, one, other),
                Some(_) => {}
                None => self.alternative(path, "no longer has", Direction::Sent, one),
            }
        }
        for one in after.iter().filter(|one| among(one, before).is_none()) {
            self.alternative(path, "now has", Direction::Taken, one);
        }
    }

    fn alternative(&mut self, path: &str, verb: &str, harmless: Direction, one: &Value) {
        let kind = if self.direction == harmless { Kind::Additive } else { Kind::Breaking };
        self.add(kind, path, &format!("{verb} the alternative `{}`", label(one)));
    }
}

/// What tells an alternative from the others: the name of its type or variant, or all of it.
fn label(alternative: &Value) -> String {
    let variant = || {
        let members = members(alternative.as_object()?)?;
        let tag = members.values().find_map(|member| member.get("const")).map(ToString::to_string);
        tag.or_else(|| members.keys().next().filter(|_| members.len() == 1).cloned())
    };
    let name = reference(alternative).map(str::to_owned).or_else(variant);
    name.unwrap_or_else(|| stripped(alternative, &Map::new(), 0).to_string())
}

fn reference(schema: &Value) -> Option<&str> {
    // Beside a default, a reference is the only one of `allOf`.
    let inner = || schema.get("allOf")?.as_array()?.first()?.get("$ref");
    schema.get("$ref").or_else(inner)?.as_str()?.strip_prefix(DEFINITIONS)
}

fn resolved<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    reference(schema).and_then(|name| definitions.get(name)).unwrap_or(schema)
}

fn members(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties")?.as_object()
}

fn requires(schema: &Map<String, Value>, name: &str) -> bool {
    schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
}

/// Without words, and with definitions in place of references; deep enough to tell types apart.
fn stripped(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    const DEEPEST: usize = 12;
    let schema = resolved(schema, definitions);
    match schema {
        _ if depth > DEEPEST => Value::Null,
        Value::Object(members) => members
            .iter()
            // A member of `properties` may have such a name; it is no text.
            .filter(|(key, value)| value.is_object() || !WORDS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), stripped(value, definitions, depth + 1)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| stripped(item, definitions, depth + 1)).collect(),
        other => other.clone(),
    }
}
