//! Closed lists of the field's words, each with its number in the contract.

/// Declares an enum whose members each have one word and the number the contract gives it.
///
/// The word is what people write in policy packs, filters and documents; the number is what is
/// signed. Both are stable: a member is added, never renamed or renumbered.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident {
        $($(#[$doc:meta])* $member:ident = $number:literal $word:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$doc])* $member,)+ }

        impl $name {
            /// Every member, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$member,)+];

            /// The word people write for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$member => $word,)+ }
            }

            /// Its number in the contract, never 0.
            #[must_use]
            pub const fn number(self) -> i32 {
                match self { $(Self::$member => $number,)+ }
            }

            /// The member that `word` names.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.word() == word)
            }

            /// The member with this number in the contract.
            #[must_use]
            pub fn from_number(number: i32) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.number() == number)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;
