//! `context`: where the node is, and who we are to it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tocsin_core::roster::Alliance;
use tocsin_log::keyfile::Purpose;

use crate::args::ContextArgs;
use crate::connect::connect;
use crate::context::{Context, Contexts, Resolved, config_dir, hash_from_text};
use crate::failure::{Exit, Failure};
use crate::files::read_bounded;
use crate::keyfile;
use crate::session::Session;

/// `context list`.
///
/// # Errors
/// When the contexts cannot be read.
pub fn list(session: &mut Session) -> Result<Exit, Failure> {
    let contexts = Contexts::load(&config_dir()?)?;
    let rows: Vec<Value> = contexts
        .contexts
        .iter()
        .map(|(name, context)| {
            json!({
                "name": name,
                "current": contexts.current.as_ref() == Some(name),
                "protected": context.protected,
                "endpoint": context.endpoint,
                "member": context.member,
                "alliance": context.alliance.display().to_string(),
                "genesis": context.genesis,
            })
        })
        .collect();
    let columns = [
        ("NAME", "name"),
        ("CURRENT", "current"),
        ("PROTECTED", "protected"),
        ("MEMBER", "member"),
        ("ENDPOINT", "endpoint"),
        ("ALLIANCE", "alliance"),
    ];
    session.out.list("contexts", &columns, &rows)?;
    Ok(Exit::Ok)
}

/// `context add`.
///
/// # Errors
/// When a file it names cannot be used, or the contexts cannot be written.
pub fn add(session: &mut Session, args: ContextArgs) -> Result<Exit, Failure> {
    let genesis = args.genesis.as_deref().map(hash_from_text).transpose()?;
    let mut context = Context {
        endpoint: args.endpoint,
        member: args.member,
        alliance: absolute(&args.alliance)?,
        client_cert: absolute(&args.cert)?,
        client_key: absolute(&args.cert_key)?,
        genesis: genesis.map(|hash| hash.to_string()),
        key: args.key.as_deref().map(absolute).transpose()?,
        admin: args.admin,
        protected: args.protected,
    };
    let found = *context.open_alliance()?.genesis_hash();
    if genesis.is_none() {
        session.confirm(&format!("Trust the alliance with the fingerprint {found}?"))?;
        context.genesis = Some(found.to_string());
    }
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
    if let Some(old) = contexts.contexts.get(&args.name)
        && old.protected
        && *old != context
    {
        let (name, member, endpoint) = (&args.name, &old.member, &old.endpoint);
        session.confirm(&format!(
            "Replace the protected {name} ({member}, {endpoint})?"
        ))?;
    }
    contexts.contexts.insert(args.name.clone(), context);
    contexts.current.get_or_insert_with(|| args.name.clone());
    if !session.globals.dry_run {
        contexts.save(&dir)?;
    }
    let value = json!({"name": args.name, "genesis": found.to_string()});
    session.out.object(
        "context",
        &[("context", "name"), ("genesis", "genesis")],
        &value,
    )?;
    if !session.say_if_dry()? {
        let name = &args.name;
        session
            .out
            .say(&format!("Next:  tocsin context validate {name}"))?;
    }
    Ok(Exit::Ok)
}

/// `context use`.
///
/// # Errors
/// When there is none of that name, or the contexts cannot be written.
pub fn choose(session: &mut Session, name: &str) -> Result<Exit, Failure> {
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
    contexts.make_current(name)?;
    taken(session, &dir, &contexts, name)
}

/// `context previous`.
///
/// # Errors
/// When none was taken before, or the contexts cannot be written.
pub fn previous(session: &mut Session) -> Result<Exit, Failure> {
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
    let name = contexts.go_back()?;
    taken(session, &dir, &contexts, &name)
}

fn taken(
    session: &mut Session,
    dir: &Path,
    contexts: &Contexts,
    name: &str,
) -> Result<Exit, Failure> {
    if !session.globals.dry_run {
        contexts.save(dir)?;
    }
    let context = contexts.choose(Some(name))?;
    let value = json!({
        "name": name,
        "member": context.member,
        "endpoint": context.endpoint,
        "protected": context.protected,
        "previous": contexts.previous,
    });
    let columns = [
        ("context", "name"),
        ("member", "member"),
        ("node", "endpoint"),
        ("protected", "protected"),
    ];
    session.out.object("context", &columns, &value)?;
    session.say_if_dry()?;
    Ok(Exit::Ok)
}

/// `context show`: where commands go, and what says so.
///
/// # Errors
/// When there is none of that name, or none can be chosen.
pub fn show(session: &mut Session, name: Option<String>) -> Result<Exit, Failure> {
    let resolved = session.resolved(name.as_deref())?;
    let rows = settings(&resolved);
    let columns = [("SETTING", "setting"), ("VALUE", "value"), ("FROM", "from")];
    session.out.list("settings", &columns, &rows)?;
    Ok(Exit::Ok)
}

/// Each setting with its value and what gave it.
fn settings(resolved: &Resolved) -> Vec<Value> {
    let Resolved { context, .. } = resolved;
    let path = |path: &Path| path.display().to_string();
    let file = "contexts.toml";
    let optional = |value: Option<String>, from: &'static str| {
        let from = if value.is_some() { from } else { "" };
        (value.unwrap_or_default(), from)
    };
    let (key, key_from) = optional(context.key.as_deref().map(path), resolved.key_from);
    let (genesis, genesis_from) = optional(context.genesis.clone(), file);
    let (admin, admin_from) = optional(context.admin.clone(), file);
    let protected = if context.protected { "yes" } else { "no" };
    [
        ("context", resolved.name.clone(), resolved.chosen_by),
        ("endpoint", context.endpoint.clone(), resolved.endpoint_from),
        ("member", context.member.clone(), file),
        ("alliance", path(&context.alliance), file),
        ("genesis", genesis, genesis_from),
        ("certificate", path(&context.client_cert), file),
        ("certificate key", path(&context.client_key), file),
        ("record key", key, key_from),
        ("admin", admin, admin_from),
        ("protected", protected.to_owned(), file),
    ]
    .into_iter()
    .map(|(setting, value, from)| json!({"setting": setting, "value": value, "from": from}))
    .collect()
}

/// `context remove`.
///
/// # Errors
/// When there is none of that name, the answer is no, or the contexts cannot be written.
pub fn remove(session: &mut Session, name: &str) -> Result<Exit, Failure> {
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
    let gone = contexts.remove(name)?;
    session.confirm(&format!(
        "Forget {name} ({}, {})?",
        gone.member, gone.endpoint
    ))?;
    if !session.globals.dry_run {
        contexts.save(&dir)?;
    }
    let value = json!({"name": name, "member": gone.member, "endpoint": gone.endpoint});
    session
        .out
        .object("removed", &[("removed", "name")], &value)?;
    if !session.say_if_dry()? {
        session
            .out
            .say("Keys and certificates stay where they are.")?;
    }
    Ok(Exit::Ok)
}

/// `context validate`: every part is looked at, whatever is wrong with another.
///
/// # Errors
/// When there is none of that name, or none can be chosen.
pub async fn validate(session: &mut Session, name: Option<String>) -> Result<Exit, Failure> {
    let resolved = session.resolved(name.as_deref())?;
    let context = &resolved.context;
    let alliance = context.open_alliance();
    let mut parts = offline(context, &alliance);
    let node = match &alliance {
        Ok(_) => part(
            "node",
            connect(context, session.globals.timeout)
                .await
                .map(|_node| {
                    let (member, endpoint) = (&context.member, &context.endpoint);
                    (true, format!("{endpoint} proves to be {member}'s"))
                }),
        ),
        Err(_) => row(
            "node",
            "skipped",
            "the alliance file must be right first",
            "",
        ),
    };
    parts.push(node);
    let has = |status: &str| parts.iter().any(|part| part["status"] == status);
    let exit = match (has("failed"), has("warning")) {
        (true, _) => Exit::ChecksFailed,
        (false, true) => Exit::Warnings,
        (false, false) => Exit::Ok,
    };
    let columns = [
        ("PART", "part"),
        ("STATUS", "status"),
        ("WHAT", "detail"),
        ("TO DO", "fix"),
    ];
    session.out.list("parts", &columns, &parts)?;
    Ok(exit)
}

/// What can be looked at without the node.
fn offline(context: &Context, alliance: &Result<Alliance, Failure>) -> Vec<Value> {
    let file = context.alliance.display();
    let found = alliance.as_ref().map_err(Clone::clone);
    let genesis = match context.genesis {
        Some(_) => row("genesis", "ok", "pinned", ""),
        None => {
            let fix = "compare it by voice with a member you know, then add the context with \
                       --genesis";
            row(
                "genesis",
                "warning",
                "not pinned: any alliance would do",
                fix,
            )
        }
    };
    let certificate = read_bounded(&context.client_cert, MAX_CERTIFICATE_BYTES);
    let secret = keyfile::refuse_if_shared(&context.client_key);
    vec![
        part(
            "alliance",
            found.map(|alliance| (true, format!("{} ({file})", alliance.label()))),
        ),
        genesis,
        part(
            "certificate",
            certificate.map(|_bytes| (true, context.client_cert.display().to_string())),
        ),
        part(
            "certificate key",
            secret.map(|()| (true, context.client_key.display().to_string())),
        ),
        part("record key", record_key(context, alliance)),
    ]
}

/// Whether the record key may sign for the member.
fn record_key(
    context: &Context,
    alliance: &Result<Alliance, Failure>,
) -> Result<(bool, String), Failure> {
    let Some(path) = &context.key else {
        return Ok((
            true,
            "none: name one with --key where something is signed".into(),
        ));
    };
    let key = keyfile::read_for(path, Purpose::Record)?;
    let file = path.display();
    let Ok(alliance) = alliance else {
        return Ok((true, file.to_string()));
    };
    let public = key.key.public();
    let known = alliance.member(&context.member).and_then(|member| {
        let mut keys = member.record_keys.values();
        keys.find(|known| known.key == public)
    });
    match known {
        Some(known) if known.to_index.is_none() => {
            let roles: Vec<&str> = known.roles.iter().map(|role| role.word()).collect();
            Ok((
                true,
                format!("{}, {} ({file})", known.person, roles.join(", ")),
            ))
        }
        Some(known) => Ok((false, format!("{} may sign no longer", known.person))),
        None => Ok((
            false,
            format!("{file} stands in no manifest of {}", context.member),
        )),
    }
}

/// One part that was looked at: right, doubtful, or broken with what to do.
fn part(name: &str, found: Result<(bool, String), Failure>) -> Value {
    match found {
        Ok((true, detail)) => row(name, "ok", &detail, ""),
        Ok((false, detail)) => {
            let fix = "use a record key of the member's newest manifest, and its newest alliance \
                       file";
            row(name, "warning", &detail, fix)
        }
        Err(failure) => {
            let fix = failure.advice.unwrap_or_default();
            row(name, "failed", &failure.message, &fix)
        }
    }
}

fn row(name: &str, status: &str, detail: &str, fix: &str) -> Value {
    json!({"part": name, "status": status, "detail": detail, "fix": fix})
}

/// Longest certificate file in bytes: a chain of some certificates.
const MAX_CERTIFICATE_BYTES: u64 = 65_536;

/// Contexts are used from any folder, so their paths stand whole.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|e| Failure::file(path, "read", &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::tests::context;

    #[test]
    fn every_setting_is_shown_with_what_gave_it() {
        let mut resolved = Resolved::of("prod", context("de"));
        resolved.endpoint_from = "TOCSIN_ENDPOINT";
        let rows = settings(&resolved);
        let of = |name: &str| rows.iter().find(|row| row["setting"] == name).unwrap();
        assert_eq!(of("endpoint")["from"], "TOCSIN_ENDPOINT");
        assert_eq!(of("member")["from"], "contexts.toml");
        assert_eq!(
            of("record key")["from"],
            "",
            "what is not set comes from nowhere"
        );
        assert_eq!(of("protected")["value"], "no");
    }

    #[test]
    fn a_context_of_files_that_are_not_there_fails_part_by_part() {
        let dir = tempfile::tempdir().unwrap();
        let mut broken = context("de");
        broken.alliance = dir.path().join("a.tsa");
        broken.client_cert = dir.path().join("c.pem");
        broken.client_key = dir.path().join("k.pem");
        broken.key = Some(dir.path().join("officer.key"));
        let parts = offline(&broken, &broken.open_alliance());
        let status = |name: &str| {
            let part = parts.iter().find(|part| part["part"] == name).unwrap();
            part["status"].clone()
        };
        for name in ["alliance", "certificate", "certificate key", "record key"] {
            assert_eq!(status(name), "failed", "{name}");
        }
        assert_eq!(status("genesis"), "warning");
    }

    #[test]
    fn a_record_key_of_nobody_is_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("officer.key");
        let key = keyfile::generate(Purpose::Record, Some("p-1")).unwrap();
        keyfile::write(&key, &path).unwrap();
        let mut ours = context("us");
        ours.key = Some(path);
        let alliance = Ok(crate::draft::tests::alliance());
        let (is_right, detail) = record_key(&ours, &alliance).unwrap();
        assert!(!is_right && detail.contains("no manifest"), "{detail}");
        ours.key = None;
        assert!(record_key(&ours, &alliance).unwrap().0);
    }
}
