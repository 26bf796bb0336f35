//! Exclusion orders, and what their issuers do to them.

use crate::party::Party;
use crate::product::Article;
use crate::right::Right;
use crate::terms::Terms;
use crate::words::words;

words! {
    /// The kind of legal act.
    Instrument {
        /// 19 U.S.C. 1337(d)(1), limited exclusion order.
        Us337Leo = 1 "us_337_leo",
        /// 19 U.S.C. 1337(d)(2), general exclusion order.
        Us337Geo = 2 "us_337_geo",
        /// 19 U.S.C. 1337(e), temporary exclusion order.
        Us337Teo = 3 "us_337_teo",
        /// Regulation (EU) 608/2013, Union application for action.
        EuUnionAfa = 4 "eu_union_afa",
        /// Regulation (EU) 608/2013, national application for action.
        EuNationalAfa = 5 "eu_national_afa",
        /// United Kingdom application for action.
        UkAfa = 6 "uk_afa",
        /// Japan Customs Act, import suspension.
        JpImportSuspension = 7 "jp_import_suspension",
        /// Korea Trade Commission, corrective order.
        KrKtcCorrective = 8 "kr_ktc_corrective",
        /// Korea Trade Commission, provisional measure.
        KrKtcProvisional = 9 "kr_ktc_provisional",
        /// Taiwan, detention.
        TwDetention = 10 "tw_detention",
        /// Canada, request for assistance.
        CaRequestForAssistance = 11 "ca_request_for_assistance",
        /// Australia, notice of objection.
        AuNoticeOfObjection = 12 "au_notice_of_objection",
        /// A court's injunction.
        CourtInjunction = 13 "court_injunction",
        /// A hold on the authority's own motion.
        ExOfficioHold = 14 "ex_officio_hold",
    }
}

words! {
    /// Whom an order binds.
    ScopeKind {
        /// Named respondents: article and party must both match.
        Limited = 1 "limited",
        /// The article, whoever imports it.
        General = 2 "general",
    }
}

words! {
    /// How far the order has come at its issuer.
    Phase {
        /// Carries an end.
        Temporary = 1 "temporary",
        /// Presidential or ministerial review is running.
        Review = 2 "review",
        /// Final.
        Final = 3 "final",
    }
}

/// The legal act of the issuing authority that bars goods from its market.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Docket number as the authority writes it, e.g. `337-TA-1028`.
    pub case_ref: String,
    /// One line.
    pub title: String,
    /// The kind of legal act.
    pub instrument: Instrument,
    /// Whom it binds.
    pub scope: ScopeKind,
    /// Limited: 1 to [`MAX_RESPONDENTS`], who are bound. General: for information only.
    pub respondents: Vec<Party>,
    /// 1 to [`MAX_ARTICLES`](crate::product::MAX_ARTICLES); more in a lasting [`OrderBody`].
    pub articles: Vec<Article>,
    /// 1 to [`MAX_RIGHTS`]; none only with [`no_right_reason`](Self::no_right_reason).
    pub rights: Vec<Right>,
    /// Why there is no right: trade secrets and like claims.
    pub no_right_reason: String,
    /// How far it has come.
    pub phase: Phase,
    /// Unix milliseconds, inclusive.
    pub from_ms: i64,
    /// Unix milliseconds, exclusive; 0 = until the issuer ends it. At most [`MAX_ORDER_MS`] after
    /// `from_ms`.
    pub until_ms: i64,
    /// The goods are counterfeits: a genuine item number copied by a fake must never hold genuine
    /// goods.
    pub counterfeit: bool,
    /// Publishable summary.
    pub summary: String,
    /// Not a real act: an exercise or a demonstration. Every view shows it.
    pub exercise: bool,
    /// Which movements, whom beside the respondents, and what passes all the same.
    pub terms: Terms,
}

/// More articles than fit a statement; a lasting body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBody {
    /// The further articles, with at most [`MAX_BODY_SELECTORS`] selectors.
    pub articles: Vec<Article>,
}

words! {
    /// What an issuer does to its own order.
    OrderActKind {
        /// A court's stay or the issuer's pause; one officer.
        Suspend = 1 "suspend",
        /// Ends a suspension; two officers, never silent.
        Resume = 2 "resume",
        /// Gives the whole new text; two officers.
        Modify = 3 "modify",
        /// The conditions that led to it no longer exist (19 U.S.C. 1337(k)); two officers.
        Rescind = 4 "rescind",
        /// Issued in error or unfounded; two officers.
        Withdraw = 5 "withdraw",
    }
}

/// What the issuer does to its own order; `about` names the issue statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderAct {
    /// What is done.
    pub kind: OrderActKind,
    /// Mandatory.
    pub reason: String,
    /// The whole new text, for [`OrderActKind::Modify`] and nothing else.
    pub replacement: Option<Order>,
}

/// Respondents of one order (statement.proto).
pub const MAX_RESPONDENTS: usize = 64;
/// Rights of one order or decision (statement.proto).
pub const MAX_RIGHTS: usize = 64;
/// Longest time between an order's start and its end: 50 years, beyond any term of a registered
/// right that customs enforce without renewal.
pub const MAX_ORDER_MS: i64 = 50 * 366 * 86_400_000;
/// Selectors in one lasting order body; what fits
/// [`MAX_BODY_BYTES`](crate::statement::MAX_BODY_BYTES).
pub const MAX_BODY_SELECTORS: usize = 16_384;
