//! One table of what people type. Files and names in it are those of an invented day: a test
//! prepares them and runs every line in a shell.

use super::Examples;

/// Examples of the hand tool's commands.
pub const EXAMPLES: &[Examples] = &[
    (
        "lookup",
        &[
            (
                "Is this item number blocked here? (exits 10)",
                "tocsin lookup 4006381333931 --exit-code",
            ),
            (
                "A model, in another country",
                "tocsin lookup HX-220B --jurisdiction DE",
            ),
            (
                "Why a row of a screened file was a hit, and what the blocks say of it now",
                "tocsin lookup --row 1 --in screened/hits.csv",
            ),
        ],
    ),
    (
        "screen",
        &[
            (
                "A file against the blocks here; a hit stops the script (exits 10)",
                "tocsin screen declarations.csv --out screened --exit-code",
            ),
            (
                "By a mapping, with the hundred most urgent to review",
                "tocsin screen declarations.csv --mapping mapping.toml --out screened \
                 --review-budget 100",
            ),
            (
                "An archive against blocks that changed since a day",
                "tocsin screen declarations.csv --since 2026-11-22",
            ),
        ],
    ),
    (
        "screen mapping new",
        &[(
            "Propose what each column means; writes mapping.toml",
            "tocsin screen mapping new declarations.csv",
        )],
    ),
    (
        "screen mapping test",
        &[(
            "The first rows as the mapping reads them",
            "tocsin screen mapping test mapping.toml declarations.csv",
        )],
    ),
    (
        "block list",
        &[
            ("What stops goods here, now", "tocsin block list --in-force"),
            (
                "For a spreadsheet",
                "tocsin block list --jurisdiction DE --output csv > blocks.csv",
            ),
        ],
    ),
    (
        "block show",
        &[(
            "One order as it stands in Germany",
            "tocsin block show US-2026-0412@DE",
        )],
    ),
    (
        "block matrix",
        &[("All orders by all countries", "tocsin block matrix")],
    ),
    (
        "notices watch",
        &[
            (
                "The next notice as JSON, then end",
                "tocsin notices watch --count 1 --output jsonl",
            ),
            (
                "Go on where the last run stopped",
                "tocsin notices watch --cursor-file cursor.txt --count 1",
            ),
        ],
    ),
    (
        "report new",
        &[(
            "Write report.toml, with every field explained",
            "tocsin report new report.toml",
        )],
    ),
    (
        "report lint",
        &[(
            "What is missing before anyone signs; here something is (exits 20)",
            "tocsin report lint report.toml",
        )],
    ),
    (
        "report sign",
        &[(
            "Sign as an investigator; writes report.tsn",
            "tocsin report sign report.toml --key investigator.key",
        )],
    ),
    (
        "report submit",
        &[(
            "Hand it to our node and get a receipt",
            "tocsin report submit report.tsn",
        )],
    ),
    (
        "report list",
        &[(
            "Reports of one member",
            "tocsin report list --filter 'issuer = \"jp\"'",
        )],
    ),
    (
        "report show",
        &[("One report", "tocsin report show JP-2026-0007")],
    ),
    (
        "indicator new",
        &[(
            "Look at every field, write nothing",
            "tocsin indicator new --stdout",
        )],
    ),
    (
        "indicator lint",
        &[(
            "What is missing before anyone signs; here something is (exits 20)",
            "tocsin indicator lint indicator.toml",
        )],
    ),
    (
        "indicator sign",
        &[(
            "Sign it under a number of our own choice",
            "tocsin indicator sign indicator.toml --key investigator.key --number 21",
        )],
    ),
    (
        "indicator submit",
        &[(
            "Hand it to our node",
            "tocsin indicator submit indicator.tsn",
        )],
    ),
    (
        "indicator list",
        &[("The newest last", "tocsin indicator list --limit 20")],
    ),
    (
        "indicator show",
        &[("One indicator", "tocsin indicator show JP-2026-0021")],
    ),
    (
        "order new",
        &[(
            "Write order.toml, with every field explained",
            "tocsin order new order.toml",
        )],
    ),
    (
        "order lint",
        &[(
            "What is missing before anyone signs; here something is (exits 20)",
            "tocsin order lint order.toml",
        )],
    ),
    (
        "order sign",
        &[(
            "The first officer signs; it is not in force yet",
            "tocsin order sign order.toml --key officer-1.key",
        )],
    ),
    (
        "order cosign",
        &[(
            "The second officer signs",
            "tocsin order cosign order.tsn --key officer-2.key",
        )],
    ),
    (
        "order submit",
        &[(
            "In force in our own market from here on",
            "tocsin order submit order.tsn --wait replicated",
        )],
    ),
    (
        "order list",
        &[(
            "Orders on lamps",
            "tocsin order list --filter 'hs = \"9405\"'",
        )],
    ),
    (
        "order show",
        &[(
            "One order, and what its issuer did to it",
            "tocsin order show US-2026-0412",
        )],
    ),
    (
        "order suspend",
        &[(
            "A court stays it; one officer is enough to release",
            "tocsin order suspend US-2026-0412 --reason \"court stay\" --key officer-1.key",
        )],
    ),
    (
        "order resume",
        &[(
            "The stay is over; two officers",
            "tocsin order resume US-2026-0412 --reason \"stay lifted\" \\\n    \
             --key officer-1.key --key officer-2.key",
        )],
    ),
    (
        "order modify",
        &[(
            "Narrow it to fewer goods; two officers",
            "tocsin order modify US-2026-0412 --because changed --document order.toml \\\n    \
             --reason \"one model only\" --key officer-1.key --key officer-2.key",
        )],
    ),
    (
        "order rescind",
        &[(
            "Its conditions have ended; two officers",
            "tocsin order rescind US-2026-0412 --because ended --reason \"patent expired\" \\\n    \
             --key officer-1.key --key officer-2.key",
        )],
    ),
    (
        "order withdraw",
        &[(
            "It was issued in error; two officers",
            "tocsin order withdraw US-2026-0412 --because error --reason \"wrong number\" \\\n    \
             --key officer-1.key --key officer-2.key",
        )],
    ),
    (
        "order text",
        &[(
            "Its text as it stands, as a document to change",
            "tocsin order text US-2026-0412 changed.toml",
        )],
    ),
    (
        "order simulate",
        &[(
            "What it would have done to last month's declarations; here too much (exits 20)",
            "tocsin order simulate order.toml --archive declarations.csv",
        )],
    ),
    (
        "block simulate",
        &[(
            "What an ally's order would do here if it were adopted; here too much (exits 20)",
            "tocsin block simulate US-2026-0412 --archive declarations.csv",
        )],
    ),
    (
        "order amend",
        &[(
            "Not sure which? A slip of the pen leads to modify",
            "tocsin order amend US-2026-0412 --because slip --document order.toml \\\n    \
             --reason \"misprint\" --key officer-1.key --key officer-2.key",
        )],
    ),
    (
        "decide",
        &[
            (
                "Stop such goods for now; ends by itself",
                "tocsin decide US-2026-0412 hold --until 2026-12-15 \\\n    \
                 --basis \"art. 17\" --reason \"copies\" --key officer-1.key --key officer-2.key",
            ),
            (
                "Not for us, and why",
                "tocsin decide US-2026-0412 decline --reason \"no right\" --key officer-1.key",
            ),
        ],
    ),
    (
        "policy new",
        &[(
            "Write policy.toml, with every field explained",
            "tocsin policy new policy.toml",
        )],
    ),
    (
        "policy lint",
        &[("Is the pack sound?", "tocsin policy lint policy.toml")],
    ),
    (
        "policy test",
        &[
            (
                "What it would decide on every order known here",
                "tocsin policy test policy.toml",
            ),
            (
                "On one order document, without a node",
                "tocsin policy test policy.toml order.toml",
            ),
        ],
    ),
    (
        "policy sign",
        &[(
            "The first officer signs",
            "tocsin policy sign policy.toml --key officer-1.key",
        )],
    ),
    (
        "policy cosign",
        &[(
            "The second officer signs",
            "tocsin policy cosign policy.tsn --key officer-2.key",
        )],
    ),
    (
        "policy submit",
        &[(
            "The node decides by it from here on",
            "tocsin policy submit policy.tsn",
        )],
    ),
    (
        "policy show",
        &[("The pack inside a file", "tocsin policy show policy.tsn")],
    ),
    (
        "pending",
        &[("What waits for a decision here", "tocsin pending")],
    ),
    (
        "pending show",
        &[(
            "All that a colleague's draft says",
            "tocsin pending show US-2026-0413",
        )],
    ),
    (
        "pending sign",
        &[(
            "Read it, sign it as the second officer, and submit it",
            "tocsin pending sign US-2026-0414 --key officer-2.key",
        )],
    ),
    (
        "pending discard",
        &[(
            "It is not wanted after all",
            "tocsin pending discard US-2026-0415 --reason \"issued elsewhere\"",
        )],
    ),
    (
        "verify",
        &[
            (
                "Fetch the evidence of an order, verify and keep it",
                "tocsin verify US-2026-0412 --save US-2026-0412.tsn",
            ),
            (
                "Everything in a folder; one line each",
                "tocsin verify *.tsn",
            ),
            (
                "Verify a file, with no node and no network",
                "tocsin verify US-2026-0412.tsn --genesis \"$GENESIS\"",
            ),
        ],
    ),
    (
        "log head",
        &[("How far a member's log has come", "tocsin log head us")],
    ),
    (
        "log show",
        &[(
            "Its first entries",
            "tocsin log show us --start 0 --limit 5",
        )],
    ),
    (
        "log audit",
        &[(
            "Hash every log again to its signed root",
            "tocsin log audit",
        )],
    ),
    (
        "status",
        &[("Our node, the members and their logs", "tocsin status")],
    ),
    (
        "peer list",
        &[(
            "Whom our node is connected to, and why not",
            "tocsin peer list",
        )],
    ),
    (
        "check",
        &[
            (
                "All that concerns our logs; `tocsin check` alone looks at everything",
                "tocsin check --only log",
            ),
            (
                "For a monitor that reads plug-ins",
                "tocsin check --only identity --format nagios",
            ),
        ],
    ),
    (
        "trace",
        &[(
            "How far an order came in Germany, hop by hop",
            "tocsin trace US-2026-0412 --at DE",
        )],
    ),
    (
        "context list",
        &[("Which nodes this tool knows", "tocsin context list")],
    ),
    (
        "context add",
        &[(
            "As a client of Germany's node",
            "tocsin context add zoll --endpoint https://127.0.0.1:7337 --member de \\\n    \
             --alliance alliance.tsa --cert client.pem --cert-key client-key.pem \\\n    \
             --genesis \"$GENESIS\"",
        )],
    ),
    (
        "context use",
        &[("Take it when none is named", "tocsin context use de")],
    ),
    (
        "context previous",
        &[("Back to the one before", "tocsin context previous")],
    ),
    (
        "context show",
        &[("Where commands go, and what says so", "tocsin context show")],
    ),
    (
        "context remove",
        &[("Forget one; its keys stay", "tocsin context remove jp")],
    ),
    (
        "context validate",
        &[(
            "Are files, keys and node in order?",
            "tocsin context validate de",
        )],
    ),
    (
        "explain",
        &[
            (
                "A code from a message",
                "tocsin explain NEEDS_SECOND_OFFICER",
            ),
            ("An exit code", "tocsin explain 6"),
        ],
    ),
    (
        "completion",
        &[(
            "For this shell session",
            "eval \"$(tocsin completion bash)\"",
        )],
    ),
    (
        "man",
        &[
            ("The first page", "tocsin man > tocsin.1"),
            ("A page for each command", "tocsin man --dir man1"),
        ],
    ),
    (
        "help",
        &[
            ("What the exit codes mean", "tocsin help exit-codes"),
            (
                "The same as tocsin order sign --help",
                "tocsin help order sign",
            ),
        ],
    ),
];
