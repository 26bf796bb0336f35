//! Certificates of one member: its own CA, and under it the leaves of its node and its clients.
//!
//! P-256 keys, made here (FORMATS.md 1 and 9). A leaf names its holder by one URI, and by DNS name
//! and address for programs that know nothing else.

use std::net::IpAddr;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::{Mode, read_bounded, write_new};
use tocsin_cli::instant;
use tocsin_cli::keyfile::{fill_random, refuse_if_shared};

/// Life of a member's CA in days: ten years; it is pinned in the manifest.
const CA_DAYS: i64 = 3_652;
/// Life of a leaf in days: what browsers allow at most since 2020 (CA/Browser Forum SC31).
const LEAF_DAYS: i64 = 397;
/// How far back a certificate begins, for clocks that are behind.
const BACKDATE_DAYS: i64 = 1;
/// Longest PEM file of ours in bytes.
const MAX_PEM_BYTES: u64 = 65_536;
const DAY_MS: i64 = 86_400_000;

/// A certificate with its private key, both PEM.
#[expect(
    missing_debug_implementations,
    reason = "a secret must not reach a log or an error message"
)]
pub struct Pair {
    /// The certificate.
    pub cert: String,
    /// Its private key (PKCS #8).
    pub key: String,
}

impl Pair {
    /// Writes both as new files, the key for its owner alone.
    ///
    /// # Errors
    /// When one is there already or cannot be written.
    pub fn write(&self, cert: &Path, key: &Path) -> Result<(), Failure> {
        write_new(key, self.key.as_bytes(), Mode::Secret)?;
        write_new(cert, self.cert.as_bytes(), Mode::Public)
    }
}

/// Who may hold a leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder<'a> {
    /// The member's node, reached at this host name or address.
    Node {
        /// A DNS name or an IP address.
        host: &'a str,
    },
    /// A client of the member.
    Client {
        /// Its id.
        id: &'a str,
    },
}

/// Makes the CA of a trust domain (`<member>.<alliance>`).
///
/// # Errors
/// When the system gives no randomness, or the domain is no name.
pub fn new_ca(domain: &str) -> Result<Pair, Failure> {
    let key = new_key()?;
    let cert = ca_params(domain)?.self_signed(&key).map_err(cannot)?;
    Ok(Pair {
        cert: cert.pem(),
        key: key.serialize_pem(),
    })
}

/// Issues a leaf under the CA whose private key (PEM) is `ca_key`.
///
/// # Errors
/// When the key cannot be read, or a name is none.
pub fn issue(domain: &str, ca_key: &str, holder: &Holder<'_>) -> Result<Pair, Failure> {
    let ca_key = KeyPair::from_pem(ca_key).map_err(cannot)?;
    let issuer = Issuer::new(ca_params(domain)?, ca_key);
    let mut params = params(LEAF_DAYS)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let (uri, common) = match holder {
        Holder::Node { .. } => (format!("spiffe://{domain}/node"), domain.to_owned()),
        Holder::Client { id } => (
            format!("spiffe://{domain}/client/{id}"),
            format!("{id}.{domain}"),
        ),
    };
    params.distinguished_name.push(DnType::CommonName, common);
    params
        .subject_alt_names
        .push(SanType::URI(uri.try_into().map_err(cannot)?));
    if let Holder::Node { host } = holder {
        // A node also dials other nodes, so it is client and server.
        params
            .extended_key_usages
            .insert(0, ExtendedKeyUsagePurpose::ServerAuth);
        params.subject_alt_names.push(dns(domain)?);
        match host.parse::<IpAddr>() {
            Ok(address) => params.subject_alt_names.push(SanType::IpAddress(address)),
            Err(_) if *host != domain => params.subject_alt_names.push(dns(host)?),
            Err(_) => {}
        }
    }
    let key = new_key()?;
    let cert = params.signed_by(&key, &issuer).map_err(cannot)?;
    Ok(Pair {
        cert: cert.pem(),
        key: key.serialize_pem(),
    })
}

/// Reads a CA's private key, which nobody else may be able to read.
///
/// # Errors
/// When others can read it, or it is no text.
pub fn read_ca_key(path: &Path) -> Result<String, Failure> {
    refuse_if_shared(path)?;
    String::from_utf8(read_bounded(path, MAX_PEM_BYTES)?)
        .map_err(|_| Failure::usage(format!("{} is not PEM", path.display())))
}

/// The same every time for one domain, so that a leaf can be issued from the key alone.
fn ca_params(domain: &str) -> Result<CertificateParams, Failure> {
    let mut params = params(CA_DAYS)?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Tocsin CA of {domain}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn params(days: i64) -> Result<CertificateParams, Failure> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let today = instant::now_ms();
    let (year, month, day) = instant::utc_date(today - BACKDATE_DAYS * DAY_MS);
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = instant::utc_date(today + days * DAY_MS);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let mut serial = [0; 16];
    fill_random(&mut serial)?;
    // A serial number is a positive integer (RFC 5280 section 4.1.2.2).
    serial[0] &= 0x7f;
    params.serial_number = Some(SerialNumber::from_slice(&serial));
    Ok(params)
}

fn new_key() -> Result<KeyPair, Failure> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(cannot)
}

fn dns(name: &str) -> Result<SanType, Failure> {
    Ok(SanType::DnsName(name.try_into().map_err(cannot)?))
}

fn cannot(error: rcgen::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot make a certificate: {error}"))
}
