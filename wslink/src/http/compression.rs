//! Text is compressed on its way; pictures, archives and the like are already.

use http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::compression::{CompressionLayer, predicate::Predicate};

/// Below this, there is nothing to gain.
const WORTHWHILE: u64 = 512;

/// What compresses well, beside `text/…`.
const TEXTS: [&str; 7] = [
    "application/javascript",
    "application/json",
    "application/manifest+json",
    "application/wasm",
    "application/xhtml+xml",
    "application/xml",
    "image/svg+xml",
];

pub(super) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().gzip(true).compress_when(worthwhile)
}

fn worthwhile(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    (kind.starts_with("text/") || TEXTS.contains(&kind)) && length.is_none_or(|length| length >= WORTHWHILE)
}
