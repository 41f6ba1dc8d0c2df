//! Static files: what lies in a folder, and nothing that a link in it leads to elsewhere.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use crate::Server;

/// Serves the files of `folder` at the root of the router.
pub(super) fn files(server: &Server, folder: &Path) -> Router {
    let (server, root): (_, Arc<Path>) = (server.clone(), folder.into());
    let guard = move |request: Request, next: Next| guard(server.clone(), Arc::clone(&root), request, next);
    Router::new().fallback_service(ServeDir::new(folder)).layer(middleware::from_fn(guard))
}

async fn guard(server: Server, root: Arc<Path>, request: Request, next: Next) -> Response {
    if let Err(refusal) = server.settings().admission.admit_host(request.headers(), request.uri()) {
        return (StatusCode::FORBIDDEN, refusal.to_string()).into_response();
    }
    match inside(&root, request.uri().path()).await {
        true => next.run(request).await,
        false => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Whether `path` leads to something that is there and in `root`, links followed.
async fn inside(root: &Path, path: &str) -> bool {
    // What does not begin so names a host, as the target of `CONNECT` does.
    if !path.starts_with('/') {
        return false;
    }
    let Ok(path) = percent_decode_str(path.trim_start_matches('/')).decode_utf8() else { return false };
    let target: PathBuf = root.join(&*path);
    // No error of the file system is passed on: a name that is too long, say, is only not there.
    match (tokio::fs::canonicalize(root).await, tokio::fs::canonicalize(target).await) {
        (Ok(root), Ok(target)) => target.starts_with(root),
        _ => false,
    }
}
