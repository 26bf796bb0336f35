//! What the screener says of one line, with every reason it has.
//!
//! An *outcome* is the screener's word and never a jurisdiction's *decision*. [`Outcome::None`]
//! means that no block was found to bar the goods as far as they were declared; it is never to be
//! read as clear.

use std::sync::Arc;

use tocsin_core::cursor::Cursor;
use tocsin_core::lookup::Outcome;
use tocsin_core::notice::Notice;
use tocsin_core::product::{SelectorKind, Strength};

use crate::line::{Field, Fields};
use crate::list::Entry;

/// What was found for one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The highest of the hits'.
    pub outcome: Outcome,
    /// What would decide was not declared or could not be read: none does not mean clear, and a
    /// review might be more, or nothing.
    pub decisive_missing: bool,
    /// Fields that say nothing.
    pub missing: Fields,
    /// Fields with a value that was not compared: a check digit that does not hold, a form that no
    /// such number has, or more or longer values than are read.
    pub unreadable: Fields,
    /// Highest outcome first, then highest score, then by name; at most [`MAX_HITS`].
    pub hits: Vec<Hit>,
    /// There were more.
    pub is_truncated: bool,
    /// What was known when it was given.
    pub basis: Arc<Basis>,
}

/// What a screener knew: how far each log was read, and how old what it read is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The position; valid at every member's node.
    pub position: Cursor,
    /// One for each origin.
    pub ages: Vec<Age>,
}

/// How old the known state of one origin is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    /// The origin's name.
    pub origin: String,
    /// Unix milliseconds at which it was last known to be complete; 0 = never.
    pub as_of_ms: i64,
    /// It told two stories; nothing that rests on it is in force.
    pub is_frozen: bool,
}

/// One block, or one entry of a published list, that the line touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it touches.
    pub subject: Subject,
    /// What this hit alone can say.
    pub outcome: Outcome,
    /// 0 to 1000; ranks hits of one outcome, decides nothing.
    pub score: u16,
    /// Everything that agrees or contradicts, the strongest first; at most [`MAX_PARTS`].
    pub parts: Vec<Part>,
    /// Fields the line lacks with which this hit could have said more, or less.
    pub missing: Fields,
    /// Exceptions of the order that were tried.
    pub tried: Vec<Tried>,
    /// Why it does not say more, where the block would.
    pub cap: Option<Cap>,
}

/// What a hit is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A block, as it stands: it names the order, the decision and the law it rests on.
    Block(Arc<Notice>),
    /// A party of a published list.
    Listed(Arc<Entry>),
}

/// One agreement, or contradiction, between a line and an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which side of the order it speaks to.
    pub side: Side,
    /// The field of the line.
    pub field: Field,
    /// What of the order it met.
    pub fact: Fact,
    /// As filed.
    pub raw: String,
    /// As filed, in the form in which it was compared.
    pub canonical: String,
    /// As the order has it.
    pub of_order: String,
    /// What it can carry by itself.
    pub strength: Strength,
    /// 0 to 1000: 1000 where it is equal; 0 where it contradicts.
    pub score: u16,
}

impl Part {
    /// Whether the line says something else here than the order does.
    #[must_use]
    pub const fn contradicts(&self) -> bool {
        self.score == 0
    }
}

/// Which side of an order a part speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The article.
    Goods,
    /// Who is bound.
    Party,
    /// Neither by itself: where the goods come from, who moves them.
    Context,
}

/// What of an order a part met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact {
    /// A selector of an article, or an identifier of a party.
    Selector(SelectorKind),
    /// A party's name.
    Name,
    /// The article's description.
    Text,
}

impl Fact {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Selector(kind) => kind.word(),
            Self::Name => "name",
            Self::Text => "text",
        }
    }
}

/// An exception of an order, and what became of it for this line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which.
    pub exception: Exception,
    /// What became of it.
    pub result: TriedResult,
    /// What the order says of it, for people.
    pub text: String,
}

/// What an order can except.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exception {
    /// The carve-out at this place of the order's terms.
    CarveOut(usize),
    /// The list of who may import the genuine goods.
    Authorised,
    /// Entry under bond.
    Bond,
    /// The importer's certificate.
    Certification,
}

/// What became of an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TriedResult {
    /// It holds: the goods are not stopped on this block.
    Applies,
    /// It may hold: an officer must look.
    Claimed,
    /// The line does not claim it, or says nothing of what it needs.
    NotClaimed,
    /// Its time has not begun or is over.
    OutOfTime,
    /// The line says otherwise.
    DoesNotApply,
}

impl TriedResult {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applies => "applies",
            Self::Claimed => "claimed",
            Self::NotClaimed => "not_claimed",
            Self::OutOfTime => "out_of_time",
            Self::DoesNotApply => "does_not_apply",
        }
    }
}

/// Why a hit does not say more, where the block would.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cap {
    /// Names, brands, texts, pictures and short numbers suggest.
    Suggests,
    /// A party agrees; nothing declared says whether the article does.
    ArticleMissing,
    /// The article agrees; a limited order needs the party as well.
    PartyMissing,
    /// An identifier agrees and another says otherwise.
    Contradicted,
    /// Fakes copy genuine item numbers, and no list says who may import the genuine goods.
    CopiedNumber,
    /// A lasting body of the order has not arrived.
    SelectorsMissing,
    /// The goods only contain what the order names.
    Downstream,
    /// A container or transport document is used again for other goods after a while.
    ShortLived,
    /// What is claimed or certified must be looked at.
    Claimed,
    /// The goods may enter under bond.
    UnderBond,
    /// The importer may import the genuine goods.
    Authorised,
    /// A carve-out of the order covers the goods.
    CarvedOut,
    /// Its time had not begun when its state was last told.
    StateUnknown,
    /// A published list bars nothing.
    Listed,
}

impl Cap {
    /// Its word in files and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suggests => "suggests",
            Self::ArticleMissing => "article_missing",
            Self::PartyMissing => "party_missing",
            Self::Contradicted => "contradicted",
            Self::CopiedNumber => "copied_number",
            Self::SelectorsMissing => "selectors_missing",
            Self::Downstream => "downstream",
            Self::ShortLived => "short_lived",
            Self::Claimed => "claimed",
            Self::UnderBond => "under_bond",
            Self::Authorised => "authorised",
            Self::CarvedOut => "carved_out",
            Self::StateUnknown => "state_unknown",
            Self::Listed => "listed",
        }
    }

    /// One line for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Suggests => "this suggests but does not decide",
            Self::ArticleMissing => "the party agrees; the article was not declared well enough",
            Self::PartyMissing => "a limited order needs the party as well",
            Self::Contradicted => "one identifier agrees and another says otherwise",
            Self::CopiedNumber => "counterfeits copy genuine item numbers",
            Self::SelectorsMissing => "part of the order has not arrived",
            Self::Downstream => "the goods only contain what the order names",
            Self::ShortLived => "containers and transport documents serve other goods later",
            Self::Claimed => "an exception is claimed; look at its proof",
            Self::UnderBond => "the goods may enter under bond",
            Self::Authorised => "the importer may import the genuine goods",
            Self::CarvedOut => "a carve-out of the order covers the goods",
            Self::StateUnknown => "the block's time has come, but not yet its state",
            Self::Listed => "a published list bars no goods",
        }
    }

    /// The most that a hit with it says.
    #[must_use]
    pub const fn ceiling(self) -> Outcome {
        match self {
            Self::Authorised | Self::CarvedOut => Outcome::None,
            Self::UnderBond => Outcome::Flagged,
            Self::Suggests
            | Self::ArticleMissing
            | Self::PartyMissing
            | Self::Contradicted
            | Self::CopiedNumber
            | Self::SelectorsMissing
            | Self::Downstream
            | Self::ShortLived
            | Self::Claimed
            | Self::StateUnknown
            | Self::Listed => Outcome::Review,
        }
    }

    /// Whether it would fall away if more were declared.
    #[must_use]
    pub const fn is_for_want_of_input(self) -> bool {
        match self {
            Self::Suggests | Self::ArticleMissing | Self::PartyMissing | Self::ShortLived => true,
            Self::Contradicted
            | Self::CopiedNumber
            | Self::SelectorsMissing
            | Self::Downstream
            | Self::Claimed
            | Self::UnderBond
            | Self::Authorised
            | Self::CarvedOut
            | Self::StateUnknown
            | Self::Listed => false,
        }
    }
}

/// Hits that one answer shows; a common word can touch every order.
pub const MAX_HITS: usize = 100;
/// Parts that one hit shows.
pub const MAX_PARTS: usize = 32;
