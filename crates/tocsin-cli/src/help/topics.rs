//! `tocsin help TOPIC`: what does not belong to one command.

use crate::failure::Exit;

/// A topic's word and its text.
pub type Topic = (&'static str, fn() -> String);

/// Every topic.
pub const TOPICS: &[Topic] = &[
    ("exit-codes", exit_codes),
    ("names", || NAMES.to_owned()),
    ("cursors", || CURSORS.to_owned()),
    ("filters", || FILTERS.to_owned()),
    ("tlp", || TLP.to_owned()),
    ("settings", || SETTINGS.to_owned()),
];

fn exit_codes() -> String {
    let mut text = String::from("What the tool ends with; these numbers do not change.\n\n");
    for exit in Exit::ALL {
        text.push_str(&format!(
            "  {:>2}  {}\n",
            exit.number(),
            exit.page().meaning
        ));
    }
    text.push_str("\nMore on one: tocsin explain 6. 10 to 13 come only with --exit-code.\n");
    text
}

const NAMES: &str = "\
How things are named, everywhere a name is asked for.

  US-2026-0412                  an order, report or indicator: member, year, running number
  US-2026-0412@DE               a block: that order as it stands in Germany
  members/us/orders/2026-0412   the same order in full; also reports, indicators, decisions,
                                orderActs, policyPacks
  a1b2..(64 digits)             a statement by its statement_id, when it has no number

One member counts reports, indicators and orders together: a number names one thing a year.
A name does not say what became of it: tocsin block show, tocsin order show.
";

const CURSORS: &str = "\
A cursor says up to where notices were read. It is good at every member's node and never expires.

  tocsin notices watch --cursor-file cursor.txt    go on where the last run stopped
  tocsin notices watch --cursor TEXT               go on from a cursor kept elsewhere
  tocsin notices watch --snapshot                  first the whole state, then what changes
  tocsin notices watch --now                       only what changes from now on

Notices are states, not events: the latest one of a block is all there is to know of it. You may
see one twice and must not mind; you never miss the last one. A cursor belongs to one jurisdiction
and filter; with another, the node refuses it rather than leave something out.
";

const FILTERS: &str = "\
A filter is one or more of these, joined by AND, in single quotes for the shell:

  issuer = \"us\"               the member that issued the order or said the report
  instrument = \"us_337_geo\"   the kind of order, as order documents spell it
  hs = \"9405\"                 goods under this tariff prefix of 2 to 6 digits
  right_kind = \"patent\"       the kind of right that is infringed

  tocsin order list --filter 'issuer = \"us\" AND hs = \"9405\"'

Orders and blocks know all four; reports and indicators know issuer. There is no OR and no NOT: ask
twice, or filter the output of --output jsonl.
";

const TLP: &str = "\
The Traffic Light Protocol says how far a statement may travel. Every statement carries one.

  clear         anyone
  green         members and whom they work with; not the public
  amber         members' own staff who need it
  amber_strict  the member itself
  red           the persons named

This version takes clear and green. What needs more has to be sealed to its readers, which is not
built yet, so the node refuses it rather than send it in the open (SEALING_NOT_BUILT).
";

const SETTINGS: &str = "\
Where the tool takes what it was not told on the command line. Flags win over variables, variables
over files.

  -c, --context   TOCSIN_CONTEXT     which node, as whom; else the current context, else the only
  --output        TOCSIN_OUTPUT      table, json, jsonl or csv
  --timeout       TOCSIN_TIMEOUT     longest wait for the node, e.g. 30s
  --color         TOCSIN_COLOR       auto, always or never; NO_COLOR turns it off as well
                  TOCSIN_ENDPOINT    the node's address, instead of the context's
                  TOCSIN_KEY         the record key to sign with, instead of the context's
                  TOCSIN_CONFIG_DIR  where contexts.toml lies, else ~/.config/tocsin
  --config        TOCSIN_CONFIG      the node's own settings (tocsin node run)

A node takes further TOCSIN_* variables, one for each line of node.toml; an unknown one is an error
with a suggestion.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_fit_a_terminal_of_a_hundred_columns() {
        for (word, text) in TOPICS {
            for line in text().lines() {
                assert!(line.chars().count() <= 100, "{word}: {line}");
            }
        }
    }
}
