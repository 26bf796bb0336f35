//! The two questions of the handshake: may this client enter, is this the node I dialled?
//!
//! Both read the one URI name in the leaf, take the CA of the trust domain it claims, and leave
//! chain, dates and purpose to webpki. Names in DNS or IP form are for other tools; here they
//! decide nothing.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, PeerIncompatible,
    SignatureScheme,
};

use crate::identity::UriName;
use crate::limits::MAX_CHAIN_CERTIFICATES;
use crate::tls::{
    CertificateFacts, Shown, TlsError, Trust, TrustDomain, facts_of, leaf_name, provider,
};

/// `id-kp-serverAuth`, 1.3.6.1.5.5.7.3.1 (RFC 5280 section 4.2.1.12), DER without tag and length.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// `id-kp-clientAuth`, 1.3.6.1.5.5.7.3.2.
const CLIENT_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// What a certificate is used for; it must say so itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    Server,
    Client,
}

impl TrustDomain {
    /// Chain to this domain's CA, dates and purpose of a leaf.
    pub(crate) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
        usage: Usage,
    ) -> Result<(), TlsError> {
        let count = intermediates.len().saturating_add(1);
        if count > MAX_CHAIN_CERTIFICATES {
            return Err(TlsError::LongChain { count });
        }
        let refused = |why| TlsError::NotVouchedFor {
            member: self.member.clone(),
            why,
        };
        let purpose = match usage {
            Usage::Server => SERVER_AUTH,
            Usage::Client => CLIENT_AUTH,
        };
        let leaf = webpki::EndEntityCert::try_from(leaf).map_err(refused)?;
        leaf.verify_for_usage(
            provider().signature_verification_algorithms.all,
            &self.anchors,
            intermediates,
            now,
            webpki::KeyUsage::required(purpose),
            None,
            None,
        )
        .map_err(refused)?;
        Ok(())
    }
}

/// Lets in whoever a member's own CA vouches for.
#[derive(Debug)]
pub(crate) struct ClientVerifier {
    trust: Arc<Trust>,
    provider: Arc<CryptoProvider>,
}

impl ClientVerifier {
    pub(crate) fn new(trust: Arc<Trust>) -> Self {
        Self {
            trust,
            provider: provider(),
        }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // Whoever belongs here knows its own CA.
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        verify_peer(&self.trust, end_entity, intermediates, now, Usage::Client).map_err(alert)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Goes on only with the one node that was dialled.
#[derive(Debug)]
pub(crate) struct ServerVerifier {
    trust: Arc<Trust>,
    expected: UriName,
    /// Whose node `expected` is.
    member: String,
    shown: Arc<Shown>,
    provider: Arc<CryptoProvider>,
}

impl ServerVerifier {
    pub(crate) fn new(
        trust: Arc<Trust>,
        expected: UriName,
        member: &str,
        shown: Arc<Shown>,
    ) -> Self {
        Self {
            trust,
            expected,
            member: member.to_owned(),
            shown,
            provider: provider(),
        }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let found = verify_peer(&self.trust, end_entity, intermediates, now, Usage::Server)
            .map_err(alert)?;
        if found != self.expected {
            let name = Box::new(self.expected.clone());
            return Err(alert(TlsError::NotOurName {
                found: Box::new(found),
                name,
            }));
        }
        let (not_before_ms, not_after_ms) = facts_of(end_entity).map_err(alert)?;
        let facts = CertificateFacts {
            name: found,
            not_before_ms,
            not_after_ms,
        };
        self.shown.keep(&self.member, facts);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(PeerIncompatible::Tls12NotOfferedOrEnabled.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn verify_peer(
    trust: &Trust,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    now: UnixTime,
    usage: Usage,
) -> Result<UriName, TlsError> {
    let name = leaf_name(leaf)?;
    let domain = trust
        .domain(&name.trust_domain)
        .ok_or_else(|| TlsError::UnknownDomain {
            domain: name.trust_domain.clone(),
        })?;
    domain.verify(leaf, intermediates, now, usage)?;
    Ok(name)
}

/// The alert the peer gets where TLS has a word for it; our reason goes to our log.
fn alert(refused: TlsError) -> rustls::Error {
    if let TlsError::NotVouchedFor { why, .. } = &refused {
        if matches!(why, webpki::Error::CertExpired { .. }) {
            return CertificateError::Expired.into();
        }
        if matches!(why, webpki::Error::CertNotValidYet { .. }) {
            return CertificateError::NotValidYet.into();
        }
        let foreign = webpki::Error::InvalidSignatureForPublicKey;
        if *why == webpki::Error::UnknownIssuer || *why == foreign {
            return CertificateError::UnknownIssuer.into();
        }
    }
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}
