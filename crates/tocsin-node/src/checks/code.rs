//! The names of the checks: stable, and each with its page for `tocsin explain`.

/// Which part of a node a check looks at; the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Certificates, keys, the alliance file.
    Identity,
    /// The other members' nodes.
    Network,
    /// Our own log and the mirrors.
    Log,
    /// What the node needs to serve, and what waits for people.
    Service,
}

impl Category {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Network, Self::Log, Self::Service];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Network => "network",
            Self::Log => "log",
            Self::Service => "service",
        }
    }
}

/// A check's stable name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Code {
    /// The certificate in use.
    NodeCertificate,
    /// The certificate that SIGHUP would take up.
    CertificateOnDisk,
    /// Our own CA.
    MemberCa,
    /// The modes of files that nobody else may read.
    PrivateFiles,
    /// The alliance file beside the one in use.
    AllianceFile,
    /// The stream from another member's node.
    PeerConnected,
    /// The certificate that it showed.
    PeerCertificate,
    /// The CA in its manifest.
    PeerCa,
    /// Its clock beside ours.
    PeerClock,
    /// Enough members for a quorum.
    QuorumConnected,
    /// Whether we sign our own log.
    LogSigning,
    /// Damage to what is stored.
    LogWhole,
    /// Evidence of two histories.
    LogOneHistory,
    /// Our mirrors beside what is known of the logs.
    LogCurrent,
    /// The registry beside the logs.
    LogApplied,
    /// Lasting bodies.
    BodiesHere,
    /// Room on the disk.
    DiskLeft,
    /// The rebuildable index.
    IndexSound,
    /// The policy pack in force.
    PolicyInForce,
    /// Holds that end by themselves.
    HoldsUndecided,
    /// Blocks in review.
    ReviewsWaiting,
    /// Statements that wait for a second officer.
    DraftsWaiting,
    /// Places for watchers of notices.
    WatchersLeft,
}

impl Code {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 23] = [
        Self::NodeCertificate,
        Self::CertificateOnDisk,
        Self::MemberCa,
        Self::PrivateFiles,
        Self::AllianceFile,
        Self::PeerConnected,
        Self::PeerCertificate,
        Self::PeerCa,
        Self::PeerClock,
        Self::QuorumConnected,
        Self::LogSigning,
        Self::LogWhole,
        Self::LogOneHistory,
        Self::LogCurrent,
        Self::LogApplied,
        Self::BodiesHere,
        Self::DiskLeft,
        Self::IndexSound,
        Self::PolicyInForce,
        Self::HoldsUndecided,
        Self::ReviewsWaiting,
        Self::DraftsWaiting,
        Self::WatchersLeft,
    ];

    /// The stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NodeCertificate => "NODE_CERTIFICATE",
            Self::CertificateOnDisk => "CERTIFICATE_ON_DISK",
            Self::MemberCa => "MEMBER_CA",
            Self::PrivateFiles => "PRIVATE_FILES",
            Self::AllianceFile => "ALLIANCE_FILE",
            Self::PeerConnected => "PEER_CONNECTED",
            Self::PeerCertificate => "PEER_CERTIFICATE",
            Self::PeerCa => "PEER_CA",
            Self::PeerClock => "PEER_CLOCK",
            Self::QuorumConnected => "QUORUM_CONNECTED",
            Self::LogSigning => "LOG_SIGNING",
            Self::LogWhole => "LOG_WHOLE",
            Self::LogOneHistory => "LOG_ONE_HISTORY",
            Self::LogCurrent => "LOG_CURRENT",
            Self::LogApplied => "LOG_APPLIED",
            Self::BodiesHere => "BODIES_HERE",
            Self::DiskLeft => "DISK_LEFT",
            Self::IndexSound => "INDEX_SOUND",
            Self::PolicyInForce => "POLICY_IN_FORCE",
            Self::HoldsUndecided => "HOLDS_UNDECIDED",
            Self::ReviewsWaiting => "REVIEWS_WAITING",
            Self::DraftsWaiting => "DRAFTS_WAITING",
            Self::WatchersLeft => "WATCHERS_LEFT",
        }
    }

    /// The part of the node that it looks at.
    #[must_use]
    pub const fn category(self) -> Category {
        match self {
            Self::NodeCertificate
            | Self::CertificateOnDisk
            | Self::MemberCa
            | Self::PrivateFiles
            | Self::AllianceFile => Category::Identity,
            Self::PeerConnected
            | Self::PeerCertificate
            | Self::PeerCa
            | Self::PeerClock
            | Self::QuorumConnected => Category::Network,
            Self::LogSigning
            | Self::LogWhole
            | Self::LogOneHistory
            | Self::LogCurrent
            | Self::LogApplied
            | Self::BodiesHere => Category::Log,
            Self::DiskLeft
            | Self::IndexSound
            | Self::PolicyInForce
            | Self::HoldsUndecided
            | Self::ReviewsWaiting
            | Self::DraftsWaiting
            | Self::WatchersLeft => Category::Service,
        }
    }

    /// What it looks at, and when it warns and fails; without a full stop.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        page(self).map_or("", |(_, meaning, _)| meaning)
    }

    /// What to do when it does not pass; without a full stop.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        page(self).map_or("", |(_, _, remedy)| remedy)
    }
}

fn page(code: Code) -> Option<&'static (Code, &'static str, &'static str)> {
    PAGES.iter().find(|(of, ..)| *of == code)
}

/// What each looks at, and what to do.
static PAGES: [(Code, &str, &str); 23] = [
    (
        Code::NodeCertificate,
        "The certificate that this node shows to everybody. Warns when less than a third of its \
         life is left, fails under a tenth",
        "Run `tocsin node certificate --dir DIR` and send the node SIGHUP",
    ),
    (
        Code::CertificateOnDisk,
        "The certificate in the file that tls.cert names. Warns when it is another than the one \
         in use, for the node has not taken it up; fails when it cannot be used",
        "Send the node SIGHUP to take it up; if it cannot be used, issue another with `tocsin \
         node certificate --dir DIR`",
    ),
    (
        Code::MemberCa,
        "This member's certificate authority, pinned in its manifest. Warns when less than a \
         third of its life is left, fails under a tenth",
        "A new authority comes with a later version of the manifest; begin to plan it with the \
         other members now",
    ),
    (
        Code::PrivateFiles,
        "The files that hold private keys. Fails when anybody but their owner has any right on \
         one of them",
        "Run chmod 600 on it, and think about whether somebody has read the key",
    ),
    (
        Code::AllianceFile,
        "The alliance file on the disk. Fails when it names another alliance than the node runs \
         with, or cannot be read: the next start would end otherwise than this one",
        "Put the right alliance file back before the next start, and compare its fingerprint by \
         voice: `tocsin alliance show FILE`",
    ),
    (
        Code::PeerConnected,
        "The stream from another member's node, one check for each member. Warns in its first \
         minute without a connection, fails after that",
        "Read the reason. If it is on their side, tell them; if nobody is connected, look at \
         this node's own network, firewall and certificate",
    ),
    (
        Code::PeerCertificate,
        "The certificate that another member's node has shown. Warns when less than a third of \
         its life is left, fails under a tenth",
        "On their side: `tocsin node certificate --dir DIR`, then SIGHUP. Tell them",
    ),
    (
        Code::PeerCa,
        "Another member's certificate authority, as pinned in its manifest. Warns when less \
         than a third of its life is left, fails under a tenth",
        "A new authority comes with a later version of the manifest; begin to plan it with the \
         other members now",
    ),
    (
        Code::PeerClock,
        "The clock of another member's node beside ours. Statements dated more than 300 s ahead \
         are refused: warns at a tenth of that, fails at a third",
        "Whose clock is wrong has to set it: run an NTP client, and look at its state",
    ),
    (
        Code::QuorumConnected,
        "Whether enough members are connected for a quorum, this one counted. Below it no new \
         entry reaches the grade CONFIRMED",
        "See which members are not connected, under PEER_CONNECTED. Nobody needs to wait: \
         decisions and notices go on at the grade that there is",
    ),
    (
        Code::LogSigning,
        "Whether this node signs its own log. Warns while it prepares, or when an operator \
         overrode the rules of the start; fails when it is read-only or prepares for over a \
         minute",
        "Do what the reason says. Never restore an older copy over a node that has signed \
         since; read the runbook first",
    ),
    (
        Code::LogWhole,
        "Whether everything stored of a log is what was signed, one check for each log",
        "The node repairs it from the other members; leave it running and connected. If it \
         comes again, replace the disk",
    ),
    (
        Code::LogOneHistory,
        "Whether there is proof that a log's key signed two histories. Its later entries are \
         not taken, and what rests on it is in review",
        "Tell that member and all others by voice; its governance key must open a new \
         generation. Keep the evidence",
    ),
    (
        Code::LogCurrent,
        "Our copy of another member's log. Warns when it is behind for 30 s without growing, \
         fails after 5 min; and by the age that the policy pack allows: warns when less than a \
         third of it is left, fails when it is over",
        "See whether its member, or anybody who has the rest, is connected; the node's log says \
         why a batch was refused",
    ),
    (
        Code::LogApplied,
        "Whether the entries of a log are in the registry, from which everything is answered. \
         Warns when they wait for 30 s while none is taken, fails after 5 min",
        "Look at the node's log for a fault, then restart the node",
    ),
    (
        Code::BodiesHere,
        "Whether every lasting body has arrived. Until it has, its order is shown with \
         selectors missing, and look-ups answer review",
        "The node asks the other members for it; see that its author is connected, and ask them \
         to keep it available",
    ),
    (
        Code::DiskLeft,
        "Room on the disk of the data directory: what is free, as a share of that and of what \
         the node has used. Warns under a third or under 1 GiB, fails under a tenth or under \
         256 MiB",
        "Make room or enlarge the disk. Never delete anything under log/, local/ or blobs/",
    ),
    (
        Code::IndexSound,
        "The index beside the logs. Without it the node answers the same, only slower",
        "Restart the node: it builds the index again from the logs",
    ),
    (
        Code::PolicyInForce,
        "Whether this member has a policy pack in force. Without one every order of others goes \
         to review",
        "Two officers sign a pack: `tocsin policy new`, then lint, test, sign, cosign and \
         submit",
    ),
    (
        Code::HoldsUndecided,
        "Blocks of this jurisdiction that are held and end by themselves. Warns when less than \
         a third of a hold is left, fails under a tenth: after that the goods are released",
        "An officer decides: `tocsin pending`, then `tocsin decide`",
    ),
    (
        Code::ReviewsWaiting,
        "Blocks of this jurisdiction that wait for an officer and have no end. Warns when one \
         has waited for 30 days",
        "An officer decides: `tocsin pending`, then `tocsin decide`",
    ),
    (
        Code::DraftsWaiting,
        "Statements of this member that wait for a second officer. Warns when less than a third \
         is left of the time in which one can still be accepted, fails under a tenth",
        "A second officer signs: `tocsin pending`",
    ),
    (
        Code::WatchersLeft,
        "Places for watchers of notices. Warns when less than a third is left, fails under a \
         tenth: then agencies are turned away",
        "Let agencies watch at several nodes: a cursor is good at every member's node",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_stable_upper_snake_in_the_order_of_the_categories() {
        for code in Code::ALL {
            let word = code.word();
            let is_code = |c: char| c.is_ascii_uppercase() || c == '_';
            assert!(word.chars().all(is_code), "{word}");
            assert!(
                !code.meaning().is_empty() && !code.remedy().is_empty(),
                "{word}"
            );
            assert!(!code.meaning().ends_with('.') && !code.remedy().ends_with('.'));
            assert!(!code.meaning().contains("  ") && !code.remedy().contains("  "));
        }
        assert!(Code::ALL.is_sorted());
        assert!(Code::ALL.is_sorted_by_key(|code| code.category()));
    }

    #[test]
    fn no_code_means_something_else_as_a_reason() {
        for code in Code::ALL {
            let word = code.word();
            assert_eq!(tocsin_core::reason::Reason::from_code(word), None, "{word}");
            let mut reasons = crate::status::REASONS.iter();
            assert!(reasons.all(|reason| reason.code() != word), "{word}");
        }
    }
}
