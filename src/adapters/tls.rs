//! Whom we believe to be who they say they are: the public roots, and a bundle of our own beside them.
//!
//! One provider for all of TLS, and one way: issuer, dates and name of a certificate are verified. Nothing here turns that off.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::ports::{Fault, Result};

const PART: &str = "tls";

#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    extra: Arc<str>,
    only: bool,
}

impl Trust {
    /// `extra` are certificates of issuers in PEM, believed beside the public roots; empty means none.
    pub fn new(extra: &str) -> Result<Self> {
        let fault = |what: String| Fault::new(PART, what);
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let public = roots.len();
        for (place, certificate) in CertificateDer::pem_slice_iter(extra.as_bytes()).enumerate() {
            let certificate = certificate.map_err(|error| fault(format!("certificate {}: {error}", place + 1)))?;
            roots.add(certificate).map_err(|error| fault(format!("certificate {}: {error}", place + 1)))?;
        }
        if roots.len() == public && !extra.is_empty() {
            return Err(fault("there is no certificate in it".to_owned()));
        }
        let provider = Arc::new(crypto::ring::default_provider());
        // For libraries that ask the process; one that was installed before is the same.
        let _ = crypto::CryptoProvider::install_default((*provider).clone());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { config: Arc::new(config), extra: extra.into(), only: false })
    }

    /// The same, and every connection must use TLS.
    pub fn only(self) -> Self {
        Self { only: true, ..self }
    }

    pub(super) fn connector(&self) -> TlsConnector {
        TlsConnector::from(self.config.clone())
    }

    /// The certificates believed beside the public roots, in PEM.
    pub(super) fn extra(&self) -> Option<&str> {
        (!self.extra.is_empty()).then_some(&self.extra)
    }

    /// TLS on this connection, with who proves to be `host`.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        self.connector().connect(name, stream).await
    }
}

/// Where a server is, and whom we believe to be it. Its URL may hold a password: it is not shown.
#[derive(Clone)]
pub struct Endpoint {
    pub url: String,
    trust: Option<Trust>,
}

impl Endpoint {
    pub fn new(url: impl Into<String>, trust: &Trust) -> Self {
        Self { url: url.into(), trust: Some(trust.clone()) }
    }

    /// What is needed to speak TLS, or nothing where the URL asks for none; refused where that may not be.
    pub(super) fn trust(&self, part: &'static str, asks_for_tls: bool) -> Result<Option<Trust>> {
        match (&self.trust, asks_for_tls) {
            (Some(trust), true) => Ok(Some(trust.clone())),
            (None, true) => Trust::new("").map(Some),
            (Some(Trust { only: true, .. }), false) => {
                Err(Fault::new(part, "its URL asks for no TLS, and tls.required is set"))
            }
            (_, false) => Ok(None),
        }
    }
}

/// Believed by the public roots alone, where the URL asks for TLS.
impl<T: Into<String>> From<T> for Endpoint {
    fn from(url: T) -> Self {
        Self { url: url.into(), trust: None }
    }
}
