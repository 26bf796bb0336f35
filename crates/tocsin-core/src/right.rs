//! Intellectual-property rights that an order or a local decision rests on.

use crate::words::words;

words! {
    /// What a right protects: Regulation (EU) 608/2013 art. 2(1)(a) to (l), with trade secrets and
    /// trade dress.
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

/// The office that keeps a jurisdiction's own register (WIPO ST.3).
#[must_use]
pub fn own_office(jurisdiction: &str) -> &str {
    match jurisdiction {
        "EU" => "EM",
        "UK" => "GB",
        other => other,
    }
}

/// Offices whose rights can have effect in many jurisdictions (WIPO ST.3, section 2): African,
/// Benelux, Eurasian, European Union and European Patent Office, Gulf, WIPO, African francophone,
/// plant varieties.
const REGIONAL_OFFICES: [&str; 9] = ["AP", "BX", "EA", "EM", "EP", "GC", "OA", "QZ", "WO"];

impl Right {
    /// Whether it stands in the jurisdiction's own register.
    #[must_use]
    pub fn is_own(&self, jurisdiction: &str) -> bool {
        self.office == own_office(jurisdiction)
    }

    /// Whether it can have effect in the jurisdiction: by its own register or a regional one.
    /// Whether it has is for the officers who cite it to know.
    #[must_use]
    pub fn may_have_effect_in(&self, jurisdiction: &str) -> bool {
        self.is_own(jurisdiction) || REGIONAL_OFFICES.contains(&self.office.as_str())
    }
}
