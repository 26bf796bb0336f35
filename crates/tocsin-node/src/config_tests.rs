//! Tests of the settings: what is taken, what is refused, and that each refusal says what to do.

use super::*;

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("keys")).unwrap();
        for name in ["alliance.tsa", "node.crt", "node.pem", "keys/log.key"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        for name in ["node.pem", "keys/log.key"] {
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(dir.path().join(name), private).unwrap();
        }
        Self { dir }
    }

    fn load_with(
        &self,
        text: &str,
        environment: &[(&str, &str)],
        flags: &[(&str, String)],
    ) -> Result<Config, ConfigError> {
        let file = self.dir.path().join("node.toml");
        fs::write(&file, text).unwrap();
        let pairs = environment
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
        Config::load(&file, pairs, flags)
    }

    fn load(&self, text: &str) -> Result<Config, ConfigError> {
        self.load_with(text, &[], &[])
    }
}

const GOOD: &str = r#"
member = "de"
data_dir = "."
alliance = "alliance.tsa"
listen = "127.0.0.1:0"

[tls]
cert = "node.crt"
key = "node.pem"

[keys]
dir = "keys"

[clients]
zoll = ["agency", "officer"]

[peers]
us = "https://127.0.0.1:9000"

[log]
format = "json"
"#;

#[test]
fn a_complete_file_is_read_with_paths_beside_it() {
    let place = Place::new();
    let config = place.load(GOOD).unwrap();
    assert_eq!(config.member, "de");
    assert_eq!(config.alliance, place.dir.path().join("alliance.tsa"));
    assert_eq!(config.admin_listen, DEFAULT_ADMIN_LISTEN.parse().unwrap());
    assert_eq!(
        config.clients["zoll"],
        BTreeSet::from([Role::Agency, Role::Officer])
    );
    assert_eq!(config.peers["us"], "127.0.0.1:9000");
    assert_eq!(
        config.log,
        LogConfig {
            format: LogFormat::Json,
            level: "info".to_owned()
        }
    );
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let place = Place::new();
    let environment = [
        ("TOCSIN_LISTEN", "127.0.0.1:1"),
        ("TOCSIN_LOG_LEVEL", "debug"),
    ];
    let flags = [("listen", "127.0.0.1:2".to_owned())];
    let config = place.load_with(GOOD, &environment, &flags).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.log.level, "debug");
}

#[test]
fn an_unknown_key_is_an_error_with_a_suggestion() {
    let place = Place::new();
    for (line, meant) in [
        ("lisen = \"127.0.0.1:1\"", Some("listen")),
        ("admin-listen = \"127.0.0.1:1\"", Some("admin_listen")),
        ("client = \"x\"", Some("clients")),
        ("colour = \"red\"", None),
    ] {
        let error = place.load(&format!("{line}\n{GOOD}")).unwrap_err();
        let ConfigError::UnknownKey { suggestion, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(suggestion.0.as_deref(), meant, "{line}");
    }
    let error = place.load(&GOOD.replace("cert =", "certs =")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown setting tls.certs: did you mean \"tls.cert\"?"
    );
    let error = place.load(&GOOD.replace("officer", "oficer")).unwrap_err();
    assert!(
        error.to_string().contains("did you mean \"officer\"?"),
        "{error}"
    );
    let error = place
        .load_with(GOOD, &[("TOCSIN_LISTN", "x")], &[])
        .unwrap_err();
    assert!(error.to_string().contains("TOCSIN_LISTEN"), "{error}");
}

#[test]
fn variables_of_the_hand_tool_and_of_others_are_left_alone() {
    let place = Place::new();
    let environment = [("TOCSIN_CONFIG_DIR", "/x"), ("PATH", "/bin")];
    assert!(place.load_with(GOOD, &environment, &[]).is_ok());
}

#[test]
fn the_admin_port_never_leaves_the_machine() {
    let place = Place::new();
    for address in ["0.0.0.0:7339", "192.0.2.1:7339", "[::]:7339"] {
        let flags = [("admin_listen", address.to_owned())];
        let error = place.load_with(GOOD, &[], &flags).unwrap_err();
        assert!(
            matches!(
                error,
                ConfigError::Bad {
                    key: "admin_listen",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn a_secret_that_others_can_read_is_refused() {
    for name in ["node.pem", "keys/log.key"] {
        for mode in [0o640, 0o604, 0o620] {
            let place = Place::new();
            let file = place.dir.path().join(name);
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = place.load(GOOD).unwrap_err();
            assert!(matches!(error, ConfigError::NotPrivate { .. }), "{error}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    let place = Place::new();
    let error = place
        .load(&GOOD.replace("member = \"de\"", ""))
        .unwrap_err();
    assert_eq!(error, ConfigError::Missing { key: "member" });
    for (name, key) in [("node.crt", "tls.cert"), ("alliance.tsa", "alliance")] {
        let place = Place::new();
        let file = place.dir.path().join(name);
        fs::remove_file(&file).unwrap();
        assert_eq!(
            place.load(GOOD).unwrap_err(),
            ConfigError::NoFile { key, file }
        );
    }
}

#[test]
fn values_that_cannot_be_are_refused() {
    let place = Place::new();
    for (from, to) in [
        ("\"127.0.0.1:0\"", "\"localhost\""),
        ("\"127.0.0.1:0\"", "7337"),
        ("\"json\"", "\"xml\""),
        ("zoll", "\"ZOLL\""),
        ("[\"agency\", \"officer\"]", "\"agency\""),
        ("https://127.0.0.1:9000", "https://a@b:1"),
        ("https://127.0.0.1:9000", "127.0.0.1"),
        ("member = \"de\"", "member = \"D E\""),
    ] {
        assert!(place.load(&GOOD.replace(from, to)).is_err(), "{to}");
    }
    assert!(matches!(
        place.load("= 1"),
        Err(ConfigError::NotToml { .. })
    ));
    let long = "#".repeat(70_000);
    assert!(matches!(
        place.load(&long),
        Err(ConfigError::TooLong { .. })
    ));
}
