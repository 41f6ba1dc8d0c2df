//! Data that an application keeps with a client.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Data of a client by its type: what its services want to know of it while it is there. A clone is the same data.
///
/// It lasts as long as the client, over connections by which it resumes, and is dropped when the client is gone and
/// nobody has a [`Client`](crate::Client) of it any more.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{Client, service};
///
/// #[derive(Clone)]
/// struct Nickname(String);
///
/// struct Chat;
///
/// #[service]
/// impl Chat {
///     #[rpc("chat.nickname.set")]
///     fn set_nickname(&self, client: Client, name: String) {
///         client.extensions().insert(Nickname(name));
///     }
///
///     #[rpc("chat.nickname")]
///     fn nickname(&self, client: Client) -> Option<String> {
///         client.extensions().get().map(|Nickname(name)| name)
///     }
/// }
/// ```
#[derive(Clone, Default)]
pub struct Extensions(Arc<OnceLock<Mutex<http::Extensions>>>);

impl Extensions {
    /// Keeps `value`. Returns the one of its type that was there before.
    pub fn insert<T: Clone + Send + Sync + 'static>(&self, value: T) -> Option<T> {
        lock(self.0.get_or_init(Mutex::default)).insert(value)
    }

    /// The value of that type.
    #[must_use]
    pub fn get<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        lock(self.0.get()?).get().cloned()
    }

    /// The value of that type; where there is none, the one that `make` makes. `make` may not use these extensions.
    pub fn get_or_insert_with<T: Clone + Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> T {
        lock(self.0.get_or_init(Mutex::default)).get_or_insert_with(make).clone()
    }

    /// Takes the value of that type out.
    pub fn remove<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        lock(self.0.get()?).remove()
    }
}

/// A panic in a `Clone` of the application leaves every value as it was.
fn lock(extensions: &Mutex<http::Extensions>) -> MutexGuard<'_, http::Extensions> {
    extensions.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Extensions")
    }
}
