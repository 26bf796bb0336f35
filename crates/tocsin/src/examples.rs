//! Examples of the commands that the binary adds to the hand tool; see [`tocsin_cli::help`].

use tocsin_cli::help::Examples;

/// The table.
pub const EXAMPLES: &[Examples] = &[
    (
        "demo",
        &[(
            "The whole walk, then end; exit 0 only if every step was verified",
            "tocsin demo --exit",
        )],
    ),
    (
        "bench ingest",
        &[(
            "A short run; longer ones tell more",
            "tocsin bench ingest --seconds 1",
        )],
    ),
    (
        "bench catchup",
        &[(
            "A short run: an empty node follows some thousand entries",
            "tocsin bench catchup --entries 2000 --seconds 1",
        )],
    ),
    (
        "bench propagation",
        &[(
            "A short run: from an order's submission to a notice abroad",
            "tocsin bench propagation --seconds 1",
        )],
    ),
    (
        "bench screen",
        &[(
            "A short run: some thousand lines against some hundred blocks",
            "tocsin bench screen --blocks 500 --lines 5000",
        )],
    ),
    (
        "bench screen-service",
        &[(
            "A short run: lines in streams and look-ups at a node with some hundred orders",
            "tocsin bench screen-service --blocks 500 --seconds 1",
        )],
    ),
    (
        "bench start",
        &[(
            "A short run: serving again with some thousand entries",
            "tocsin bench start --entries 2000 --seconds 1",
        )],
    ),
    (
        "bench terms",
        &[(
            "What this machine does at best",
            "tocsin bench terms --seconds 1",
        )],
    ),
    (
        "init",
        &[(
            "Make Germany's data directory, with two officers and an investigator",
            "tocsin init --member de --jurisdiction DE --name Zoll --dir de \\\n    \
             --alliance demo.tocsin.example --officer p-1 --officer p-2 --investigator p-3",
        )],
    ),
    (
        "alliance new",
        &[(
            "Join what every founder handed in",
            "tocsin alliance new us/member.json de/member.json -o roster.json",
        )],
    ),
    (
        "alliance sign",
        &[(
            "Each founder signs, after comparing the fingerprint by voice",
            "tocsin alliance sign roster.json --key de/keys/gov.key",
        )],
    ),
    (
        "alliance assemble",
        &[(
            "The file that every member trusts from then on",
            "tocsin alliance assemble us/member.json de/member.json --roster roster.json \\\n    \
             -o alliance.tsa",
        )],
    ),
    (
        "alliance show",
        &[(
            "Who is in it, and the fingerprint to read aloud",
            "tocsin alliance show alliance.tsa",
        )],
    ),
    (
        "alliance verify",
        &[(
            "Is it the alliance that was compared by voice?",
            "tocsin alliance verify alliance.tsa --genesis \"$GENESIS\"",
        )],
    ),
    (
        "key new",
        &[(
            "A third officer, before the alliance is assembled",
            "tocsin key new --dir de --role officer --person p-4",
        )],
    ),
    (
        "key list",
        &[("Whose keys the manifest names", "tocsin key list --dir de")],
    ),
    (
        "client new",
        &[(
            "A certificate for the risk engine",
            "tocsin client new --dir de --id risk-1 --role agency",
        )],
    ),
    (
        "node run",
        &[(
            "Until SIGTERM or Ctrl-C",
            "tocsin node run --config de/node.toml",
        )],
    ),
    (
        "node ready",
        &[(
            "Does the node on this machine serve and sign?",
            "tocsin node ready --config de/node.toml",
        )],
    ),
    (
        "upgrade check",
        &[(
            "What this binary would make of the directory",
            "tocsin upgrade check --config de/node.toml",
        )],
    ),
    (
        "node certificate",
        &[(
            "Before the old one ends; then send the node SIGHUP",
            "tocsin node certificate --dir de --host 127.0.0.1",
        )],
    ),
];
