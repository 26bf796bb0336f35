//! The documents that `new` writes: every field that is read, each explained, with an invented
//! example. What may be left out, or does not go together with the rest, stands commented out.

use super::Kind;

/// A document of this kind with every field explained. The examples are invented; `exercise =
/// true` says so.
#[must_use]
pub fn scaffold(kind: Kind) -> String {
    let head = match kind {
        Kind::Report => REPORT,
        Kind::Indicator => INDICATOR,
        Kind::Order => ORDER,
        Kind::Decision => DECISION,
        Kind::Policy => return POLICY.to_owned(),
    };
    let mut text = head.to_owned();
    match kind {
        Kind::Report => {
            text.push_str(&ARTICLES.replace("CONSIGNMENT", CONSIGNMENT));
            text.push_str(&PARTIES.replace("KEY", "parties"));
            text.push_str(EXHIBITS);
        }
        Kind::Indicator => {
            text.push_str(&ARTICLES.replace("CONSIGNMENT", CONSIGNMENT));
            text.push_str(&PARTIES.replace("KEY", "parties"));
        }
        Kind::Order => {
            text.push_str(RESPONDENTS_NOTE);
            text.push_str(&PARTIES.replace("KEY", "respondents"));
            text.push_str(RELATED);
            text.push_str(&ARTICLES.replace("CONSIGNMENT", NO_CONSIGNMENT));
            text.push_str(FURTHER_ARTICLES);
            text.push_str(CARVE_OUTS);
            text.push_str(AUTHORISED);
            text.push_str(&RIGHTS.replace("KEY", "rights"));
        }
        Kind::Decision => text.push_str(&RIGHTS.replace("KEY", "local_rights")),
        Kind::Policy => {}
    }
    text
}

const REPORT: &str = r#"# An investigator's report: a signed claim. It blocks nothing by itself.
# Name no natural persons: what stands in a log cannot be taken back.
# What is not called needed may be left out; `lint` says what readers abroad then miss.

# Needed. How it may be passed on (Traffic Light Protocol 2.0): clear or green. What is above
# travels sealed, which is not built yet.
tlp = "green"
# Needed. infringement or licence_diversion. (espionage, procurement_attempt and insider wait for
# sealing.)
kind = "infringement"
# Needed. One line.
title = "EXERCISE: copied charger sold under a false item number"
# Needed. What was found, how, and what makes you sure.
narrative = """
EXERCISE. Twelve chargers bought from an online shop carry the item number of a genuine product.
"""
# Needed. Admiralty code of the source, A (completely reliable) to F (cannot be judged).
source_reliability = "B"
# Needed. Admiralty code of the content, 1 (confirmed) to 6 (cannot be judged).
credibility = 2
# Needed. When it was collected: a date (midnight UTC) or an instant with its offset.
collected = 2026-11-20
# What you ask the other members to do.
requested_action = "Look for the item number and tell us what you find."
# true when invented for an exercise. Every view shows it.
exercise = true
# Statements cited, by name (US-2026-0007) or as MEMBER:STATEMENT_ID.
refs = []
# The year's running number; left out, the node is asked for the next free one.
# number = 7
"#;

const INDICATOR: &str = r#"# An indicator: a matchable fact. By itself it blocks nothing.
# What is not called needed may be left out; `lint` says what readers abroad then miss.

# Needed. How it may be passed on (Traffic Light Protocol 2.0): clear or green.
tlp = "green"
# Needed. product. (espionage and insider wait for sealing.)
kind = "product"
# Needed. One line.
title = "EXERCISE: false item number on chargers"
# Needed. How sure: low, moderate or high.
confidence = "moderate"
# Needed. After this it counts for nothing: a date (midnight UTC) or an instant with its offset.
valid_until = 2027-05-31
# true when invented for an exercise. Every view shows it.
exercise = true
# The report it comes from, by name (US-2026-0007) or as MEMBER:STATEMENT_ID.
refs = []
# The year's running number; left out, the node is asked for the next free one.
# number = 8
"#;

const ORDER: &str = r#"# An exclusion order: a draft, not in force, until two officers sign.
# What is not called needed may be left out; `lint` says what readers abroad then miss.

# Needed. How it may be passed on (Traffic Light Protocol 2.0): clear or green.
tlp = "clear"
# Needed. Docket number as the authority writes it.
case_ref = "337-TA-0000"
# Needed. One line.
title = "EXERCISE: Certain Chargers"
# Needed. us_337_leo, us_337_geo, us_337_teo, eu_union_afa, eu_national_afa, uk_afa,
# jp_import_suspension, kr_ktc_corrective, kr_ktc_provisional, tw_detention,
# ca_request_for_assistance, au_notice_of_objection, court_injunction or ex_officio_hold.
instrument = "us_337_geo"
# Needed. limited: binds the named respondents, so article and party must both match. general:
# binds the article.
scope = "general"
# Needed. temporary (needs `until`), review or final.
phase = "final"
# Needed. In force from here: a date (midnight UTC) or an instant with its offset.
from = 2026-11-22
# Not in force from here on; left out, until the issuer ends it.
until = 2031-11-22
# true when the goods are counterfeits: their copied item number then never holds genuine goods.
counterfeit = false
# What may be published about it.
summary = "EXERCISE. Invented order on an invented product."
# Only for trade secrets and like claims without a right: why there is none.
no_right_reason = ""
# Which movements it bars: import, export, transit, re_export, ftz_admission. None: import only.
directions = ["import"]
# Limited orders: who is bound beside the named respondents, if its text says so: affiliate, parent,
# subsidiary, licensee, contractor, successor, assign. The firms stand in [[related]]. None: nobody.
# relations = ["affiliate"]
# Goods that contain the barred article: none are barred, listed (those that the articles list), or
# any.
downstream = "none"
# Under which terms an importer may certify that goods are not covered; empty when none may.
certification = ""
# While the order is reviewed, goods may enter under bond, which is not a hold: amount and terms
# (text), and until when.
# bond = { text = "100 percent of entered value", until = 2027-01-21 }
# How much of past trade it would have touched: over 0.1 % is over-broad, and other members may
# review it for that. As `tocsin order simulate` prints it: lines tried, and hits among them.
# breadth = { lines = 1000000, hits = 12 }
# true when it is no real act. Every view shows it.
exercise = true
# Reports it rests on, by name (US-2026-0007) or as MEMBER:STATEMENT_ID.
refs = []
# The year's running number; left out, the node is asked for the next free one.
# number = 412
"#;

const DECISION: &str = r#"# A decision of this jurisdiction on another member's order.
# What is not called needed may be left out; readers abroad then miss it.

# Needed. How it may be passed on (Traffic Light Protocol 2.0): clear or green.
tlp = "green"
# Needed. The order decided on.
order = "US-2026-0412"
# Needed. adopt and extend need two officers; hold, pause, end, review, flag, inform, decline and
# not_competent one.
kind = "adopt"
# The law it rests on here. Needed to adopt, hold and extend.
basis = "Regulation (EU) No 608/2013, Article 17"
# Why.
reason = "EXERCISE. A registered mark in force here covers the goods."
# hold and extend: when it ends by itself. The end is a release.
# until = 2026-12-22
# Statements cited, by name or as MEMBER:STATEMENT_ID.
refs = []
"#;

const POLICY: &str = r#"# A policy pack: by which rules we decide on others' orders.
# Two officers sign.
# The first rule whose every field matches decides; none means review. `*` matches everything, and
# so does a field of a rule that is left out.

# What the pack is.
[meta]
# Needed. Whose rules these are.
jurisdiction = "DE"
# Needed. Counts up with each pack.
version = 1
# Needed. In force from this instant (UTC), for orders judged after it.
valid_from = "2026-11-22T00:00:00Z"
# The calendar that working days are counted by.
calendar = "DE"

# One rule.
[[rule]]
# Needed. Named in every decision made by it.
id = "counterfeit-marks"
# Member that issued the order.
issuer = "us"
# As in an order document.
instrument = "*"
# Every right of the order has this kind.
right_kind = "trade_mark"
# limited or general.
scope = "*"
# claimed: the order names a right in our own register. none: it does not.
local_right = "*"
# Needed. review, flag, inform, hold, adopt, decline or not_competent.
then = "flag"
# The law it rests on here. Needed to hold and to adopt.
basis = "Regulation (EU) No 608/2013, Article 18"

# A rule that holds: it ends by itself.
# [[rule]]
# id = "patents-held"
# right_kind = "patent"
# then = "hold"
# Only with hold, and needed there: how many days of 24 hours, 1 to 366.
# hold_days = 14
# basis = "Regulation (EU) No 608/2013, Article 18"

# A rule that adopts: only for one kind of right that our own law recognises without a register
# here, such as Union-wide rights.
# [[rule]]
# id = "union-marks"
# issuer = "eu"
# right_kind = "trade_mark"
# then = "adopt"
# Only with adopt, and needed there: this kind of right of this issuer is in force here as well.
# recognised = true
# basis = "Regulation (EU) No 608/2013, Article 10"

# What the node watches beside the rules.
[limits]
# More orders than this from one issuer on one day go to review.
orders_per_issuer_per_day = 50
# An order that matches more than this share of recent goods goes to review: above 0, up to 1.
# breadth_share = 0.01
# Where the copy of the issuer's log is older than this many hours, the advice is review.
mirror_age_hours = 48
"#;

const ARTICLES: &str = r#"
# The goods. One [[articles]] for each kind of goods.
[[articles]]
# Needed. In words, as the authority writes them.
description = "certain EXERCISE chargers"
# Each selector is one fact by which a consignment can be matched.
selectors = [
  # GTIN: 8, 12, 13 or 14 digits with check digit.
  { gtin = "4006381333931" },
  # Part or model number. With 5 or more characters it decides, shorter it suggests.
  { model = "LX-4410/B" },
  # Model numbers of one form (model_pattern): ? is any character, * any number of any, [A-F] one
  # of a class, {100-299} a number of as many digits. There is nothing else.
  # { model_pattern = "LX-44[12]?/*" },
  # Serial numbers LX000100 to LX000199: the prefix, then low to high, each of `width` digits.
  { serial = { prefix = "LX", low = 100, high = 199, width = 6 } },
  # Batch or lot number. Only suggests.
  # { batch = "L-2026-11" },
  # Tariff code (hs), 2, 4 or 6 digits, with its edition (2017, 2022 or 2028). Never enough alone.
  { hs = "8504.40", edition = 2022 },
  # A country's own tariff code, 8 to 10 digits: whose (jurisdiction), and the year (edition).
  # { tariff = "8504.40.9510", jurisdiction = "US", edition = 2026 },
  # Brand or sign on the goods. Only suggests.
  # { brand = "EXEMPLA" },
  # Country of origin, two letters. Never enough alone.
  # { origin = "CN" },
  # Words that describe the goods together, and their language. Never enough alone.
  # { description = ["usb", "charger"], language = "en" },
  # A picture of the goods as a hash of 64 bits, 16 hexadecimal digits; kind: phash or dhash.
  # { image = "d1c4e0f0b8a49692", kind = "phash" },
  # Where they are offered: a web address, or MARKETPLACE:ID. Only suggests.
  # { listing = "https://shop.example/item/42" },
CONSIGNMENT]
"#;

/// For what lasts no longer than a voyage.
const CONSIGNMENT: &str = r#"  # Freight container, with check digit. Another's goods after 90 days.
  # { container = "CSQU3054383" },
  # Transport document, by its kind: bill_of_lading or air_waybill. Another's goods after 90 days.
  # { transport = "180-53925023", kind = "air_waybill" },
"#;

const NO_CONSIGNMENT: &str = "  # An order that ends within 90 days may name a container or \
                              transport document, as in\n  # tocsin report new --stdout.\n";

const FURTHER_ARTICLES: &str = r#"
# Where there are more than fit a statement (12 KiB): the same fields, kept in a body that is never
# erased.
# [[further_articles]]
# description = "further chargers"
# selectors = [{ model = "LX-4411" }]
"#;

const RESPONDENTS_NOTE: &str = "
# Limited orders: whom they bind. General orders: for information. A respondent is not a
# wrongdoer.";

const PARTIES: &str = r#"
# One [[KEY]] for each firm, body or vessel.
[[KEY]]
# company, state_body or vessel; company when left out. Natural persons wait for sealing.
kind = "company"
# Needed. Primary name first, then other names and scripts.
names = ["Exempla Nonesuch Trading Ltd"]
# ISO 3166-1 alpha-2; empty when not known.
country = ""
# Identifiers decide, names only suggest.
identifiers = [
  # Legal entity identifier: 20 letters and digits.
  # { lei = "0000EXEMPLA000000070" },
  # Economic operator's number in the EU or UK: country, then up to 15 letters and digits.
  # { eori = "DE1234567" },
  # Manufacturer code (mid) as in a US entry summary.
  # { mid = "JPEXENON12TOK" },
  # Importer's number in a country's register (scheme): us, jp, kr or cn.
  # { importer = "12-3456789", scheme = "us" },
  # D-U-N-S number (duns), 9 digits.
  # { duns = "15-048-3782" },
  # IMO number of a vessel.
  # { vessel = "9074729" },
]
"#;

const RELATED: &str = r#"
# Firms in a relation that the order binds, each for as long as that is known.
# [[related]]
# Needed. One of `relations`.
# relation = "affiliate"
# Needed. Of whom: the respondent's first name, or #1 for the first.
# of = "Exempla Nonesuch Trading Ltd"
# Further fields as in [[respondents]].
# names = ["Exempla Nonesuch Logistics Ltd"]
# country = "HK"
# Since when; left out, always.
# from = 2026-01-01
# Until when; left out, until further notice.
# until = 2028-01-01
"#;

const CARVE_OUTS: &str = r#"
# What passes although the order would bar it. Goods pass that meet every part of one.
# [[carve_outs]]
# Needed. service_repair, licensed_source, parallel_import, government_use, personal_luggage,
# certified_redesign, low_value, research_sample, grandfathered_stock or date_window.
# kind = "certified_redesign"
# Needed. In the order's words.
# text = "EXERCISE. Chargers of the redesign ruled on in the advisory opinion"
# By what the goods are known, any of them; left out, all goods of the order.
# selectors = [{ model = "LX-4410/C" }]
# Whose goods, any of them; left out, anybody's.
# parties = [{ names = ["Exempla Redesign Ltd"] }]
# Since when goods pass; left out, since the order.
# from = 2026-12-01
# Until when goods pass; left out, as long as the order.
# until = 2030-12-01
"#;

const AUTHORISED: &str = r#"
# Who may import the genuine goods; as in [[respondents]]. It is as important as what is barred.
# [[authorised]]
# names = ["Exempla Genuine Imports Ltd"]
# country = "US"
"#;

const EXHIBITS: &str = r#"
# Evidence. The file is hashed here and stays with you; only its digest is said.
# [[exhibits]]
# Needed. Where the file lies, seen from this document.
# file = "photo-01.jpg"
# Needed. Its media type.
# media_type = "image/jpeg"
# What readers call it; the file's own name when left out.
# name = "label, close up"

# Where the file is not at hand, its digest and length stand in its place.
# [[exhibits]]
# SHA-256, 64 hexadecimal digits.
# sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
# Its length in bytes.
# length = 48213
# media_type = "application/pdf"
# name = "laboratory report"
"#;

const RIGHTS: &str = r#"
# The rights it rests on. One [[KEY]] for each.
[[KEY]]
# Needed. patent, utility_model, design, trade_mark, copyright, geographical_indication,
# plant_variety, supplementary_protection, topography, trade_name, trade_secret or trade_dress.
kind = "trade_mark"
# Needed. The register, by WIPO ST.3 code: US, DE, EM, ...
office = "DE"
# Registration number as the register writes it.
number = "302026000000"
# Only where there is no number, and needed there: why.
missing_reason = ""
# Patents and their like only: the claims relied on.
claims = ""
"#;
