//! Intellectual-property rights that an order or a local decision rests on.

use crate::words::words;

words! {
    /// What a right protects: Regulation (EU) 608/2013 art. 2(1)(a) to (l), with trade secrets and trade dress.
    RightKind {
        /// A patent for an invention.
        Patent = 1 "patent",
        /// A utility model.
        UtilityModel = 2 "utility_model",
        /// A registered or unregistered design.
        Design = 3 "design",
        /// A trade mark.
        TradeMark = 4 "trade_mark",
        /// Copyright or a related right.
        Copyright = 5 "copyright",
        /// A geographical indication.
        GeographicalIndication = 6 "geographical_indication",
        /// A plant variety right.
        PlantVariety = 7 "plant_variety",
        /// A supplementary protection certificate.
        SupplementaryProtection = 8 "supplementary_protection",
        /// A topography of a semiconductor product.
        Topography = 9 "topography",
        /// A trade name.
        TradeName = 10 "trade_name",
        /// A trade secret; has no register.
        TradeSecret = 11 "trade_secret",
        /// Trade dress; mostly unregistered.
        TradeDress = 12 "trade_dress",
    }
}

/// One right, as the register of its office knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// What it protects.
    pub kind: RightKind,
    /// The register, by WIPO ST.3 code: `US`, `DE`, `EM`.
    pub office: String,
    /// Registration number; empty only with [`missing_reason`](Self::missing_reason).
    pub number: String,
    /// Why the number is missing.
    pub missing_reason: String,
    /// Claims relied on, as written; patents only.
    pub claims: String,
}
