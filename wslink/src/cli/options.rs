//! The options themselves, as the original servers have them.

use std::{path::PathBuf, time::Duration};

use clap::{
    Args,
    builder::{OsStringValueParser, TypedValueParser},
};
use ipnet::IpNet;

use super::{LimitOptions, compatibility::CompatibilityOptions};
#[cfg(feature = "inspector")]
use crate::server::Inspector;
use crate::{Error, Secret};

/// The options of a server on the command line.
#[derive(Args, Clone, Debug)]
#[non_exhaustive]
#[command(next_help_heading = "Server")]
pub struct Options {
    /// Host name or address to listen at
    #[arg(long, default_value = "localhost")]
    pub host: String,
    /// Port to listen at; 0 for any free one
    // The environment's `PORT` is not asked: the original servers ignore it, and their users have it set for others.
    #[arg(short, long, default_value_t = 8080)]
    pub port: u16,
    /// Listen at a Unix socket instead, for a proxy on this machine
    #[cfg(unix)]
    #[arg(long, value_name = "PATH")]
    pub unix: Option<PathBuf>,
    /// Who may connect to the Unix socket, as of `chmod`
    #[cfg(unix)]
    #[arg(long, value_name = "MODE", default_value = "600", value_parser = mode)]
    pub unix_mode: u32,
    /// Secret that clients must know; others on this machine can see it here, but not in the environment
    #[arg(long = "authKey", alias = "auth", value_name = "SECRET", env = "WSLINK_AUTH_KEY", hide_env_values = true)]
    pub auth_key: Option<String>,
    /// File whose first line is the secret; it wins over `--authKey`
    #[arg(long = "authKey-file", alias = "authKeyFile", value_name = "FILE")]
    pub auth_key_file: Option<PathBuf>,
    /// Folder of static files to serve
    // An empty one is none, where clap would refuse it.
    #[arg(long, value_name = "DIR", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub content: Option<PathBuf>,
    /// End after this many seconds without a client; 0 for never
    #[arg(long, value_name = "SECONDS", default_value_t = 300.0, value_parser = seconds)]
    pub timeout: f64,
    /// Path of the WebSocket
    #[arg(long, value_name = "PATH", default_value = "ws")]
    pub ws_endpoint: String,
    /// Serve no WebSocket
    #[arg(long)]
    pub no_ws_endpoint: bool,
    /// Further folders to serve, as `data=/dir|images=/dir2`
    #[arg(long, value_name = "PATH=DIR|…")]
    pub fs_endpoints: Option<String>,
    /// Serve TLS: `cert.pem,key.pem`, or `adhoc` for a certificate made now
    #[arg(long, value_name = "CERT,KEY")]
    pub ssl: Option<String>,
    /// Print what the server offers, as an OpenRPC document, and end
    #[cfg(feature = "manifest")]
    #[arg(long)]
    pub manifest: bool,
    /// Serve figures for Prometheus: at `/metrics` of an address of its own, such as `127.0.0.1:9464`, to
    /// all who reach it; or at a path of the server, such as `/metrics`, with the secret as bearer token
    #[cfg(feature = "prometheus")]
    #[arg(long, value_name = "ADDRESS|/PATH", value_parser = Metrics::parse)]
    pub metrics: Option<Metrics>,
    /// Serve the inspector at `/_wslink`, as long as only this machine is listened to; `=anywhere` for
    /// everybody who can reach the server and knows its secret
    #[cfg(feature = "inspector")]
    #[arg(long, value_name = "REACH", num_args = 0..=1, require_equals = true, default_missing_value = "loopback", value_parser = reach)]
    pub inspector: Option<Inspector>,
    /// Serve what links in a folder lead to outside of it
    #[arg(long, env = "WSLINK_FOLLOW_SYMLINKS", value_parser = clap::builder::FalseyValueParser::new())]
    pub follow_symlinks: bool,
    /// Leave text files uncompressed, where a proxy compresses
    #[arg(long)]
    pub no_compression: bool,
    /// Serve no files, only the WebSocket
    #[arg(long)]
    pub no_http: bool,
    /// Let clients end the server by `application.exit`, also where an authenticator of the program tells them apart
    #[arg(long)]
    pub allow_exit: bool,
    /// Host name, beside `--host`, by which clients reach the server, or `any`; may be repeated
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// Origin of other pages that may connect, such as `https://app.example.com`, or `any`; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Address or network of proxies that say who the client is, such as `127.0.0.1`; may be repeated
    #[arg(long, value_name = "CIDR", value_parser = network)]
    pub trust_proxy: Vec<IpNet>,
    /// Header of everything that is served, such as `Cache-Control: max-age=60`; may be repeated
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    pub header: Vec<(String, String)>,
    /// Ignore unknown options, with a line on the standard error; for launchers
    #[arg(long)]
    pub ignore_unknown: bool,
    /// Log what happens
    #[arg(long)]
    pub debug: bool,
    /// Leave SIGINT and SIGTERM alone
    #[arg(long = "nosignalhandlers")]
    pub no_signal_handlers: bool,
    /// Connect to this WebSocket and serve there, instead of listening
    #[arg(long, value_name = "URL")]
    pub reverse_url: Option<String>,
    /// What clients may cost
    #[command(flatten)]
    pub limits: LimitOptions,
    /// What other servers have.
    #[command(flatten)]
    pub(super) compatibility: CompatibilityOptions,
}

/// Where figures are served.
#[cfg(feature = "prometheus")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// At a listener of their own.
    Address(std::net::SocketAddr),
    /// At a path of the server.
    Path(String),
}

#[cfg(feature = "prometheus")]
impl Metrics {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('/') {
            return Ok(Self::Path(text.to_owned()));
        }
        let address = text.parse().map(Self::Address);
        address.map_err(|_| "neither an address nor a path; write `127.0.0.1:9464`, or `/metrics`".to_owned())
    }
}

#[cfg(feature = "inspector")]
fn reach(text: &str) -> Result<Inspector, String> {
    match text {
        "loopback" => Ok(Inspector::Loopback),
        "anywhere" => Ok(Inspector::Anywhere),
        _ => Err("write `--inspector`, or `--inspector=anywhere`".to_owned()),
    }
}

/// A number of seconds, none of them negative.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| Duration::try_from_secs_f64(*seconds).is_ok());
    seconds.ok_or_else(|| "not a number of seconds; write one, or 0 for never".to_owned())
}

/// As of `chmod`.
#[cfg(unix)]
fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777);
    mode.ok_or_else(|| "not a mode; write one like `660`".to_owned())
}

/// A network, or an address alone.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse().ok().map(|address: std::net::IpAddr| address.into());
    text.parse().ok().or_else(address).ok_or_else(|| "no network; write one like `10.0.0.0/8`, or an address".to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    pair.ok_or_else(|| "no header; write one like `Cache-Control: max-age=60`".to_owned())
}

impl Options {
    /// The secret that was given, wherever it stands.
    pub(super) fn secret(&self) -> Result<Option<Secret>, Error> {
        let Some(file) = &self.auth_key_file else {
            let Some(given) = &self.auth_key else { return Ok(None) };
            let advice = "the secret of `--authKey` or `WSLINK_AUTH_KEY` is empty, so nobody could say it; write one, or leave the \
                          option and the variable out for a random one";
            return trimmed(given, "`--authKey`").map(Some).ok_or_else(|| Error::Setting(advice.into()));
        };
        let wrong = |why: &dyn std::fmt::Display| Error::Setting(format!("no secret in `{}`: {why}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
        // Editors put a mark of the encoding in front, and it is no part of what anybody types.
        let line = text.strip_prefix('\u{feff}').unwrap_or(&text).lines().next().unwrap_or_default();
        let secret = trimmed(line, &format!("`{}`", file.display()));
        secret.map(Some).ok_or_else(|| wrong(&"its first line is empty; write the secret there"))
    }

    /// The folder at the root. Nothing is as if it was not given, as with the original.
    pub(super) fn content(&self) -> Option<&PathBuf> {
        self.content.as_ref().filter(|folder| !folder.as_os_str().is_empty() && !self.no_http)
    }

    /// What TLS is served with, if it is.
    pub(super) fn ssl(&self) -> Option<&str> {
        self.ssl.as_deref().filter(|ssl| !ssl.is_empty())
    }

    /// The host to listen at, without the brackets that an IPv6 address has in URLs.
    pub(super) fn host(&self) -> &str {
        let bare = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(&self.host)
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        Duration::try_from_secs_f64(self.timeout).ok()
    }

    /// The further folders with the paths that they are served at.
    pub(super) fn folders(&self) -> Result<Vec<(String, PathBuf)>, Error> {
        let given = self.fs_endpoints.as_ref().filter(|text| !text.is_empty() && !self.no_http);
        let Some(text) = given else { return Ok(Vec::new()) };
        text.split('|')
            .map(|pair| match pair.split_once('=') {
                Some((path, folder)) if !path.is_empty() && !folder.is_empty() => {
                    Ok((format!("/{}", path.trim_matches('/')), PathBuf::from(folder)))
                }
                _ => Err(Error::Setting(format!("`{pair}` in `--fs-endpoints` is no folder; write `data=/dir|images=/dir2`"))),
            })
            .collect()
    }
}

/// The secret without blanks around it, which nobody sees and no client says; nothing when nothing is left.
fn trimmed(given: &str, place: &str) -> Option<Secret> {
    let secret = given.trim();
    if secret.len() < given.len() && !secret.is_empty() {
        tracing::warn!("blanks around the secret of {place} are ignored");
    }
    (!secret.is_empty()).then(|| Secret::new(secret))
}
