//! Mutual TLS 1.3 between nodes and with clients.
//!
//! A certificate says which trust domain it belongs to; only the CA that the alliance pins for
//! that domain may vouch for it. There is no merged root store anywhere: in one, every member's CA
//! could speak for every member (SPIFFE federation section 7.3).
//!
//! Not here: what a peer may do (`identity.rs`), sockets and time limits (`listen.rs`).

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig, SignatureScheme};
use x509_parser::extensions::GeneralName;

use crate::clock::{WallClock, now_ms};
use crate::config::{ConfigError, TlsFiles, check_private, read_bounded};
use crate::identity::{Subject, UriName};
use crate::limits::{MAX_CHAIN_CERTIFICATES, MAX_PEM_BYTES};
use crate::verify::{ClientVerifier, ServerVerifier, Usage};

/// HTTP/2 is all that is spoken here.
pub const ALPN: &[u8] = b"h2";

/// Which CA vouches for which trust domain, and which member that is.
#[derive(Debug, Clone)]
pub struct Trust {
    domains: BTreeMap<String, TrustDomain>,
}

/// One member's trust domain.
#[derive(Debug, Clone)]
pub(crate) struct TrustDomain {
    pub(crate) member: String,
    pub(crate) anchors: Vec<rustls::pki_types::TrustAnchor<'static>>,
}

/// What the alliance file says of one member's TLS.
#[derive(Debug, Clone, Copy)]
pub struct TrustEntry<'a> {
    /// The member's id.
    pub member: &'a str,
    /// Its trust domain, `<member>.<alliance>`.
    pub trust_domain: &'a str,
    /// Its CA certificate, PEM.
    pub ca_pem: &'a str,
}

impl Trust {
    /// Takes up the CAs of all members.
    ///
    /// # Errors
    /// A trust domain twice, or a CA certificate that cannot be read.
    pub fn new<'a>(entries: impl IntoIterator<Item = TrustEntry<'a>>) -> Result<Self, TlsError> {
        let mut domains = BTreeMap::new();
        for entry in entries {
            let bad = |why: &dyn fmt::Display| TlsError::BadCa {
                member: entry.member.to_owned(),
                why: why.to_string(),
            };
            if entry.ca_pem.len() > MAX_PEM_BYTES {
                return Err(bad(&"longer than the limit"));
            }
            let mut anchors = Vec::new();
            for certificate in CertificateDer::pem_slice_iter(entry.ca_pem.as_bytes()) {
                let certificate = certificate.map_err(|why| bad(&why))?;
                let anchor = webpki::anchor_from_trusted_cert(&certificate);
                anchors.push(anchor.map_err(|why| bad(&why))?.to_owned());
            }
            if anchors.is_empty() || anchors.len() > MAX_CHAIN_CERTIFICATES {
                return Err(bad(&"no certificate in it, or too many"));
            }
            let domain = TrustDomain {
                member: entry.member.to_owned(),
                anchors,
            };
            if domains
                .insert(entry.trust_domain.to_owned(), domain)
                .is_some()
            {
                let domain = entry.trust_domain.to_owned();
                return Err(TlsError::DomainTwice { domain });
            }
        }
        Ok(Self { domains })
    }

    /// The CAs that an alliance file pins.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of(alliance: &tocsin_core::roster::Alliance) -> Result<Self, TlsError> {
        Self::new(alliance.members().map(|member| TrustEntry {
            member: &member.id,
            trust_domain: &member.tls.trust_domain,
            ca_pem: &member.tls.ca_pem,
        }))
    }

    /// The member whose trust domain this is.
    #[must_use]
    pub fn member_of(&self, trust_domain: &str) -> Option<&str> {
        self.domains
            .get(trust_domain)
            .map(|domain| domain.member.as_str())
    }

    /// The trust domain of a member.
    #[must_use]
    pub fn domain_of(&self, member: &str) -> Option<&str> {
        self.domains
            .iter()
            .find(|(_, domain)| domain.member == member)
            .map(|(name, _)| name.as_str())
    }

    pub(crate) fn domain(&self, trust_domain: &str) -> Option<&TrustDomain> {
        self.domains.get(trust_domain)
    }
}

/// The node's certificate and what it trusts; certificates are replaced while it runs.
pub struct NodeTls {
    files: TlsFiles,
    trust: Arc<Trust>,
    shown: Arc<Shown>,
    current: Arc<Current>,
    server: Arc<ServerConfig>,
}

impl fmt::Debug for NodeTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeTls")
            .field("name", &self.certificate().name)
            .finish_non_exhaustive()
    }
}

/// What there is to know of a certificate: of ours that was taken up, or of another node's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Its URI name.
    pub name: UriName,
    /// When it begins (unix ms).
    pub not_before_ms: i64,
    /// When it ends (unix ms).
    pub not_after_ms: i64,
}

impl NodeTls {
    /// Reads certificate and key and checks them as a peer would.
    ///
    /// # Errors
    /// Whatever would make peers refuse them later: see [`TlsError`].
    pub fn load(files: TlsFiles, member: &str, trust: Trust) -> Result<Self, TlsError> {
        let domain = trust
            .domain_of(member)
            .ok_or_else(|| TlsError::NotInAlliance {
                member: member.to_owned(),
            })?;
        let name = UriName::node(domain);
        let trust = Arc::new(trust);
        let (key, facts) = read_identity(&files, &name, &trust)?;
        let current = Arc::new(Current {
            key: ArcSwap::from_pointee(key),
            facts: ArcSwap::from_pointee(facts),
        });
        let server = Arc::new(server_config(Arc::clone(&current), Arc::clone(&trust))?);
        Ok(Self {
            files,
            trust,
            shown: Arc::default(),
            current,
            server,
        })
    }

    /// Reads the files again; new connections use the new certificate from then on.
    ///
    /// # Errors
    /// As [`Self::load`]; the old certificate then stays in use.
    pub fn reload(&self) -> Result<CertificateFacts, TlsError> {
        let name = self.certificate().name;
        let (key, facts) = read_identity(&self.files, &name, &self.trust)?;
        self.current.key.store(Arc::new(key));
        self.current.facts.store(Arc::new(facts.clone()));
        Ok(facts)
    }

    /// The certificate in use now.
    #[must_use]
    pub fn certificate(&self) -> CertificateFacts {
        self.current.facts.load().as_ref().clone()
    }

    /// The certificate that the node of `member` last showed when it was dialled.
    pub(crate) fn shown_by(&self, member: &str) -> Option<CertificateFacts> {
        self.shown.by(member)
    }

    /// Whom this node trusts.
    #[must_use]
    pub const fn trust(&self) -> &Arc<Trust> {
        &self.trust
    }

    /// The configuration of the listener.
    #[must_use]
    pub const fn server(&self) -> &Arc<ServerConfig> {
        &self.server
    }

    /// The configuration for dialling the node of `member` and nobody else.
    ///
    /// # Errors
    /// [`TlsError::NotInAlliance`].
    pub fn client(&self, member: &str) -> Result<Arc<ClientConfig>, TlsError> {
        let domain = self
            .trust
            .domain_of(member)
            .ok_or_else(|| TlsError::NotInAlliance {
                member: member.to_owned(),
            })?;
        let expected = UriName::node(domain);
        let (trust, shown) = (Arc::clone(&self.trust), Arc::clone(&self.shown));
        let verifier = ServerVerifier::new(trust, expected, member, shown);
        let mut config = ClientConfig::builder_with_details(provider(), Arc::new(WallClock))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::<Current>::clone(&self.current));
        config.alpn_protocols = vec![ALPN.to_vec()];
        // A resumed session would skip the look at the peer's certificate.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    }
}

/// The name in a peer's certificate that the handshake has verified, and the member it belongs to.
///
/// # Errors
/// As in the handshake; it cannot fail for a connection that passed it.
pub fn verified_peer(
    trust: &Trust,
    certificates: Option<&[CertificateDer<'_>]>,
) -> Result<(String, Subject), TlsError> {
    let leaf = certificates
        .and_then(<[_]>::first)
        .ok_or(TlsError::NoCertificate)?;
    let name = leaf_name(leaf)?;
    let member = trust
        .member_of(&name.trust_domain)
        .ok_or_else(|| TlsError::UnknownDomain {
            domain: name.trust_domain.clone(),
        })?;
    Ok((member.to_owned(), name.subject))
}

/// aws-lc-rs, the hybrid post-quantum group first, TLS 1.3 suites only.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.kx_groups = vec![
        aws_lc_rs::kx_group::X25519MLKEM768,
        aws_lc_rs::kx_group::X25519,
        aws_lc_rs::kx_group::SECP256R1,
    ];
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_some());
    Arc::new(provider)
}

fn server_config(current: Arc<Current>, trust: Arc<Trust>) -> Result<ServerConfig, TlsError> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(WallClock))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(ClientVerifier::new(trust)))
        .with_cert_resolver(current);
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A resumed session would skip the look at the peer's certificate.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    Ok(config)
}

fn read_identity(
    files: &TlsFiles,
    name: &UriName,
    trust: &Trust,
) -> Result<(CertifiedKey, CertificateFacts), TlsError> {
    let most = u64::try_from(MAX_PEM_BYTES).unwrap_or(u64::MAX);
    let unreadable = |path: &Path, why: &dyn fmt::Display| TlsError::BadFile {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let pem = read_bounded("tls.cert", &files.cert, most)?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|why| unreadable(&files.cert, &why))?;
    let (leaf, rest) = chain.split_first().ok_or(TlsError::NoCertificate)?;
    if chain.len() > MAX_CHAIN_CERTIFICATES {
        return Err(unreadable(&files.cert, &"more certificates than the limit"));
    }
    check_private("tls.key", &files.key)?;
    let pem = read_bounded("tls.key", &files.key, most)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|why| unreadable(&files.key, &why))?;

    let found = leaf_name(leaf)?;
    if found != *name {
        return Err(TlsError::NotOurName {
            found: Box::new(found),
            name: Box::new(name.clone()),
        });
    }
    let domain = trust
        .domain(&name.trust_domain)
        .ok_or_else(|| TlsError::UnknownDomain {
            domain: name.trust_domain.clone(),
        })?;
    let now = u64::try_from(now_ms()).unwrap_or_default();
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_millis(now));
    for usage in [Usage::Server, Usage::Client] {
        domain.verify(leaf, rest, now, usage)?;
    }
    let (not_before_ms, not_after_ms) = facts_of(leaf)?;
    let key = CertifiedKey::from_der(chain.clone(), key, &provider()).map_err(|why| {
        TlsError::KeyDoesNotFit {
            why: why.to_string(),
        }
    })?;
    Ok((
        key,
        CertificateFacts {
            name: found,
            not_before_ms,
            not_after_ms,
        },
    ))
}

/// The one URI name of a leaf certificate.
pub(crate) fn leaf_name(leaf: &CertificateDer<'_>) -> Result<UriName, TlsError> {
    let (rest, certificate) =
        x509_parser::parse_x509_certificate(leaf).map_err(|_| TlsError::Unparsable)?;
    if !rest.is_empty() {
        return Err(TlsError::Unparsable);
    }
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| TlsError::Unparsable)?
        .ok_or(TlsError::NotOneUri { count: 0 })?;
    let mut uris = Vec::new();
    for name in &names.value.general_names {
        if let GeneralName::URI(uri) = name {
            uris.push(*uri);
        }
        if matches!(name, GeneralName::Invalid(..)) {
            return Err(TlsError::Unparsable);
        }
    }
    let [uri] = uris.as_slice() else {
        return Err(TlsError::NotOneUri { count: uris.len() });
    };
    uri.parse().map_err(|_| TlsError::BadUri)
}

/// When a certificate begins and ends (unix ms).
pub(crate) fn facts_of(leaf: &CertificateDer<'_>) -> Result<(i64, i64), TlsError> {
    let (_, certificate) =
        x509_parser::parse_x509_certificate(leaf).map_err(|_| TlsError::Unparsable)?;
    let validity = certificate.validity();
    let ms = |time: x509_parser::time::ASN1Time| time.timestamp().saturating_mul(1_000);
    Ok((ms(validity.not_before), ms(validity.not_after)))
}

/// The certificates that other members' nodes showed and their CAs vouched for: one each.
#[derive(Debug, Default)]
pub(crate) struct Shown(Mutex<BTreeMap<String, CertificateFacts>>);

impl Shown {
    pub(crate) fn keep(&self, member: &str, facts: CertificateFacts) {
        self.lock().insert(member.to_owned(), facts);
    }

    fn by(&self, member: &str) -> Option<CertificateFacts> {
        self.lock().get(member).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, CertificateFacts>> {
        // Each is put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The certificate in use: one for answering and for dialling.
struct Current {
    key: ArcSwap<CertifiedKey>,
    facts: ArcSwap<CertificateFacts>,
}

impl fmt::Debug for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Current").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.load_full())
    }
}

impl ResolvesClientCert for Current {
    fn resolve(
        &self,
        _root_hints: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(self.key.load_full())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Why a certificate, ours or a peer's, is not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TlsError {
    /// The file could not be read, or others can read it.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// The file is not what it should be.
    #[error("{path}: {why}; it must hold PEM")]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A member's CA in the alliance file cannot be used.
    #[error("the CA certificate of {member} in the alliance file cannot be used: {why}")]
    BadCa {
        /// Whose it is.
        member: String,
        /// What is wrong with it.
        why: String,
    },
    /// Two members claim one trust domain.
    #[error("the trust domain {domain} stands twice in the alliance file")]
    DomainTwice {
        /// The domain.
        domain: String,
    },
    /// The member is not in the alliance file.
    #[error("{member} is not a member with a trust domain in the alliance file")]
    NotInAlliance {
        /// The id that was looked for.
        member: String,
    },
    /// There is no certificate.
    #[error("no certificate")]
    NoCertificate,
    /// The certificate cannot be parsed.
    #[error("the certificate or a name in it cannot be parsed")]
    Unparsable,
    /// The certificate has no URI name, or several: then it does not say whose it is.
    #[error("the certificate has {count} URI names; it must have exactly one")]
    NotOneUri {
        /// How many it has.
        count: usize,
    },
    /// The URI name has not our form.
    #[error("the certificate's URI name is not spiffe://<member>.<alliance>/node or /client/<id>")]
    BadUri,
    /// No member of the alliance has that trust domain.
    #[error("no member of this alliance has the trust domain {domain}")]
    UnknownDomain {
        /// The domain it claims.
        domain: String,
    },
    /// The CA pinned for that trust domain does not vouch for it, now and for this use.
    #[error("the CA pinned for {member} does not vouch for the certificate: {why}")]
    NotVouchedFor {
        /// The member it claims to belong to.
        member: String,
        /// What the path validation found.
        why: webpki::Error,
    },
    /// A chain longer than we follow.
    #[error("the certificate comes with a chain of {count}")]
    LongChain {
        /// Certificates in it.
        count: usize,
    },
    /// The certificate is sound, but somebody else's.
    #[error("the certificate names {found}, expected {name}")]
    NotOurName {
        /// What it says.
        found: Box<UriName>,
        /// What it should say.
        name: Box<UriName>,
    },
    /// Certificate and key are no pair.
    #[error("tls.cert and tls.key do not belong together: {why}")]
    KeyDoesNotFit {
        /// What the comparison said.
        why: String,
    },
    /// rustls refused the configuration.
    #[error("TLS configuration: {0}")]
    Config(#[from] rustls::Error),
}
