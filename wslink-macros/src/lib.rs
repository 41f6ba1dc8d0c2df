//! The attributes of `wslink`: each one's page is its reference.
//!
//! A block goes through three phases: `parse` knows the syntax, `model` knows the rules, `expand` knows
//! the code. Rules never look at tokens of bodies, and code is only made of what the rules let through.

use proc_macro::TokenStream;

mod expand;
mod mistakes;
mod model;
mod options;
mod parse;
mod uri;

#[cfg(test)]
mod tests;

/// Makes a type a service: clients call its [`#[rpc]`](macro@rpc) methods and subscribe to its
/// [`#[topic]`](macro@topic) constants.
///
/// ```text
/// #[service]
/// #[service(crate = path)]
/// impl Type { … }
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `crate = path` | where generated code finds the runtime, for a crate that re-exports it; `::wslink` unless given |
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
/// #[rpc("uri", blocking)]
/// [async] fn name(&self, [#[arg(…)] name: Type,]…) [-> Result<T, E> | -> T] { … }
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `"uri"` | what clients call: words `[a-z][a-z0-9_]*`, joined by dots |
/// | `blocking` | the method runs on a thread that may block; for a `fn` that computes for long or does I/O |
///
/// A method that is neither `async` nor `blocking` holds up its connection while it runs.
///
/// # Parameters
/// Each is a name and an owned type. Clients give arguments by position or by name. A type that serde
/// deserialises is an argument; `Option` may be left out. A type that implements
/// `wslink::rpc::Parameter` by itself, such as `Client` or `Publisher`, comes from the server and is not
/// on the wire. `Args` takes whatever the others leave over.
///
/// | attribute of a parameter | meaning |
/// | --- | --- |
/// | `#[arg(default = expression)]` | its value when the client leaves it out |
/// | `#[arg(default)]` | the same with the type's `Default` |
/// | `#[arg(rename = "name")]` | its name on the wire |
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
    let text =
        "`#[rpc]` belongs on a method that is written in an `impl` block with `#[service]`; write `#[service]` above that block";
    expand::alone(text, &options.into(), item.into()).into()
}

/// Lets clients subscribe to a topic of a [`#[service]`](macro@service) block.
///
/// ```text
/// #[topic("uri")]
/// #[topic("uri", delivery = reliable | latest | drop_oldest(count))]
/// [pub] const NAME: Topic<Payload>;
/// ```
///
/// | option | meaning |
/// | --- | --- |
/// | `"uri"` | what clients subscribe to: words `[a-z][a-z0-9_]*`, joined by dots |
/// | `delivery = reliable` | nothing is lost; a client that falls too far behind is disconnected. The default |
/// | `delivery = latest` | only the newest event waits for a slow client |
/// | `delivery = drop_oldest(count)` | at most `count` events wait for a slow client |
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
#[proc_macro_attribute]
pub fn topic(options: TokenStream, item: TokenStream) -> TokenStream {
    let text = "`#[topic]` belongs on a constant that is written in an `impl` block with `#[service]`; write `#[service]` above that block";
    expand::alone(text, &options.into(), item.into()).into()
}
