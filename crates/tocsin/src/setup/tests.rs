use std::fs;
use std::os::unix::fs::PermissionsExt;

use tocsin_cli::failure::Exit;
use tocsin_cli::keyfile;
use tocsin_core::roster::{Alliance, Role};
use tocsin_log::keyfile::{KeyText, Purpose};

use super::alliance::{assemble, found, merge, new_roster, open, sign};
use super::member::{Home, NewMember, init};

const LABEL: &str = "test.tocsin.example";

fn new_member(id: &str) -> NewMember {
    NewMember {
        id: id.to_owned(),
        jurisdiction: id.to_uppercase(),
        name: format!("Customs of {id}"),
        alliance: LABEL.to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 7337,
        admin_port: 7339,
        people: vec![
            ("p-1".to_owned(), Role::Officer),
            ("p-2".to_owned(), Role::Officer),
            ("p-3".to_owned(), Role::Investigator),
        ],
    }
}

fn three(dir: &std::path::Path) -> Vec<Home> {
    ["us", "de", "jp"]
        .map(|id| init(&dir.join(id), &new_member(id)).unwrap())
        .into()
}

fn gov(home: &Home) -> KeyText {
    keyfile::read_for(&home.gov_key(), Purpose::Gov).unwrap()
}

#[test]
fn three_members_found_an_alliance_that_every_node_accepts() {
    let dir = tempfile::tempdir().unwrap();
    let homes = three(dir.path());
    let members: Vec<_> = homes
        .iter()
        .map(|h| (h.read_member_file().unwrap(), gov(h)))
        .collect();
    let bytes = found(&members).unwrap();
    let alliance = Alliance::parse(&bytes).unwrap();
    assert_eq!(alliance.label(), LABEL);
    assert_eq!(
        alliance
            .members()
            .map(|m| m.id.as_str())
            .collect::<Vec<_>>(),
        ["de", "jp", "us"]
    );
    let de = alliance.member("de").unwrap();
    assert_eq!(de.tls.trust_domain, "de.test.tocsin.example");
    assert_eq!(de.tls.endpoints, ["127.0.0.1:7337"]);
    let officers = de
        .record_keys
        .values()
        .filter(|k| k.roles.contains(&Role::Officer))
        .count();
    assert_eq!(officers, 2);
    let key =
        keyfile::read_for(&homes[1].person_key(Role::Officer, "p-1"), Purpose::Record).unwrap();
    assert_eq!(
        de.record_key(&key.key.public().key_id(), 0).unwrap().person,
        "p-1"
    );
}

#[test]
fn founders_who_sign_apart_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let homes = three(dir.path());
    let files: Vec<_> = homes
        .iter()
        .map(|h| h.read_member_file().unwrap())
        .collect();
    let roster = new_roster(&files).unwrap();
    let copies: Vec<_> = homes
        .iter()
        .map(|home| {
            let mut copy = roster.clone();
            sign(&mut copy, &gov(home)).unwrap();
            copy
        })
        .collect();
    assert_eq!(
        assemble(&copies[0], &files).unwrap_err().exit,
        Exit::Unverified
    );
    let whole = merge(copies).unwrap();
    assert!(open(&assemble(&whole, &files).unwrap()).is_ok());
    assert!(assemble(&whole, &files[1..]).is_err());
}

#[test]
fn a_stranger_cannot_sign_a_roster() {
    let dir = tempfile::tempdir().unwrap();
    let homes = three(dir.path());
    let files: Vec<_> = homes
        .iter()
        .map(|h| h.read_member_file().unwrap())
        .collect();
    let mut roster = new_roster(&files[..2]).unwrap();
    let failure = sign(&mut roster, &gov(&homes[2])).unwrap_err();
    assert_eq!(failure.exit, Exit::NotPermitted);
}

#[test]
fn secrets_belong_to_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let home = init(&dir.path().join("de"), &new_member("de")).unwrap();
    home.add_client("zoll-1", &["agency".to_owned()]).unwrap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.keys()), 0o700);
    let mut secrets = vec![
        home.ca_key(),
        home.node_cert_key(),
        home.client_cert_key("zoll-1"),
    ];
    secrets.extend(
        fs::read_dir(home.keys())
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    assert_eq!(secrets.len(), 3 + 4 + 3);
    for path in secrets {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_second_init_or_a_bad_name_leaves_everything_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let home = init(&dir.path().join("de"), &new_member("de")).unwrap();
    let before = fs::read(home.member_file()).unwrap();
    assert_eq!(
        init(home.dir(), &new_member("de")).unwrap_err().exit,
        Exit::Conflict
    );
    assert_eq!(fs::read(home.member_file()).unwrap(), before);
    for (id, alliance, jurisdiction, person) in [
        ("D E", LABEL, "DE", "p-1"),
        ("de", "Not A Label", "DE", "p-1"),
        ("de", LABEL, "de", "p-1"),
        ("de", LABEL, "DE", "../p"),
        ("de", LABEL, "DE", "p-2"),
        ("de", LABEL, "DE", "node"),
    ] {
        let mut bad = new_member("de");
        bad.id = id.to_owned();
        bad.alliance = alliance.to_owned();
        bad.jurisdiction = jurisdiction.to_owned();
        bad.people[0].0 = person.to_owned();
        assert_eq!(
            init(&dir.path().join("x"), &bad).unwrap_err().exit,
            Exit::Usage,
            "{bad:?}"
        );
        assert!(!dir.path().join("x").exists());
    }
}

#[test]
fn keys_can_be_added_until_the_alliance_stands() {
    let dir = tempfile::tempdir().unwrap();
    let home = init(&dir.path().join("de"), &new_member("de")).unwrap();
    home.add_person("p-4", Role::Officer).unwrap();
    assert_eq!(home.manifest().unwrap().record_keys.len(), 5);
    assert_eq!(
        home.add_person("p-4", Role::Officer).unwrap_err().exit,
        Exit::Conflict
    );
    let bytes = found(&[(home.read_member_file().unwrap(), gov(&home))]).unwrap();
    fs::write(home.alliance(), bytes).unwrap();
    assert_eq!(
        home.add_person("p-5", Role::Officer).unwrap_err().exit,
        Exit::Conflict
    );
}

#[test]
fn a_client_is_named_with_its_roles_in_the_node_config() {
    let dir = tempfile::tempdir().unwrap();
    let home = init(&dir.path().join("de"), &new_member("de")).unwrap();
    home.add_client("zoll-1", &["agency".to_owned(), "officer".to_owned()])
        .unwrap();
    home.add_client("ops", &["operator".to_owned()]).unwrap();
    let config: toml::Table = fs::read_to_string(home.config()).unwrap().parse().unwrap();
    assert_eq!(config["clients"]["zoll-1"].as_array().unwrap().len(), 2);
    assert_eq!(config["clients"]["ops"][0].as_str(), Some("operator"));
    assert_eq!(config["listen"].as_str(), Some("127.0.0.1:7337"));
    assert_eq!(
        home.add_client("ops", &[]).unwrap_err().exit,
        Exit::Conflict
    );
    assert_eq!(home.add_client("../x", &[]).unwrap_err().exit, Exit::Usage);
}

#[test]
fn the_node_takes_what_init_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let home = init(&dir.path().join("de"), &new_member("de")).unwrap();
    let bytes = found(&[(home.read_member_file().unwrap(), gov(&home))]).unwrap();
    fs::write(home.alliance(), bytes).unwrap();
    home.add_client("zoll-1", &["agency".to_owned()]).unwrap();
    home.renew_node_certificate("127.0.0.1").unwrap();
    let config = tocsin_node::config::Config::load(&home.config(), [], &[]).unwrap();
    assert_eq!(config.member, "de");
    assert_eq!(
        config.data_dir.canonicalize().unwrap(),
        home.dir().canonicalize().unwrap()
    );
    assert!(config.clients.contains_key("zoll-1"));
    assert!(config.peers.is_empty());
    let defaults = tocsin_node::config::QuotaConfig::default();
    assert_eq!(config.quotas, defaults);
    home.lift_quotas().unwrap();
    let lifted = tocsin_node::config::Config::load(&home.config(), [], &[]).unwrap();
    let lifted = lifted.quotas;
    assert_eq!(lifted.person, tocsin_core::quota::PersonLimits::default());
    assert_eq!((lifted.origin_entries, lifted.origin_mib), (0, 0));
    assert_eq!((lifted.client_requests, lifted.member_requests), (0, 0));
    assert_eq!(lifted.disk_reserve_mib, defaults.disk_reserve_mib);
}
