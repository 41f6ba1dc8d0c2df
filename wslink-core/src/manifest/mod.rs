//! Describes services as an OpenRPC document, and compares two documents.

use std::str::FromStr;

pub use self::compare::{Change, Kind, compare};
use self::{describe::document, document::Document};
pub use crate::schema::Schemas;
use crate::{
    Error,
    rpc::{Service, ServiceDescriptor, linked},
};

mod compare;
mod describe;
mod document;
mod snapshot;

/// What services offer, as an OpenRPC document.
///
/// Sorted, and the same bytes for the same services.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest(Document);

/// The manifest of all services that are linked into the program, mounted or not.
///
/// A library that nothing in the program names is not linked; see `Server::manifest`
/// or [`Manifest::of`] for what is known by its type.
#[must_use]
pub fn manifest() -> Manifest {
    Manifest::of_services(&linked())
}

impl Manifest {
    /// The manifest of one service.
    ///
    /// ```
    /// # extern crate wslink_core as wslink;
    /// use wslink::{Manifest, service};
    ///
    /// struct Calculator;
    ///
    /// #[service]
    /// impl Calculator {
    ///     /// The sum.
    ///     #[rpc("calculator.add")]
    ///     fn add(&self, a: f64, b: f64) -> f64 {
    ///         a + b
    ///     }
    /// }
    ///
    /// let manifest = Manifest::of::<Calculator>();
    /// assert!(manifest.to_json().contains(r#""summary": "The sum.""#));
    /// ```
    #[must_use]
    pub fn of<S: Service>() -> Self {
        Self::of_services(&[S::DESCRIPTOR])
    }

    /// The manifest of these services.
    pub fn of_services(services: &[&ServiceDescriptor]) -> Self {
        Self(document(services))
    }

    /// The same manifest of a server with these limits.
    pub fn limited(mut self, limits: &crate::Limits) -> Self {
        self.0.wslink.limits = Some(document::Limits {
            max_msg_size: limits.announced_frame(),
            message_bytes: limits.message_bytes,
            calls_in_flight: limits.calls_in_flight,
        });
        self
    }

    /// The same manifest under another name and version than those of its packages.
    #[must_use]
    pub fn named(mut self, title: impl Into<String>, version: impl Into<String>) -> Self {
        self.0.info.title = title.into();
        self.0.info.version = version.into();
        self
    }

    /// As JSON, with a line break at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A document of strings and JSON values always has a JSON form.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }
}

/// Reads what [`Manifest::to_json`] wrote.
impl FromStr for Manifest {
    type Err = Error;

    fn from_str(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map(Self).map_err(|error| Error::Setting(format!("not a manifest: {error}")))
    }
}
