//! Who is bound by an order, and who is let pass by it, one declared party after another.

use tocsin_core::order::Order;
use tocsin_core::party::Party;
use tocsin_core::product::Selector;
use tocsin_screen::line::{self, Line, MAX_LINE_VALUES, Role};

use crate::declared::{Number, Register, numbers};
use crate::matcher::Agreement;
use crate::names;

/// How the parties of a line and of an order agree.
#[derive(Clone, Copy, Debug)]
pub struct PartySide {
    pub agreement: Agreement,
    /// By a number that decides, and not by its name only.
    pub is_by_number: bool,
    pub is_contradicted: bool,
}

impl PartySide {
    /// How far it agrees where a name can be anybody's.
    pub fn by_number(&self) -> Agreement {
        if self.is_by_number && !self.is_contradicted {
            return self.agreement;
        }
        self.agreement.min(Agreement::Suggested)
    }
}

/// Who makes, sells, sends, buys or receives the goods; the others only file and carry.
pub fn is_bound(role: Role) -> bool {
    match role {
        Role::Importer
        | Role::Exporter
        | Role::Seller
        | Role::Buyer
        | Role::Manufacturer
        | Role::Consignee => true,
        Role::Declarant | Role::Carrier => false,
    }
}

/// Named respondents, and those related to them as far as the order binds them at that instant.
pub fn bound(order: &Order, line: &Line<'_>, at: i64) -> PartySide {
    let mut bound: Vec<&Party> = order.respondents.iter().collect();
    for related in &order.terms.related {
        let is_on = order.terms.relations.contains(&related.relation);
        let has_begun = related.from_ms <= at;
        let is_over = related.until_ms != 0 && related.until_ms <= at;
        if is_on && has_begun && !is_over {
            bound.push(&related.party);
        }
    }
    best(&bound, line, is_bound)
}

/// The best agreement of any of the parties with any declared one that has a role of these.
pub fn best(parties: &[&Party], line: &Line<'_>, has_role: impl Fn(Role) -> bool) -> PartySide {
    let mut best: Option<PartySide> = None;
    for declared in line.parties.iter().take(MAX_LINE_VALUES) {
        if !has_role(declared.role) {
            continue;
        }
        for party in parties {
            let found = compare(party, declared);
            let rank =
                |side: &PartySide| (side.agreement, !side.is_contradicted, side.is_by_number);
            if best.is_none_or(|best| rank(&found) > rank(&best)) {
                best = Some(found);
            }
        }
    }
    best.unwrap_or(PartySide {
        agreement: Agreement::Unsaid,
        is_by_number: false,
        is_contradicted: false,
    })
}

fn compare(party: &Party, declared: &line::Party<'_>) -> PartySide {
    let ours: Vec<(Register, String)> = party.identifiers.iter().filter_map(number).collect();
    let theirs = numbers(declared);
    let is_same = |(register, canonical): &(Register, String)| {
        theirs
            .iter()
            .any(|number| number.register == *register && number.canonical == *canonical)
    };
    let same: Vec<Register> = ours
        .iter()
        .filter(|n| is_same(n))
        .map(|(r, _)| *r)
        .collect();
    // The line says which register, and none of ours there is the number.
    let is_other = |number: &Number| {
        number.is_certain
            && ours.iter().any(|own| is_of_one_firm(own, number))
            && !same.contains(&number.register)
    };
    let is_contradicted = theirs.iter().any(is_other);
    let name = party
        .names
        .iter()
        .map(|name| names::agreement(name, declared.name))
        .max()
        .unwrap_or(Agreement::Unsaid);
    let by_number = if same.is_empty() {
        Agreement::Unsaid
    } else if same.iter().any(|register| register.decides()) {
        Agreement::Agrees
    } else {
        Agreement::Suggested
    };
    let agreement = if is_contradicted {
        by_number.max(name).min(Agreement::Suggested)
    } else {
        by_number.max(name)
    };
    // What nothing could be compared with may be anybody.
    let is_compared = (!party.names.is_empty() && !declared.name.is_empty())
        || !same.is_empty()
        || is_contradicted;
    let agreement = match agreement {
        Agreement::Unsaid | Agreement::Differs if is_compared => Agreement::Differs,
        Agreement::Unsaid | Agreement::Differs => Agreement::Unsaid,
        Agreement::Suggested | Agreement::Agrees => agreement,
    };
    PartySide {
        agreement,
        is_by_number: same.iter().any(|register| register.decides()),
        is_contradicted: is_contradicted && agreement >= Agreement::Suggested,
    }
}

/// Whether a firm has one number where these two are of: one LEI, one EORI in each customs
/// territory, one number in an importers' register. It has a code and a D-U-N-S for each site.
fn is_of_one_firm((register, canonical): &(Register, String), number: &Number) -> bool {
    *register == number.register
        && match register {
            Register::Lei | Register::Importer(_) => true,
            Register::Eori => canonical[..2] == number.canonical[..2],
            Register::Mid | Register::Duns => false,
        }
}

/// The register and number of an identifier that can be read.
pub fn number(identifier: &Selector) -> Option<(Register, String)> {
    let (register, text) = match identifier {
        Selector::Lei(text) => (Register::Lei, text),
        Selector::Eori(text) => (Register::Eori, text),
        Selector::Mid(text) => (Register::Mid, text),
        Selector::Duns(text) => (Register::Duns, text),
        Selector::Importer(number) => (Register::Importer(number.scheme), &number.number),
        Selector::Gtin(_)
        | Selector::Hs(_)
        | Selector::Model(_)
        | Selector::Serial(_)
        | Selector::Brand(_)
        | Selector::Tariff(_)
        | Selector::ModelPattern(_)
        | Selector::Batch(_)
        | Selector::Container(_)
        | Selector::Transport(_)
        | Selector::Vessel(_)
        | Selector::Listing(_)
        | Selector::Origin(_)
        | Selector::Description(_)
        | Selector::Image(_) => return None,
    };
    Some((register, register.form(text)?))
}
