//! Progress reports of a handler to its caller, while the call runs.

use std::{
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{Call, Parameter, ParameterKind, Reply, bind::ArgumentError};
use crate::{
    Payload,
    topic::Outbox,
    wire::{Content, Outgoing, Subject},
};

/// Reports to the caller of a running call, as a context parameter of a handler.
///
/// Only clients that asked for it receive progress; for the others, reporting does nothing. When a
/// client is slow, the newest report of each call replaces the one that waits.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{Progress, service};
///
/// struct Importer;
///
/// #[service]
/// impl Importer {
///     #[rpc("importer.load", blocking)]
///     fn load(&self, files: Vec<String>, progress: Progress<f64>) {
///         for (done, _file) in files.iter().enumerate() {
///             progress.report(&(done as f64 / files.len() as f64));
///         }
///     }
/// }
///
/// // In a unit test, its default reports to nobody.
/// Importer.load(vec!["a.stl".to_owned()], Progress::default());
/// ```
pub struct Progress<T> {
    to: Option<Listener>,
    payload: PhantomData<fn(&T)>,
}

/// Where reports go.
#[derive(Clone)]
pub(super) struct Listener {
    call: u64,
    reply: Reply,
    outbox: Arc<Outbox>,
}

/// A call that may report, for as long as this lives.
pub(super) struct OpenProgress {
    call: u64,
    outbox: Arc<Outbox>,
}

impl OpenProgress {
    pub(super) fn new(outbox: &Arc<Outbox>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let call = NEXT.fetch_add(1, Ordering::Relaxed);
        outbox.open_progress(call);
        Self { call, outbox: Arc::clone(outbox) }
    }

    pub(super) fn listener(&self, reply: &Reply) -> Listener {
        Listener { call: self.call, reply: reply.clone(), outbox: Arc::clone(&self.outbox) }
    }
}

impl Drop for OpenProgress {
    fn drop(&mut self) {
        self.outbox.close_progress(self.call);
    }
}

impl<T: Payload> Progress<T> {
    /// Tells the caller.
    pub fn report(&self, progress: &T) {
        let Some(Listener { call, reply, outbox }) = &self.to else { return };
        let content = Content::Progress(progress.as_serialize());
        match reply.wire.encode(&Outgoing { subject: Subject::Reply(&reply.id), content }) {
            Ok(message) => outbox.push_progress(*call, message),
            Err(error) => tracing::warn!(method = reply.method, error = error.0, "a progress report cannot be serialised"),
        }
    }

    /// Whether anybody listens.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        self.to.is_some()
    }
}

impl<T: Payload> Parameter for Progress<T> {
    const KIND: ParameterKind = ParameterKind::Context;

    fn take(call: &mut Call<'_>, _: usize) -> Result<Self, ArgumentError> {
        Ok(Self { to: call.listener(), payload: PhantomData })
    }
}

/// Reports to nobody, as for a client that did not ask for progress.
impl<T> Default for Progress<T> {
    fn default() -> Self {
        Self { to: None, payload: PhantomData }
    }
}

impl<T> Clone for Progress<T> {
    fn clone(&self) -> Self {
        Self { to: self.to.clone(), payload: PhantomData }
    }
}

impl<T> fmt::Debug for Progress<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.to.is_some() { "Progress(wanted)" } else { "Progress(unwanted)" })
    }
}
