//! Options and environment variables of the original server and of trame that launchers pass: options without effect
//! here are accepted, variables set limits and headers.

use std::{path::Path, time::Duration};

use clap::Args;

use crate::{Error, Limits};

/// Options that are accepted and have no effect.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct CompatibilityOptions {
    #[arg(long, hide = true)]
    no_ws_compress: bool,
    #[arg(long, hide = true)]
    server: bool,
    #[arg(long, hide = true)]
    banner: bool,
    #[arg(long, hide = true)]
    app: bool,
    #[arg(long, hide = true)]
    hot_reload: bool,
    #[arg(long, hide = true, value_name = "ARGS", num_args = 0..=1)]
    trame_args: Option<Option<String>>,
}

impl CompatibilityOptions {
    /// Logs which of them were given.
    pub(super) fn report(&self) {
        let given = [
            ("--no-ws-compress", self.no_ws_compress),
            ("--server", self.server),
            ("--banner", self.banner),
            ("--app", self.app),
            ("--hot-reload", self.hot_reload),
            ("--trame-args", self.trame_args.is_some()),
        ];
        let given: Vec<_> = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect();
        if !given.is_empty() {
            tracing::warn!("options without effect on this server: {}", given.join(", "));
        }
    }
}

/// The environment variables of the original server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    max_message: Option<usize>,
    overhead: Option<usize>,
    hello: Option<usize>,
    heartbeat: Option<Duration>,
}

impl Environment {
    /// Reads them by `variable`, which returns the value of a name.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name: &'static str| variable(name).filter(|text| !text.is_empty()).map(|text| (name, text));
        let bytes = |name| variable(name).map(|(name, text)| number(name, &text)).transpose();
        let heartbeat = variable("WSLINK_HEART_BEAT").map(|(name, text)| seconds(name, &text)).transpose()?;
        Ok(Self {
            max_message: bytes("WSLINK_MAX_MSG_SIZE")?,
            overhead: bytes("WSLINK_MSG_OVERHEAD")?,
            hello: bytes("WSLINK_AUTH_MSG_SIZE")?,
            heartbeat,
        })
    }

    /// Sets the limits. Options of the command line are applied afterwards and win.
    pub(super) fn apply(&self, limits: &mut Limits) {
        /// The original's default.
        const OVERHEAD: usize = 4096;
        if let Some(bytes) = self.max_message {
            limits.announced_bytes = Some(bytes);
            limits.frame_bytes = bytes.saturating_add(self.overhead.unwrap_or(OVERHEAD));
        }
        limits.hello_bytes = self.hello.unwrap_or(limits.hello_bytes);
        if let Some(heartbeat) = self.heartbeat {
            (limits.ping, limits.pong) = (heartbeat, heartbeat);
        }
    }
}

fn number(name: &str, text: &str) -> Result<usize, Error> {
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Error::Setting(format!("`{name}={text}` in the environment is no number of bytes; write one above 0")))
}

/// Below one second there are no pings, as with the original.
fn seconds(name: &str, text: &str) -> Result<Duration, Error> {
    /// The longest that limits may have, which is as good as never.
    const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
    let seconds: f64 = text.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite()).ok_or_else(|| {
        Error::Setting(format!("`{name}={text}` in the environment is no number of seconds; write one, or 0 for no pings"))
    })?;
    Ok(if seconds < 1.0 { NEVER } else { Duration::try_from_secs_f64(seconds).unwrap_or(NEVER).min(NEVER) })
}

/// The headers of `WSLINK_HTTP_HEADERS`, a file of JSON: names and values.
pub(super) fn headers(file: &Path) -> Result<Vec<(String, String)>, Error> {
    let wrong = |why: &dyn std::fmt::Display| {
        Error::Setting(format!(
            "no headers in `{}` of `WSLINK_HTTP_HEADERS`: {why}; write an object of JSON, such as `{{\"X-Mine\": \"yes\"}}`",
            file.display()
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let headers: std::collections::BTreeMap<String, String> = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    Ok(headers.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Limits, String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let environment = Environment::read(variable).map_err(|error| error.to_string())?;
        let mut limits = Limits::default();
        environment.apply(&mut limits);
        Ok(limits)
    }

    #[test]
    fn variables_of_the_original_are_limits() {
        assert_eq!(read(&[("WSLINK_MAX_MSG_SIZE", "")]).unwrap(), Limits::default());
        let limits = read(&[("WSLINK_MAX_MSG_SIZE", "65536"), ("WSLINK_AUTH_MSG_SIZE", "512")]).unwrap();
        assert_eq!((limits.frame_bytes, limits.hello_bytes, limits.announced_chunk()), (65536 + 4096, 512, 65536));
        let limits = read(&[("WSLINK_MAX_MSG_SIZE", "4194304"), ("WSLINK_MSG_OVERHEAD", "100")]).unwrap();
        assert_eq!((limits.frame_bytes, limits.announced_chunk()), (4_194_404, 4_194_304));
        let limits = read(&[("WSLINK_HEART_BEAT", "7")]).unwrap();
        assert_eq!((limits.ping, limits.pong), (Duration::from_secs(7), Duration::from_secs(7)));
        assert!(read(&[("WSLINK_HEART_BEAT", "0")]).unwrap().ping > Duration::from_secs(1 << 28));
        for (name, value) in [("WSLINK_MAX_MSG_SIZE", "much"), ("WSLINK_AUTH_MSG_SIZE", "0"), ("WSLINK_HEART_BEAT", "often")] {
            assert!(read(&[(name, value)]).unwrap_err().contains(name));
        }
    }
}
