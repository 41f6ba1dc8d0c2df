//! Certificates and keys, checked before the first connection.

use std::{fmt, path::Path, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::Error;

/// What a server shows of itself when it serves TLS.
#[derive(Clone)]
pub struct Tls(Arc<ServerConfig>);

impl Tls {
    /// A certificate chain and its key, both in PEM.
    ///
    /// # Errors
    /// A file cannot be read or holds no PEM, or the two do not belong together.
    pub fn from_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(format_args!("the certificate `{}`", certificate.display()), error))?;
        let private =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(format_args!("the key `{}`", key.display()), error))?;
        Self::new(chain, private)
    }

    /// A certificate made now and signed by itself, for `host` and this machine: for trying things out.
    ///
    /// # Errors
    /// `host` cannot stand in a certificate.
    pub fn adhoc(host: &str) -> Result<Self, Error> {
        let names = vec![host.to_owned(), "localhost".into(), "127.0.0.1".into(), "::1".into()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| unusable(format_args!("host `{host}`"), error))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|error| unusable("the key", error))?;
        Self::new(vec![made.cert.into()], key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Self, Error> {
        ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
            .map(|config| Self(Arc::new(config)))
            .map_err(|error| unusable("the certificate", error))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0))
    }
}

fn unusable(what: impl fmt::Display, error: impl fmt::Display) -> Error {
    Error::Setting(format!("{what} cannot be used for TLS: {error}; give a certificate chain and its key in PEM"))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}
