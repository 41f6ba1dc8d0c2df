//! Tests without a network: sessions with a server in the same process, links that are slow or break,
//! recorded exchanges that are played again.
//!
//! Nothing is imitated: [`connect`] joins the real [`Session`] to the real task of a connection, over a
//! byte stream in memory. All waiting is tokio's, so under a paused clock
//! (`#[tokio::test(start_paused = true)]`, tokio's feature `test-util`) a test takes no time, however
//! slow its [`Link`] is.
//!
//! ```
//! use wslink::{Server, service, testing};
//!
//! struct Calculator;
//!
//! #[service]
//! impl Calculator {
//!     #[rpc("calculator.add")]
//!     fn add(&self, a: f64, b: f64) -> f64 {
//!         a + b
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::builder().mount(Calculator).build()?;
//! let session = testing::connect(&server).await?;
//! let sum: f64 = session.call("calculator.add", (1.0, 2.0)).await?;
//! assert_eq!(sum, 3.0);
//! # Ok(())
//! # }
//! ```

pub use self::{
    link::Link,
    pipe::End,
    recording::{Answer, Exchange, Message, Recording, RecordingError},
};
use crate::{
    Server,
    client::{Builder, Error, Session},
};

mod compare;
mod echo;
#[doc(hidden)]
pub mod internals;
mod link;
mod pipe;
mod recording;

/// A session with `server`, connected over a perfect link, with the server's secret if it has one.
///
/// # Errors
/// The server does not admit it.
///
/// # Panics
/// When called outside a tokio runtime.
pub async fn connect(server: &Server) -> Result<Session, Error> {
    session(server).connect().await
}

/// The same, to be set up: another protocol, another secret, time limits.
pub fn session(server: &Server) -> Builder {
    Link::default().session(server)
}
