//! The screener and the reference say the same of real declarations against real orders, and
//! against orders made so that the declarations meet them.

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::product::{HsCode, Selector, SerialRange, TransportDocument, TransportKind};
use tocsin_core::terms::Direction;
use tocsin_screen::index::Screen;
use tocsin_screen::line::Role;

use crate::fixture::{NOW, basis, company, general, in_force, limited, notice};
use crate::property;
use crate::row::{Register, Row, RowParty};

const LINES: &str = include_str!("../../../data/goods/hmrc_lines.csv");
const ORDERS: &str = include_str!("../../../data/orders337/exclusion_orders_dev.csv");

/// One row of a file, by the names of its columns.
type Cells = std::collections::BTreeMap<String, String>;

/// Reads a CSV file (RFC 4180) with a head.
fn table(text: &str) -> Vec<Cells> {
    let mut rows: Vec<Vec<String>> = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let row = rows.last_mut().unwrap();
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                row.last_mut().unwrap().push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\n' if !is_quoted => rows.push(vec![String::new()]),
            other => row.last_mut().unwrap().push(other),
        }
    }
    rows.retain(|row| row.len() > 1);
    let head = rows.remove(0);
    rows.into_iter()
        .map(|row| head.iter().cloned().zip(row).collect())
        .collect()
}

fn split(text: &str, by: char) -> Vec<String> {
    text.split(by)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The real declarations' lines.
fn lines() -> Vec<Row> {
    table(LINES).iter().map(line).collect()
}

fn line(cells: &Cells) -> Row {
    let roles = [
        ("importer", Role::Importer),
        ("exporter", Role::Exporter),
        ("declarant", Role::Declarant),
        ("buyer", Role::Buyer),
        ("seller", Role::Seller),
    ];
    let parties = roles.iter().filter_map(|(word, role)| {
        let (name, number) = (
            &cells[&format!("{word}_name")],
            &cells[&format!("{word}_id")],
        );
        (!name.is_empty() || !number.is_empty()).then(|| RowParty {
            identifiers: if number.is_empty() {
                vec![]
            } else {
                vec![(Register::Eori, number.clone())]
            },
            country: cells[&format!("{word}_country")].clone(),
            ..RowParty::named(*role, name)
        })
    });
    Row {
        direction: cells["type"].starts_with("EX").then_some(Direction::Export),
        description: cells["description"].clone(),
        tariffs: split(&format!("{}{}", cells["code"], cells["taric"]), ' '),
        tariff_country: "EU".to_owned(),
        origin: cells["origin"].clone(),
        dispatch: cells["dispatch"].clone(),
        containers: split(&cells["containers"], ' '),
        vessel: cells["vessel"].clone(),
        parties: parties.collect(),
        ..Row::default()
    }
}

/// Blocks on the real orders: titles and respondents, for no record names models.
fn real_orders() -> Vec<Notice> {
    let rows = table(ORDERS);
    let known = rows.iter().filter(|row| row["certainty"] == "high");
    let order = |row: &Cells| {
        let order = general(&format!("Certain {}", row["title"]), &[]);
        let respondents = split(&row["respondents"], ';');
        if row["order_types"].contains("LEO") && !respondents.is_empty() {
            let parties = respondents.iter().take(64).map(|name| company(name, &[]));
            limited(order, parties.collect())
        } else {
            order
        }
    };
    known
        .zip(1..)
        .map(|(row, number)| in_force(number, order(row)))
        .collect()
}

/// Orders on facts of every seventh line, in every state, general and limited in turn.
fn orders_on(lines: &[Row]) -> Vec<Notice> {
    let mut notices = vec![];
    for (number, row) in (101..).zip(lines.iter().step_by(7)) {
        let mut selectors: Vec<Selector> = row
            .containers
            .iter()
            .cloned()
            .map(Selector::Container)
            .collect();
        for tariff in &row.tariffs {
            selectors.push(Selector::Hs(HsCode {
                code: tariff.chars().take(6).collect(),
                edition: 2022,
            }));
        }
        let parties: Vec<_> = row
            .parties
            .iter()
            .map(|party| {
                let numbers = party.identifiers.iter();
                let numbers = numbers.map(|(_, number)| Selector::Eori(number.clone()));
                company(&party.name, &numbers.collect::<Vec<_>>())
            })
            .filter(|party| !party.names[0].is_empty() || !party.identifiers.is_empty())
            .collect();
        let order = general("", &selectors);
        let order = if number % 2 == 0 && !parties.is_empty() {
            limited(order, parties)
        } else {
            order
        };
        let states = [BlockState::InForce, BlockState::Held, BlockState::Flagged];
        notices.push(notice(number, order, states[number as usize % 3]));
    }
    notices
}

/// The declarations name no models and no serial numbers, and most containers are no real ones:
/// half of the lines get some.
fn enriched(lines: &[Row]) -> (Vec<Row>, Vec<Notice>) {
    let containers = ["CSQU3054383", "MSKU9070323"];
    let rows: Vec<Row> = (0..)
        .zip(lines)
        .map(|(n, row)| Row {
            models: if n % 2 == 0 {
                vec![format!("GB-{}", 1000 + n)]
            } else {
                vec![]
            },
            serials: if n % 3 == 0 {
                vec![format!("SN{n:05}")]
            } else {
                vec![]
            },
            containers: if n % 5 == 0 {
                vec![containers[n / 5 % 2].to_owned()]
            } else {
                row.containers.clone()
            },
            transport_documents: if n % 7 == 0 {
                vec![format!("MAEU{n:06}")]
            } else {
                vec![]
            },
            ..row.clone()
        })
        .collect();
    let selectors = [
        Selector::Model("GB1010".to_owned()),
        Selector::ModelPattern("GB-10{20-59}".to_owned()),
        Selector::Serial(SerialRange {
            prefix: "SN".to_owned(),
            low: 30,
            high: 90,
            width: 5,
        }),
        Selector::Container("CSQU3054383".to_owned()),
        Selector::Transport(TransportDocument {
            kind: TransportKind::BillOfLading,
            number: "MAEU 000 021".to_owned(),
        }),
    ];
    let importer = company("", &[Selector::Eori("GB553202734852".to_owned())]);
    let mut notices = vec![];
    for (number, selector) in (201..).step_by(2).zip(selectors) {
        let order = general("", &[selector]);
        notices.push(in_force(number, order.clone()));
        notices.push(in_force(number + 1, limited(order, vec![importer.clone()])));
    }
    (rows, notices)
}

/// How many lines got each outcome, after both agreed on every one.
fn tally(notices: &[Notice], rows: &[Row]) -> std::collections::BTreeMap<Outcome, usize> {
    let screen = Screen::build(notices.to_vec(), basis());
    let mut tally = std::collections::BTreeMap::new();
    for row in rows {
        property::agree(&screen, notices, row, NOW).unwrap();
        let outcome = row.with(|line| screen.check(line, NOW).outcome);
        *tally.entry(outcome).or_default() += 1;
    }
    tally
}

#[test]
fn real_declarations_against_real_orders() {
    let (rows, notices) = (lines(), real_orders());
    assert_eq!(rows.len(), 222);
    assert!(notices.len() >= 20, "{}", notices.len());
    let tally = tally(&notices, &rows);
    // The records give titles and names only, and those never hold.
    assert!(
        tally.keys().all(|outcome| *outcome <= Outcome::Review),
        "{tally:?}"
    );
}

#[test]
fn real_declarations_against_orders_on_their_own_facts() {
    let rows = lines();
    let tally = tally(&orders_on(&rows), &rows);
    assert!(
        tally.contains_key(&Outcome::None) && tally.len() > 1,
        "{tally:?}"
    );
}

#[test]
fn real_declarations_with_numbers_against_orders_on_them() {
    let (rows, notices) = enriched(&lines());
    let tally = tally(&notices, &rows);
    assert!(
        tally[&Outcome::Blocked] >= 40 && tally[&Outcome::None] >= 20,
        "{tally:?}"
    );
}
