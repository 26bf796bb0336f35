//! Where an attack takes place: an address, and what the attackers hold.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;

use crate::attack::{By, payload};
use crate::network::{CLIENT, LABEL, Network};
use crate::tls::{Leaf, Pair, Target, issue};

/// Names that a member gives out freely.
const NAMES: u32 = 32;

/// The place of an attack.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Who is attacked.
    pub target: Target,
    /// With what the attacking node begins to follow.
    pub hello: Vec<u8>,
    /// Its cosignature of a root that the log never had.
    pub ack: Vec<u8>,
    nameless: Arc<ClientConfig>,
    client: Arc<ClientConfig>,
    node: Arc<ClientConfig>,
    member: Vec<Arc<ClientConfig>>,
}

impl Scene {
    /// The node of `at`, attacked by `by`, another member.
    ///
    /// # Panics
    /// When a certificate cannot be read.
    #[must_use]
    pub fn new(network: &Network, at: &str, by: &str) -> Self {
        let target = target(network, at);
        let home = &network.member(by).home;
        let read = |path| fs::read_to_string(path).expect("a PEM file");
        let domain = format!("{by}.{LABEL}");
        let ca_key = read(home.ca_key());
        let config = |pair: Option<&Pair>| {
            let mut config = target.config(pair, b"h2");
            // Each handshake costs what it costs.
            config.resumption = Resumption::disabled();
            Arc::new(config)
        };
        let member = (0..NAMES).map(|number| {
            let uri = format!("spiffe://{domain}/client/horde-{number}");
            let pair = issue(&domain, Some(&ca_key), Leaf::good(&[&uri]));
            config(Some(&pair))
        });
        let pair = |cert, key| Pair {
            cert: read(cert),
            key: read(key),
        };
        let client = pair(home.client_cert(CLIENT), home.client_cert_key(CLIENT));
        let node = pair(home.node_cert(), home.node_cert_key());
        Self {
            nameless: config(None),
            client: config(Some(&client)),
            node: config(Some(&node)),
            member: member.collect(),
            hello: payload::hello(network, by),
            ack: payload::false_ack(network, at, by),
            target,
        }
    }

    /// The same attackers at another address.
    #[must_use]
    pub fn elsewhere(&self, address: SocketAddr) -> Self {
        let mut other = self.clone();
        other.target.address = address;
        other
    }

    /// Where an attacker comes from: another loopback address than good clients, and strangers
    /// another than whoever is known.
    #[must_use]
    pub const fn from(&self, by: By) -> Ipv4Addr {
        match by {
            By::Stranger | By::Nameless => Ipv4Addr::new(127, 0, 0, 66),
            By::Client | By::Member | By::Node => Ipv4Addr::new(127, 0, 0, 67),
        }
    }

    /// With what certificate the attacker's `number`-th connection comes; none without TLS.
    #[must_use]
    pub fn config(&self, by: By, number: usize) -> Option<Arc<ClientConfig>> {
        match by {
            By::Stranger => None,
            By::Nameless => Some(Arc::clone(&self.nameless)),
            By::Client => Some(Arc::clone(&self.client)),
            By::Node => Some(Arc::clone(&self.node)),
            By::Member => {
                let at = number.checked_rem(self.member.len())?;
                self.member.get(at).cloned()
            }
        }
    }
}

/// A node as whoever speaks to it needs to know it.
///
/// # Panics
/// When the alliance has no such member.
#[must_use]
pub fn target(network: &Network, id: &str) -> Target {
    let tls = &network.alliance.member(id).expect("a member").tls;
    Target {
        address: ([127, 0, 0, 1], network.member(id).port).into(),
        domain: tls.trust_domain.clone(),
        ca_pem: tls.ca_pem.clone(),
    }
}
