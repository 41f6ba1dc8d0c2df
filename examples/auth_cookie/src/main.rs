//! An axum application: a form to log in, a cookie, and a WebSocket that knows who is there by it.
//!
//! ```text
//! auth_cookie 127.0.0.1:8080
//! ```

use std::{env, error::Error};

use axum::{
    Form, Router,
    extract::State,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, SET_COOKIE},
    },
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tokio::net::TcpListener;
use wslink::{Principal, Server, service};

use self::accounts::{Accounts, COOKIE, LIFETIME, SessionId};

mod accounts;

struct Members {
    accounts: Accounts,
}

#[service]
impl Members {
    #[rpc("members.greet", require = "member")]
    fn greet(&self, principal: Principal) -> String {
        format!("Hello, {}!", principal.name())
    }

    /// Ends the session of the page that calls.
    #[rpc("members.log_out", require = "member")]
    fn log_out(&self, principal: Principal) {
        if let Some(session) = principal.data::<SessionId>() {
            self.accounts.log_out(session);
        }
    }
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

async fn log_in(State(accounts): State<Accounts>, Form(form): Form<Credentials>) -> Response {
    let Ok(id) = accounts.log_in(&form.name, &form.password) else {
        return (StatusCode::UNAUTHORIZED, "another password").into_response();
    };
    // Served by TLS, it is `Secure` too.
    let cookie = format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}", LIFETIME.as_secs());
    ([(SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).ok_or("say the address to listen at, such as 127.0.0.1:8080")?;
    let accounts = Accounts::default();
    let members = Members { accounts: accounts.clone() };
    let server = Server::builder().authenticator(accounts.clone()).mount(members).build()?;
    let application = Router::new()
        .route("/", get(async || Html(include_str!("../www/index.html"))))
        // Files of their own, so that the page's policy admits nothing inline.
        .route("/page.js", get(async || ([(CONTENT_TYPE, "text/javascript")], include_str!("../www/page.js"))))
        .route("/style.css", get(async || ([(CONTENT_TYPE, "text/css")], include_str!("../www/style.css"))))
        .route("/login", post(log_in))
        .with_state(accounts)
        .merge(server.router());

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let stopped = async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            server.stop();
            server.stopped().await;
        }
    };
    Ok(axum::serve(listener, application).with_graceful_shutdown(stopped).await?)
}
