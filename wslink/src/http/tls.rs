//! Certificates and keys, checked before the first connection.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::SystemTime,
};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::Error;

/// What a server shows of itself when it serves TLS. Clones are one: what one of them reloads, all of them show.
#[derive(Clone)]
pub struct Tls(Arc<Shown>);

struct Shown {
    config: RwLock<Arc<ServerConfig>>,
    /// Where it is from, and when that was written.
    files: Option<Mutex<Files>>,
}

struct Files {
    certificate: PathBuf,
    key: PathBuf,
    written: [Option<SystemTime>; 2],
}

impl Tls {
    /// A certificate chain and its key, both in PEM.
    ///
    /// # Errors
    /// A file cannot be read or holds no PEM, or the two do not belong together.
    pub fn from_files(certificate: impl AsRef<Path>, key: impl AsRef<Path>) -> Result<Self, Error> {
        let (certificate, key) = (certificate.as_ref(), key.as_ref());
        let files = Files { certificate: certificate.into(), key: key.into(), written: written(certificate, key) };
        let config = Self::read(certificate, key)?;
        Ok(Self(Arc::new(Shown { config: RwLock::new(config), files: Some(Mutex::new(files)) })))
    }

    /// A configuration of rustls of the program's own: client certificates, several names, a resolver that renews
    /// certificates, another cryptography provider. Of its ALPN protocols only `http/1.1` is kept, which is what
    /// WebSockets need and all that the server speaks.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use wslink::server::{Tls, rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier}};
    /// # use wslink::server::rustls::pki_types::{CertificateDer, PrivateKeyDer};
    ///
    /// # fn tls(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>, ours: CertificateDer<'static>)
    /// #     -> Result<Tls, Box<dyn std::error::Error>> {
    /// let mut authorities = RootCertStore::empty();
    /// authorities.add(ours)?;
    /// let clients = WebPkiClientVerifier::builder(Arc::new(authorities)).build()?;
    /// let config = ServerConfig::builder().with_client_cert_verifier(clients).with_single_cert(chain, key)?;
    /// # Ok(Tls::from_config(config))
    /// # }
    /// ```
    #[must_use]
    pub fn from_config(mut config: ServerConfig) -> Self {
        config.alpn_protocols.retain(|protocol| protocol == b"http/1.1");
        Self(Arc::new(Shown { config: RwLock::new(Arc::new(config)), files: None }))
    }

    /// Reads the certificate and key again if the files have changed, or always with `force`. Open connections keep the
    /// old certificate. Returns whether the files were read; a certificate without files never changes.
    ///
    /// # Errors
    /// The files cannot be used; the old certificate stays in use.
    pub fn reload(&self, force: bool) -> Result<bool, Error> {
        let Some(files) = &self.0.files else { return Ok(false) };
        let mut files = files.lock().unwrap_or_else(PoisonError::into_inner);
        let written = written(&files.certificate, &files.key);
        if !force && written == files.written {
            return Ok(false);
        }
        let config = Self::read(&files.certificate, &files.key)?;
        files.written = written;
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(true)
    }

    fn read(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, Error> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| unusable(format_args!("the certificate `{}`", certificate.display()), error))?;
        let private =
            PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(format_args!("the key `{}`", key.display()), error))?;
        config(chain, private)
    }

    /// A certificate made now and signed by itself, for `host` and this machine: for trying things out.
    ///
    /// # Errors
    /// `host` cannot stand in a certificate.
    pub fn adhoc(host: &str) -> Result<Self, Error> {
        let names = vec![host.to_owned(), "localhost".into(), "127.0.0.1".into(), "::1".into()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| unusable(format_args!("host `{host}`"), error))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|error| unusable("the key", error))?;
        let config = config(vec![made.cert.into()], key)?;
        Ok(Self(Arc::new(Shown { config: RwLock::new(config), files: None })))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn config(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Arc<ServerConfig>, Error> {
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map(Arc::new)
        .map_err(|error| unusable("the certificate", error))
}

fn written(certificate: &Path, key: &Path) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}

fn unusable(what: impl fmt::Display, error: impl fmt::Display) -> Error {
    Error::Setting(format!("{what} cannot be used for TLS: {error}; give a certificate chain and its key in PEM"))
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls(…)")
    }
}
