//! The command line that wslink launchers expect, for the `main` of a server.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use wslink::service;
//!
//! struct Calculator;
//!
//! #[service]
//! impl Calculator {
//!     #[rpc("calculator.add")]
//!     fn add(&self, a: f64, b: f64) -> f64 {
//!         a + b
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     wslink::cli::run(|builder| builder.mount(Calculator))
//! }
//! ```
//!
//! `--version` and `--help` speak of the program where [`program!`](crate::cli::program) stands in place of `run`. A
//! program with options of its own puts [`Options`] among them with `#[command(flatten)]`, reads them by [`parse`] and
//! calls [`Options::run`].

use std::{
    future::Future,
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::Path,
    process::ExitCode,
    time::Duration,
};

use futures_util::future::try_join_all;
use tokio::net::{TcpListener, lookup_host};

#[cfg(feature = "prometheus")]
pub use self::options::Metrics;
use self::{compatibility::Environment, reload::Hangup};
pub use self::{
    limits::LimitOptions,
    options::Options,
    program::{Program, parse},
};
#[doc(inline)]
pub use crate::__wslink_program as program;
#[cfg(unix)]
use crate::server::SocketFile;
use crate::{
    Error, Server,
    server::{Builder, Tls},
};

mod compatibility;
mod limits;
mod options;
mod program;
mod reload;
mod sockets;

/// Parses the command line, serves what `set_up` mounts, and returns the status for `main`. `--help` says nothing of the
/// program but its file's name; [`program!`](crate::cli::program) does.
pub fn run(set_up: impl FnOnce(Builder) -> Builder) -> ExitCode {
    Program::default().run(set_up)
}

impl Options {
    /// Serves what `set_up` mounts until it is told to end, and returns the status for `main`.
    pub fn run(self, set_up: impl FnOnce(Builder) -> Builder) -> ExitCode {
        self.log();
        let served = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::from).and_then(|runtime| {
            let served = runtime.block_on(self.serve(set_up));
            // Handlers that block cannot be stopped; the process ends all the same.
            runtime.shutdown_background();
            served
        });
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Nothing can be done about a standard error that is closed.
                let _ = writeln!(std::io::stderr(), "wslink: {error}");
                ExitCode::FAILURE
            }
        }
    }

    /// The same inside a runtime of tokio.
    ///
    /// # Errors
    /// The options or services are wrong, or the address cannot be listened at.
    pub async fn serve(self, set_up: impl FnOnce(Builder) -> Builder) -> Result<(), Error> {
        let builder = set_up(Server::builder());
        self.compatibility.report();
        let names_secret = !builder.knows_whom_to_admit() && self.auth_key.is_none() && self.auth_key_file.is_none();
        let builder = if self.lets_clients_end(&builder) { builder.allow_exit() } else { builder };
        let tls = self.tls()?;
        let server = self.apply(builder, tls.as_ref())?.build()?;
        #[cfg(feature = "manifest")]
        if self.manifest {
            print(server.manifest().to_json().trim_end());
            return Ok(());
        }
        if !self.no_signal_handlers {
            // Where there is nothing to reload, a reload is an end, and it is a graceful one.
            tokio::spawn(stop_on_signal(server.clone(), Hangup::new(tls.is_none())));
        }
        if let Some(tls) = tls {
            tokio::spawn(reload::watch(tls, !self.no_signal_handlers));
        }
        if let Some(seconds) = self.timeout().filter(|timeout| !timeout.is_zero()) {
            tokio::spawn(stop_when_idle(server.clone(), seconds));
        }
        if let Some(url) = &self.reverse_url {
            return server.serve_reverse(url, say_ready).await;
        }
        let scheme = if self.ssl().is_some() { "https" } else { "http" };
        #[cfg(feature = "prometheus")]
        if let Some(Metrics::Address(address)) = self.metrics {
            let unable = |error| named(&error, format_args!("cannot listen on {address} for metrics"));
            let listener = TcpListener::bind(address).await.map_err(unable)?;
            say(&format!("metrics at {scheme}://{}/metrics", listener.local_addr()?));
            let server = server.clone();
            tokio::spawn(async move { server.serve_metrics(listener).await });
        }
        let secret = server.secret().filter(|_| names_secret);
        let secret = secret.map_or_else(String::new, |secret| format!("?secret={}", secret.reveal()));
        #[cfg(unix)]
        if let Some(path) = &self.unix {
            let serving = server.serve(SocketFile::bind(path, self.unix_mode).await?);
            say_ready();
            say(&format!("listening on unix:{}{secret}", path.display()));
            return serving.await;
        }
        let inherited = sockets::inherited()?;
        let host = self.host();
        let listeners = if inherited.is_empty() { listen(host, self.port).await? } else { inherited };
        let port = listeners[0].local_addr()?.port();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let serving = try_join_all(listeners.into_iter().map(|listener| server.serve(listener)));
        say_ready();
        say(&format!("listening on {scheme}://{host}:{port}/{secret}"));
        #[cfg(feature = "inspector")]
        if self.inspector.is_some() {
            say(&format!("inspector at {scheme}://{host}:{port}/_wslink{secret}"));
        }
        serving.await.map(drop)
    }

    /// Whoever knows a secret is as good as another, and launchers count on `application.exit`; but a program that tells
    /// its clients apart has to say that any of them may end it.
    const fn lets_clients_end(&self, builder: &Builder) -> bool {
        self.allow_exit || !builder.tells_clients_apart()
    }

    /// The builder with what the options say.
    fn apply(&self, mut builder: Builder, tls: Option<&Tls>) -> Result<Builder, Error> {
        if let Some(secret) = self.secret()? {
            builder = builder.secret(secret);
        }
        let environment = Environment::read(|name| std::env::var(name).ok())?;
        builder = builder.change_limits(|limits| environment.apply(limits));
        builder = builder.change_limits(|limits| self.limits.apply(limits));
        if let Some(file) = std::env::var_os("WSLINK_HTTP_HEADERS").filter(|file| !file.is_empty()) {
            let headers = compatibility::headers(Path::new(&file))?;
            builder = headers.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        }
        builder = self.trust_proxy.iter().fold(builder, |builder, proxies| builder.trust_proxy(*proxies));
        builder = self.header.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        builder = self.allow_host.iter().fold(builder, |builder, host| builder.allow_host(host));
        builder = self.allow_origin.iter().fold(builder, |builder, origin| builder.allow_origin(origin));
        // The zone of an address, as in `fe80::1%eth0`, is this machine's own and in no request.
        let host = self.host().split('%').next().unwrap_or_default();
        builder = builder
            .allow_host(host)
            .follow_links(self.follow_symlinks)
            .endpoint((!self.no_ws_endpoint).then(|| format!("/{}", self.ws_endpoint.trim_matches('/'))));
        if self.no_compression {
            builder = builder.compress(false);
        }
        if let Some(folder) = self.content() {
            builder = builder.content(folder);
        }
        for (path, folder) in self.folders()? {
            builder = builder.folder(path, folder);
        }
        #[cfg(feature = "inspector")]
        if let Some(reach) = self.inspector {
            builder = builder.inspector(reach);
        }
        #[cfg(feature = "prometheus")]
        match &self.metrics {
            Some(Metrics::Path(path)) => builder = builder.prometheus(path.clone()),
            Some(Metrics::Address(_)) => builder = builder.prometheus(None),
            None => {}
        }
        Ok(match tls {
            None => builder,
            Some(tls) => builder.tls(tls.clone()),
        })
    }

    fn tls(&self) -> Result<Option<Tls>, Error> {
        Ok(match self.ssl() {
            None => None,
            Some("adhoc") => Some(Tls::adhoc(self.host())?),
            Some(files) => {
                let (certificate, key) = files.split_once(',').ok_or_else(|| {
                    Error::Setting("`--ssl` takes two files; write `--ssl cert.pem,key.pem`, or `--ssl adhoc`".into())
                })?;
                Some(Tls::from_files(certificate, key)?)
            }
        })
    }

    /// Writes what the library logs to the standard error: warnings, or what `RUST_LOG` names.
    fn log(&self) {
        let default = if self.debug { "wslink=debug" } else { "warn" };
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
        // Fails when the program has set up its own, which is then the right one.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .try_init();
    }
}

/// `error`, saying what failed.
fn named(error: &std::io::Error, what: impl std::fmt::Display) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Listens at every address of `host`, all with one port. A name may have addresses that this
/// machine does not use; one is enough.
async fn listen(host: &str, port: u16) -> Result<Vec<TcpListener>, Error> {
    let unable = |error: std::io::Error| Error::from(named(&error, format_args!("cannot listen on {host}:{port}")));
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut failure = None;
    for mut address in lookup_host((host, port)).await.map_err(unable)? {
        if let Some(first) = listeners.first() {
            address.set_port(first.local_addr()?.port());
        }
        match TcpListener::bind::<SocketAddr>(address).await {
            Ok(listener) => listeners.push(listener),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(error) if listeners.is_empty() => Err(unable(error)),
        _ if listeners.is_empty() => Err(Error::Setting(format!("`{host}` has no address; choose another `--host`"))),
        // Another program has the port at another address of the same name: clients could meet either.
        Some(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(unable(error)),
        _ => Ok(listeners),
    }
}

/// The line that launchers wait for, alone on the standard output. `WSLINK_READY_MSG` is it, and an empty one none.
fn say_ready() {
    match std::env::var("WSLINK_READY_MSG") {
        Ok(line) if line.is_empty() => {}
        Ok(line) => print(&line),
        Err(_) => print("wslink: Starting factory"),
    }
}

/// Tells people. Nothing can be done about a standard error that is closed.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "wslink: {text}");
}

/// A launcher may have closed our standard output; that must not end the server.
fn print(line: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

/// Stops at the first signal, gracefully, and ends at the second.
async fn stop_on_signal(server: Server, mut hangup: Hangup) {
    tokio::select! {
        () = next_signal() => {}
        () = hangup.next() => {}
    }
    server.stop();
    next_signal().await;
    std::process::exit(130);
}

#[cfg(unix)]
async fn next_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn next_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Stops when there was no client for `timeout`.
fn stop_when_idle(server: Server, timeout: Duration) -> impl Future<Output = ()> {
    /// How exactly the timeout is met.
    const TICK: Duration = Duration::from_millis(500);
    async move {
        let mut idle = Duration::ZERO;
        while idle < timeout {
            tokio::time::sleep(TICK.min(timeout)).await;
            idle = if server.publisher().clients() == 0 { idle + TICK } else { Duration::ZERO };
        }
        tracing::warn!(?timeout, "no client; ending");
        server.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn every_host_that_can_be_listened_at_is_one_to_ask_for() {
        for host in ["localhost", "0.0.0.0", "::", "[::1]", "fe80::1%eth0", "Render.example.com"] {
            let options = program::tests::options(&format!("app --host {host}"));
            assert!(options.apply(Server::builder(), None).and_then(Builder::build).is_ok(), "{host}");
        }
    }

    #[test]
    fn clients_that_are_told_apart_end_the_server_only_where_that_is_wanted() {
        let options = |arguments: &str| program::tests::options(arguments);
        let secret = Server::builder().secret(Secret::new("s"));
        // A secret as authenticator is one of the program's own.
        let own = || Server::builder().authenticator(Secret::new("s"));
        assert!(options("app").lets_clients_end(&secret));
        assert!(!options("app").lets_clients_end(&own()));
        assert!(options("app --allow-exit").lets_clients_end(&own()));
        let methods = |builder: Builder| {
            let server = builder.build().unwrap();
            server.methods().any(|method| method == "application.exit")
        };
        assert!(!methods(own()) && methods(own().allow_exit().allow_exit()), "asked for twice it is there once");
    }
}
