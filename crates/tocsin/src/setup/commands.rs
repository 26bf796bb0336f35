//! The operator's commands on files: `init`, `key`, `client`, `alliance`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tocsin_cli::context::hash_from_text;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::{Mode, write_new};
use tocsin_cli::keyfile;
use tocsin_cli::output::Output;
use tocsin_core::roster::Role;
use tocsin_log::hash::Hash;
use tocsin_log::keyfile::Purpose;

use super::alliance::{
    assemble, describe, merge, new_roster, open, read_roster, sign, spoken, write_roster,
};
use super::member::{Home, MemberFile, NewMember, init, read_member_file};

/// What a new member says of itself.
#[derive(Args, Clone, Debug)]
pub struct InitArgs {
    /// One label of a DNS name, e.g. de
    #[arg(long)]
    pub member: String,
    /// Two upper-case letters, e.g. DE
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: String,
    /// As people call it
    #[arg(long)]
    pub name: String,
    /// The alliance's label, a lower-case DNS name
    #[arg(long, value_name = "LABEL")]
    pub alliance: String,
    /// The data directory to make
    #[arg(long)]
    pub dir: PathBuf,
    /// Where the node is reached: DNS name or IP address
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// The node's gRPC port
    #[arg(long, default_value_t = 7337)]
    pub port: u16,
    /// The node's admin port, on this machine only
    #[arg(long, default_value_t = 7339)]
    pub admin_port: u16,
    /// An officer's pseudonym, never a name; may be repeated
    #[arg(long, value_name = "PERSON")]
    pub officer: Vec<String>,
    /// An investigator's pseudonym, never a name; may be repeated
    #[arg(long, value_name = "PERSON")]
    pub investigator: Vec<String>,
}

/// What is done with keys.
#[derive(Subcommand, Clone, Debug)]
pub enum KeyVerb {
    /// Make a record key for a person, before the alliance is assembled
    New {
        /// The member's data directory
        #[arg(long)]
        dir: PathBuf,
        /// What the key may sign
        #[arg(long, value_enum)]
        role: PersonRole,
        /// The person's pseudonym, never a name
        #[arg(long)]
        person: String,
    },
    /// List the keys of the member's manifest
    List {
        /// The member's data directory
        #[arg(long)]
        dir: PathBuf,
    },
}

/// What a person's key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PersonRole {
    /// Orders, decisions and everything else
    Officer,
    /// Reports and indicators
    Investigator,
}

impl From<PersonRole> for Role {
    fn from(role: PersonRole) -> Self {
        match role {
            PersonRole::Officer => Self::Officer,
            PersonRole::Investigator => Self::Investigator,
        }
    }
}

/// What is done with certificates of clients and node.
#[derive(Subcommand, Clone, Debug)]
pub enum ClientVerb {
    /// Issue a certificate to a client of this member
    New {
        /// The member's data directory
        #[arg(long)]
        dir: PathBuf,
        /// The client's id, e.g. zoll-1
        #[arg(long)]
        id: String,
        /// A reading role: agency, investigator, officer, operator, auditor; may be repeated
        #[arg(long, value_name = "ROLE", default_value = "agency",
              value_parser = ["agency", "investigator", "officer", "operator", "auditor"])]
        role: Vec<String>,
    },
}

/// What is done with the alliance.
#[derive(Subcommand, Clone, Debug)]
pub enum AllianceVerb {
    /// Join member files into a genesis roster for every founder to sign
    New {
        /// The member files (member.json) of all founders
        #[arg(required = true)]
        members: Vec<PathBuf>,
        /// The roster file to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Sign a roster with a member's gov key, after comparing its fingerprint by voice
    Sign {
        /// The roster file; it is replaced by the signed one
        roster: PathBuf,
        /// The gov key; for several members at once, several
        #[arg(long, required = true, value_name = "FILE")]
        key: Vec<PathBuf>,
    },
    /// Join a signed roster (or its signed copies) and all manifests into an alliance file
    Assemble {
        /// The member files (member.json) of all founders
        #[arg(required = true)]
        members: Vec<PathBuf>,
        /// The roster; several copies when founders signed apart
        #[arg(long, required = true, value_name = "FILE")]
        roster: Vec<PathBuf>,
        /// The alliance file to write
        #[arg(short, long, value_name = "FILE", default_value = "alliance.tsa")]
        out: PathBuf,
    },
    /// Show a roster or alliance file: members, who signed, and the fingerprint to read aloud
    Show {
        /// The file
        file: PathBuf,
    },
    /// Verify an alliance file as a node does
    Verify {
        /// The file
        file: PathBuf,
        /// The fingerprint that was compared by voice
        #[arg(long, value_name = "HASH")]
        genesis: Option<String>,
    },
}

/// `tocsin init`.
///
/// # Errors
/// As [`init`].
pub fn run_init(args: &InitArgs, out: &mut Output) -> Result<(), Failure> {
    let named = |people: &[String], role: Role| -> Vec<(String, Role)> {
        people.iter().map(|person| (person.clone(), role)).collect()
    };
    let mut people = named(&args.officer, Role::Officer);
    people.extend(named(&args.investigator, Role::Investigator));
    let home = init(
        &args.dir,
        &NewMember {
            id: args.member.clone(),
            jurisdiction: args.jurisdiction.clone(),
            name: args.name.clone(),
            alliance: args.alliance.clone(),
            host: args.host.clone(),
            port: args.port,
            admin_port: args.admin_port,
            people,
        },
    )?;
    let value = json!({
        "member": args.member,
        "dir": shown(home.dir()),
        "config": shown(&home.config()),
        "member_file": shown(&home.member_file()),
        "gov_key": shown(&home.gov_key()),
    });
    let columns = [
        ("member", "member"),
        ("node config", "config"),
        ("hand to the others", "member_file"),
        ("keep offline", "gov_key"),
    ];
    out.object("member", &columns, &value)?;
    out.say("")?;
    out.say("Next: one member joins all member files:")?;
    out.say("  tocsin alliance new MEMBER.json.. -o roster.json")?;
    if args.officer.len() < 2 {
        out.say(
            "Orders need two officers:  tocsin key new --role officer --person PSEUDONYM --dir DIR",
        )?;
    }
    Ok(())
}

/// `tocsin key`.
///
/// # Errors
/// As the functions of [`Home`].
pub fn run_key(verb: &KeyVerb, out: &mut Output) -> Result<(), Failure> {
    match verb {
        KeyVerb::New { dir, role, person } => {
            let path = Home::at(dir).add_person(person, (*role).into())?;
            let value = json!({"person": person, "file": shown(&path)});
            out.object("key", &[("person", "person"), ("key file", "file")], &value)?;
            out.say(
                "Hand the file to its holder, delete it here, and hand out the new member file.",
            )
        }
        KeyVerb::List { dir } => {
            let rows: Vec<Value> = Home::at(dir)
                .manifest()?
                .record_keys
                .iter()
                .map(|key| json!({"person": key.person, "roles": key.roles, "key": key.key}))
                .collect();
            out.list(
                "keys",
                &[("PERSON", "person"), ("ROLES", "roles"), ("KEY", "key")],
                &rows,
            )
        }
    }
}

/// `tocsin client`.
///
/// # Errors
/// As [`Home::add_client`].
pub fn run_client(verb: &ClientVerb, out: &mut Output) -> Result<(), Failure> {
    let ClientVerb::New { dir, id, role } = verb;
    let home = Home::at(dir);
    home.add_client(id, role)?;
    let value = json!({
        "id": id, "roles": role,
        "cert": shown(&home.client_cert(id)), "key": shown(&home.client_cert_key(id)),
    });
    let columns = [
        ("client", "id"),
        ("roles", "roles"),
        ("certificate", "cert"),
        ("private key", "key"),
    ];
    out.object("client", &columns, &value)?;
    out.say("The node reads its roles when it starts again.")
}

/// `tocsin alliance`.
///
/// # Errors
/// As the functions of [`super::alliance`].
pub fn run_alliance(verb: &AllianceVerb, out: &mut Output) -> Result<(), Failure> {
    match verb {
        AllianceVerb::New { members, out: path } => {
            let roster = new_roster(&read_members(members)?)?;
            write_roster(path, &roster, true)?;
            show(path, out)?;
            out.say("")?;
            out.say("Each founder compares the fingerprint with the others by voice, then:")?;
            out.say(&format!(
                "  tocsin alliance sign {} --key keys/gov.key",
                path.display()
            ))
        }
        AllianceVerb::Sign { roster: path, key } => {
            let mut roster = read_roster(path)?;
            for key in key {
                sign(&mut roster, &keyfile::read_for(key, Purpose::Gov)?)?;
            }
            write_roster(path, &roster, false)?;
            show(path, out)
        }
        AllianceVerb::Assemble {
            members,
            roster,
            out: path,
        } => {
            let copies = roster
                .iter()
                .map(|path| read_roster(path))
                .collect::<Result<_, _>>()?;
            let bytes = assemble(&merge(copies)?, &read_members(members)?)?;
            write_new(path, &bytes, Mode::Public)?;
            show(path, out)?;
            out.say("")?;
            out.say("Every member puts this file into its data directory as alliance.tsa.")
        }
        AllianceVerb::Show { file } => show(file, out),
        AllianceVerb::Verify { file, genesis } => verify(file, genesis.as_deref(), out),
    }
}

fn read_members(paths: &[PathBuf]) -> Result<Vec<MemberFile>, Failure> {
    paths.iter().map(|path| read_member_file(path)).collect()
}

fn show(path: &Path, out: &mut Output) -> Result<(), Failure> {
    let value = describe(path)?;
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let hash = hash_from_text(&text("genesis"))?;
    if out.format() != tocsin_cli::output::Format::Table {
        return out.object("alliance", &[], &value);
    }
    out.text(&format!("alliance     {}", text("alliance")))?;
    out.text(&format!("fingerprint  {}", spoken(&hash)))?;
    let members = value
        .get("members")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let columns = [
        ("MEMBER", "id"),
        ("JURISDICTION", "jurisdiction"),
        ("NAME", "name"),
        ("SIGNED", "signed"),
    ];
    out.list("members", &columns, &members)
}

fn verify(path: &Path, genesis: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file(path, "read", &e))?;
    let alliance = open(&bytes)?;
    let found = *alliance.genesis_hash();
    let pinned: Option<Hash> = genesis.map(hash_from_text).transpose()?;
    show(path, out)?;
    match pinned {
        Some(pinned) if pinned == found => out.say("Verified, and it is the alliance you named."),
        Some(_) => Err(
            Failure::unverified("GENESIS_MISMATCH", "this is another alliance")
                .advice("compare the fingerprint by voice with another member"),
        ),
        None => Err(
            Failure::new(Exit::Unverified, "consistent, but nothing anchors it")
                .code("UNANCHORED")
                .advice(format!("compare by voice, then: --genesis {found}")),
        ),
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
