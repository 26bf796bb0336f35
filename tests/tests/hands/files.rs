//! Files of declarations through the hand tool, against a live node: what is found, that nothing
//! half done is left, and that work goes on where it stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::Act;
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, GTIN, Saying};
use tocsin_tests::tool::Tool;

use crate::BINARY;

/// A node of the US with one general order in force, and its client's tool.
struct Office {
    network: Network,
    tool: Tool,
    dir: tempfile::TempDir,
    order: Saying,
}

impl Office {
    async fn open() -> Self {
        let network = Network::start(BINARY, &["us"]).await;
        let order = Saying::new("us", Act::Order(Box::new(say::order("EXERCISE lamps")))).number(1);
        let keys = ["o-1", "o-2"].map(|person| network.key("us", person));
        let signed = order.sign(&[&keys[0], &keys[1]]);
        signed.submit(&network.channel("us").await).await.unwrap();
        network.caught_up("us", "us", 1).await;
        let tool = network.tool("us");
        let office = Self {
            network,
            tool,
            dir: tempfile::tempdir().unwrap(),
            order,
        };
        let path = office.write("probe.csv", format!("MRN,GTIN\n1,{GTIN}\n"));
        // The order must have come through the applier.
        let end = Instant::now() + PATIENCE;
        while office.tool.run(&["screen", &path, "--exit-code"]).exit != 10 {
            assert!(Instant::now() < end, "the order does not come into force");
        }
        office
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn withdraw(&self) {
        let keys = ["o-1", "o-2"].map(|person| self.network.key("us", person));
        let order = self.order.sign(&[&keys[0], &keys[1]]).reference("us");
        let act = Saying::new("us", say::act(OrderActKind::Withdraw)).about(&order);
        let signed = act.sign(&[&keys[0], &keys[1]]);
        signed
            .submit(&self.network.channel("us").await)
            .await
            .unwrap();
    }

    /// Starts the tool and leaves it at work.
    fn start(&self, args: &[&str]) -> Child {
        Command::new(BINARY)
            .args(args)
            .env("TOCSIN_CONFIG_DIR", self.network.dir().join("us-tool"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }
}

fn names(dir: &str) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

const RESULTS: [&str; 5] = [
    "hits.csv",
    "holds.csv",
    "rejects.csv",
    "reviews.csv",
    "summary.json",
];

fn outcome(summary: &Value, word: &str) -> u64 {
    summary["outcomes"][word].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_screened_explained_and_released_with_the_order() {
    let office = Office::open().await;
    let text = format!(
        "MRN;Item;EAN;Modell;Warenbezeichnung;Ursprungsland;Einführer\n\
         26A;1;{GTIN};;Leuchten für Büros;CN;Müller & Söhne GmbH\n\
         26A;2;;HX-220B;lamps;CN;\n\
         26B;1;;ZZ-900000;Seile;JP;=cmd|' /C calc'!A0\n\
         26C;1;zu wenig\n"
    );
    // Of these letters, Windows-1252 has the first 256 of Unicode in their places.
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    let file = office.write("zoll.csv", &bytes);
    let out = office.path("out");
    let args = ["screen", &file, "--out", &out, "--exit-code"];
    let (exit, summary) = office.tool.json(&args);
    assert_eq!(exit, 10, "{summary}");
    assert_eq!(
        summary["form"],
        "CSV, `;` separated, windows-1252, 7 columns"
    );
    let counts = ["blocked", "none"].map(|word| outcome(&summary, word));
    assert_eq!((counts, summary["rejected"].as_u64()), ([2, 1], Some(1)));
    assert_eq!(names(&out), RESULTS);
    let hits = fs::read_to_string(Path::new(&out).join("hits.csv")).unwrap();
    assert!(hits.contains("Müller & Söhne"), "{hits}");
    let rejects = fs::read_to_string(Path::new(&out).join("rejects.csv")).unwrap();
    assert!(rejects.contains("4,5,\"CELL_COUNT\""), "{rejects}");

    let listed = format!("{out}/hits.csv");
    let (exit, row) = office.tool.json(&["lookup", "--row", "2", "--in", &listed]);
    assert_eq!(exit, 0);
    assert_eq!(row["declared"]["model"][0], "HX-220B");
    assert_eq!(row["written"][0]["outcome"], "blocked");
    assert_eq!(row["now"]["outcome"], "blocked");
    let told = office.tool.run(&["lookup", "--row", "3", "--in", &listed]);
    assert_eq!(told.exit, 3, "{told:?}");
    assert!(told.err.contains("ROW_NOT_LISTED"), "{told:?}");

    office.withdraw().await;
    let end = Instant::now() + PATIENCE;
    loop {
        let (_, row) = office.tool.json(&["lookup", "--row", "2", "--in", &listed]);
        assert_eq!(row["written"][0]["outcome"], "blocked");
        if row["now"]["outcome"] == "none" {
            break;
        }
        assert!(Instant::now() < end, "{row}");
    }
    // Finished results are not written over unasked.
    let told = office.tool.run(&args);
    assert_eq!(told.exit, 7, "{told:?}");
    let (exit, summary) = office.tool.json(&[&args[..], &["--restart"]].concat());
    assert_eq!((exit, outcome(&summary, "none")), (12, 3), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_work_goes_on_and_finds_what_one_run_finds() {
    let office = Office::open().await;
    let mut text = String::from("MRN,Item,GTIN,Description\n");
    for row in 1..=400_000 {
        let gtin = if row % 10_000 == 0 { GTIN } else { "" };
        text.push_str(&format!(
            "26A{row},1,{gtin},a lamp with a cable of some length\n"
        ));
    }
    let file = office.write("big.csv", &text);
    let whole = office.path("whole");
    let (_, wanted) = office.tool.json(&["screen", &file, "--out", &whole]);
    assert_eq!(outcome(&wanted, "blocked"), 40);

    let out = office.path("killed");
    let args = ["screen", &file, "--out", &out];
    // Interrupted as a person does it: it says so, and keeps its place.
    let begun = PathBuf::from(&out).join("hits.csv.part");
    let row = || {
        let kept = fs::read(Path::new(&out).join("resume.json")).unwrap();
        let kept: Value = serde_json::from_slice(&kept).unwrap();
        kept["row"].as_u64().unwrap()
    };
    let end = Instant::now() + PATIENCE;
    loop {
        assert_eq!(interrupt(&office, &args, &begun), Some(8));
        if row() > 0 {
            break;
        }
        // It was told to stop before the first rows: once more, from nothing.
        fs::remove_dir_all(&out).unwrap();
        assert!(Instant::now() < end, "it never does a row");
    }
    assert!(row() < 400_000);
    // Killed without a word: what was safe stays.
    let mut child = office.start(&args);
    child.kill().unwrap();
    child.wait().unwrap();
    let other = office.write("other.csv", "MRN,GTIN\n1,\n");
    let told = office.tool.run(&["screen", &other, "--out", &out]);
    assert_eq!(told.exit, 7, "{told:?}");
    assert!(told.err.contains("RESUME_OTHER_INPUT"), "{told:?}");

    let (exit, summary) = office.tool.json(&args);
    assert_eq!(exit, 0, "{summary}");
    assert_eq!(names(&out), RESULTS);
    assert_eq!(summary["outcomes"], wanted["outcomes"]);
    assert_eq!(summary["rows"], wanted["rows"]);
    for name in ["hits.csv", "holds.csv", "reviews.csv", "rejects.csv"] {
        let of = |dir: &str| fs::read(Path::new(dir).join(name)).unwrap();
        assert!(of(&out) == of(&whole), "{name}");
    }
}

/// Starts the tool, sends it SIGINT once it has begun to write, and gives its exit code.
fn interrupt(office: &Office, args: &[&str], begun: &Path) -> Option<i32> {
    let mut child = office.start(args);
    let end = Instant::now() + PATIENCE;
    while !begun.exists() {
        assert!(Instant::now() < end, "it does not begin");
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    let asked = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(asked.success());
    child.wait().unwrap().code()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_to_its_end_leaves_nothing() {
    let office = Office::open().await;
    let bomb = "<!DOCTYPE a [<!ENTITY a \"aaaa\">]><MetaData>&a;</MetaData>";
    let half = "<MetaData><Declaration><GoodsShipment><GovernmentAgencyGoodsItem>";
    let empty_mapping = "version = 1\n[columns]\ngtin = \"EAN\"\n";
    let mapping = office.write("m.toml", empty_mapping);
    for (name, text, more, code) in [
        ("bomb.xml", bomb, None, "XML_ENTITY"),
        ("half.xml", half, None, "XML_UNREADABLE"),
        ("empty.csv", "", None, "FILE_EMPTY"),
        ("a.csv", "MRN,Gewicht\n1,2\n", None, "MAPPING_NEEDED"),
        (
            "b.csv",
            "MRN,GTIN\n1,2\n",
            Some(&mapping),
            "MAPPING_COLUMN_MISSING",
        ),
    ] {
        let file = office.write(name, text);
        let out = office.path(&format!("{name}.out"));
        let mut args = vec!["screen", &file, "--out", &out];
        if let Some(mapping) = more {
            args.extend(["--mapping", mapping]);
        }
        let told = office.tool.run(&args);
        assert_eq!(told.exit, 2, "{told:?}");
        assert!(told.err.contains(code), "{name}: {told:?}");
        assert!(!Path::new(&out).exists(), "{name} left {:?}", names(&out));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_screened_against_what_changed_and_an_order_tried_on_it() {
    let office = Office::open().await;
    let mut text =
        String::from("{\"mrn\":\"A\",\"gtin\":\"4006381333931\",\"importer\":\"Acme\"}\n");
    for row in 0..1_999 {
        text.push_str(&format!(
            "{{\"mrn\":\"B{row}\",\"gtin\":\"\",\"model\":\"ZZ-{row}000\"}}\n"
        ));
    }
    let file = office.write("archive.jsonl", &text);
    let (_, now) = office.tool.json(&["screen", &file]);
    assert_eq!(outcome(&now, "blocked"), 1, "{now}");
    let later = tocsin_cli::instant::show(say::now_ms() + 86_400_000);
    let cursor = now["position"].as_str().unwrap();
    for since in [later.as_str(), cursor] {
        let (_, none) = office.tool.json(&["screen", &file, "--since", since]);
        assert_eq!(
            (outcome(&none, "blocked"), none["blocks"].as_u64()),
            (0, Some(0))
        );
    }
    let (_, since) = office
        .tool
        .json(&["screen", &file, "--since", "2020-01-01"]);
    assert_eq!(outcome(&since, "blocked"), 1);

    let name = format!("US-{}-0001", tocsin_cli::instant::year(say::now_ms()));
    let (exit, tried) = office
        .tool
        .json(&["block", "simulate", &name, "--archive", &file]);
    assert_eq!((exit, tried["blocked"].as_u64()), (0, Some(1)), "{tried}");
    assert_eq!(tried["over_broad"], false);
    assert_eq!(tried["touched"][0]["party"], "Acme");
    let short = office.write("short.jsonl", text[..4_000].rsplit_once('\n').unwrap().0);
    let (exit, tried) = office
        .tool
        .json(&["block", "simulate", &name, "--archive", &short]);
    assert_eq!((exit, tried["over_broad"].as_bool()), (20, Some(true)));
}
