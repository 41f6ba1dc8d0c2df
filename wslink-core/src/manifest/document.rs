//! The parts of an OpenRPC document that a manifest has, with what is our own under `x-wslink`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) openrpc: String,
    pub(super) info: Info,
    pub(super) methods: Vec<Method>,
    pub(super) components: Components,
    #[serde(rename = "x-wslink")]
    pub(super) wslink: Wslink,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Info {
    pub(super) title: String,
    pub(super) version: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Components {
    pub(super) schemas: Map<String, Value>,
}

/// Of the document: what OpenRPC has no words for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Wslink {
    pub(super) services: Vec<Service>,
    pub(super) topics: Vec<Topic>,
    /// What clients may send, where a server is described and not only its services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) limits: Option<Limits>,
}

/// As in the server's answer to hello, in bytes but for the calls.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Limits {
    pub(super) max_msg_size: usize,
    pub(super) message_bytes: usize,
    pub(super) calls_in_flight: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) docs: Docs,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Method {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) docs: Docs,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    pub(super) param_structure: String,
    pub(super) params: Vec<Param>,
    pub(super) result: Param,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ErrorObject>,
    #[serde(default, rename = "x-wslink", skip_serializing_if = "MethodWslink::is_empty")]
    pub(super) wslink: MethodWslink,
}

/// The service of a method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tag {
    pub(super) name: String,
}

/// A content descriptor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Param {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) required: Option<bool>,
    pub(super) schema: Value,
    #[serde(default, rename = "x-wslink", skip_serializing_if = "Option::is_none")]
    pub(super) wslink: Option<ParamWslink>,
}

/// The default of a parameter that is no JSON value: how the source says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ParamWslink {
    pub(super) default: String,
}

/// What OpenRPC has of an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ErrorObject {
    pub(super) code: i32,
    pub(super) message: String,
}

/// Of a method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MethodWslink {
    /// It takes further arguments of any kind.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) rest: bool,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout_ms: Option<u64>,
    /// The authority that its callers must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) require: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<TypedError>,
}

impl MethodWslink {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// All of an error: `data` is the schema of the error's `data`, in which `name` is this name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TypedError {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) docs: Docs,
    pub(super) code: i32,
    pub(super) message: String,
    pub(super) data: Value,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Topic {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) docs: Docs,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) deprecated: bool,
    pub(super) service: String,
    pub(super) delivery: Delivery,
    /// Whether who subscribes gets the last payload at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) retain: bool,
    /// The authority that its subscribers must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) require: Option<String>,
    pub(super) payload: Value,
    /// What a subscription can be filtered by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) filter: Vec<Param>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "snake_case")]
pub(super) enum Delivery {
    Reliable,
    Latest,
    DropOldest { count: usize },
}

/// The first paragraph of the documentation, and the others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Docs {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    summary: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
}

impl From<&str> for Docs {
    fn from(docs: &str) -> Self {
        let (first, rest) = docs.split_once("\n\n").unwrap_or((docs, ""));
        Self { summary: first.lines().map(str::trim).collect::<Vec<_>>().join(" "), description: rest.trim().to_owned() }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_false(value: &bool) -> bool {
    !*value
}
