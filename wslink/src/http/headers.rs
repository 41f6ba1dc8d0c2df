//! Headers that every answer gets: those that make pages safer, and the application's own.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::Site;
use crate::Error;

/// Unless the application says otherwise. The secret may stand in the page's URL, which must not be
/// told to others; files change when the program does, so browsers ask whether they have.
const DEFAULTS: [(HeaderName, HeaderValue); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
];

/// What tells how an answer is framed.
const FRAMING: [HeaderName; 5] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::UPGRADE, header::TE];

/// The application's headers with the defaults.
///
/// # Errors
/// One of them is no header, or is not the application's.
pub(crate) fn parse(own: &[(String, String)]) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::from_iter(DEFAULTS);
    for (name, value) in own {
        let header = name.parse::<HeaderName>().ok().filter(|name| !FRAMING.contains(name));
        let header = header.zip(value.parse::<HeaderValue>().ok());
        let (name, value) =
            header.ok_or_else(|| Error::Setting(format!("`{name}: {value}` is no header to add; write a name and a value")))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Adds them to what has none of the kind.
pub(super) async fn add(State(site): State<Site>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        for (name, value) in &site.settings.headers {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    }
    response
}
