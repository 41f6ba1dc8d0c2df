//! The attributes and the derive of `wslink`: each one's page is its reference.
//!
//! A block goes through three phases: `parse` knows the syntax, `model` knows the rules, `expand` knows
//! the code. Rules never look at tokens of bodies, and code is only made of what the rules let through.

use proc_macro::TokenStream;

mod error;
mod expand;
mod mistakes;
mod model;
mod options;
mod parse;
mod recover;
mod uri;

#[cfg(test)]
mod tests;

/// Makes a type a service: clients call its [`#[rpc]`](macro@rpc) methods and subscribe to its
/// [`#[topic]`](macro@topic) constants.
///
/// ```text
/// #[service]
/// #[service(client, ordered, schema, crate = path, uri_style = any)]
/// impl Type { … }
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `client` | also generates `TypeClient`, whose methods call these and whose topics are streams (feature `client`) |
/// | `schema` | every type in the block must implement `schemars::JsonSchema` (feature `manifest`) |
/// | `ordered` | the calls of one connection to this service wait for each other, also when they are `async` |
/// | `crate = path` | where generated code finds the runtime, for a crate that renames or re-exports it; `::wslink` unless given |
/// | `uri_style = any` | URIs may be any text, for names that existing pages call: `"vtk.resetCamera"` |
///
/// # The block
/// - It is an `impl` block of a struct or an enum, without generic parameters and without a trait. A type
///   has one such block; methods that are not for clients may stand in it or in any other block.
/// - The type is `Send + Sync + 'static`, because all calls share it.
/// - `#[cfg]` on the block, a method or a topic applies to what is generated too. Documentation comments
///   become part of the service's description.
/// - The block is otherwise as it was: methods are called from Rust as ever.
///
/// Everything that is wrong with a block is reported at once, and what is right in it still works.
///
/// # The client
/// `#[service(client)]` on `Render` also makes a `RenderClient`, from a `wslink::client::Session`. It has a
/// method for each method: the same name and arguments without those that come from the server, and a
/// `wslink::client::Call` of the value. An argument with a default is `impl Into<Option<T>>`: `None` leaves
/// it out. Each topic is a method too, in small letters, which returns a `wslink::client::Subscribe`.
/// Arguments must be `Serialize`, results and payloads `Deserialize`; of what a method lends, such as `&str`, a
/// client gets the owned form. Lints that are allowed on a method or the block are allowed in the client. A macro sees names, not types, so
/// `Result`, `Args` and types from the server must be spelled so, or marked with `#[arg(context)]`; when
/// they are not, the compiler says so.
///
/// ```
/// use wslink::{Client, Publisher, Topic, rpc, service, topic};
///
/// struct Counter {
///     publisher: Publisher,
/// }
///
/// #[service]
/// impl Counter {
///     /// Somebody counted.
///     #[topic("counter.changed", delivery = latest)]
///     pub const CHANGED: Topic<u64>;
///
///     /// The number after `number`.
///     #[rpc("counter.next")]
///     fn next(&self, client: Client, number: u64, #[arg(default = 1)] step: u64) -> u64 {
///         println!("{} counts", client.id());
///         self.publisher.publish(Self::CHANGED, &(number + step));
///         number + step
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::service(options.into(), &item.into()).into()
}

/// Lets clients call a method of a [`#[service]`](macro@service) block.
///
/// ```text
/// #[rpc("uri")]
/// #[rpc("uri", blocking | detached, require = "authority", timeout_ms = number)]
/// [async] fn name(&self, [#[arg(…)] name: Type,]…) [-> Result<T, E> | -> T] { … }
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `"uri"` | what clients call: words `[a-z][a-z0-9_]*`, joined by dots, or any text where the block has `uri_style = any` |
/// | `blocking` | the method runs on a thread that may block; for a `fn` that computes for long or does I/O |
/// | `detached` | the `async` method goes on to its end when its client cancels the call or leaves |
/// | `require = "authority"` | a call of a client whose `wslink::Principal` does not hold it is refused before its arguments are looked at |
/// | `timeout_ms = number` | a call that takes longer is dropped and answered "Deadline exceeded" |
///
/// A method that is not `blocking` runs on a thread that serves other clients too, and delays them while it computes: write
/// `blocking` for more than some milliseconds. The server logs a warning after 100 ms.
///
/// # Parameters
/// Each is a name and an owned type. Clients give arguments by position or by name. A type that serde
/// deserialises is an argument; `Option` may be left out. A type that implements
/// `wslink::rpc::Parameter` by itself, such as `Client`, `Principal` or `Publisher`, comes from the server and is not
/// on the wire. `Args` takes whatever the others leave over.
///
/// | attribute of a parameter | meaning |
/// | --- | --- |
/// | `#[arg(default = expression)]` | its value when the client leaves it out |
/// | `#[arg(default)]` | the same with the type's `Default` |
/// | `#[arg(rename = "name")]` | its name on the wire |
/// | `#[arg(context)]` | it is no argument: its type takes it from the server. Only a generated client needs to be told |
///
/// # Result
/// Anything that serde serialises, or a `Result` of it with an error that implements `wslink::RpcError`.
///
/// ```
/// use wslink::{Internal, rpc, service};
///
/// struct Files;
///
/// #[service]
/// impl Files {
///     #[rpc("files.size", blocking)]
///     fn size(&self, path: String) -> Result<u64, Internal> {
///         Ok(std::fs::metadata(path)?.len())
///     }
///
///     #[rpc("files.find")]
///     async fn find(&self, #[arg(rename = "type")] kind: Option<String>, #[arg(default = 10)] limit: usize) -> Vec<String> {
///         kind.into_iter().take(limit).collect()
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn rpc(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("rpc", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block for each client before its first call and its first event.
///
/// ```text
/// #[connected]
/// [async] fn name(&self, [name: Client | Principal | Handshake | Publisher,]…) [-> Result<(), E>] { … }
/// ```
///
/// An error refuses the client: it receives the error as the answer to its hello. The hook runs once for a client that
/// resumes over several connections, and also for clients of the original protocol. Hooks of several services run in the
/// order in which the services are mounted. While an `async` hook waits, nothing else of that client is acted on; it has
/// `Limits::hello`.
///
/// ```
/// use wslink::{Client, Disconnect, service};
///
/// struct Log;
///
/// #[service]
/// impl Log {
///     #[connected]
///     fn joined(&self, client: Client) {
///         println!("{} is here", client.id());
///     }
///
///     #[disconnected]
///     async fn left(&self, client: Client, reason: Disconnect) {
///         println!("{} is gone: {reason}", client.id());
///     }
///
///     #[subscribed("log.lines")]
///     fn listens(&self, client: Client) {
///         println!("{} reads the log", client.id());
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn connected(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("connected", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block once for each client that is gone.
///
/// ```text
/// #[disconnected]
/// [async] fn name(&self, [name: Client | Disconnect | Principal | Handshake | Publisher,]…) { … }
/// ```
///
/// It runs after the last handler of the client has ended, whatever ended the client, for every client for which the
/// [`#[connected]`](macro@connected) hooks of the service succeeded; in the reverse of the order in which the services are
/// mounted. A client that may still resume is not gone: see [`#[lost]`](macro@lost).
#[proc_macro_attribute]
pub fn disconnected(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("disconnected", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block when the connection of a client is lost, and the client may
/// resume. Afterwards comes either [`#[resumed]`](macro@resumed) or [`#[disconnected]`](macro@disconnected).
///
/// ```text
/// #[lost]
/// [async] fn name(&self, [name: Client | Principal | Handshake | Publisher,]…) { … }
/// ```
#[proc_macro_attribute]
pub fn lost(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("lost", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block when a client that was [lost](macro@lost) has resumed.
///
/// ```text
/// #[resumed]
/// [async] fn name(&self, [name: Client | Principal | Handshake | Publisher,]…) { … }
/// ```
#[proc_macro_attribute]
pub fn resumed(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("resumed", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block when a client begins to receive a topic.
///
/// ```text
/// #[subscribed("uri")]
/// [async] fn name(&self, [name: Client | Principal | Handshake | Publisher,]…) { … }
/// ```
///
/// It runs for the first subscription of the client to that topic, and for clients of the original protocol, which
/// receive everything, when they connect. [`#[unsubscribed]`](macro@unsubscribed) follows, before the client is gone.
/// Neither runs for a subscription that ends before the first one could run.
#[proc_macro_attribute]
pub fn subscribed(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("subscribed", "a method", &options.into(), item.into()).into()
}

/// Runs a method of a [`#[service]`](macro@service) block when a client receives a topic no more: its last subscription
/// to it has ended, or the client is gone.
///
/// ```text
/// #[unsubscribed("uri")]
/// [async] fn name(&self, [name: Client | Principal | Handshake | Publisher,]…) { … }
/// ```
#[proc_macro_attribute]
pub fn unsubscribed(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("unsubscribed", "a method", &options.into(), item.into()).into()
}

/// Lets clients tell the errors of a method apart: implements `wslink::RpcError`, and with it `Display`,
/// `std::error::Error` and `From`.
///
/// ```text
/// #[derive(Debug, RpcError)]
/// #[rpc_error(display, crate = path)]
/// enum Type {
///     #[rpc_error(code = number, name = "word", message = "text with {field}")]
///     Variant { [#[rpc_error(rename = "name", skip)]] field: Type, … },
///     #[rpc_error(internal)]
///     Variant(#[from] Cause),
/// }
/// ```
///
/// A client gets the code, the message, and as data `{"name": "…", …fields}`. Fields that are called `name` or
/// `fields` themselves are in `fields` there: `{"name": "no_sensor", "fields": {"name": "left"}}`.
///
/// | option of a variant | meaning |
/// | --- | --- |
/// | `code = number` | the number on the wire; -32001, "Exception raised", unless given. -32768 to -32000 are the protocol's own |
/// | `name = "word"` | what clients tell it by; the variant's own name in small letters unless given: `NoCamera` is `no_camera` |
/// | `message = "…"` | a format string over the fields, `{view}` or `{0}`; unless given the first paragraph of the documentation, else the name |
/// | `internal` | clients get "Exception raised" and a correlation id; the text and its causes go to the log |
///
/// | of a field | meaning |
/// | --- | --- |
/// | `#[rpc_error(rename = "name")]` | its name in the data; fields of tuple variants need one |
/// | `#[rpc_error(skip)]` | it is not in the data |
/// | `#[from]` | it is the cause, and `?` makes the error of it |
/// | the name `source` | it is the cause |
///
/// Causes and the fields of `internal` variants are never sent. An `internal` variant of one field and no
/// message speaks with that field's words.
///
/// | option of the type | meaning |
/// | --- | --- |
/// | `display` | the type has a `Display` and an `Error` of its own, such as thiserror's: nothing but `RpcError` is generated |
/// | `crate = path` | where generated code finds the runtime; `::wslink` unless given |
///
/// A struct is an error with one variant: its options stand on the struct.
///
/// ```
/// use wslink::RpcError;
///
/// #[derive(Debug, RpcError)]
/// enum RenderError {
///     /// The view has no camera.
///     #[rpc_error(code = 404)]
///     NoCamera { view: String },
///     #[rpc_error(code = 503, message = "busy for {seconds:.1} s")]
///     Busy { seconds: f32 },
///     #[rpc_error(internal)]
///     Io(#[from] std::io::Error),
/// }
///
/// fn load(path: &str) -> Result<Vec<u8>, RenderError> {
///     Ok(std::fs::read(path)?)
/// }
///
/// let busy = RenderError::Busy { seconds: 0.5 }.into_call_error();
/// assert_eq!(busy.code().number(), 503);
/// assert_eq!(busy.message(), "busy for 0.5 s");
/// assert_eq!(busy.data().unwrap().get("name").unwrap().as_str(), Some("busy"));
/// assert_eq!(load("/nonexistent").unwrap_err().into_call_error().message(), "Exception raised");
/// ```
#[proc_macro_derive(RpcError, attributes(rpc_error, from))]
pub fn rpc_error(item: TokenStream) -> TokenStream {
    error::derive(item.into()).into()
}

/// Lets clients subscribe to a topic of a [`#[service]`](macro@service) block.
///
/// ```text
/// #[topic("uri")]
/// #[topic("uri", delivery = reliable | latest | latest(key = field) | drop_oldest(count), require = "authority", retain = last)]
/// [pub] const NAME: Topic<Payload>;
///
/// #[topic("uri")]
/// #[topic("uri", delivery = reliable | latest | drop_oldest(count), require = "authority")]
/// fn name(&self, [#[arg(…)] name: Type,]…) -> impl Stream<Item = Payload> + Send + 'static { … }
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `"uri"` | what clients subscribe to: words `[a-z][a-z0-9_]*`, joined by dots, or any text where the block has `uri_style = any` |
/// | `delivery = reliable` | nothing is lost; a client that falls too far behind is disconnected. The default |
/// | `delivery = latest` | only the newest event waits for a slow client |
/// | `delivery = latest(key = field)` | the newest event of each value of that field of the payload waits |
/// | `delivery = drop_oldest(count)` | at most `count` events wait for a slow client |
/// | `require = "authority"` | only clients whose `wslink::Principal` holds it may subscribe, or get anything of it |
/// | `retain = last` | who subscribes later gets the last payload at once |
///
/// The constant has no value: the macro gives it one. Its payload is anything that serde serialises.
///
/// ```
/// use wslink::{Delivery, Topic, service, topic};
///
/// struct Render;
///
/// #[service]
/// impl Render {
///     #[topic("render.log")]
///     pub const LOG: Topic<String>;
///
///     #[topic("render.progress", delivery = drop_oldest(16))]
///     pub const PROGRESS: Topic<f32>;
/// }
///
/// assert_eq!(Render::LOG.delivery(), Delivery::Reliable);
/// assert_eq!(Render::PROGRESS.delivery(), Delivery::DropOldest(16));
/// ```
///
/// # A stream for each subscription
/// A function under `#[topic]` is called for each subscription, with the arguments that the client
/// filters by. What its stream yields goes to that client alone; the stream is polled while the client
/// has room, and dropped when it unsubscribes or leaves. Clients of the original protocol, which cannot
/// subscribe, get nothing of it.
///
/// ```
/// use futures_util::{Stream, stream};
/// use wslink::{service, topic};
///
/// struct Counter;
///
/// #[service]
/// impl Counter {
///     /// Every `step`th number.
///     #[topic("counter.numbers")]
///     fn numbers(&self, step: usize) -> impl Stream<Item = u64> + Send + 'static {
///         stream::iter((0..).step_by(step))
///     }
/// }
/// ```
#[proc_macro_attribute]
pub fn topic(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::alone("topic", "a constant or a function", &options.into(), item.into()).into()
}
