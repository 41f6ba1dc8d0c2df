//! TLS on the way out: which servers are trusted, and how this end proves who it is. Knows nothing of the messages that
//! go through it.

use std::{fmt, io, sync::Arc};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
        client::{
            WebPkiServerVerifier,
            danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
            verify_server_name,
        },
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
        server::ParsedCertificate,
    },
};

/// The certificates that the certificate of a server must go back to, and the one of this end.
pub(crate) struct Trust {
    roots: RootCertStore,
    /// Those of the roots that the program added.
    added: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// Encrypts connections. All connections that one of these makes resume each other's TLS sessions.
#[derive(Clone)]
pub(crate) struct Encryption(TlsConnector);

impl Default for Trust {
    fn default() -> Self {
        Self { roots: webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(), added: Vec::new(), identity: None }
    }
}

impl Trust {
    /// Adds certificates in PEM.
    pub(crate) fn add(&mut self, pem: &[u8]) -> Result<(), String> {
        for certificate in certificates(pem)? {
            self.roots.add(certificate.clone()).map_err(|error| error.to_string())?;
            self.added.push(certificate);
        }
        Ok(())
    }

    /// Adds the certificates that the operating system trusts.
    pub(crate) fn add_system(&mut self) -> Result<(), String> {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = self.roots.add_parsable_certificates(found.certs);
        match found.errors.first() {
            Some(error) if added == 0 => Err(error.to_string()),
            None if added == 0 => Err("the operating system trusts none".to_owned()),
            _ => Ok(()),
        }
    }

    /// From now on this end proves its identity with a certificate and its key, both in PEM.
    pub(crate) fn identify(&mut self, certificate: &[u8], key: &[u8]) -> Result<(), String> {
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the private key: {error}"))?;
        self.identity = Some((certificates(certificate)?, key));
        Ok(())
    }

    /// Encryption by these certificates; the text of an error says which cannot be used.
    pub(crate) fn encryption(self) -> Result<Encryption, String> {
        let provider = Arc::new(ring::default_provider());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots), Arc::clone(&provider)).build();
        let verifier = Verifier { chains: chains.map_err(|error| error.to_string())?, added: self.added };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match self.identity {
            Some((certificates, key)) => config.with_client_auth_cert(certificates, key).map_err(|error| error.to_string())?,
            None => config.with_no_client_auth(),
        };
        Ok(Encryption(Arc::new(config).into()))
    }
}

impl Encryption {
    /// `stream`, encrypted, with the server that proves to be `host`.
    pub(crate) async fn encrypt<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S, host: &str) -> io::Result<TlsStream<S>> {
        let name = ServerName::try_from(host.to_owned()).map_err(invalid)?;
        self.0.connect(name, stream).await
    }
}

/// Verifies as webpki does, and takes a certificate that the program added for the server's own as well. `openssl req -x509`
/// marks what it makes as that of an authority, and webpki accepts no authority's as a server's.
#[derive(Debug)]
struct Verifier {
    chains: Arc<WebPkiServerVerifier>,
    added: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.chains.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Found out after its time was checked, and before its name.
            Err(error) if is_of_authority(&error) && self.added.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chains.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chains.supported_verify_schemes()
    }
}

/// Whether a certificate is refused because it is that of an authority.
fn is_of_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(why)) = error else { return false };
    // Without a dependency on webpki its errors have names only.
    format!("{why:?}").contains("CaUsedAsEndEntity")
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| error.to_string())?;
    if certificates.is_empty() { Err("there is none in this PEM".to_owned()) } else { Ok(certificates) }
}

fn invalid(error: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error.to_string())
}
