//! The names that both wslink protocols give to requests and their ids.

use super::{Incoming, Message, Target};

/// The method that a request to `target` names.
pub(super) fn method(target: Target<'_>) -> &str {
    match target {
        Target::Hello => "wslink.hello",
        Target::Subscribe => "wslink.subscribe",
        Target::Unsubscribe => "wslink.unsubscribe",
        Target::Cancel(_) => "wslink.cancel",
        Target::Method(name) => name,
    }
}

/// The beginning of the ids of our requests to `target`; their number follows. Stock servers take ids that begin with
/// `system:` for requests to themselves.
pub(super) const fn id_prefix(target: Target<'_>) -> &'static str {
    match target {
        Target::Method(_) => CALL,
        Target::Hello | Target::Subscribe | Target::Unsubscribe | Target::Cancel(_) => SYSTEM,
    }
}

const CALL: &str = "rpc:";
const SYSTEM: &str = "system:c0:";

/// The id of our call `number`.
pub(super) fn call_id(number: u64) -> String {
    format!("{CALL}{number}")
}

/// Whether an id is that of a request to the peer itself.
pub(super) fn is_system(id: &[u8]) -> bool {
    id.starts_with(b"system:")
}

/// What the scanned message is; `None` where it says nothing that this protocol knows.
#[inline]
pub(super) fn classify(incoming: &Incoming, id: impl FnOnce(&Incoming) -> Option<String>) -> Option<Message> {
    incoming.id.as_ref()?;
    if let Some(content) = incoming.content
        && incoming.method.is_none()
    {
        let id = id(incoming)?;
        if let Some((topic, _)) = id.strip_prefix("publish:").and_then(|rest| rest.rsplit_once(':')) {
            return Some(Message::Event { topic: topic.to_owned(), subscription: incoming.subscription, content });
        }
        let number = id.strip_prefix(CALL).or_else(|| id.strip_prefix(SYSTEM));
        let number = number.and_then(|number| number.parse().ok());
        return Some(number.map_or(Message::Invalid, |number| Message::Reply { number, content }));
    }
    if !incoming.system {
        return Some(Message::Call);
    }
    Some(match incoming.method() {
        Some(b"wslink.hello") => Message::Hello,
        Some(b"wslink.subscribe") => Message::Subscribe,
        Some(b"wslink.unsubscribe") => Message::Unsubscribe,
        Some(b"wslink.cancel") => Message::Cancel,
        Some(b"wslink.manifest") => Message::Manifest,
        _ => Message::Unknown,
    })
}
