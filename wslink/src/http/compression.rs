//! Text in its compressed form, made once for each file and kept as long as there is room: compressing at each request
//! would let a few clients take all of the processor. Pictures, archives and the like are small already.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Cursor, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use super::folder::Opened;

/// Below this, there is nothing to gain; above that, a file takes too long.
const WORTHWHILE: std::ops::RangeInclusive<u64> = 512..=16 << 20;

/// What all of them together may take.
const KEPT: usize = 32 << 20;

/// What compresses well, by the ends of names.
const TEXTS: [&str; 17] = [
    "css",
    "csv",
    "geojson",
    "gltf",
    "htm",
    "html",
    "js",
    "json",
    "map",
    "md",
    "mjs",
    "svg",
    "txt",
    "wasm",
    "webmanifest",
    "xhtml",
    "xml",
];

/// The compressed forms of the files of a folder.
#[derive(Clone, Default)]
pub(super) struct Compressed {
    kept: Arc<Mutex<Kept>>,
    /// One is made at a time; who asks meanwhile gets the file as it is.
    making: Arc<Mutex<()>>,
}

impl Compressed {
    /// What `path`, which ends in `.gz` and is not there, would have in it. Blocks.
    pub(super) fn in_place_of(&self, path: &Path, open: impl FnOnce(&Path) -> io::Result<File>) -> Option<Opened> {
        let original = path.to_str()?.strip_suffix(".gz").map(Path::new)?;
        let extension = original.extension()?.to_str()?.to_ascii_lowercase();
        if !TEXTS.contains(&extension.as_str()) {
            return None;
        }
        let mut file = open(original).ok()?;
        let metadata = file.metadata().ok().filter(|metadata| WORTHWHILE.contains(&metadata.len()))?;
        let key = Key { path: original.to_owned(), modified: metadata.modified().ok(), len: metadata.len() };
        let made = |bytes| Opened::Made { bytes: Cursor::new(bytes), modified: key.modified };
        let known = self.kept().find(&key);
        if let Some(bytes) = known {
            return Some(made(bytes));
        }
        let Ok(_turn) = self.making.try_lock() else { return None };
        let bytes = Bytes::from(compress(&mut file, metadata.len()).ok()?);
        self.kept().add(key.clone(), bytes.clone());
        Some(made(bytes))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compress(file: &mut File, len: u64) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // A file that grows meanwhile is another one at the next request.
    io::copy(&mut file.take(len), &mut encoder)?;
    encoder.finish()
}

/// A file at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    modified: Option<SystemTime>,
    len: u64,
}

/// Those that were made last, as many as there is room for.
#[derive(Default)]
struct Kept {
    forms: VecDeque<(Key, Bytes)>,
    bytes: usize,
}

impl Kept {
    fn find(&self, key: &Key) -> Option<Bytes> {
        self.forms.iter().find(|(known, _)| known == key).map(|(_, bytes)| bytes.clone())
    }

    fn add(&mut self, key: Key, bytes: Bytes) {
        self.drop_where(|known| known.path == key.path);
        self.bytes += bytes.len();
        self.forms.push_back((key, bytes));
        while self.bytes > KEPT
            && let Some((_, dropped)) = self.forms.pop_front()
        {
            self.bytes -= dropped.len();
        }
    }

    /// Forms of what the file was before.
    fn drop_where(&mut self, is_old: impl Fn(&Key) -> bool) {
        self.forms.retain(|(key, _)| !is_old(key));
        self.bytes = self.forms.iter().map(|(_, bytes)| bytes.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str, seconds: u64) -> Key {
        let modified = Some(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds));
        Key { path: path.into(), modified, len: 1 }
    }

    #[test]
    fn what_is_kept_is_bounded_and_of_the_newest_file() {
        let mut kept = Kept::default();
        kept.add(key("a", 1), Bytes::from_static(b"old"));
        kept.add(key("a", 2), Bytes::from_static(b"new"));
        assert_eq!((kept.find(&key("a", 1)), kept.find(&key("a", 2)), kept.bytes), (None, Some(Bytes::from_static(b"new")), 3));
        for index in 0..5 {
            kept.add(key(&index.to_string(), 1), Bytes::from(vec![0; KEPT / 4]));
        }
        assert!(kept.bytes <= KEPT && kept.forms.len() == 4, "{} bytes, {} forms", kept.bytes, kept.forms.len());
        assert!(kept.find(&key("4", 1)).is_some() && kept.find(&key("0", 1)).is_none());
    }

    #[test]
    fn a_file_is_compressed_once_and_one_at_a_time() {
        let folder = std::env::temp_dir().join(format!("wslink-compressed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("page.txt");
        std::fs::write(&file, "the same again ".repeat(1000)).unwrap();
        let compressed = Compressed::default();
        let ask = || compressed.in_place_of(Path::new("page.txt.gz"), |_| File::open(&file));
        let turn = compressed.making.lock().unwrap();
        assert!(ask().is_none(), "another one is made");
        drop(turn);
        let (Some(Opened::Made { bytes: first, .. }), Some(Opened::Made { bytes: second, .. })) = (ask(), ask()) else {
            panic!()
        };
        assert_eq!(first.get_ref().as_ptr(), second.get_ref().as_ptr(), "made twice");
        assert!(first.get_ref().starts_with(b"\x1f\x8b") && first.get_ref().len() < 1000);
        assert!(compressed.in_place_of(Path::new("page.png.gz"), |_| File::open(&file)).is_none());
        assert!(compressed.in_place_of(Path::new("page.txt.br"), |_| File::open(&file)).is_none());
    }
}
