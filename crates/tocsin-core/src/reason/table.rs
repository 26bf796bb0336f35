//! The reasons, each with its code, class, meaning and remedy.

use super::Class;

/// Declares [`Reason`], so that a code cannot exist without its class, meaning and remedy.
macro_rules! reasons {
    ($($name:ident $code:literal $class:ident $meaning:literal $remedy:literal;)+) => {
        /// Why something is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Reason { $(#[doc = $meaning] $name,)+ }

        /// Every reason there is, by family.
        pub const ALL: &[Reason] = &[$(Reason::$name,)+];

        impl Reason {
            /// The stable code, UPPER_SNAKE.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// What kind of refusal it is.
            #[must_use]
            pub const fn class(self) -> Class {
                match self { $(Self::$name => Class::$class,)+ }
            }

            /// What is wrong, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// The reason with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                ALL.iter().copied().find(|reason| reason.code() == code)
            }

            /// What to do, in one sentence.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }
    };
}

reasons! {
    Malformed "MALFORMED" InvalidArgument
        "The bytes are not protobuf of the kind they claim to be."
        "Make the statement again with the hand tool, or check the encoder.";
    NotCanonical "NOT_CANONICAL" InvalidArgument
        "The message is not in canonical form: field order, a field twice, a long number, an \
         unpacked list."
        "Encode with ascending fields, minimal varints and packed scalars, then sign again.";
    NotUtf8 "NOT_UTF8" InvalidArgument
        "A text is not UTF-8."
        "Save the document as UTF-8 and sign again.";
    TooDeep "TOO_DEEP" InvalidArgument
        "Messages are nested deeper than any of ours."
        "Check the encoder.";
    ListTooLong "LIST_TOO_LONG" InvalidArgument
        "A list has more elements than its bound."
        "Shorten the list; selectors beyond the bound go into a lasting body.";
    ListEmpty "LIST_EMPTY" InvalidArgument
        "A list that must have an element has none."
        "Add at least one element.";
    FieldLength "FIELD_LENGTH" InvalidArgument
        "A digest, nonce or identifier has the wrong number of bytes."
        "Give digests and identifiers 32 bytes, nonces 16.";
    FieldMissing "FIELD_MISSING" InvalidArgument
        "A value that must be there is not."
        "Fill in the named field.";
    UnknownValue "UNKNOWN_VALUE" InvalidArgument
        "An enum has a value that this version does not know, where it decides."
        "Use a known value, or wait until this node is upgraded.";
    UnknownField "UNKNOWN_FIELD" InvalidArgument
        "An order, order act or decision has a field that this version does not know and must not \
         ignore."
        "Leave the field out, or wait until this node is upgraded.";
    UnknownAct "UNKNOWN_ACT" InvalidArgument
        "The statement does something that this version does not know."
        "Wait until this node is upgraded.";
    ActMissing "ACT_MISSING" InvalidArgument
        "The statement says nothing: no act is set."
        "Set exactly one act.";
    PayloadType "PAYLOAD_TYPE" InvalidArgument
        "The payload type is not that of a statement."
        "Sign with payload type application/vnd.tocsin.statement.v1+protobuf.";
    EntryMalformed "ENTRY_MALFORMED" InvalidArgument
        "Payload type, payload and signatures make no entry."
        "Sort the signatures by key id, each key once, at most 8.";
    EntryTooLarge "ENTRY_TOO_LARGE" OutOfRange
        "The entry is over 16,384 bytes."
        "Move what is long into bodies.";
    StatementTooLarge "STATEMENT_TOO_LARGE" OutOfRange
        "An order, order act, decision or policy pack is over 12,288 bytes."
        "Move further articles, or the pack, into a lasting body.";

    SignatureMissing "SIGNATURE_MISSING" InvalidArgument
        "Nobody has signed."
        "Sign the statement.";
    SignatureAlgorithm "SIGNATURE_ALGORITHM" InvalidArgument
        "A signature is of an unknown algorithm or length."
        "Sign with Ed25519 (algorithm 1, 64 bytes).";
    SignatureInvalid "SIGNATURE_INVALID" InvalidArgument
        "A signature does not verify over the exact bytes."
        "Sign the bytes that are sent; never encode them again after signing.";
    SignerUnknown "SIGNER_UNKNOWN" PermissionDenied
        "A signing key stands in no manifest of the alliance."
        "Sign with a record key of this member's manifest.";
    SignerForeign "SIGNER_FOREIGN" PermissionDenied
        "A signing key is another member's: nobody speaks in another's log."
        "Sign with a record key of the member whose log is named.";
    ForeignJurisdiction "FOREIGN_JURISDICTION" PermissionDenied
        "A decision is signed by another member than the one that would be bound by it."
        "Only a jurisdiction's own officers decide for it.";
    KeyNotValid "KEY_NOT_VALID" PermissionDenied
        "A signing key is not valid at this place in the log."
        "Sign with a key that the manifest holds valid now.";
    RoleNotAllowed "ROLE_NOT_ALLOWED" PermissionDenied
        "A signer's role may not say this."
        "Reports and indicators: investigator or officer. Orders, acts, decisions, packs: \
         officers. Lapses and decisions by policy: the node.";
    NeedsSecondOfficer "NEEDS_SECOND_OFFICER" FailedPrecondition
        "One officer has signed where two must."
        "A second officer runs: tocsin ... cosign FILE.";
    SamePerson "SAME_PERSON" PermissionDenied
        "Two keys have signed, but they are one person's."
        "Another person, with the role officer, must sign.";

    WrongAlliance "WRONG_ALLIANCE" FailedPrecondition
        "The statement is meant for another alliance's log."
        "Check the context; make and sign it for this alliance.";
    NotOurLog "NOT_OUR_LOG" PermissionDenied
        "The statement is meant for another member's log."
        "Submit it at that member's own node.";
    LogMismatch "LOG_MISMATCH" InvalidArgument
        "The statement is meant for another log than the one it stands in."
        "It was replayed; nothing is to be done, it has no effect here.";
    InstantOutOfRange "INSTANT_OUT_OF_RANGE" InvalidArgument
        "An instant is before 1970 or after 9999."
        "Give Unix milliseconds, UTC.";
    CreatedOutOfWindow "CREATED_OUT_OF_WINDOW" InvalidArgument
        "created_ms is more than 300 s ahead of this node's clock, or more than 30 days behind it."
        "Check the clock, then make and sign the statement again.";
    NumberMissing "NUMBER_MISSING" InvalidArgument
        "Orders, reports and indicators take the year's next number, from 1."
        "Ask the node for the next free number and sign again.";
    NumberNotAllowed "NUMBER_NOT_ALLOWED" InvalidArgument
        "Only orders, reports and indicators have a number."
        "Set number to 0.";
    NumberTaken "NUMBER_TAKEN" AlreadyExists
        "Another statement of this member has this number in this year."
        "Ask the node for the next free number and sign again.";
    QuotaPerson "QUOTA_PERSON" ResourceExhausted
        "Somebody who signed has said as much of this kind as one person may in an hour or a day."
        "Submit the same file again after the time named, or have the operator raise [quota] in \
         node.toml; withdrawals, rescissions, suspensions, pauses and ends always pass.";
    SealingNotBuilt "SEALING_NOT_BUILT" FailedPrecondition
        "What is above TLP:GREEN, on espionage, insiders or procurement, or names natural persons \
         travels sealed, and sealing is not built yet."
        "Keep it out of Tocsin until sealing is built; it is never sent in clear.";

    AboutMissing "ABOUT_MISSING" InvalidArgument
        "Order acts and decisions name the order they are on."
        "Set about to the order's log and statement_id.";
    AboutNotAllowed "ABOUT_NOT_ALLOWED" InvalidArgument
        "Only order acts and decisions are about an order."
        "Cite other statements in refs.";
    AboutForeignLog "ABOUT_FOREIGN_LOG" InvalidArgument
        "An order act is on an order of another log."
        "Only the issuer changes an order; decide on it instead.";
    NotTheIssuer "NOT_THE_ISSUER" PermissionDenied
        "Only the issuer suspends, changes or ends its order."
        "Decide on it for your own jurisdiction instead.";
    AboutOwnLog "ABOUT_OWN_LOG" InvalidArgument
        "A decision is on another member's order; one's own is in force by its issue."
        "Use an order act: suspend, resume, modify, rescind, withdraw.";
    AboutUnknownLog "ABOUT_UNKNOWN_LOG" InvalidArgument
        "The log named in about is no member's."
        "Name the order's log as <alliance>/<member>.";
    RefUnknownLog "REF_UNKNOWN_LOG" InvalidArgument
        "A cited log is not of this alliance."
        "Name logs as <alliance>/<member>.";
    OrderUnknown "ORDER_UNKNOWN" FailedPrecondition
        "This node does not hold the order that the statement is about."
        "Wait until its log has arrived here, then submit again.";
    JudgedUnknown "JUDGED_UNKNOWN" FailedPrecondition
        "What was judged is neither the order's issue nor a modification of it that this node \
         holds."
        "Look at the order again and decide on its present text.";

    BodyNotAllowed "BODY_NOT_ALLOWED" InvalidArgument
        "This kind of statement has no body, or no second one."
        "Remove the body.";
    BodyMissing "BODY_MISSING" InvalidArgument
        "Reports and indicators have their content in one body."
        "Add the body.";
    BodyTooLarge "BODY_TOO_LARGE" OutOfRange
        "A body is over 262,144 bytes."
        "Shorten it; larger things are exhibits, by digest.";
    BodyTooSmall "BODY_TOO_SMALL" InvalidArgument
        "A body has no content after its salt of 32 bytes."
        "Send salt and content.";
    BodyRepeated "BODY_REPEATED" InvalidArgument
        "One body is named twice."
        "Name each body once.";
    BodyLasting "BODY_LASTING" InvalidArgument
        "Bodies of orders and packs are lasting; those of reports and indicators are not."
        "Set lasting accordingly.";
    BodyCount "BODY_COUNT" InvalidArgument
        "Not as many bodies were sent as the statement names."
        "Send every body, in the statement's order.";
    BodyDigest "BODY_DIGEST" InvalidArgument
        "A body is not the one that the statement names by SHA-256 and length."
        "Send the body that was signed for, with its salt.";
    BodyKind "BODY_KIND" InvalidArgument
        "A body is not of the statement's kind."
        "Send a body message of the act's own kind.";

    TextMissing "TEXT_MISSING" InvalidArgument
        "A text that must be there is empty."
        "Fill in the named field.";
    TextTooLong "TEXT_TOO_LONG" InvalidArgument
        "A text is over its bound."
        "Shorten it; what is long goes into a report's narrative.";
    TextForbidden "TEXT_FORBIDDEN" InvalidArgument
        "A text has control characters, direction overrides or characters that leave no mark."
        "Remove them: they make a text read as another.";
    ScopeWithoutRespondents "SCOPE_WITHOUT_RESPONDENTS" InvalidArgument
        "A limited order binds named respondents, and names none."
        "Name them, or issue a general order.";
    RelationOff "RELATION_OFF" InvalidArgument
        "A related firm stands in a relation that the order does not bind."
        "Name the relation in `relations`, if the order's text binds it, or leave the firm out.";
    RelatedToNobody "RELATED_TO_NOBODY" InvalidArgument
        "A related firm is said to be related to a respondent that the order does not have."
        "Name one of the order's respondents in `of`.";
    WindowOpen "WINDOW_OPEN" InvalidArgument
        "A carve-out for a date window has neither beginning nor end: everything would pass."
        "Say from when or until when goods pass.";
    Breadth "BREADTH" InvalidArgument
        "The breadth of an order is of no lines, or of more hits than lines."
        "Copy lines and hits from what tocsin order simulate printed, or leave it out.";
    BondTooLong "BOND_TOO_LONG" InvalidArgument
        "Entry under bond would last longer than the order."
        "End it with the review, and not after the order.";
    RightMissing "RIGHT_MISSING" InvalidArgument
        "An order rests on a right, or says why there is none."
        "Name the rights, or give no_right_reason.";
    RightReasonNotAllowed "RIGHT_REASON_NOT_ALLOWED" InvalidArgument
        "A reason for missing rights or numbers stands beside them."
        "Remove the reason, or what it says is missing.";
    RightNumberMissing "RIGHT_NUMBER_MISSING" InvalidArgument
        "A right has neither a number nor a reason why it is missing."
        "Give the registration number, or missing_reason.";
    RightOffice "RIGHT_OFFICE" InvalidArgument
        "A right's office is no WIPO ST.3 code: two upper-case letters."
        "Write US, DE, EM, ...";
    ClaimsNotAPatent "CLAIMS_NOT_A_PATENT" InvalidArgument
        "Claims stand on a right that is no patent, utility model or certificate."
        "Remove the claims.";
    UntilMissing "UNTIL_MISSING" InvalidArgument
        "A temporary order, a hold or an extension has no end."
        "Set until_ms.";
    UntilNotAfter "UNTIL_NOT_AFTER" InvalidArgument
        "The end is not after the beginning."
        "Set until_ms after from_ms, or after created_ms.";
    UntilNotAllowed "UNTIL_NOT_ALLOWED" InvalidArgument
        "Only holds and extensions have an end."
        "Set until_ms to 0.";
    ValidityTooLong "VALIDITY_TOO_LONG" InvalidArgument
        "The end is over 50 years after the beginning."
        "Set an earlier end, or none.";
    CountryUnknown "COUNTRY_UNKNOWN" InvalidArgument
        "A country is no ISO 3166-1 alpha-2 code."
        "Write DE, JP, US, ..., or leave it empty.";
    PartyIdentifier "PARTY_IDENTIFIER" InvalidArgument
        "A party is identified by LEI, EORI or manufacturer code."
        "Put selectors of goods into articles.";
    ReplacementMissing "REPLACEMENT_MISSING" InvalidArgument
        "A modification gives the whole new text, and has none."
        "Set replacement.";
    ReplacementNotAllowed "REPLACEMENT_NOT_ALLOWED" InvalidArgument
        "Only a modification has a new text."
        "Remove replacement.";
    LocalRightMissing "LOCAL_RIGHT_MISSING" InvalidArgument
        "An adoption by officers cites a right with effect in their jurisdiction."
        "Name the local right, or hold, flag or review instead.";
    LocalRightForeign "LOCAL_RIGHT_FOREIGN" InvalidArgument
        "A local right is of another country's register."
        "Name a right of the own register or of a regional office.";
    LocalRightNotAllowed "LOCAL_RIGHT_NOT_ALLOWED" InvalidArgument
        "Only adoptions cite local rights."
        "Remove local_rights.";
    PolicyMissing "POLICY_MISSING" InvalidArgument
        "A decision by the node cites pack and rule."
        "Officers sign decisions of their own; the node decides by policy only.";
    PolicyNotAllowed "POLICY_NOT_ALLOWED" InvalidArgument
        "Officers' decisions and lapses cite no policy."
        "Remove the citation.";
    PolicyCitation "POLICY_CITATION" InvalidArgument
        "A citation names a pack and a rule; only the rule `no-pack` stands without a pack."
        "Cite the pack's statement_id and the rule that fired.";
    SourceReliability "SOURCE_RELIABILITY" InvalidArgument
        "Source reliability is A to F, credibility 1 to 6 (Admiralty code)."
        "Use F and 6 where it cannot be judged.";
    Confidence "CONFIDENCE" InvalidArgument
        "Confidence is low, moderate or high."
        "Write one of the three words.";
    MediaType "MEDIA_TYPE" InvalidArgument
        "An exhibit's media type has not the form type/subtype."
        "Write image/jpeg, application/pdf, ...";

    SelectorGtinFormat "SELECTOR_GTIN_FORMAT" InvalidArgument
        "A GTIN has 8, 12, 13 or 14 digits."
        "Copy the digits under the bar code, without spaces.";
    SelectorGtinCheckDigit "SELECTOR_GTIN_CHECK_DIGIT" InvalidArgument
        "A GTIN's check digit does not hold (GS1)."
        "Compare it with the bar code: a digit is wrong.";
    SelectorHsFormat "SELECTOR_HS_FORMAT" InvalidArgument
        "An HS code has 2, 4 or 6 digits of chapters 01 to 97, without points."
        "Write 854231; national digits beyond six are left out.";
    SelectorHsEdition "SELECTOR_HS_EDITION" InvalidArgument
        "The HS edition is 2017, 2022 or 2028."
        "Name the edition that the code is of.";
    SelectorModelFormat "SELECTOR_MODEL_FORMAT" InvalidArgument
        "A model number has 1 to 64 visible characters beside spaces and - _ / ."
        "Write the model number as it stands on the goods.";
    SelectorSerialFormat "SELECTOR_SERIAL_FORMAT" InvalidArgument
        "A serial range has low <= high, both of `width` digits, 1 to 18."
        "Check low, high and width.";
    SelectorMidFormat "SELECTOR_MID_FORMAT" InvalidArgument
        "A manufacturer code has not the form of 19 CFR 102 App.; Canada is written by province \
         (XO, XQ, ...)."
        "Copy it from the entry summary.";
    SelectorLeiFormat "SELECTOR_LEI_FORMAT" InvalidArgument
        "An LEI has 20 letters and digits."
        "Copy it from the register.";
    SelectorLeiCheckDigits "SELECTOR_LEI_CHECK_DIGITS" InvalidArgument
        "An LEI's check digits do not hold (ISO 7064)."
        "Compare it with the register: a character is wrong.";
    SelectorEoriFormat "SELECTOR_EORI_FORMAT" InvalidArgument
        "An EORI number has a country and 1 to 15 letters and digits."
        "Copy it from the register.";
    SelectorBrandFormat "SELECTOR_BRAND_FORMAT" InvalidArgument
        "A brand has 1 to 128 visible characters."
        "Write the brand word.";
    SelectorTariffFormat "SELECTOR_TARIFF_FORMAT" InvalidArgument
        "A national tariff code has 8 to 10 digits and names its country, or EU."
        "Write the digits without points, with jurisdiction; six digits or fewer are an HS code.";
    SelectorTariffEdition "SELECTOR_TARIFF_EDITION" InvalidArgument
        "The edition of a national tariff is its year, 2017 or later."
        "Name the year of the tariff that the code is of.";
    SelectorPatternFormat "SELECTOR_PATTERN_FORMAT" InvalidArgument
        "A model pattern is characters, ?, *, a class [A-F] or a range {100-299} of as many digits."
        "Write it with these alone; there are no regular expressions.";
    SelectorPatternBroad "SELECTOR_PATTERN_BROAD" InvalidArgument
        "A model pattern says fewer than 2 characters itself, or leaves more than 8 places open."
        "Name more of the model number, or list the models.";
    SelectorBatchFormat "SELECTOR_BATCH_FORMAT" InvalidArgument
        "A batch number has 1 to 64 visible characters beside spaces and - _ / ."
        "Write the batch number as it stands on the goods.";
    SelectorImporterFormat "SELECTOR_IMPORTER_FORMAT" InvalidArgument
        "An importer number does not have the form of its register."
        "Check scheme and number: us 9 or 11, jp 13, kr 10 digits, cn 18 characters.";
    SelectorImporterCheckDigit "SELECTOR_IMPORTER_CHECK_DIGIT" InvalidArgument
        "An importer number's check digit does not hold."
        "Compare it with the register: a digit is wrong.";
    SelectorImporterPerson "SELECTOR_IMPORTER_PERSON" InvalidArgument
        "An importer number is a person's social security number."
        "Leave it out: a log that cannot forget must not name people.";
    SelectorDunsFormat "SELECTOR_DUNS_FORMAT" InvalidArgument
        "A D-U-N-S number has 9 digits."
        "Copy it from the register.";
    SelectorContainerFormat "SELECTOR_CONTAINER_FORMAT" InvalidArgument
        "A container number has 3 letters, U, J or Z, and 7 digits (ISO 6346)."
        "Copy it from the container or the bill of lading.";
    SelectorContainerCheckDigit "SELECTOR_CONTAINER_CHECK_DIGIT" InvalidArgument
        "A container number's check digit does not hold (ISO 6346)."
        "Compare it with the container: a character is wrong.";
    SelectorTransportFormat "SELECTOR_TRANSPORT_FORMAT" InvalidArgument
        "A bill of lading has 5 to 35 letters and digits, an air waybill 11 digits."
        "Copy the number from the document, and check its kind.";
    SelectorTransportCheckDigit "SELECTOR_TRANSPORT_CHECK_DIGIT" InvalidArgument
        "An air waybill's last digit is not the remainder modulo 7 of the seven before it."
        "Compare it with the document: a digit is wrong.";
    SelectorVesselFormat "SELECTOR_VESSEL_FORMAT" InvalidArgument
        "An IMO number of a vessel has 7 digits."
        "Copy it from the register of ships.";
    SelectorVesselCheckDigit "SELECTOR_VESSEL_CHECK_DIGIT" InvalidArgument
        "An IMO number's check digit does not hold."
        "Compare it with the register of ships: a digit is wrong.";
    SelectorListingFormat "SELECTOR_LISTING_FORMAT" InvalidArgument
        "A listing is a web address, or MARKETPLACE:ID, of at most 512 bytes."
        "Copy the address of the offer; a host in another script is written in Punycode.";
    SelectorOriginFormat "SELECTOR_ORIGIN_FORMAT" InvalidArgument
        "An origin is no assigned country code."
        "Write the two letters of ISO 3166-1.";
    SelectorDescriptionFormat "SELECTOR_DESCRIPTION_FORMAT" InvalidArgument
        "A description has a language and 1 to 16 words of at most 64 characters."
        "Name the language (en, ja, ...) and the words that all must be there.";
    SelectorShortLived "SELECTOR_SHORT_LIVED" InvalidArgument
        "A container or transport document stands in an order that lasts longer than 90 days."
        "Put it into an order that ends within 90 days: later it names somebody else's goods.";
    SelectorImageFormat "SELECTOR_IMAGE_FORMAT" InvalidArgument
        "An image hash is that of an empty picture."
        "Hash the picture again.";

    RosterTooLarge "ROSTER_TOO_LARGE" OutOfRange
        "An alliance file, roster or manifest is over its bound."
        "Check that it is the alliance file.";
    RosterSyntax "ROSTER_SYNTAX" InvalidArgument
        "An alliance file or roster is not JSON of the expected shape, or has an unknown key."
        "Fetch the alliance file again; tocsin alliance verify FILE names the place.";
    RosterType "ROSTER_TYPE" InvalidArgument
        "What stands as roster has another payload type."
        "Fetch the alliance file again.";
    RosterNotYet "ROSTER_NOT_YET" FailedPrecondition
        "Rosters after the genesis are not built yet."
        "Use the genesis roster.";
    RosterAlliance "ROSTER_ALLIANCE" InvalidArgument
        "The alliance's label is no lower-case DNS name."
        "Write it like demo.tocsin.example.";
    RosterMembers "ROSTER_MEMBERS" InvalidArgument
        "A roster has 1 to 64 members, each id and each jurisdiction once."
        "Check ids (one DNS label) and jurisdictions (two upper-case letters).";
    RosterState "ROSTER_STATE" InvalidArgument
        "At genesis every member is active."
        "Set state to active.";
    RosterKey "ROSTER_KEY" InvalidArgument
        "A gov key is malformed, weak or not torsion-free, or the threshold is not 1 to their \
         number."
        "Make the key again: tocsin key new.";
    RosterSignature "ROSTER_SIGNATURE" InvalidArgument
        "The genesis roster is not signed by every founder, or by somebody else, or a signature \
         does not verify."
        "Have every founder sign the same bytes: tocsin alliance sign.";
    KeyReused "KEY_REUSED" InvalidArgument
        "One key stands in two places: each key has one purpose, one member and one person."
        "Make a key of its own for each purpose.";
    ManifestSyntax "MANIFEST_SYNTAX" InvalidArgument
        "A manifest is not JSON of the expected shape, or has an unknown key."
        "Make it again with tocsin init.";
    ManifestType "MANIFEST_TYPE" InvalidArgument
        "What stands as manifest has another payload type."
        "Fetch the alliance file again.";
    ManifestNotYet "MANIFEST_NOT_YET" FailedPrecondition
        "Manifests after the first are not built yet."
        "Use the first manifest.";
    ManifestMember "MANIFEST_MEMBER" InvalidArgument
        "A manifest is of no member of the roster, or a member has two."
        "Keep one manifest for each member of the roster.";
    ManifestMissing "MANIFEST_MISSING" InvalidArgument
        "A member of the roster has no manifest."
        "Add the member's first manifest.";
    ManifestSignature "MANIFEST_SIGNATURE" InvalidArgument
        "A manifest is not signed by enough of its member's gov keys, or by somebody else, or a \
         signature does not verify."
        "Sign it with the gov keys that the roster names.";
    ManifestKey "MANIFEST_KEY" InvalidArgument
        "A key in a manifest is malformed, weak or not torsion-free."
        "Make the key again: tocsin key new.";
    ManifestRecordKeys "MANIFEST_RECORD_KEYS" InvalidArgument
        "A record key has no person, no roles, a node's role beside a person's, or an empty range \
         of indexes."
        "Give each key a person and roles; the node's key has the role node alone.";
    ManifestGeneration "MANIFEST_GENERATION" InvalidArgument
        "A manifest's generation gives no origin."
        "The first generation is 1.";
    ManifestTls "MANIFEST_TLS" InvalidArgument
        "A manifest's TLS part is malformed: trust domain `<member>.<alliance>`, a PEM \
         certificate, 1 to 8 endpoints."
        "Make it again with tocsin init.";

    PackTooLong "PACK_TOO_LONG" InvalidArgument
        "A policy pack is over 8,192 bytes in a statement, or over 131,072 in a body."
        "Shorten it, or move it into a lasting body.";
    PackSyntax "PACK_SYNTAX" InvalidArgument
        "A policy pack is not TOML, or has an unknown or missing key."
        "Run: tocsin policy lint FILE.";
    PackValue "PACK_VALUE" InvalidArgument
        "A value in a policy pack is not one of those that its key can have."
        "Run: tocsin policy lint FILE.";
    PackJurisdiction "PACK_JURISDICTION" InvalidArgument
        "A policy pack is for another jurisdiction than its author's."
        "Set meta.jurisdiction to the member's own.";
    PackAdopt "PACK_ADOPT" InvalidArgument
        "A rule may adopt only for a named kind of right that it calls recognised, with a basis."
        "Set right_kind, recognised = true and basis; or use hold, flag or review.";
    PackHold "PACK_HOLD" InvalidArgument
        "A rule that holds has hold_days (1 to 366) and a basis; no other rule has hold_days."
        "Set hold_days and basis on rules with then = \"hold\" alone.";
    PackRuleId "PACK_RULE_ID" InvalidArgument
        "A rule's id is empty, used twice, or one of those that Tocsin itself gives."
        "Give each rule a short name of its own.";
}
