//! What each example needs before it can be run. Whoever adds a command with an example adds a line
//! here only when the example needs more than a desk with keys, alliance file and contexts.

use crate::Example;

/// How a command comes to its end.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// By itself.
    Itself,
    /// It is told to, once this member's node serves.
    WhenServing(&'static str),
}

/// Where and after what an example is run.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// At whose node.
    pub(crate) at: &'static str,
    /// Lines typed before it. `@order` stands for a new order of the US, which takes the place of
    /// US-2026-0412 from there on.
    pub(crate) prepare: &'static [&'static str],
    /// Whether it asks a person, who says yes.
    pub(crate) asks: bool,
    /// How it ends.
    pub(crate) end: End,
    /// The form in which it answers machines: `json`, or `None` when it prints none: text made
    /// here, such as scripts and scaffolds, or a log.
    pub(crate) json: Option<&'static str>,
    /// Keys of that JSON whose values depend on which of several came first.
    pub(crate) chance: &'static [&'static str],
}

const PLAIN: Case = Case {
    at: "us",
    prepare: &[],
    asks: false,
    end: End::Itself,
    json: Some("json"),
    chance: &[],
};

/// The case of an example: of its own when it is the second or third of a command, else its
/// command's.
pub(crate) fn case(example: &Example) -> Case {
    let own = format!("{} #{}", example.command, example.place + 1);
    let find = |name: &str| CASES.iter().find(|(of, _)| *of == name);
    find(&own)
        .or_else(|| find(&example.command))
        .map_or(PLAIN, |(_, case)| *case)
}

const REPORT: &[&str] = &["tocsin report new report.toml"];
const SIGNED_REPORT: &[&str] = &[
    "tocsin report new report.toml",
    "tocsin report sign report.toml --key investigator.key",
];
const KNOWN_REPORT: &[&str] = &[
    "tocsin report new report.toml",
    "tocsin report show JP-2026-0007 -q || \
     (tocsin report sign report.toml --key investigator.key --number 7 && \
      tocsin report submit report.tsn)",
];
const INDICATOR: &[&str] = &["tocsin indicator new indicator.toml"];
const SIGNED_INDICATOR: &[&str] = &[
    "tocsin indicator new indicator.toml",
    "tocsin indicator sign indicator.toml --key investigator.key",
];
const KNOWN_INDICATOR: &[&str] = &[
    "tocsin indicator new indicator.toml",
    "tocsin indicator show JP-2026-0021 -q || \
     (tocsin indicator sign indicator.toml --key investigator.key --number 21 && \
      tocsin indicator submit indicator.tsn)",
];
const ORDER: &[&str] = &["tocsin order new order.toml"];
const SIGNED_ORDER: &[&str] = &[
    "tocsin order new order.toml",
    "tocsin order sign order.toml --key officer-1.key",
];
const COSIGNED_ORDER: &[&str] = &[
    "tocsin order new order.toml",
    "tocsin order sign order.toml --key officer-1.key --key officer-2.key",
];
const DRAFT_413: &[&str] = &[
    "tocsin order new order.toml",
    "sed -i 's/^# number = 412/number = 413/' order.toml",
    "tocsin order sign order.toml --key officer-1.key",
    "tocsin order submit order.tsn --yes",
];
const DRAFT_414: &[&str] = &[
    "tocsin order new order.toml",
    "sed -i 's/^# number = 412/number = 414/' order.toml",
    "tocsin order sign order.toml --key officer-1.key",
    "tocsin order submit order.tsn --yes",
];
const DRAFT_415: &[&str] = &[
    "tocsin order new order.toml",
    "sed -i 's/^# number = 412/number = 415/' order.toml",
    "tocsin order sign order.toml --key officer-1.key",
    "tocsin order submit order.tsn --yes",
];
/// What depends on who is connected at this moment, and on how far a statement has come.
const OF_THE_WAY: &[&str] = &[
    "remark",
    "certificate",
    "certificate_until",
    "connected",
    "fresh",
    "health",
    "told_waiting",
    "state",
    "status",
    "detail",
    "fix",
    "side",
    "since",
    "subject",
    "at",
    "when",
    "reason",
    "evidence",
    "verdict",
    "stopped_by",
];
const POLICY: &[&str] = &[
    "tocsin policy new policy.toml",
    "tocsin order new order.toml",
];
const SIGNED_POLICY: &[&str] = &[
    "tocsin policy new policy.toml",
    "tocsin policy sign policy.toml --key officer-1.key",
];
const COSIGNED_POLICY: &[&str] = &[
    "tocsin policy new policy.toml",
    "tocsin policy sign policy.toml --key officer-1.key --key officer-2.key",
];
const TWO_KEPT: &[&str] = &[
    "@order",
    "tocsin verify US-2026-0412 --save first.tsn",
    "@order",
    "tocsin verify US-2026-0412 --save US-2026-0412.tsn",
];
/// An order on which DE has decided: its entry must have come back, which takes a moment.
const DECIDED: &[&str] = &[
    "@order",
    "timeout 30 bash -c \
     'until tocsin trace US-2026-0412 --at DE | grep -q \"by rule\"; do :; done'",
];
/// A file of declarations, two of which an order of the desk and its scaffold are about.
const DECLARATIONS: &[&str] = &[FILE];
const FILE: &str = "printf 'MRN,Item,GTIN,Model,Description,Origin,Importer\\n\
     26DE1,1,4006381333931,,chargers,CN,Exempla Nonesuch Trading Ltd\\n\
     26DE2,1,,ZZ-1,ropes,JP,Musterfirma GmbH\\n26DE3,1,,HX-220B,lamps,CN,\\n' > declarations.csv";
const MAPPED: &[&str] = &[FILE, "tocsin screen mapping new declarations.csv"];
const SCREENED: &[&str] = &[FILE, "tocsin screen declarations.csv --out screened"];
const DRAFTED: &[&str] = &[FILE, "tocsin order new order.toml"];
const ADOPTABLE: &[&str] = &["@order", FILE];
const INIT_DE: &str = "tocsin init --member de --jurisdiction DE --name Zoll \
                       --alliance demo.tocsin.example --dir de --officer p-1 --officer p-2";
const INIT_US: &str = "tocsin init --member us --jurisdiction US --name CBP \
                       --alliance demo.tocsin.example --dir us --officer p-1 --officer p-2";
const NEW_ROSTER: &str = "tocsin alliance new us/member.json de/member.json -o roster.json";
const SIGN_ROSTER: &str =
    "tocsin alliance sign roster.json --key us/keys/gov.key --key de/keys/gov.key";

/// At this node, after these lines.
const fn at(at: &'static str, prepare: &'static [&'static str]) -> Case {
    Case {
        at,
        prepare,
        ..PLAIN
    }
}

/// The same for what asks a person.
const fn asks(at: &'static str, prepare: &'static [&'static str]) -> Case {
    Case {
        at,
        prepare,
        asks: true,
        ..PLAIN
    }
}

/// What prints no JSON.
const fn text(at: &'static str, prepare: &'static [&'static str]) -> Case {
    Case {
        at,
        prepare,
        json: None,
        ..PLAIN
    }
}

const CASES: &[(&str, Case)] = &[
    ("lookup", at("us", &["@order"])),
    ("block list", at("us", &["@order"])),
    ("block show", at("de", &["@order"])),
    ("block matrix", at("us", &["@order"])),
    (
        "notices watch",
        Case {
            prepare: &["@order"],
            chance: &[
                "articles",
                "respondents",
                "title",
                "until",
                "state",
                "reason",
            ],
            ..PLAIN
        },
    ),
    ("report lint", at("jp", REPORT)),
    ("report sign", at("jp", REPORT)),
    ("report submit", at("jp", SIGNED_REPORT)),
    ("report list", at("jp", &[])),
    ("report show", at("jp", KNOWN_REPORT)),
    ("indicator new", text("jp", &[])),
    ("indicator lint", at("jp", INDICATOR)),
    ("indicator sign", at("jp", INDICATOR)),
    ("indicator submit", at("jp", SIGNED_INDICATOR)),
    ("indicator list", at("jp", KNOWN_INDICATOR)),
    ("indicator show", at("jp", KNOWN_INDICATOR)),
    ("order lint", at("us", ORDER)),
    ("order sign", at("us", ORDER)),
    ("order cosign", asks("us", SIGNED_ORDER)),
    ("order submit", asks("us", COSIGNED_ORDER)),
    ("order list", at("us", &["@order"])),
    ("order show", at("us", &["@order"])),
    ("order suspend", asks("us", &["@order"])),
    (
        "order resume",
        asks(
            "us",
            &[
                "@order",
                "tocsin order suspend US-2026-0412 --reason stay --key officer-1.key --yes",
            ],
        ),
    ),
    (
        "order modify",
        asks("us", &["@order", "tocsin order new order.toml"]),
    ),
    (
        "order amend",
        asks("us", &["@order", "tocsin order new order.toml"]),
    ),
    ("order rescind", asks("us", &["@order"])),
    ("order withdraw", asks("us", &["@order"])),
    ("decide", asks("de", &["@order"])),
    ("lookup #3", at("us", SCREENED)),
    ("screen", at("us", DECLARATIONS)),
    ("screen #2", at("us", MAPPED)),
    ("screen mapping new", at("us", DECLARATIONS)),
    ("screen mapping test", at("us", MAPPED)),
    ("order simulate", at("us", DRAFTED)),
    ("block simulate", at("us", ADOPTABLE)),
    ("policy lint", at("de", POLICY)),
    ("policy test", at("de", POLICY)),
    ("policy sign", at("de", POLICY)),
    ("policy cosign", asks("de", SIGNED_POLICY)),
    ("policy submit", asks("de", COSIGNED_POLICY)),
    ("policy show", at("de", COSIGNED_POLICY)),
    ("pending", at("de", &["@order"])),
    ("pending show", at("us", DRAFT_413)),
    ("pending sign", asks("us", DRAFT_414)),
    ("pending discard", asks("us", DRAFT_415)),
    ("order text", at("us", &["@order"])),
    (
        "trace",
        Case {
            chance: OF_THE_WAY,
            ..at("us", DECIDED)
        },
    ),
    (
        "check",
        Case {
            chance: OF_THE_WAY,
            ..at("us", &[])
        },
    ),
    (
        "peer list",
        Case {
            chance: OF_THE_WAY,
            ..at("us", &[])
        },
    ),
    (
        "status",
        Case {
            chance: OF_THE_WAY,
            ..at("us", &[])
        },
    ),
    ("verify", at("us", &["@order"])),
    ("verify #2", at("us", TWO_KEPT)),
    ("verify #3", at("us", TWO_KEPT)),
    (
        "context previous",
        at("us", &["tocsin context use de", "tocsin context use us"]),
    ),
    ("context remove", asks("us", &[])),
    ("completion", text("us", &[])),
    ("man", text("us", &[])),
    ("help", text("us", &[])),
    // Their JSON is held by tests of their own.
    ("demo", text("us", &[])),
    ("bench ingest", text("us", &[])),
    ("bench catchup", text("us", &[])),
    ("bench propagation", text("us", &[])),
    ("bench screen", text("us", &[])),
    ("bench screen-service", text("us", &[])),
    ("bench start", text("us", &[])),
    ("bench terms", text("us", &[])),
    ("alliance new", at("us", &[INIT_US, INIT_DE])),
    ("alliance sign", at("us", &[INIT_US, INIT_DE, NEW_ROSTER])),
    (
        "alliance assemble",
        at(
            "us",
            &[INIT_US, INIT_DE, NEW_ROSTER, SIGN_ROSTER, "rm alliance.tsa"],
        ),
    ),
    ("key new", at("us", &[INIT_DE])),
    ("key list", at("us", &[INIT_DE])),
    ("client new", at("us", &[INIT_DE])),
    ("node certificate", at("us", &[INIT_DE])),
    ("node ready", at("de", &["ln -s \"$DE\" de"])),
    ("upgrade check", at("de", &["ln -s \"$DE\" de"])),
    (
        "node run",
        Case {
            prepare: &["ln -s \"$KR\" de"],
            end: End::WhenServing("kr"),
            json: None,
            ..PLAIN
        },
    ),
];
