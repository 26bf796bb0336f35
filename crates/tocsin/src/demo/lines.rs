//! Lines of declarations for the demonstration: goods from real import declarations, firms that do
//! not exist, and here and there the fictional firm's goods. The same number of lines is always the
//! same lines.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use tocsin_cli::failure::Failure;

use super::orders::{DRIVERS_GTIN, FIRM, LAMPS_GTIN, STRIPS_GTIN};

/// Goods items of real import declarations (`data/goods/ORIGIN.md`).
const GOODS: &str = include_str!("../../../../data/goods/hmrc_lines.csv");
/// One line in so many is of the fictional firm's goods.
const PLANTED_EVERY: u64 = 1_000;
const HEAD: &str = "MRN,item,description,commodity code,country of origin,importer,importer eori,\
                    exporter,exporter country,gtin,model";
/// Goods of the kind that the fictional orders are about: words, tariff code, origin.
const LIGHTS: [&str; 3] = ["LED lighting for households", "94054231", "CN"];
/// Made up, like every firm of them.
const NAMES: [&str; 16] = [
    "Alderbrook",
    "Birkenfels",
    "Castelnovo",
    "Dunmore",
    "Eastquay",
    "Fjordhavn",
    "Gallowmere",
    "Hartwell",
    "Isarberg",
    "Juniper Row",
    "Kestrel",
    "Lindqvist",
    "Marlowe",
    "Nordlund",
    "Oakhollow",
    "Pinewater",
];
const TRADES: [&str; 8] = [
    "Trading",
    "Imports",
    "Handel",
    "Logistics",
    "Electronics",
    "Home",
    "Supplies",
    "Wholesale",
];
const FORMS: [&str; 8] = [
    "Ltd",
    "GmbH",
    "B.V.",
    "S.A.",
    "Co., Ltd.",
    "Inc.",
    "K.K.",
    "AB",
];
const COUNTRIES: [&str; 8] = ["CN", "VN", "TR", "IN", "US", "JP", "KR", "GB"];

/// How many lines must come out as what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Planted {
    /// With the item number of what is in force.
    pub(super) blocked: u64,
    /// With that of what is held.
    pub(super) held: u64,
    /// With the fictional firm's name and nothing else of its.
    pub(super) review: u64,
    /// With the item number of what is flagged.
    pub(super) flagged: u64,
}

/// What is particular about a planted line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Special {
    /// Its item number.
    Item(&'static str),
    /// The fictional firm sends goods of the kind, which are not named closer.
    Firm,
}

/// Writes so many lines.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, count: u64) -> Result<Planted, Failure> {
    let goods: Vec<[&str; 3]> = GOODS.lines().skip(1).filter_map(goods).collect();
    let failed = |e: std::io::Error| Failure::file(path, "write", &e);
    let file = File::create_new(path).map_err(failed)?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let mut planted = Planted::default();
    let mut chance = Chance(0x0123_4567_89AB_CDEF);
    writeln!(file, "{HEAD}").map_err(failed)?;
    for line in 0..count {
        let special = special(line, &mut planted);
        write_line(&mut file, line, &goods, special, &mut chance).map_err(failed)?;
    }
    file.flush().map_err(failed)?;
    Ok(planted)
}

/// What is particular about a line, if it is planted.
fn special(line: u64, planted: &mut Planted) -> Option<Special> {
    if line % PLANTED_EVERY != PLANTED_EVERY / 2 {
        return None;
    }
    let (count, special) = match line / PLANTED_EVERY % 4 {
        0 => (&mut planted.blocked, Special::Item(LAMPS_GTIN)),
        1 => (&mut planted.held, Special::Item(STRIPS_GTIN)),
        2 => (&mut planted.review, Special::Firm),
        _ => (&mut planted.flagged, Special::Item(DRIVERS_GTIN)),
    };
    *count += 1;
    Some(special)
}

fn write_line(
    file: &mut impl Write,
    line: u64,
    goods: &[[&str; 3]],
    special: Option<Special>,
    chance: &mut Chance,
) -> std::io::Result<()> {
    let [description, code, origin] = match special {
        Some(_) => &LIGHTS,
        None => chance.of(goods).unwrap_or(&LIGHTS),
    };
    let (entry, item) = (line / 5, line % 5 + 1);
    write!(
        file,
        "26GB{entry:014},{item},{description},{code},{origin},"
    )?;
    firm(file, chance)?;
    write!(file, ",GB{:012},", chance.next() % 1_000_000_000_000)?;
    match special {
        Some(Special::Firm) => write!(file, "{FIRM}")?,
        Some(Special::Item(_)) | None => firm(file, chance)?,
    }
    write!(file, ",{},", chance.of(&COUNTRIES).unwrap_or(&""))?;
    let draw = chance.next();
    match special {
        Some(Special::Item(gtin)) => write!(file, "{gtin}")?,
        // GS1 keeps 952 for demonstrations; the orders' own begin with 9521.
        None if draw.is_multiple_of(5) => {
            let body = 952_900_000_000 + draw / 5 % 99_999_999;
            write!(file, "{body}{}", check_digit(body))?;
        }
        Some(Special::Firm) | None => {}
    }
    match draw % 7 {
        0 if special.is_none() => {
            let (series, number) = (draw % 900 + 100, draw / 900 % 90_000 + 10_000);
            writeln!(file, ",M{series}-{number}")
        }
        _ => writeln!(file, ","),
    }
}

fn firm(file: &mut impl Write, chance: &mut Chance) -> std::io::Result<()> {
    let [name, trade, form] = [
        chance.of(&NAMES).unwrap_or(&""),
        chance.of(&TRADES).unwrap_or(&""),
        chance.of(&FORMS).unwrap_or(&""),
    ];
    write!(file, "\"{name} {trade} {form}\"")
}

/// Description as it stands there, quoted or not, code and origin of a row.
fn goods(row: &str) -> Option<[&str; 3]> {
    let mut columns = row.splitn(4, ',');
    let rest = columns.nth(3)?;
    let (description, rest) = match rest.strip_prefix('"') {
        Some(quoted) => {
            let end = quoted.find("\",")?;
            (rest.get(..end + 2)?, quoted.get(end + 2..)?)
        }
        None => (rest.split(',').next()?, rest.get(rest.find(',')? + 1..)?),
    };
    let rest = rest.strip_prefix(',').unwrap_or(rest);
    let mut columns = rest.split(',');
    let (code, origin) = (columns.next()?, columns.nth(1)?);
    Some([description, code, origin])
}

/// GS1 General Specifications, section 7.9: weights 3 and 1 from the right.
fn check_digit(body: u64) -> u64 {
    let (mut rest, mut weight, mut sum) = (body, 3, 0);
    while rest > 0 {
        sum += rest % 10 * weight;
        weight = 4 - weight;
        rest /= 10;
    }
    (10 - sum % 10) % 10
}

/// A sequence that looks like chance and is always the same (xorshift64*).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(all.len()).ok().filter(|count| *count > 0)?;
        all.get(usize::try_from(self.next() % count).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goods_are_read_with_their_codes_and_origins() {
        let all: Vec<[&str; 3]> = GOODS.lines().skip(1).filter_map(goods).collect();
        assert!(all.len() > 200, "{}", all.len());
        for [description, code, origin] in &all {
            assert!(
                code.bytes().all(|b| b.is_ascii_digit()),
                "{description} {code}"
            );
            assert!(origin.len() <= 2, "{description} {origin}");
        }
        assert_eq!(all.first().map(|[_, code, _]| *code), Some("85109000"));
    }

    #[test]
    fn check_digits_are_those_of_gs1() {
        assert_eq!(check_digit(952_123_456_789), 9);
        assert_eq!(check_digit(400_638_133_393), 1);
    }

    #[test]
    fn every_thousandth_line_is_planted_and_the_same_lines_come_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| folder.path().join(name));
        let planted = paths.each_ref().map(|path| write(path, 8_000).unwrap());
        let two = Planted {
            blocked: 2,
            held: 2,
            review: 2,
            flagged: 2,
        };
        assert_eq!(planted, [two; 2]);
        let texts = paths.map(|path| std::fs::read_to_string(path).unwrap());
        assert_eq!(texts[0], texts[1]);
        assert_eq!(texts[0].lines().count(), 8_001);
        assert_eq!(texts[0].matches(LAMPS_GTIN).count(), 2);
    }
}
