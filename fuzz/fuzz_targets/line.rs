//! A declared line against blocks on one selector of every kind: whatever is filed, the answer is
//! bounded, and the same with memory used before. Lines of the input are the line's values.
#![no_main]
use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{
    Article, DescriptionTerms, HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme,
    Selector, SerialRange, TariffCode, TransportDocument, TransportKind,
};
use tocsin_core::statement::StatementRef;
use tocsin_core::terms::Terms;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_screen::answer::{Basis, MAX_HITS, MAX_PARTS};
use tocsin_screen::index::{Scratch, Screen};
use tocsin_screen::line::{self, Identifier, Line, Role, Scheme};

const NOW: i64 = 1_795_305_600_000;

static SCREEN: LazyLock<Screen> = LazyLock::new(|| {
    let basis = Basis {
        position: Cursor {
            view: View::NONE,
            vector: Vector::default(),
        },
        ages: Vec::new(),
    };
    let general = (1..)
        .zip(goods())
        .map(|(n, goods)| notice(n, ScopeKind::General, vec![goods]));
    let limited = notice(100, ScopeKind::Limited, goods());
    Screen::build(general.chain([limited]), basis)
});

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

fn goods() -> Vec<Selector> {
    let text = str::to_owned;
    vec![
        Selector::Gtin(text("4006381333931")),
        Selector::Model(text("LX-100")),
        Selector::ModelPattern(text("LX-2[0-9]{10-20}*")),
        Selector::Serial(SerialRange {
            prefix: text("SN"),
            low: 10,
            high: 20,
            width: 4,
        }),
        Selector::Brand(text("Lumora")),
        Selector::Batch(text("B-17")),
        Selector::Hs(HsCode {
            code: text("9405"),
            edition: 2022,
        }),
        Selector::Tariff(TariffCode {
            code: text("94051100"),
            jurisdiction: text("EU"),
            edition: 2026,
        }),
        Selector::Container(text("CSQU3054383")),
        Selector::Transport(TransportDocument {
            kind: TransportKind::AirWaybill,
            number: text("180-53925025"),
        }),
        Selector::Vessel(text("9074729")),
        Selector::Listing(text("https://shop.example/item/1")),
        Selector::Origin(text("CN")),
        Selector::Description(DescriptionTerms {
            language: text("en"),
            terms: vec![text("ceiling"), text("lamp")],
        }),
        Selector::Image(ImageHash {
            kind: ImageHashKind::Phash,
            bits: 0x1234_5678_9abc_def0,
        }),
    ]
}

fn notice(number: u32, scope: ScopeKind, selectors: Vec<Selector>) -> Notice {
    let importer = ImporterNumber {
        scheme: ImporterScheme::Us,
        number: "12-3456789".to_owned(),
    };
    let order = Order {
        case_ref: "337-TA-1".to_owned(),
        title: "lamps".to_owned(),
        instrument: Instrument::Us337Geo,
        scope,
        respondents: vec![Party {
            kind: PartyKind::Company,
            names: vec![
                "Acme Lamps Co., Ltd.".to_owned(),
                "東京ランプ株式会社".to_owned(),
            ],
            identifiers: vec![
                Selector::Lei("5493001KJTIIGC8Y1R12".to_owned()),
                Selector::Importer(importer),
            ],
            country: String::new(),
        }],
        articles: vec![Article {
            description: "ceiling lamps".to_owned(),
            selectors,
        }],
        rights: vec![],
        no_right_reason: "none".to_owned(),
        phase: Phase::Final,
        from_ms: NOW,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    };
    let name = format!("US-2026-{number:04}");
    Notice {
        block: format!("{name}@DE"),
        version: 1,
        state: BlockState::InForce,
        reason: String::new(),
        since_ms: NOW,
        from_ms: NOW,
        until_ms: 0,
        order_ref: StatementRef {
            log: "test.example/us".to_owned(),
            statement_id: Hash::of(name.as_bytes()),
        },
        order: name,
        decision_id: None,
        basis: String::new(),
        by: By::Officers,
        scope: Arc::new(order),
        selectors_missing: false,
        exercise: true,
        grade: Grade::Local,
        also_blocked_by: vec![],
    }
}

fuzz_target!(|text: &str| {
    let values: Vec<&str> = text.lines().collect();
    let one = |at: usize| values.get(at).copied().unwrap_or_default();
    let scheme = ImporterScheme::ALL
        .iter()
        .find(|scheme| scheme.word() == one(1));
    let schemes = [
        Scheme::Any,
        Scheme::Lei,
        Scheme::Eori,
        Scheme::Mid,
        Scheme::Duns,
        Scheme::Importer(scheme.copied().unwrap_or(ImporterScheme::Us)),
    ];
    let identifiers = schemes.map(|scheme| Identifier {
        scheme,
        value: one(2),
    });
    let parties = Role::ALL.map(|role| line::Party {
        role,
        name: one(3),
        identifiers: &identifiers,
        country: one(4),
    });
    let line = Line {
        tariffs: &values,
        tariff_country: one(0),
        description: text,
        origin: one(5),
        parties: &parties,
        gtins: &values,
        models: &values,
        serials: &values,
        batches: &values,
        brands: &values,
        components: &values,
        containers: &values,
        transport_documents: &values,
        vessel: one(6),
        listings: &values,
        images: &values,
        claims: &values,
        ..Line::BLANK
    };
    let answer = SCREEN.check(&line, NOW);
    let again = SCRATCH.with_borrow_mut(|scratch| SCREEN.check_with(&line, NOW, scratch));
    assert_eq!(answer, again);
    assert!(answer.hits.len() <= MAX_HITS);
    assert!(answer.hits.iter().all(|hit| hit.parts.len() <= MAX_PARTS));
    assert!(answer.hits.iter().all(|hit| hit.outcome <= answer.outcome));
});
