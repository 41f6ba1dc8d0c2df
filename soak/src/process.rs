//! The server's process, and what the operating system says of it.

use std::{env, error::Error, fs, io, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) port: u16,
}

impl Process {
    /// This program, as the server.
    pub(crate) async fn start() -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env::current_exe()?).arg("serve").stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or("the server has no output")?;
        let port = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says no port")?.parse()?;
        Ok(Self { child, port })
    }

    /// Whether it is the process that was started.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Resident memory in KiB.
    pub(crate) fn resident(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.folder()? + "/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        number.ok_or_else(|| io::Error::other("the process has no resident memory"))
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> io::Result<usize> {
        Ok(fs::read_dir(self.folder()? + "/fd")?.count())
    }

    fn folder(&self) -> io::Result<String> {
        let id = self.child.id().ok_or_else(|| io::Error::other("the server has ended"))?;
        Ok(format!("/proc/{id}"))
    }
}
