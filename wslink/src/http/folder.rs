//! Opens the files of one folder beneath it, by handle: no path and no symbolic link leads out, even if it changes
//! between check and open. Knows nothing of HTTP.

use std::{
    future::Future,
    io::{self, Cursor},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use bytes::Bytes;
use cap_std::{ambient_authority, fs::Dir};
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File, Metadata};

#[cfg(feature = "compression")]
use super::compression::Compressed;

/// A folder whose files are served.
#[derive(Clone)]
pub(super) struct Folder {
    root: Arc<Path>,
    /// Whether links out of it are followed.
    follows: bool,
    #[cfg(feature = "compression")]
    compressed: Option<Compressed>,
}

impl Folder {
    pub(super) fn new(root: Arc<Path>, follows: bool) -> Self {
        Self {
            root,
            follows,
            #[cfg(feature = "compression")]
            compressed: Some(Compressed::default()),
        }
    }

    /// The same, where no compressed form is made of what is there.
    #[cfg_attr(not(feature = "compression"), expect(unused_mut, reason = "none ever is"))]
    pub(super) fn unchanged(mut self) -> Self {
        #[cfg(feature = "compression")]
        self.compressed.take();
        self
    }

    /// Metadata of `path`.
    fn look(&self, path: &Path) -> io::Result<Info> {
        if self.follows {
            return Info::of_std(&self.root.join(path).metadata()?);
        }
        let metadata = self.dir()?.metadata(path)?;
        Ok(Info {
            is_dir: metadata.is_dir(),
            is_file: metadata.is_file(),
            modified: metadata.modified().ok().map(cap_std::time::SystemTime::into_std),
            len: metadata.len(),
        })
    }

    /// The file at `path`.
    fn file(&self, path: &Path) -> io::Result<std::fs::File> {
        // Opening a FIFO would block until there is a writer.
        if !self.look(path)?.is_file {
            return Err(io::ErrorKind::NotFound.into());
        }
        if self.follows {
            return std::fs::File::open(self.root.join(path));
        }
        self.dir()?.open(path).map(cap_std::fs::File::into_std)
    }

    /// A handle of the folder. Opened for each request, since deployments replace the folder.
    fn dir(&self) -> io::Result<Dir> {
        Dir::open_ambient_dir(&self.root, ambient_authority())
    }

    /// The file at `path`, or the compressed form of the file that it is named after.
    fn find(&self, path: &Path) -> io::Result<Opened> {
        let found = self.file(path).map(|file| Opened::File(tokio::fs::File::from_std(file)));
        #[cfg(feature = "compression")]
        let found = found.or_else(|error| {
            let made = self.compressed.as_ref().and_then(|forms| forms.in_place_of(path, |original| self.file(original)));
            made.ok_or(error)
        });
        // Every reason is 404 to the client.
        found.map_err(|_| io::ErrorKind::NotFound.into())
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

impl Backend for Folder {
    type File = Opened;
    type Metadata = Info;
    type OpenFuture = Boxed<Opened>;
    type MetadataFuture = Boxed<Info>;

    fn open(&self, path: PathBuf) -> Boxed<Opened> {
        let folder = self.clone();
        Box::pin(async move { tokio::task::spawn_blocking(move || folder.find(&path)).await? })
    }

    fn metadata(&self, path: PathBuf) -> Boxed<Info> {
        let folder = self.clone();
        Box::pin(async move {
            let look = move || match folder.look(&path) {
                Ok(info) => Ok(info),
                // A compressed form that is not there is made where it can be.
                Err(_) => folder.find(&path).and_then(|opened| opened.info()),
            };
            tokio::task::spawn_blocking(look).await?.map_err(|_| io::ErrorKind::NotFound.into())
        })
    }
}

/// What is known of a file without its contents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    is_dir: bool,
    is_file: bool,
    modified: Option<SystemTime>,
    len: u64,
}

impl Info {
    fn of_std(metadata: &std::fs::Metadata) -> io::Result<Self> {
        let modified = metadata.modified().ok();
        Ok(Self { is_dir: metadata.is_dir(), is_file: metadata.is_file(), modified, len: metadata.len() })
    }
}

impl Metadata for Info {
    fn is_dir(&self) -> bool {
        self.is_dir
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.modified.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> u64 {
        self.len
    }
}

/// A file that is read.
pub(super) enum Opened {
    File(tokio::fs::File),
    /// Compressed from a file with this modification time.
    #[cfg_attr(not(feature = "compression"), expect(dead_code, reason = "nothing else is made"))]
    Made {
        bytes: Cursor<Bytes>,
        modified: Option<SystemTime>,
    },
}

impl Opened {
    fn info(&self) -> io::Result<Info> {
        match self {
            Self::Made { bytes, modified } => {
                Ok(Info { is_dir: false, is_file: true, modified: *modified, len: bytes.get_ref().len() as u64 })
            }
            Self::File(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl File for Opened {
    type Metadata = Info;
    type MetadataFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Info>> + Send + 'a>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        Box::pin(async move {
            match self {
                Self::File(file) => Info::of_std(&file.metadata().await?),
                Self::Made { .. } => self.info(),
            }
        })
    }
}

impl AsyncRead for Opened {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::File(file) => Pin::new(file).poll_read(cx, buffer),
            Self::Made { bytes, .. } => Pin::new(bytes).poll_read(cx, buffer),
        }
    }
}

impl AsyncSeek for Opened {
    fn start_seek(self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        match self.get_mut() {
            Self::File(file) => Pin::new(file).start_seek(position),
            Self::Made { bytes, .. } => Pin::new(bytes).start_seek(position),
        }
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        match self.get_mut() {
            Self::File(file) => Pin::new(file).poll_complete(cx),
            Self::Made { bytes, .. } => Pin::new(bytes).poll_complete(cx),
        }
    }
}
