//! Compresses text files once and keeps the results in a bounded cache: compressing for each request would let a few
//! clients occupy the processor. Knows nothing of HTTP.

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

/// Sizes of files that are compressed: smaller ones gain nothing, larger ones take too long.
const WORTHWHILE: std::ops::RangeInclusive<u64> = 512..=16 << 20;

/// Memory limit of the cache.
const CACHE_BYTES: usize = 32 << 20;

/// Extensions of files that compress well.
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

/// The compressed files of one folder.
#[derive(Clone, Default)]
pub(super) struct Compressed {
    cache: Arc<Mutex<Cache>>,
    /// One file is compressed at a time; requests for others meanwhile get the uncompressed file.
    compressing: Arc<Mutex<()>>,
}

impl Compressed {
    /// The contents for `path`, a file `….gz` that does not exist, from the file without the suffix. Blocks.
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
        let cached = self.cache().find(&key);
        if let Some(bytes) = cached {
            return Some(made(bytes));
        }
        let Ok(_permit) = self.compressing.try_lock() else { return None };
        // Another request may have compressed it between the two looks.
        let cached = self.cache().find(&key);
        if let Some(bytes) = cached {
            return Some(made(bytes));
        }
        let bytes = Bytes::from(compress(&mut file, metadata.len()).ok()?);
        self.cache().add(key.clone(), bytes.clone());
        Some(made(bytes))
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn compress(file: &mut File, len: u64) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // A file that grows meanwhile has another key at the next request.
    io::copy(&mut file.take(len), &mut encoder)?;
    encoder.finish()
}

/// A version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    modified: Option<SystemTime>,
    len: u64,
}

/// Compressed files, the oldest first; the oldest are dropped when there is no room.
#[derive(Default)]
struct Cache {
    entries: VecDeque<(Key, Bytes)>,
    bytes: usize,
}

impl Cache {
    fn find(&self, key: &Key) -> Option<Bytes> {
        self.entries.iter().find(|(known, _)| known == key).map(|(_, bytes)| bytes.clone())
    }

    fn add(&mut self, key: Key, bytes: Bytes) {
        self.drop_where(|known| known.path == key.path);
        self.bytes += bytes.len();
        self.entries.push_back((key, bytes));
        while self.bytes > CACHE_BYTES
            && let Some((_, dropped)) = self.entries.pop_front()
        {
            self.bytes -= dropped.len();
        }
    }

    /// Drops earlier versions.
    fn drop_where(&mut self, is_old: impl Fn(&Key) -> bool) {
        self.entries.retain(|(key, _)| !is_old(key));
        self.bytes = self.entries.iter().map(|(_, bytes)| bytes.len()).sum();
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
        let mut cache = Cache::default();
        cache.add(key("a", 1), Bytes::from_static(b"old"));
        cache.add(key("a", 2), Bytes::from_static(b"new"));
        assert_eq!(
            (cache.find(&key("a", 1)), cache.find(&key("a", 2)), cache.bytes),
            (None, Some(Bytes::from_static(b"new")), 3)
        );
        for index in 0..5 {
            cache.add(key(&index.to_string(), 1), Bytes::from(vec![0; CACHE_BYTES / 4]));
        }
        assert!(cache.bytes <= CACHE_BYTES && cache.entries.len() == 4, "{} bytes, {} entries", cache.bytes, cache.entries.len());
        assert!(cache.find(&key("4", 1)).is_some() && cache.find(&key("0", 1)).is_none());
    }

    #[test]
    fn a_file_is_compressed_once_and_one_at_a_time() {
        let folder = std::env::temp_dir().join(format!("wslink-compressed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("page.txt");
        std::fs::write(&file, "the same again ".repeat(1000)).unwrap();
        let compressed = Compressed::default();
        let ask = || compressed.in_place_of(Path::new("page.txt.gz"), |_| File::open(&file));
        let turn = compressed.compressing.lock().unwrap();
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
