//! TLS on the way out: which servers are trusted. Knows nothing of what is said through it.

use std::{fmt, io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ClientConfig, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

/// The certificates that the certificate of a server must go back to.
pub(crate) struct Trust(RootCertStore);

impl Default for Trust {
    fn default() -> Self {
        Self(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect())
    }
}

impl Trust {
    /// Adds certificates in PEM.
    pub(crate) fn add(&mut self, pem: &[u8]) -> Result<(), String> {
        let mut found = false;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            found = true;
            certificate
                .map_err(|error| error.to_string())
                .and_then(|certificate| self.0.add(certificate).map_err(|error| error.to_string()))?;
        }
        if found { Ok(()) } else { Err("there is none in this PEM".to_owned()) }
    }

    /// `stream`, encrypted, with the server that proves to be `host`.
    pub(crate) async fn encrypt(&self, stream: TcpStream, host: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(invalid)?;
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(invalid)?
            .with_root_certificates(self.0.clone())
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}
