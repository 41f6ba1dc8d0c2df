//! A server that admits clients by JSON Web Tokens.
//!
//! ```text
//! export JWT_KEY=some-long-random-text
//! auth_jwt serve 127.0.0.1:8080
//! auth_jwt issue alice 60 editor auditor     # prints a token that is good for 60 seconds
//! ```

use std::{env, error::Error, time::Duration};

use tokio::net::TcpListener;
use wslink::Server;

use self::{notes::Notes, tokens::Tokens};

mod crypto;
mod notes;
mod tokens;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    crypto::RING.install_default().map_err(|_| "another crypto library is in use")?;
    let tokens = Tokens::new(env::var("JWT_KEY")?.as_bytes());
    let mut arguments = env::args().skip(1);
    let (command, subject) = (arguments.next(), arguments.next());
    match (command.as_deref(), subject) {
        (Some("serve"), Some(address)) => serve(tokens, &address).await,
        (Some("issue"), Some(name)) => {
            let seconds = arguments.next().ok_or("for how many seconds?")?.parse()?;
            println!("{}", tokens.issue(name, arguments.collect(), Duration::from_secs(seconds))?);
            Ok(())
        }
        _ => Err("say `serve ADDRESS` or `issue NAME SECONDS [ROLE…]`".into()),
    }
}

async fn serve(tokens: Tokens, address: &str) -> Result<(), Box<dyn Error>> {
    let server = Server::builder().authenticator(tokens).service(Notes::new).build()?;
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let stopping = server.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.stop();
        }
    });
    Ok(server.serve(listener).await?)
}
