//! Blocks and declarations made from a seed: firms, goods, codes and numbers as they are filed.
//!
//! Firms' names are made of words of their own (from syllables), words that many firms have, a town
//! and a legal form; a few are Japanese, Chinese or Korean. A few thousand firms file most lines,
//! as at a real border. Firms of blocks and of lines are made alike, and are others.

use std::fmt::Write as _;
use std::sync::Arc;

use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{Article, HsCode, Selector, SerialRange};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::StatementRef;
use tocsin_core::terms::Terms;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_screen::answer::Basis;

/// The instant at which everything is checked: 2026-11-25.
pub(super) const NOW: i64 = 1_795_564_800_000;

/// Numbers from a seed (splitmix64): the same on every machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// Those of one thing of one kind.
    pub(super) const fn of(kind: u64, number: u64) -> Self {
        Self(kind.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Below a bound.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(of.len() as u64)).unwrap_or(0);
        of.get(at).copied().unwrap_or_default()
    }

    /// One in so many.
    pub(super) const fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// What a screener of made blocks knows.
pub(super) fn basis() -> Basis {
    Basis {
        position: Cursor {
            view: View::NONE,
            vector: Vector::default(),
        },
        ages: Vec::new(),
    }
}

/// A model number that one block alone bars.
pub(super) fn model(block: u64) -> String {
    let mut dice = Dice::of(1, block);
    let letter = |dice: &mut Dice| char::from(b'A' + u8::try_from(dice.below(26)).unwrap_or(0));
    let (a, b) = (letter(&mut dice), letter(&mut dice));
    format!("{a}{b}{}-{block:06}", dice.below(90) + 10)
}

/// The item number of a block's goods.
pub(super) fn gtin(number: u64) -> String {
    let digits = format!("4{:011}", number % 100_000_000_000);
    let sum = digits.bytes().enumerate().fold(0_u32, |sum, (at, digit)| {
        sum + u32::from(digit - b'0') * if at % 2 == 0 { 1 } else { 3 }
    });
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// A firm's name.
pub(super) fn firm(kind: u64, number: u64) -> String {
    let mut dice = Dice::of(kind, number);
    if dice.one_in(25) {
        return native(&mut dice);
    }
    let mut name = own_word(&mut dice);
    if dice.one_in(4) {
        let _ = write!(name, " {}", own_word(&mut dice));
    }
    if dice.one_in(5) {
        let _ = write!(name, " {}", dice.pick(&TOWNS));
    }
    let _ = write!(name, " {}", dice.pick(&COMMON));
    if dice.one_in(3) {
        let _ = write!(name, " {}", dice.pick(&COMMON));
    }
    let _ = write!(name, " {}", dice.pick(&FORMS));
    name
}

fn own_word(dice: &mut Dice) -> String {
    let mut word = String::new();
    for _ in 0..3 + dice.below(2) {
        word.push_str(dice.pick(&STARTS));
        word.push_str(dice.pick(&VOWELS));
    }
    if dice.one_in(2) {
        word.push_str(dice.pick(&ENDS));
    }
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

fn native(dice: &mut Dice) -> String {
    let parts: (&[&str], &[&str], &[&str]) = match dice.below(3) {
        0 => (
            &JAPANESE,
            &["電機", "工業", "商事", "製作所"],
            &["株式会社", "有限会社"],
        ),
        1 => (
            &CHINESE,
            &["电子", "科技", "贸易", "光电"],
            &["有限公司", "股份有限公司"],
        ),
        _ => (
            &KOREAN,
            &["전자", "산업", "무역", "조명"],
            &["주식회사", "(주)"],
        ),
    };
    let (own, line, form) = parts;
    format!(
        "{}{}{}{}",
        dice.pick(own),
        dice.pick(own),
        dice.pick(line),
        dice.pick(form)
    )
}

/// One block, in force.
pub(super) fn notice(number: u64) -> Notice {
    let mut dice = Dice::of(2, number);
    let is_limited = !dice.one_in(4);
    let goods = dice.pick(&GOODS);
    let selectors = selectors(number, &mut dice);
    let firms = 1 + u64::from(dice.one_in(3));
    let respondents = (0..firms).map(|at| Party {
        kind: PartyKind::Company,
        names: vec![firm(4, number * 2 + at)],
        identifiers: Vec::new(),
        country: dice.pick(&COUNTRIES).to_owned(),
    });
    let respondents = respondents.collect();
    let order = Order {
        case_ref: format!("337-TA-{number}"),
        title: format!("Certain {goods}"),
        instrument: if is_limited {
            Instrument::Us337Leo
        } else {
            Instrument::Us337Geo
        },
        scope: if is_limited {
            ScopeKind::Limited
        } else {
            ScopeKind::General
        },
        respondents,
        articles: vec![Article {
            description: format!("{goods} and components thereof"),
            selectors,
        }],
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".to_owned(),
            number: (9_000_000 + number).to_string(),
            missing_reason: String::new(),
            claims: "1-5".to_owned(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW - 1_000_000,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    };
    block(number, order)
}

/// What a block's goods are known by.
fn selectors(number: u64, dice: &mut Dice) -> Vec<Selector> {
    let mut selectors = vec![
        Selector::Model(model(number)),
        Selector::Hs(HsCode {
            code: hs(dice),
            edition: 2022,
        }),
    ];
    if dice.one_in(3) {
        selectors.push(Selector::Gtin(gtin(number)));
    }
    if dice.one_in(4) {
        selectors.push(Selector::Brand(own_word(&mut Dice::of(3, number % 4_000))));
    }
    match dice.below(20) {
        0 => selectors.push(Selector::Serial(SerialRange {
            prefix: format!("SN{}", dice.below(50)),
            low: number * 1_000,
            high: number * 1_000 + 999,
            width: 10,
        })),
        1 => selectors.push(Selector::ModelPattern(format!(
            "{}*",
            model(number + 10_000_000)
        ))),
        _ => {}
    }
    selectors
}

fn block(number: u64, order: Order) -> Notice {
    let name = format!("US-2026-{number}");
    Notice {
        block: format!("{name}@US"),
        version: 1,
        state: BlockState::InForce,
        reason: String::new(),
        since_ms: order.from_ms,
        from_ms: order.from_ms,
        until_ms: 0,
        order_ref: StatementRef {
            log: "bench.example/us".to_owned(),
            statement_id: Hash::of(name.as_bytes()),
        },
        order: name,
        decision_id: None,
        basis: "19 U.S.C. 1337(d)".to_owned(),
        by: By::Issuer,
        scope: Arc::new(order),
        selectors_missing: false,
        exercise: true,
        grade: Grade::Local,
        also_blocked_by: Vec::new(),
    }
}

fn hs(dice: &mut Dice) -> String {
    let chapter = [84, 85, 90, 94, 95, 61, 64, 87, 39, 73];
    let at = usize::try_from(dice.below(chapter.len() as u64)).unwrap_or(0);
    let chapter = chapter.get(at).copied().unwrap_or(85);
    format!("{chapter}{:02}{}0", dice.below(30) + 1, dice.below(10))
}

/// Columns of a file of declarations.
pub(super) const HEADER: &str = "declaration,line,date,tariff,description,origin,importer,\
    importer_eori,exporter,\
    consignee,manufacturer,brand,model,gtin,serial,container,value,currency,net_mass\n";

/// A file of declarations; one line in a thousand meets one of so many blocks.
pub(super) fn file(lines: u64, blocks: u64) -> Vec<u8> {
    let mut text = String::with_capacity(usize::try_from(lines).unwrap_or(0).saturating_mul(330));
    text.push_str(HEADER);
    for number in 0..lines {
        line(&mut text, number, blocks);
    }
    text.into_bytes()
}

/// A firm that files: a few file much, many little.
fn filer(dice: &mut Dice, kind: u64, firms: u64) -> (u64, String) {
    let number = if dice.one_in(8) {
        dice.below(firms)
    } else {
        dice.below(firms / 20)
    };
    (number, firm(kind, number))
}

fn line(text: &mut String, number: u64, blocks: u64) {
    let mut dice = Dice::of(5, number);
    let (of_importer, importer) = filer(&mut dice, 6, 40_000);
    let (_, exporter) = filer(&mut dice, 7, 100_000);
    let (_, manufacturer) = filer(&mut dice, 8, 60_000);
    let hit = dice.one_in(1_000).then(|| dice.below(blocks));
    let (goods, adjective) = (dice.pick(&GOODS), dice.pick(&ADJECTIVES));
    let digits = dice.next();
    let _ = write!(
        text,
        "{:02}DE{:013}R{},{},2026-11-{:02},{}{:04},\"{adjective} {goods}, {} {}\",{},",
        26,
        number / 5,
        number % 10,
        number % 5 + 1,
        1 + dice.below(25),
        hs(&mut dice),
        dice.below(10_000),
        dice.pick(&MATERIALS),
        dice.below(400),
        dice.pick(&COUNTRIES),
    );
    let exporter = hit.map_or(exporter, |block| firm(4, block * 2));
    let _ = write!(
        text,
        "\"{importer}\",DE{:012},\"{exporter}\",\"{importer}\",\"{manufacturer}\",",
        of_importer * 7_919
    );
    if dice.one_in(3) {
        text.push_str(&own_word(&mut Dice::of(9, dice.below(6_000))));
    }
    text.push(',');
    if let Some(block) = hit {
        text.push_str(&model(block));
    } else if dice.one_in(3) {
        let _ = write!(
            text,
            "{}{}",
            dice.pick(&["TX-", "QR", "B ", "MX/"]),
            digits % 1_000_000
        );
    }
    text.push(',');
    if dice.one_in(10) {
        text.push_str(&gtin(50_000_000_000 + digits % 1_000_000_000));
    }
    text.push(',');
    if dice.one_in(50) {
        let _ = write!(
            text,
            "SN{}{:010}",
            dice.below(99),
            9_000_000_000 + digits % 999_999_999
        );
    }
    let _ = writeln!(
        text,
        ",{},{}.{:02},EUR,{}",
        container(digits % 1_000_000),
        dice.below(90_000),
        dice.below(100),
        dice.below(20_000)
    );
}

/// With the check digit of ISO 6346.
fn container(number: u64) -> String {
    let owner = [("MSKU", [24_u64, 30, 22, 32]), ("CSQU", [13, 30, 28, 32])];
    let (owner, values) = if number.is_multiple_of(2) {
        owner[0]
    } else {
        owner[1]
    };
    let digits = format!("{number:06}");
    let digits = digits.bytes().map(|digit| u64::from(digit - b'0'));
    let sum: u64 = values
        .into_iter()
        .chain(digits)
        .enumerate()
        .map(|(at, value)| value << at)
        .sum();
    format!("{owner}{number:06}{}", sum % 11 % 10)
}

const STARTS: [&str; 24] = [
    "b", "br", "c", "d", "dr", "f", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pr", "r",
    "s", "st", "t", "tr", "v", "z",
];
const VOWELS: [&str; 8] = ["a", "e", "i", "o", "u", "ai", "eo", "ia"];
const ENDS: [&str; 10] = ["n", "x", "r", "l", "s", "tek", "lux", "nor", "mar", "th"];
const TOWNS: [&str; 16] = [
    "Shenzhen",
    "Guangzhou",
    "Ningbo",
    "Hamburg",
    "Osaka",
    "Busan",
    "Taipei",
    "Milano",
    "Istanbul",
    "Dongguan",
    "Rotterdam",
    "Lyon",
    "Mumbai",
    "Hanoi",
    "Xiamen",
    "Nagoya",
];
const COMMON: [&str; 20] = [
    "Electronics",
    "Trading",
    "Lighting",
    "International",
    "Industrial",
    "Technology",
    "Import Export",
    "Logistics",
    "Optical",
    "Manufacturing",
    "Group",
    "Precision",
    "Tools",
    "Global",
    "Components",
    "Solutions",
    "Textiles",
    "Automotive",
    "Plastics",
    "Medical",
];
const FORMS: [&str; 12] = [
    "Co., Ltd.",
    "GmbH",
    "Ltd",
    "Inc.",
    "S.p.A.",
    "LLC",
    "AG",
    "B.V.",
    "Corp.",
    "S.A.",
    "K.K.",
    "GmbH & Co. KG",
];
const GOODS: [&str; 20] = [
    "LED lamps",
    "power drills",
    "toner cartridges",
    "network switches",
    "running shoes",
    "battery chargers",
    "wireless headphones",
    "graphics processors",
    "brake pads",
    "kitchen knives",
    "hair dryers",
    "water pumps",
    "touch screens",
    "memory modules",
    "bicycle frames",
    "ball bearings",
    "toy vehicles",
    "medical catheters",
    "solar inverters",
    "coffee machines",
];
const ADJECTIVES: [&str; 12] = [
    "new",
    "portable",
    "spare",
    "assorted",
    "rechargeable",
    "industrial",
    "black",
    "white",
    "compact",
    "heavy duty",
    "stainless",
    "OEM",
];
const MATERIALS: [&str; 10] = [
    "for household use, pcs",
    "plastic housing, carton",
    "steel, set of",
    "with adapter, W",
    "unbranded, qty",
    "aluminium, mm",
    "for vehicles, pcs",
    "cotton lining, size",
    "spare parts, lot",
    "boxed, pallets",
];
const COUNTRIES: [&str; 10] = ["CN", "VN", "KR", "JP", "TW", "TR", "IN", "IT", "US", "TH"];
const JAPANESE: [&str; 12] = [
    "東", "日", "光", "山", "三", "大", "和", "川", "松", "北", "中", "青",
];
const CHINESE: [&str; 12] = [
    "华", "深", "明", "达", "金", "海", "新", "天", "宏", "亚", "科", "利",
];
const KOREAN: [&str; 12] = [
    "한", "대", "성", "진", "우", "현", "신", "동", "영", "태", "서", "남",
];
