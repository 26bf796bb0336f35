//! Who is calling: names in certificates, roles in `node.toml`.
//!
//! TLS grants connection, reading and submission; only record keys in manifests speak
//! (FORMATS.md 9). So nothing here decides what a statement says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use tonic::Request;

use crate::connection::Connection;
use crate::status::{Reason, Refusal};

/// Bytes of a URI name: a trust domain of 253, a path of 72, `spiffe://`.
pub const MAX_URI_BYTES: usize = 334;
/// Characters of a client's id.
pub const MAX_CLIENT_ID_CHARS: usize = 64;

/// What a client of this member may read and do, beside what TLS grants to all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A customs agency: watches notices, looks up.
    Agency,
    /// Writes reports and indicators.
    Investigator,
    /// Issues orders, decides.
    Officer,
    /// Runs the node.
    Operator,
    /// Reads the audit records.
    Auditor,
}

impl Role {
    /// All roles, by the words of `node.toml`.
    pub const ALL: [(&'static str, Self); 5] = [
        ("agency", Self::Agency),
        ("investigator", Self::Investigator),
        ("officer", Self::Officer),
        ("operator", Self::Operator),
        ("auditor", Self::Auditor),
    ];

    /// The role that `word` names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, role)| *role)
    }

    /// The word of `node.toml`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agency => "agency",
            Self::Investigator => "investigator",
            Self::Officer => "officer",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }
}

/// Roles of this member's own clients, by client id.
pub type Roles = BTreeMap<String, BTreeSet<Role>>;

/// A name as certificates carry it: `spiffe://<trust domain>/node` or `.../client/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UriName {
    /// The trust domain it claims; which member that is, the alliance file says.
    pub trust_domain: String,
    /// Whom it names there.
    pub subject: Subject,
}

/// Whom a name means inside its trust domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The member's node.
    Node,
    /// A client of the member.
    Client(String),
}

/// The URI is none of our two forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not spiffe://<member>.<alliance>/node or spiffe://<member>.<alliance>/client/<id>")]
pub struct BadUriName;

impl UriName {
    /// The name of a member's node.
    #[must_use]
    pub fn node(trust_domain: &str) -> Self {
        Self {
            trust_domain: trust_domain.to_owned(),
            subject: Subject::Node,
        }
    }
}

impl FromStr for UriName {
    type Err = BadUriName;

    fn from_str(uri: &str) -> Result<Self, BadUriName> {
        if uri.len() > MAX_URI_BYTES {
            return Err(BadUriName);
        }
        let rest = uri.strip_prefix("spiffe://").ok_or(BadUriName)?;
        let (trust_domain, path) = rest.split_once('/').ok_or(BadUriName)?;
        let domain_ok = !trust_domain.is_empty()
            && trust_domain
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-');
        if !domain_ok {
            return Err(BadUriName);
        }
        let subject = match path.strip_prefix("client/") {
            Some(id) if is_client_id(id) => Subject::Client(id.to_owned()),
            None if path == "node" => Subject::Node,
            Some(_) | None => return Err(BadUriName),
        };
        Ok(Self {
            trust_domain: trust_domain.to_owned(),
            subject,
        })
    }
}

impl fmt::Display for UriName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Node => write!(f, "spiffe://{}/node", self.trust_domain),
            Subject::Client(id) => write!(f, "spiffe://{}/client/{id}", self.trust_domain),
        }
    }
}

/// Lower-case letters, digits, `.`, `_` and `-`, starting with a letter or digit.
#[must_use]
pub fn is_client_id(id: &str) -> bool {
    let first_ok = id
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    first_ok
        && id.len() <= MAX_CLIENT_ID_CHARS
        && id.bytes().all(|b| {
            b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-')
        })
}

/// Who stands behind a connection, as its verified certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerIdentity {
    /// The node of a member.
    Node {
        /// The member's id.
        member: String,
    },
    /// A client of a member, this one or another.
    Client {
        /// The member whose client it is.
        member: String,
        /// The client's id there.
        id: String,
        /// Its roles; none for other members' clients, and for ours that `node.toml` lacks.
        roles: BTreeSet<Role>,
    },
}

impl PeerIdentity {
    /// The identity behind a verified name of `member`, seen from the node of `home`.
    #[must_use]
    pub fn new(member: &str, subject: &Subject, home: &str, roles: &Roles) -> Self {
        match subject {
            Subject::Node => Self::Node {
                member: member.to_owned(),
            },
            Subject::Client(id) => {
                let roles = if member == home {
                    roles.get(id).cloned().unwrap_or_default()
                } else {
                    BTreeSet::new()
                };
                Self::Client {
                    member: member.to_owned(),
                    id: id.clone(),
                    roles,
                }
            }
        }
    }

    /// The member it belongs to.
    #[must_use]
    pub fn member(&self) -> &str {
        match self {
            Self::Node { member } | Self::Client { member, .. } => member,
        }
    }

    /// The node of another member: the member's id.
    ///
    /// # Errors
    /// `NODE_ONLY` for clients.
    pub fn require_node(&self) -> Result<&str, Refusal> {
        match self {
            Self::Node { member } => Ok(member),
            Self::Client { .. } => Err(Refusal::of(Reason::NodeOnly)),
        }
    }

    /// The node of the very member that a message claims to speak for.
    ///
    /// # Errors
    /// `NODE_ONLY` for clients, `WRONG_MEMBER` for another member's node.
    pub fn require_node_of(&self, claimed: &str) -> Result<(), Refusal> {
        let member = self.require_node()?;
        if member != claimed {
            return Err(Refusal::of(Reason::WrongMember)
                .fact("certificate", member)
                .fact("message", claimed));
        }
        Ok(())
    }

    /// A client of the member that this node belongs to.
    ///
    /// # Errors
    /// `HOME_ONLY` for anybody else, nodes included.
    pub fn require_home(&self, home: &str) -> Result<(), Refusal> {
        match self {
            Self::Client { member, .. } if member == home => Ok(()),
            Self::Client { member, .. } | Self::Node { member } => {
                Err(Refusal::of(Reason::HomeOnly)
                    .fact("home", home)
                    .fact("caller", member))
            }
        }
    }

    /// A client of this member with `role`.
    ///
    /// # Errors
    /// `HOME_ONLY` as [`Self::require_home`], `ROLE_REQUIRED` without the role.
    pub fn require_role(&self, home: &str, role: Role) -> Result<(), Refusal> {
        self.require_home(home)?;
        match self {
            Self::Client { roles, .. } if roles.contains(&role) => Ok(()),
            Self::Client { .. } | Self::Node { .. } => {
                Err(Refusal::of(Reason::RoleRequired).fact("role", role.as_str()))
            }
        }
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { member } => write!(f, "{member}/node"),
            Self::Client { member, id, .. } => write!(f, "{member}/client/{id}"),
        }
    }
}

/// Who sends this request.
///
/// # Errors
/// `NO_IDENTITY` when it did not come over the listener's TLS.
pub fn identity<T>(request: &Request<T>) -> Result<&PeerIdentity, Refusal> {
    Ok(connection(request)?.identity())
}

/// The connection this request came over: identity, and when to say goodbye.
///
/// # Errors
/// `NO_IDENTITY` when it did not come over the listener's TLS.
pub fn connection<T>(request: &Request<T>) -> Result<&Connection, Refusal> {
    request
        .extensions()
        .get::<Connection>()
        .ok_or_else(|| Refusal::of(Reason::NoIdentity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_forms_of_names_are_read_and_written() {
        for uri in [
            "spiffe://de.demo.tocsin.example/node",
            "spiffe://de.a/client/zoll-1",
        ] {
            assert_eq!(uri.parse::<UriName>().unwrap().to_string(), uri);
        }
    }

    #[test]
    fn names_of_any_other_form_are_refused() {
        let long = format!("spiffe://de.a/client/{}", "x".repeat(65));
        for uri in [
            "",
            "https://de.a/node",
            "spiffe://de.a",
            "spiffe://de.a/",
            "spiffe:///node",
            "spiffe://de.a/node/",
            "spiffe://de.a/node?x=1",
            "spiffe://de.a/node#x",
            "spiffe://DE.a/node",
            "SPIFFE://de.a/node",
            "spiffe://user@de.a/node",
            "spiffe://de.a:443/node",
            "spiffe://de.a/client/",
            "spiffe://de.a/client/../node",
            "spiffe://de.a/client/a/b",
            "spiffe://de.a/client/A",
            "spiffe://de.a//node",
            "spiffe://de.a/%6eode",
            &long,
        ] {
            assert_eq!(uri.parse::<UriName>(), Err(BadUriName), "{uri}");
        }
    }

    #[test]
    fn roles_of_a_foreign_client_are_never_ours() {
        let roles: Roles = [("zoll".to_owned(), BTreeSet::from([Role::Operator]))].into();
        let subject = Subject::Client("zoll".to_owned());
        let home = PeerIdentity::new("de", &subject, "de", &roles);
        let foreign = PeerIdentity::new("us", &subject, "de", &roles);
        assert!(home.require_role("de", Role::Operator).is_ok());
        assert_eq!(
            home.require_role("de", Role::Officer).unwrap_err().code,
            "ROLE_REQUIRED"
        );
        assert_eq!(
            foreign.require_role("de", Role::Operator).unwrap_err().code,
            "HOME_ONLY"
        );
        assert_eq!(foreign.require_node().unwrap_err().code, "NODE_ONLY");
    }

    #[test]
    fn a_node_speaks_for_its_own_member_only_and_is_no_client() {
        let node = PeerIdentity::new("us", &Subject::Node, "de", &Roles::new());
        assert!(node.require_node_of("us").is_ok());
        assert_eq!(node.require_node_of("jp").unwrap_err().code, "WRONG_MEMBER");
        assert_eq!(node.require_home("de").unwrap_err().code, "HOME_ONLY");
    }

    #[test]
    fn a_request_without_a_connection_has_no_identity() {
        assert_eq!(identity(&Request::new(())).unwrap_err().code, "NO_IDENTITY");
    }
}
