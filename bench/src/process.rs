//! A server in a process of its own, on a core of its own, and what it costs.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

use crate::Result;

/// The core of the servers; the load comes from the next one.
const SERVER_CORE: usize = 0;
const LOAD_CORE: usize = 1;

/// Lets this process and the servers it starts have as many sockets as the system allows.
pub fn raise_file_limit() -> Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// A server that is ended with this.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a program with the port and the number of threads as its last arguments, on as many cores.
    pub fn start(command: &[PathBuf], threads: usize) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        // Children inherit the cores of the thread that starts them.
        let cores: Vec<usize> = (0..threads).map(|thread| SERVER_CORE + thread).collect();
        pin(&cores);
        let child = Command::new(&command[0])
            .args(&command[1..])
            .args([port.to_string(), threads.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        pin(&[LOAD_CORE]);
        let server = Self { child: child.map_err(|error| format!("{}: {error}", command[0].display()))?, address };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begin.elapsed() > Duration::from_secs(20) {
                return Err(format!("{} does not listen", command[0].display()).into());
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Time on a processor, of all its threads, since it started.
    pub fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            nanos += schedstat.split(' ').next().unwrap_or("0").parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    /// The same, of each thread.
    pub fn cpu_of_threads(&self) -> Result<Vec<Duration>> {
        let mut threads = Vec::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let schedstat = fs::read_to_string(task?.path().join("schedstat"))?;
            threads.push(Duration::from_nanos(schedstat.split(' ').next().unwrap_or("0").parse()?));
        }
        Ok(threads)
    }

    /// Memory in use, in KiB.
    pub fn memory(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where there are not so many cores, everything runs where it likes.
fn pin(cores: &[usize]) {
    let mut set = CpuSet::new();
    if cores.iter().all(|core| set.set(*core).is_ok()) {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}
