//! Static files: what lies in a folder, as browsers ask for it. What a link leads to outside of the folder is for
//! `folder.rs` to refuse.

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{OriginalUri, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use super::Site;
use super::folder::Folder;

/// Serves the files of `folder` at the root of the router.
pub(super) fn files(site: &Site, folder: &Path) -> Router {
    let folder = Folder::new(Arc::from(folder), site.settings.follow_links);
    // What is asked for by that name has to be there.
    let as_they_are = ServeDir::with_backend("", folder.clone().unchanged());
    #[cfg(feature = "compression")]
    let folder = if site.settings.compress { folder } else { folder.unchanged() };
    let site = site.clone();
    let guard = move |request: Request, next: Next| guard(site.clone(), request, next);
    let files = ServeDir::with_backend("", folder).precompressed_br().precompressed_gzip();
    let answer = move |request: Request| {
        let mut files = if request.uri().path().ends_with(".gz") { as_they_are.clone() } else { files.clone() };
        async move {
            match files.try_call(request).await {
                Ok(response) => response.map(Body::new),
                Err(_) => StatusCode::NOT_FOUND.into_response(),
            }
        }
    };
    Router::new().fallback(answer).layer(middleware::from_fn(guard))
}

async fn guard(site: Site, mut request: Request, next: Next) -> Response {
    if let Err(refusal) = site.settings.origin_policy.admit_host(&request) {
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    // What does not begin so names a host, as the target of `CONNECT` does.
    let path = request.uri().path().strip_prefix('/').map(percent_decode_str);
    if path.is_none_or(|path| path.decode_utf8().is_err()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    // A part is one of the file, and not of its compressed form.
    if request.headers().contains_key(header::RANGE) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    let original = request.extensions().get::<OriginalUri>().map(|uri| uri.0.clone());
    let mut response = next.run(request).await;
    if let Some(original) = original.filter(|_| response.status().is_redirection())
        && let Some(location) = response.headers_mut().get_mut(header::LOCATION)
        && let Ok(relative) = HeaderValue::try_from(below(&original, ""))
    {
        *location = relative;
    }
    if let Some(kind) = response.headers().get(header::CONTENT_TYPE).and_then(with_charset) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}

/// Text is UTF-8. Browsers guess otherwise, and may not where they are told `nosniff`.
fn with_charset(kind: &HeaderValue) -> Option<HeaderValue> {
    let kind = kind.to_str().ok().filter(|kind| kind.starts_with("text/") && !kind.contains(';'))?;
    HeaderValue::try_from(format!("{kind}; charset=utf-8")).ok()
}

/// Where `name` in the folder `uri` is, with the same query. Relative, because only the browser knows
/// the prefixes that proxies and applications have taken away.
pub(super) fn below(uri: &Uri, name: &str) -> String {
    let folder = uri.path().rsplit('/').next().filter(|last| !last.is_empty());
    // A folder may be named `a:b`, which alone would be a scheme.
    let folder = folder.map(|last| format!("./{last}/")).unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    match format!("{folder}{name}") {
        here if here.is_empty() => format!("./{query}"),
        there => there + &query,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_hold_below_any_prefix() {
        for (uri, to) in [
            ("/", "index.html"),
            ("/?a=b", "index.html?a=b"),
            ("/viewer", "./viewer/index.html"),
            ("/viewer/", "index.html"),
            ("/a:b", "./a:b/index.html"),
            ("/a/viewer?a=b", "./viewer/index.html?a=b"),
            ("//evil.example", "./evil.example/index.html"),
        ] {
            assert_eq!(below(&uri.parse().unwrap(), "index.html"), to, "{uri}");
        }
        assert_eq!(below(&"/a/folder?b=c".parse().unwrap(), ""), "./folder/?b=c");
    }
}
