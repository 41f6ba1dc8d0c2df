//! An application of axum with routes, state and a layer of its own, and a viewer of wslink below `/viewer`.
//!
//! Both share the port, the state and the end: `wslink-example-axum-app [PORT]`.

use std::{env, error::Error, net::SocketAddr};

use axum::{
    Router,
    extract::State,
    http::HeaderValue,
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use wslink::{Secret, Server};

use crate::visits::{Viewer, Visits};

mod visits;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    let visits = Visits::default();
    let viewer = Server::builder()
        .service(|publisher| Viewer::new(visits.clone(), publisher))
        .content(concat!(env!("CARGO_MANIFEST_DIR"), "/www"))
        // None in an application unless it asks for it.
        .readiness("/ready".to_owned())
        .build()?;

    let app = Router::new()
        .route("/", get(front))
        .with_state(visits)
        // As a service, because `nest` would leave `/viewer/` out.
        .nest_service("/viewer", viewer.router())
        .layer(middleware::map_response(signed));

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let secret = viewer.secret().map_or("", Secret::reveal);
    println!("listening on http://{}/viewer/?secret={secret}", listener.local_addr()?);

    // The addresses of clients reach wslink this way.
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopping = viewer.clone();
    let stop = async move {
        end_signal().await;
        stopping.stop();
    };
    // The application ends when its requests are answered; WebSockets are none any more, so they are waited for.
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    viewer.stopped().await;
    println!("ended");
    Ok(())
}

/// The application's own page, whose visits the viewers see.
async fn front(State(visits): State<Visits>) -> String {
    format!("visit {}\n", visits.one_more())
}

/// A layer holds for everything below it, the viewer included.
async fn signed(response: Response) -> impl IntoResponse {
    ([("x-served-by", HeaderValue::from_static("axum-app"))], response)
}

#[cfg(unix)]
async fn end_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn end_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
