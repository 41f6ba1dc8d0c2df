//! A server as a process of its own, and what the system knows about it.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::OnceLock,
    time::Duration,
};

use serde_json::json;

use crate::harness::{Peer, ProtocolVersion, Speaker};

/// Ends when it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Open, so that the server may go on writing.
    _stdout: BufReader<ChildStdout>,
}

/// Bytes of a process.
#[derive(Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: u64,
    pub(crate) mapped: u64,
}

/// Where abusers, and good clients beside them, connect from.
pub(crate) const ABUSER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
pub(crate) const GOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

impl Program {
    /// Serves the probes at a free port.
    pub(crate) fn start() -> Self {
        Self::run(&mut Command::new(path()), 0)
    }

    /// Runs `command`, which must become the server, with the arguments that the server takes.
    pub(crate) fn run(command: &mut Command, port: u16) -> Self {
        let command = command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // glibc keeps freed blocks below a threshold that it raises by itself, as chance has it. With a fixed threshold it
        // returns every large block, and the resident memory is what the server holds.
        command.env("MALLOC_MMAP_THRESHOLD_", "131072");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the server starts");
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "the server ended");
            if let Some((_, rest)) = line.split_once("listening on http://") {
                break rest.trim_end().trim_end_matches('/').parse().unwrap();
            }
        };
        // What it logs must not stop it when nobody reads.
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        Self { child, address, _stdout: stdout }
    }

    /// A TCP connection from `source`, an address of this machine.
    pub(crate) fn dial(&self, source: Ipv4Addr) -> TcpStream {
        dial(self.address, source)
    }

    /// A WebSocket from `source`.
    pub(crate) fn connect(&self, source: Ipv4Addr) -> Peer {
        Peer::over(self.dial(source), "/ws", &[])
    }

    /// An abuser that has not said hello.
    pub(crate) fn unauthenticated(&self, protocol: ProtocolVersion) -> Speaker {
        Speaker::over(self.connect(ABUSER), protocol)
    }

    /// An abuser that has.
    pub(crate) fn guest(&self, protocol: ProtocolVersion) -> Speaker {
        self.unauthenticated(protocol).greeted()
    }

    /// An abuser that may subscribe.
    pub(crate) fn subscriber(&self, protocol: ProtocolVersion) -> Speaker {
        let mut speaker = self.unauthenticated(protocol);
        let hello = json!({"secret": wslink::Secret::published().reveal(), "extensions": ["subscribe"]});
        speaker.system("wslink.hello", json!([hello]), json!({}));
        speaker
    }

    pub(crate) fn memory(&self) -> Memory {
        const PAGE: u64 = 4096;
        let pages = self.proc("statm");
        let mut pages = pages.split(' ').map(|pages| pages.parse::<u64>().unwrap() * PAGE);
        Memory { mapped: pages.next().unwrap(), resident: pages.next().unwrap() }
    }

    /// The most bytes that were resident since [`forget_peak`](Self::forget_peak).
    pub(crate) fn peak(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    pub(crate) fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5").unwrap();
    }

    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Time that its threads have spent on processors.
    pub(crate) fn cpu(&self) -> Duration {
        const TICKS_PER_SECOND: u64 = 100;
        let stat = self.proc("stat");
        // User and system time are the 14th and 15th field; the second may have spaces in it.
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split(' ').collect();
        let ticks = fields[12].parse::<u64>().unwrap() + fields[13].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    /// Sends the signal of that name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    pub(crate) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).expect("the server is alive")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A TCP connection to `address` from `source`.
pub(crate) fn dial(address: SocketAddr, source: Ipv4Addr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::new(IpAddr::V4(source), 0).into()).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}

/// The program of the server, built when it is first asked for.
pub(crate) fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").expect("cargo runs the tests");
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let build = ["build", "--quiet", "--profile", profile, "--package", "wslink", "--all-features", "--example", "promises"];
        assert!(Command::new(cargo).args(build).status().unwrap().success(), "the server is built");
        // This test is in `deps`, beside the folder of the examples.
        let test = std::env::current_exe().unwrap();
        test.parent().and_then(|deps| deps.parent()).unwrap().join("examples/promises")
    })
}
