//! Pages that stand nowhere else: the client's door, entries without effect, the hand tool itself.

use super::Side::{Author, Caller, Member, Nobody, Operator};
use super::{Page, page};

/// What a node says of a filter, a cursor, a text to look up, or bytes it reads; in order.
pub(super) const DOOR: &[Page] = &[
    page(
        "BAD_TAG",
        Author,
        "A message has a field number or wire type that cannot be.",
        "Check the encoder, or make the statement again with the hand tool.",
    ),
    page(
        "CURSOR_MALFORMED",
        Caller,
        "What was given as a cursor is none.",
        "Give the cursor exactly as it was printed, or start again with --snapshot.",
    ),
    page(
        "CURSOR_OTHER_ALLIANCE",
        Caller,
        "The cursor comes from another alliance.",
        "Use the cursor with the context it came from, or start again with --snapshot.",
    ),
    page(
        "CURSOR_OTHER_FILTER",
        Caller,
        "The cursor belongs to another jurisdiction or filter: notices would be missed.",
        "Ask with the jurisdiction and filter it came from, or start again with --snapshot.",
    ),
    page(
        "FIELD_OUT_OF_ORDER",
        Author,
        "A field stands after one with a higher number.",
        "Encode fields in ascending order, then sign again.",
    ),
    page(
        "FIELD_REPEATED",
        Author,
        "A field that may stand once stands twice, and readers could take either.",
        "Encode each such field once, then sign again.",
    ),
    page(
        "FILTER_BAD_VALUE",
        Caller,
        "A value in the filter is no member id, instrument, tariff prefix of 2 to 6 digits or kind \
         of right.",
        "Mend it: issuer = \"us\", hs = \"9405\", right_kind = \"patent\"; the byte is named.",
    ),
    page(
        "FILTER_FIELD_TWICE",
        Caller,
        "The filter names a field twice, so that nothing could match, or one is idle.",
        "Name each field once.",
    ),
    page(
        "FILTER_MALFORMED",
        Caller,
        "The filter is not of the form field = \"value\" joined by AND.",
        "Write issuer = \"us\" AND hs = \"9405\", in single quotes for the shell.",
    ),
    page(
        "FILTER_TOO_LONG",
        Caller,
        "The filter is longer than 512 bytes.",
        "Ask with fewer terms.",
    ),
    page(
        "FILTER_UNKNOWN_FIELD",
        Caller,
        "The filter names a field that this list does not have.",
        "Orders and blocks know issuer, instrument, hs and right_kind; other lists know issuer.",
    ),
    page(
        "GROUP",
        Author,
        "A message holds a group, an old form that has no one spelling.",
        "Check the encoder: our contract has no groups.",
    ),
    page(
        "LINE_TOO_LONG",
        Caller,
        "A line of a declaration is over 16 KiB as a message: nothing was said of its goods.",
        "Leave out what is not compared, shorten the description, then send the line again.",
    ),
    page(
        "LOOKUP_EMPTY",
        Caller,
        "Nothing was given to look up, or nothing but spaces and signs.",
        "Type what the box says: an item number, a model, a serial, a tariff code.",
    ),
    page(
        "LOOKUP_TOO_LONG",
        Caller,
        "The text to look up is longer than 256 characters.",
        "Look up one item number, model, serial or party at a time.",
    ),
    page(
        "OUT_OF_RANGE",
        Author,
        "A number does not fit the type of its field.",
        "Check the encoder.",
    ),
    page(
        "OVERLONG_VARINT",
        Author,
        "A number is written with more bytes than it needs.",
        "Encode numbers in their shortest form, then sign again.",
    ),
    page(
        "TOO_MANY_ELEMENTS",
        Author,
        "The lists of the message have more elements in all than their bound.",
        "Shorten them; articles beyond the bound go into a lasting body.",
    ),
    page(
        "TRUNCATED",
        Author,
        "The bytes end inside a field.",
        "Send the whole message; if a file was cut, fetch it again.",
    ),
    page(
        "TWO_CHOICES",
        Author,
        "Two members of one choice are set, and readers could take either.",
        "Set one, then sign again.",
    ),
    page(
        "WRONG_TYPE",
        Author,
        "A known field is written as another type.",
        "Check the encoder against proto/.",
    ),
];

/// Why a valid entry has no effect; in order.
pub(super) const VOID: &[Page] = &[
    page(
        "VOID_ALREADY_DECIDED",
        Nobody,
        "A decision by policy, but one on the same text of the order stands before it.",
        "Nothing: the earlier decision counts.",
    ),
    page(
        "VOID_HOLD_RUNS",
        Author,
        "It ends a hold as lapsed, but the hold had not come to its end.",
        "Tell the member whose node said it: its clock may be wrong. The hold counts on.",
    ),
    page(
        "VOID_NOT_YET_ISSUED",
        Author,
        "It acts on an order that its log issues only at a later index.",
        "Say it again, now that the order is issued.",
    ),
    page(
        "VOID_NO_HOLD",
        Author,
        "It extends or lapses a hold, but none runs.",
        "Hold anew if the goods are to be stopped: tocsin decide ORDER hold --until TIME.",
    ),
    page(
        "VOID_NUMBER_TAKEN",
        Author,
        "Its number was taken at a lower index of the same log.",
        "Sign it again under the next free number.",
    ),
    page(
        "VOID_OFFICERS_DECIDED",
        Nobody,
        "A decision by policy, but officers of that country had decided on the order before.",
        "Nothing: officers outrank policy.",
    ),
    page(
        "VOID_ORDER_ENDED",
        Nobody,
        "Its order was rescinded or withdrawn at a lower index: nothing revives it.",
        "Issue a new order if there is new ground.",
    ),
    page(
        "VOID_POLICY_ACT_DIFFERS",
        Member,
        "A decision by policy, but the rule it names does something else.",
        "Tell that member's operator; it has no effect anywhere.",
    ),
    page(
        "VOID_POLICY_END_DIFFERS",
        Member,
        "A decision by policy, but the rule it names gives another end.",
        "Tell that member's operator; it has no effect anywhere.",
    ),
    page(
        "VOID_POLICY_PACK_DIFFERS",
        Member,
        "A decision by policy, but another pack was in force at that index, or none.",
        "Tell that member's operator; it has no effect anywhere.",
    ),
    page(
        "VOID_POLICY_RULE_DIFFERS",
        Member,
        "A decision by policy, but another rule of the pack fires on that order.",
        "Tell that member's operator; it has no effect anywhere.",
    ),
    page(
        "VOID_STATEMENT_REPEATED",
        Nobody,
        "The same statement stands at a lower index of the same log.",
        "Nothing: the first one counts.",
    ),
];

/// Reasons of the hand tool itself; in order.
pub(super) const OWN: &[Page] = &[
    page(
        "CAUSE_MISMATCH",
        Caller,
        "The act on an order is not the one for what has happened to it.",
        "Use the verb that is named: error withdraws, ended rescinds, stay suspends, slip and \
         changed modify.",
    ),
    page(
        "CAUSE_NEEDED",
        Caller,
        "Which act on an order is right depends on what has happened, and nobody could be asked.",
        "Say it with --because, or run `tocsin order amend` at a terminal.",
    ),
    page(
        "CA_UNUSABLE",
        Member,
        "The certificate authority in the member's manifest cannot be used.",
        "Ask that member for its alliance file; do not connect until it is sound.",
    ),
    page(
        "CLIENT_CERTIFICATE",
        Caller,
        "A check: the certificate by which the node knows us. Warns when less than a third of its \
         life is left, fails under a tenth.",
        "Ask your operator for a new one: `tocsin client new`.",
    ),
    page(
        "CLIENT_KEY",
        Caller,
        "A check: the private key of our certificate. Fails when others on this machine can read \
         it.",
        "Run chmod 600 on it; ask for another when others may have it.",
    ),
    page(
        "CONFIRMATION_NEEDED",
        Caller,
        "The command binds, and nobody could be asked.",
        "Read what is to be done, then say --yes.",
    ),
    page(
        "CONTEXT_ALLIANCE",
        Caller,
        "A check: the alliance file of the context. Fails when it cannot be used, or is not the \
         one whose fingerprint the context has.",
        "Get the alliance file again and compare its fingerprint by voice.",
    ),
    page(
        "DOCUMENT_INVALID",
        Caller,
        "A statement document has unknown, missing or malformed fields.",
        "Mend the lines that are named; `new` explains every field.",
    ),
    page(
        "DRAFT_NOT_SHOWN_WHOLE",
        Author,
        "A draft says something that this version of the tool does not show.",
        "Sign it with the version of the tool that made it, or a newer one.",
    ),
    page(
        "ENTRY_BROKEN",
        Operator,
        "A node sent an entry that is none, or another than it was asked for.",
        "Tell the operator of that node; read from another member.",
    ),
    page(
        "KEY_FILE_INVALID",
        Caller,
        "A file is not a key file.",
        "Name a file that `tocsin init` or `tocsin key new` has made.",
    ),
    page(
        "KEY_FILE_SHARED",
        Caller,
        "Others on this machine can read a private key.",
        "Run chmod 600 on it; replace the key if others may have it.",
    ),
    page(
        "KEY_PURPOSE",
        Caller,
        "A key was named for something it is not for.",
        "Name a record key to sign statements, a gov key to sign rosters.",
    ),
    page(
        "LOG_ROOT",
        Member,
        "A member's copy of a log does not hash to the root that the log's own member signed.",
        "Read from another member, and tell the operator of the one that was asked.",
    ),
    page(
        "NODE_ADMIN",
        Operator,
        "A check: the node's admin address on this machine, which makes all its other checks.",
        "See that the node runs, and that the address is its admin_listen.",
    ),
    page(
        "NODE_REACHED",
        Operator,
        "A check: the node's address for clients, over mutual TLS with our certificate.",
        "See that the node runs and is the right one; its log says why it turned us away.",
    ),
    page(
        "NOTE_INVALID",
        Operator,
        "A log's checkpoint is not signed by its member, or a cosignature is false.",
        "Tell the operator of the node that sent it; read from another member.",
    ),
    page(
        "OTHER_STATEMENT",
        Operator,
        "A node sent the evidence of another statement than the one it was asked for.",
        "Ask another member, and tell the operator of the one that was asked.",
    ),
    page(
        "OWN_ORDER",
        Caller,
        "A decision is on another's order; this one is our own.",
        "Suspend, modify, rescind or withdraw it with `tocsin order`.",
    ),
    page(
        "POLICY_MISMATCH",
        Member,
        "Judging an order again by the policy pack that a decision cites gives another decision.",
        "Tell that member's operator; the decision is void.",
    ),
    page(
        "PROTECTED_CONTEXT",
        Caller,
        "Something would be changed through a protected context, and that was not confirmed.",
        "If that is where it should go, name the context beside --yes: -c NAME --yes.",
    ),
    page(
        "READER_GONE",
        Nobody,
        "Whoever read the output stopped before its end, as head does; nothing is printed of it.",
        "Nothing; for the whole of it, write to a file.",
    ),
    page(
        "RECEIPT_INVALID",
        Operator,
        "The node's receipt does not prove that the statement stands in the log.",
        "Tell the operator; run `tocsin log audit`.",
    ),
    page(
        "RECEIPT_MISSING",
        Operator,
        "The node accepted a statement and gave no receipt.",
        "Tell the operator; submit the same file again, which is safe.",
    ),
    page(
        "RECORD_INVALID",
        Operator,
        "A node shows a record whose bytes are not what it says of them.",
        "Tell the operator of that node; read from another member.",
    ),
    page(
        "ROOT_MISMATCH",
        Operator,
        "A log's entries do not hash to the root that its member signed.",
        "Stop relying on that node, and tell its operator.",
    ),
    page(
        "TIMED_OUT",
        Operator,
        "The node did not answer in time.",
        "Try again, or wait longer with --timeout 2m. Submitting the same file again is safe.",
    ),
    page(
        "TWO_ROOTS",
        Member,
        "Two nodes hold one log with different roots at the same size.",
        "Stop relying on that log; both notes together are evidence against its member.",
    ),
    page(
        "UNANCHORED",
        Caller,
        "Everything is consistent, but nothing says that it is the right alliance.",
        "Compare the fingerprint by voice with a member you know, then give it with --genesis.",
    ),
    page(
        "WRONG_SERVER",
        Operator,
        "The server at this address did not prove to be the member's node.",
        "Check endpoint and member of the context; if they are right, tell the operator.",
    ),
];
