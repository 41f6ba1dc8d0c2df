//! Services without a server: what one would serve, for tools and tests.

use super::{Mounted, Registration, Routes, Service, ServiceDescriptor};
use crate::Error;

/// What a server of these services would serve.
///
/// ```
/// # extern crate wslink_core as wslink;
/// use wslink::{rpc::Catalogue, service};
///
/// struct Calculator;
///
/// #[service]
/// impl Calculator {
///     #[rpc("calculator.add")]
///     fn add(&self, a: f64, b: f64) -> f64 {
///         a + b
///     }
/// }
///
/// let catalogue = Catalogue::default().mount(Calculator);
/// assert_eq!(catalogue.methods()?, ["calculator.add"]);
/// # Ok::<(), wslink::Error>(())
/// ```
#[derive(Default)]
pub struct Catalogue {
    services: Vec<Mounted>,
}

impl Catalogue {
    /// Adds a service.
    #[must_use]
    pub fn mount<S: Service>(mut self, service: S) -> Self {
        self.services.push(Mounted::new(service));
        self
    }

    /// The URIs of all methods, sorted.
    ///
    /// # Errors
    /// Two methods or topics share a URI.
    pub fn methods(&self) -> Result<Vec<&'static str>, Error> {
        Ok(Routes::new(&self.services)?.methods().map(|method| method.uri).collect())
    }

    /// The services that are linked into the program and are not among these, sorted by package and name.
    ///
    /// # Errors
    /// Two methods or topics share a URI.
    pub fn not_mounted(&self) -> Result<Vec<&'static ServiceDescriptor>, Error> {
        Ok(Routes::new(&self.services)?.not_mounted().to_vec())
    }
}

/// The services that registered themselves, in no order: those of the crates that the program names. In a
/// static library that another linker links, only some of them.
#[must_use]
pub fn linked() -> Vec<&'static ServiceDescriptor> {
    inventory::iter::<Registration>().map(|registration| registration.0).filter(|service| !service.is_inspector()).collect()
}
