//! A Unix socket in the file system: made with its mode, taken over from a server that died, removed at the end.

use std::{
    fs,
    io::{self, ErrorKind},
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::listener::{Listener, Source};
use crate::Error;

/// A listener at a path of the file system, for a proxy on the same machine.
///
/// ```no_run
/// # async fn serve(server: wslink::Server) -> Result<(), wslink::Error> {
/// use wslink::server::SocketFile;
///
/// server.serve(SocketFile::bind("/run/viewer/viewer.sock", 0o660).await?).await
/// # }
/// ```
#[derive(Debug)]
pub struct SocketFile {
    listener: UnixListener,
    path: PathBuf,
}

impl SocketFile {
    /// Listens at `path`. Who may connect is told by `mode`, as of `chmod`: writing is connecting.
    ///
    /// A socket that nobody listens at any more is replaced.
    ///
    /// # Errors
    /// Another process listens there, the path is something else, or may not be made.
    pub async fn bind(path: impl AsRef<Path>, mode: u32) -> Result<Self, Error> {
        let path = path.as_ref();
        let unable = |error: io::Error| Error::Setting(format!("cannot listen at `{}`: {error}", path.display()));
        remove_stale(path).await.map_err(unable)?;
        let listener = UnixListener::bind(path).map_err(unable)?;
        let socket = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(unable)?;
        Ok(socket)
    }
}

async fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => return Err(io::Error::new(ErrorKind::AlreadyExists, "it is no socket")),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
        // Another server is there, even if it has no room or may not be talked to.
        _ => Err(ErrorKind::AddrInUse.into()),
    }
}

impl Listener for SocketFile {
    type Stream = UnixStream;

    async fn accept(&mut self) -> io::Result<(UnixStream, Source)> {
        Listener::accept(&mut self.listener).await
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = fs::remove_file(&self.path);
    }
}
