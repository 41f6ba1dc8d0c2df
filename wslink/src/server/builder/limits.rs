//! Limits that no client could keep to, or that a protocol cannot express, are errors at start.

use std::time::Duration;

use crate::{Error, Limits};

/// As good as never. More could overflow an instant.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// # Errors
/// A limit cannot be kept to; the error names it and the option that sets it.
pub(super) fn check(limits: &Limits) -> Result<(), Error> {
    let wrong = |name: &str, why: &str| Err(Error::Setting(format!("{} {why}", called(name))));
    if u32::try_from(limits.message_bytes).is_err() {
        return wrong("message_bytes", "is over 4 GiB - 1, the most that a chunk can say; lower it");
    }
    if let Some((name, _)) = durations(limits).into_iter().find(|(_, duration)| *duration > LONGEST) {
        return wrong(name, "is over ten years; lower it");
    }
    if let Some((name, _, what)) = counts(limits).into_iter().find(|(_, count, _)| *count == 0) {
        return wrong(name, &format!("is 0, so {what}; write 1 or more"));
    }
    if let Some((name, _)) = durations(limits)[..5].iter().find(|(_, duration)| duration.is_zero()) {
        return wrong(name, "is no time at all, so every connection would end at once; raise it");
    }
    for (name, bytes) in [("frame_bytes", limits.frame_bytes), ("message_bytes", limits.message_bytes)] {
        if bytes < limits.hello_bytes {
            let hello = called("hello_bytes");
            return wrong(
                name,
                &format!("({bytes}) is below {hello} ({}), so a hello would not fit; raise it", limits.hello_bytes),
            );
        }
    }
    Ok(())
}

/// The limit as the program writes it, and what an operator writes.
fn called(name: &str) -> String {
    let option = match name {
        "frame_bytes" => "`--max-frame`, `WSLINK_MAX_MSG_SIZE`",
        "message_bytes" => "`--max-message`",
        "hello_bytes" => "`WSLINK_AUTH_MSG_SIZE`",
        "calls_in_flight" => "`--max-calls`",
        "blocking_threads" => "`--max-blocking`",
        "held_bytes" => "`--max-held`",
        "connections" => "`--max-clients`",
        "address_connections" => "`--max-clients-per-address`",
        "address_unauthenticated" => "`--max-unauthenticated-per-address`",
        "handshake" => "`--handshake-timeout`",
        "hello" => "`--hello-timeout`",
        "ping" | "pong" => "`--ping`, `WSLINK_HEART_BEAT`",
        "write_stall" => "`--write-timeout`",
        "grace" => "`--grace`",
        _ => return format!("`Limits::{name}`"),
    };
    format!("`Limits::{name}` ({option})")
}

/// All durations; the first five must not be zero.
const fn durations(limits: &Limits) -> [(&'static str, Duration); 9] {
    [
        ("handshake", limits.handshake),
        ("hello", limits.hello),
        ("ping", limits.ping),
        ("pong", limits.pong),
        ("write_stall", limits.write_stall),
        ("incomplete_stall", limits.incomplete_stall),
        ("expiry_grace", limits.expiry_grace),
        ("grace", limits.grace),
        ("resume_window", limits.resume_window),
    ]
}

/// What must not be zero, and what would happen.
const fn counts(limits: &Limits) -> [(&'static str, usize, &'static str); 9] {
    [
        ("connections", limits.connections, "nobody could connect"),
        ("address_connections", limits.address_connections, "nobody could connect"),
        ("address_unauthenticated", limits.address_unauthenticated, "nobody could connect"),
        ("hello_bytes", limits.hello_bytes, "nobody could say hello"),
        ("calls_in_flight", limits.calls_in_flight, "no call would be answered"),
        ("blocking_calls", limits.blocking_calls, "handlers that block would wait for ever"),
        ("blocking_threads", limits.blocking_threads, "handlers that block would wait for ever"),
        ("incomplete_messages", limits.incomplete_messages, "no message of several chunks could arrive"),
        ("held_bytes", limits.held_bytes, "nothing would be read"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(change: impl FnOnce(&mut Limits)) -> String {
        let mut limits = Limits::default();
        change(&mut limits);
        check(&limits).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn what_nobody_could_keep_to_is_refused_by_its_names() {
        let threads = said(|limits| limits.blocking_threads = 0);
        assert_eq!(
            threads,
            "`Limits::blocking_threads` (`--max-blocking`) is 0, so handlers that block would wait for ever; write 1 or more"
        );
        assert!(said(|limits| limits.hello = Duration::ZERO).contains("`--hello-timeout`"));
        assert!(said(|limits| limits.frame_bytes = 10).contains("`--max-frame`, `WSLINK_MAX_MSG_SIZE`) (10) is below"));
        assert!(said(|limits| limits.message_bytes = 10).contains("`--max-message`"));
        assert!(said(|limits| limits.message_bytes = usize::MAX).contains("4 GiB - 1"));
        assert!(said(|limits| limits.resume_window = Duration::MAX).contains("`Limits::resume_window` is over ten years"));
    }

    #[test]
    fn what_switches_a_feature_off_is_accepted() {
        let off = said(|limits| {
            (limits.grace, limits.resume_window, limits.expiry_grace) = Default::default();
            (limits.outbox_bytes, limits.subscriptions, limits.address_failed_logins) = (0, 0, 0);
        });
        assert_eq!(off, "");
    }
}
