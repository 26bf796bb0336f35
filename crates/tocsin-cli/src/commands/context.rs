//! `context`: where the node is, and who we are to it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::args::ContextArgs;
use crate::context::{Context, Contexts, config_dir, hash_from_text};
use crate::failure::{Exit, Failure};
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
    };
    let found = *context.open_alliance()?.genesis_hash();
    if genesis.is_none() {
        session.confirm(&format!("Trust the alliance with the fingerprint {found}?"))?;
        context.genesis = Some(found.to_string());
    }
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
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
    session
        .out
        .say(&format!("Next:  tocsin -c {} status", args.name))?;
    Ok(Exit::Ok)
}

/// `context use`.
///
/// # Errors
/// When there is none of that name, or the contexts cannot be written.
pub fn choose(session: &mut Session, name: &str) -> Result<Exit, Failure> {
    let dir = config_dir()?;
    let mut contexts = Contexts::load(&dir)?;
    contexts.choose(Some(name))?;
    contexts.current = Some(name.to_owned());
    if !session.globals.dry_run {
        contexts.save(&dir)?;
    }
    session.out.say(&format!("Commands now speak to {name}."))?;
    Ok(Exit::Ok)
}

/// Contexts are used from any folder, so their paths stand whole.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    path.canonicalize()
        .map_err(|e| Failure::file(path, "read", &e))
}
