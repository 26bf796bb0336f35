//! What the layers give is what looking at every block would give.

use super::*;
use crate::answer::Cap;
use crate::line::{Identifier, Party, Role, Scheme};
use crate::sample::{NOW, basis, general, limited, notice};
use proptest::prelude::*;
use tocsin_core::notice::BlockState;
use tocsin_core::product::{HsCode, ImageHash, ImageHashKind, Selector, SerialRange};

const GTIN: &str = "4006381333931";
const LEI: &str = "5493001KJTIIGC8Y1R12";
const LINE: Line<'static> = Line {
    gtins: &[GTIN],
    ..BLANK
};
const BLANK: Line<'static> = Line::BLANK;

fn lamps() -> Vec<Selector> {
    vec![
        Selector::Gtin(GTIN.into()),
        Selector::Model("LX-100".into()),
    ]
}

#[test]
fn a_general_order_holds_the_article_whoever_imports_it() {
    let screen = Screen::build([notice("US-2026-1@US", general(&lamps()))], basis());
    let answer = screen.check(&LINE, NOW);
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::Blocked, false)
    );
    assert_eq!(answer.hits.len(), 1);
}

#[test]
fn a_limited_order_needs_the_party_too() {
    let order = limited(&lamps(), "5493001KJTIIGC8Y1R12");
    let screen = Screen::build([notice("US-2026-1@US", order)], basis());
    let answer = screen.check(&LINE, NOW);
    assert_eq!(answer.outcome, Outcome::Review);
    assert_eq!(answer.hits[0].cap, Some(Cap::PartyMissing));
    assert!(answer.decisive_missing);
}

#[test]
fn of_two_blocks_on_one_article_one_is_withdrawn_and_the_other_still_bars() {
    let [first, second] = ["US-2026-1@US", "US-2026-2@US"].map(|b| notice(b, general(&lamps())));
    let both = Screen::build([first.clone(), second], basis());
    let withdrawn = Notice {
        state: BlockState::Withdrawn,
        version: 2,
        ..first.clone()
    };
    // A late copy of what was said before revives nothing.
    let one = both.with([withdrawn], basis()).with([first], basis());
    let answer = one.check(&LINE, NOW);
    assert_eq!((answer.outcome, answer.hits.len()), (Outcome::Blocked, 1));
    let Subject::Block(block) = &answer.hits[0].subject else {
        panic!("a block")
    };
    assert_eq!(block.block, "US-2026-2@US");
}

#[test]
fn an_expired_hold_never_holds_whatever_was_indexed() {
    let held = Notice {
        state: BlockState::Held,
        until_ms: NOW + 10,
        ..notice("US-2026-1@DE", general(&lamps()))
    };
    let screen = Screen::build([held], basis());
    assert_eq!(screen.check(&LINE, NOW + 9).outcome, Outcome::Held);
    assert_eq!(screen.check(&LINE, NOW + 10).outcome, Outcome::None);
}

#[test]
fn nothing_found_is_never_clear() {
    let screen = Screen::build([], basis());
    assert!(!screen.check(&LINE, NOW).decisive_missing);
    let mistyped = Line {
        gtins: &["4006381333932"],
        ..BLANK
    };
    let answer = screen.check(&mistyped, NOW);
    assert!(answer.decisive_missing && answer.unreadable.contains(Field::Gtin));
    assert!(screen.check(&BLANK, NOW).decisive_missing);
}

/// Small alphabets, so that lines and orders meet.
fn any_selector() -> impl Strategy<Value = Selector> {
    prop_oneof![
        "LX-[0-3]{3}".prop_map(Selector::Model),
        "[AB]{5}[?*]{0,1}[0-1]{0,1}".prop_map(Selector::ModelPattern),
        "[*?][AB]{5}".prop_map(Selector::ModelPattern),
        "(lumora|zenith)".prop_map(Selector::Brand),
        ("(S|SN1|)", 0..400_u64, 0..400_u64).prop_map(|(prefix, a, b)| {
            Selector::Serial(SerialRange {
                prefix,
                low: a.min(b),
                high: a.max(b),
                width: 3,
            })
        }),
        Just(Selector::Gtin(GTIN.into())),
        (0..8_u32).prop_map(|flipped| {
            Selector::Image(ImageHash {
                kind: ImageHashKind::Phash,
                bits: 0x00FF_00FF_00FF_00FF ^ ((1 << flipped) - 1),
            })
        }),
        "[A-C]{2}[0-9]{3}".prop_map(Selector::Batch),
        "(94|9405|851713)".prop_map(|code| Selector::Hs(HsCode {
            code,
            edition: 2022
        })),
    ]
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let selectors = prop::collection::vec(any_selector(), 0..4);
    let name =
        prop::sample::select(&["Acme Lamps Co., Ltd.", "Zenith Imports GmbH", "Umbra SA"][..]);
    (0..12_u32, selectors, 0..4_u64, 0..4_u8, any::<bool>(), name).prop_map(
        |(number, selectors, version, state, is_limited, name)| {
            let mut order = general(&selectors);
            if is_limited {
                order = limited(&selectors, LEI);
                order.respondents[0].names = vec![name.to_owned()];
            }
            Notice {
                version,
                state: match state {
                    0 => BlockState::Withdrawn,
                    1 => BlockState::Held,
                    2 => BlockState::Review,
                    _ => BlockState::InForce,
                },
                ..notice(&format!("US-2026-{number}@US"), order)
            }
        },
    )
}

proptest! {
    #[test]
    fn layers_give_what_looking_at_every_block_gives(
        notices in prop::collection::vec(any_notice(), 0..40),
        cuts in prop::collection::vec(0..40_usize, 0..6),
        models in prop::collection::vec("(lx [0-3]{3}|[ab]{5}[01]{0,2})", 0..3),
        serial in "(s|sn1|)[0-9]{3}",
        is_party in any::<bool>(),
        name in prop::sample::select(&["", "ACME LAMPS LTD", "zenith import", "Umbra Optical"][..]),
        flipped in 0..10_u32,
        tariff in prop::sample::select(&["", "9405.11", "8517130000", "no code"][..]),
    ) {
        let models: Vec<&str> = models.iter().map(String::as_str).collect();
        let image = format!("{:016x}", 0x00FF_00FF_00FF_00FF_u64 ^ ((1 << flipped) - 1) << 8);
        let lei = [Identifier { scheme: Scheme::Any, value: LEI }];
        let parties = [Party { role: Role::Importer, name, identifiers: &lei, country: "" }];
        let line = Line {
            models: &models,
            serials: &[&serial],
            brands: &["Lumora"],
            tariffs: &[tariff],
            images: &[&image],
            parties: if is_party { &parties } else { &[] },
            ..BLANK
        };
        let whole = Screen::build(notices.clone(), basis());
        let answer = whole.check(&line, NOW);

        let mut layered = Screen::build([], basis());
        let mut rest = notices.as_slice();
        for cut in cuts {
            let (now, later) = rest.split_at(cut.min(rest.len()));
            layered = layered.with(now.to_vec(), basis());
            rest = later;
        }
        layered = layered.with(rest.to_vec(), basis());
        prop_assert_eq!(layered.len(), whole.len());
        prop_assert_eq!(&layered.check(&line, NOW), &answer);

        let mut latest: BTreeMap<&str, &Notice> = BTreeMap::new();
        for notice in &notices {
            let known = latest.get(notice.block.as_str()).map(|known| known.version);
            if known.is_none_or(|known| known <= notice.version) {
                latest.insert(&notice.block, notice);
            }
        }
        let declared = Declared::read(&line);
        let each = latest.values().map(|notice| Arc::new(Notice::clone(notice)));
        let judged = each.filter_map(|notice| rules::judge(&notice, &declared, NOW));
        let mut hits: Vec<Hit> = judged.map(|judged| judged.hit).collect();
        rank(&mut hits);
        prop_assert_eq!(answer.hits, hits);
    }
}

#[test]
fn small_layers_are_merged_and_large_ones_shared() {
    let block = |i: u32| {
        notice(
            &format!("US-2026-{i}@US"),
            general(&[Selector::Model(format!("LX-{i:05}"))]),
        )
    };
    let base = Screen::build((0..10_000).map(block), basis());
    let mut screen = base.clone();
    for i in 10_000..10_200 {
        screen = screen.with([block(i)], basis());
    }
    assert_eq!((screen.strata.len(), screen.len()), (2, 10_200));
    assert!(Arc::ptr_eq(&screen.strata[0].layer, &base.strata[0].layer));
    for model in ["LX-00000", "LX-10000", "LX-10199"] {
        let line = Line {
            models: &[model],
            ..BLANK
        };
        assert_eq!(screen.check(&line, NOW).outcome, Outcome::Blocked);
    }
}

#[test]
fn a_party_on_a_published_list_is_review_and_the_blocks_still_decide() {
    let entry = list::Entry {
        list: "Denied Persons List".into(),
        dated: "2026-11-20".into(),
        number: "7".into(),
        since: String::new(),
        names: vec!["Borealis Trading, Ltd.".into()],
    };
    let lists = Arc::new(Lists::new([entry]));
    let screen = Screen::build([notice("US-2026-1@US", general(&lamps()))], basis());
    let parties = [Party {
        role: Role::Seller,
        name: "BOREALIS TRADING",
        identifiers: &[],
        country: "",
    }];
    let named = Line {
        parties: &parties,
        ..BLANK
    };
    assert_eq!(screen.check(&named, NOW).outcome, Outcome::None);
    let screen = screen.with_lists(lists);
    let listed = screen.check(&named, NOW);
    assert_eq!(listed.outcome, Outcome::Review);
    assert!(listed.decisive_missing, "a list says nothing of the goods");
    assert_eq!(listed.hits[0].cap, Some(Cap::Listed));
    let both = screen.check(
        &Line {
            parties: &parties,
            ..LINE
        },
        NOW,
    );
    assert_eq!((both.outcome, both.hits.len()), (Outcome::Blocked, 2));
    // Blocks that come later keep the lists.
    let next = screen.with([], basis());
    assert_eq!(next.check(&named, NOW).outcome, Outcome::Review);
}

#[test]
fn words_add_to_what_is_found_and_find_nothing_alone() {
    let mut order = general(&lamps());
    order.articles[0].description = "cordless drill with two batteries".into();
    let screen = Screen::build([notice("US-2026-1@US", order)], basis());
    let worded = Line {
        description: "drill, cordless, two batteries",
        ..BLANK
    };
    assert_eq!(screen.check(&worded, NOW).outcome, Outcome::None);
    let plain = screen.check(&LINE, NOW);
    let both = screen.check(
        &Line {
            gtins: LINE.gtins,
            ..worded
        },
        NOW,
    );
    assert_eq!(
        (plain.outcome, both.outcome),
        (Outcome::Blocked, Outcome::Blocked)
    );
    assert!(both.hits[0].score > plain.hits[0].score);
}

#[test]
fn a_party_is_found_by_its_name_in_another_spelling() {
    let order = limited(&[Selector::Model("LX-100".into())], LEI);
    let screen = Screen::build([notice("US-2026-1@US", order)], basis());
    let said = |name, role| {
        let party = [Party {
            role,
            name,
            identifiers: &[],
            country: "",
        }];
        let line = Line {
            parties: &party,
            ..BLANK
        };
        let answer = screen.check(&line, NOW);
        (answer.outcome, answer.hits.first().and_then(|hit| hit.cap))
    };
    let review = (Outcome::Review, Some(Cap::ArticleMissing));
    assert_eq!(said("ACME LAMPS LIMITED", Role::Seller), review);
    assert_eq!(said("Acme Lamp Company", Role::Importer), review);
    assert_eq!(said("Acme Lamps", Role::Carrier), (Outcome::None, None));
    assert_eq!(
        said("Zenith Imports", Role::Importer),
        (Outcome::None, None)
    );
}

#[test]
fn a_name_that_many_blocks_share_is_still_found() {
    let block = |i: u32| {
        let order = limited(&[Selector::Model(format!("LX-{i:05}"))], LEI);
        notice(&format!("US-2026-{i}@US"), order)
    };
    let screen = Screen::build((0..200).map(block), basis());
    let party = [Party {
        role: Role::Importer,
        name: "Acme Lamps Co Ltd",
        identifiers: &[],
        country: "",
    }];
    let line = Line {
        models: &["LX-00150"],
        parties: &party,
        ..BLANK
    };
    let answer = screen.check(&line, NOW);
    // The one whose article agrees comes first; of the others the goods are others.
    assert_eq!((answer.outcome, answer.hits.len()), (Outcome::Blocked, 1));
}
