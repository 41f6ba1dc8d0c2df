//! Static files: what lies in a folder, and nothing that a link in it leads to elsewhere.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{OriginalUri, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use crate::Server;

/// Serves the files of `folder` at the root of the router.
pub(super) fn files(server: &Server, folder: &Path) -> Router {
    let (server, root): (_, Arc<Path>) = (server.clone(), folder.into());
    let guard = move |request: Request, next: Next| guard(server.clone(), Arc::clone(&root), request, next);
    let files = ServeDir::new(folder).precompressed_br().precompressed_gzip();
    let router = Router::new().fallback_service(files);
    #[cfg(feature = "compression")]
    let router = router.layer(super::compression::layer());
    router.layer(middleware::from_fn(guard))
}

async fn guard(server: Server, root: Arc<Path>, request: Request, next: Next) -> Response {
    if let Err(refusal) = server.settings().admission.admit_host(&request) {
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    // What does not begin so names a host, as the target of `CONNECT` does.
    let path = request.uri().path().strip_prefix('/').map(|path| percent_decode_str(path.trim_start_matches('/')));
    let Some(path) = path.and_then(|path| path.decode_utf8().ok()).map(|path| PathBuf::from(path.into_owned())) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    // The file system may be slow, and the file service would ask it elsewhere, too.
    match tokio::task::spawn_blocking(move || inside(&root, &path)).await {
        Ok(Ok(true)) => {}
        _ => return StatusCode::NOT_FOUND.into_response(),
    }
    let original = request.extensions().get::<OriginalUri>().map(|uri| uri.0.clone());
    let mut response = next.run(request).await;
    if let Some(original) = original.filter(|_| response.status().is_redirection())
        && let Some(location) = response.headers_mut().get_mut(header::LOCATION)
        && let Ok(relative) = HeaderValue::try_from(below(&original, ""))
    {
        *location = relative;
    }
    response
}

/// Whether `path` leads to something in `root`, links followed, and so does what may be sent in its place.
fn inside(root: &Path, path: &Path) -> io::Result<bool> {
    let root = root.canonicalize()?;
    let asked = root.join(path);
    let target = asked.canonicalize()?;
    // Beside what was asked for, and not beside what it leads to.
    let index = asked.join("index.html");
    let mut instead = [&asked, &index].into_iter().flat_map(|path| ["", ".gz", ".br"].map(|suffix| suffixed(path, suffix)));
    Ok(target.starts_with(&root)
        && instead.all(|path| path.canonicalize().is_ok_and(|path| path.starts_with(&root)) || !exists(&path)))
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Whether there is something, be it a link to nothing.
fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
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
