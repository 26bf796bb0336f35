//! How a statement may be passed on: Traffic Light Protocol 2.0 (FIRST, 2022).

use crate::words::words;

words! {
    /// A Traffic Light Protocol 2.0 marking, least restricted first.
    Tlp {
        /// May be published.
        Clear = 1 "clear",
        /// May go to every member and its clients.
        Green = 2 "green",
        /// To recipients and their clients on need-to-know; travels sealed only.
        Amber = 3 "amber",
        /// To the recipient organisation alone; travels sealed only.
        AmberStrict = 4 "amber+strict",
        /// To named recipients alone; travels sealed only.
        Red = 5 "red",
    }
}

impl Tlp {
    /// Whether what is marked so may travel in clear.
    #[must_use]
    pub const fn travels_in_clear(self) -> bool {
        match self {
            Self::Clear | Self::Green => true,
            Self::Amber | Self::AmberStrict | Self::Red => false,
        }
    }
}
