//! What each command does.

pub mod act;
pub mod amend;
pub mod block;
pub mod check;
pub mod context;
pub mod decide;
pub mod explain;
pub mod lint;
pub mod log;
pub mod lookup;
pub mod manual;
pub mod notices;
pub mod peer;
pub mod pending;
pub mod policy;
pub mod record;
pub mod screen;
pub mod statement;
pub mod status;
pub mod text;
pub mod trace;
pub mod verify;

use crate::args::operator::PeerVerb;
use crate::args::{
    Command, ContextVerb, LogVerb, NoticesVerb, OrderVerb, PolicyVerb, StatementVerb,
};
use crate::codes::Page;
use crate::document::Kind;
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// Does a command. `root` is the whole command line, for help, manual and completion; `more` are
/// pages of codes that this crate cannot know.
///
/// # Errors
/// Why it was not done.
pub async fn run(
    session: &mut Session,
    command: Command,
    root: clap::Command,
    more: &[Page],
) -> Result<Exit, Failure> {
    match command {
        Command::Report(verb) => statement_verb(session, Kind::Report, verb).await,
        Command::Indicator(verb) => statement_verb(session, Kind::Indicator, verb).await,
        Command::Order(verb) => order_verb(session, verb).await,
        Command::Decide(args) => decide::run(session, &args).await,
        Command::Policy(verb) => policy_verb(session, verb).await,
        Command::Pending(args) => pending::run(session, &args).await,
        Command::Block(verb) => block::run(session, verb).await,
        Command::Notices(NoticesVerb::Watch(args)) => notices::watch(session, &args).await,
        Command::Lookup(args) => lookup::run(session, &args).await,
        Command::Screen(args) => screen::run(session, &args).await,
        Command::Verify(args) => verify::run(session, &args).await,
        Command::Log(LogVerb::Head { member }) => log::head(session, member).await,
        Command::Log(LogVerb::Show {
            member,
            start,
            limit,
        }) => log::show(session, member, start, limit).await,
        Command::Log(LogVerb::Audit { members }) => log::audit(session, &members).await,
        Command::Status => status::run(session).await,
        Command::Peer(PeerVerb::List { admin }) => peer::list(session, admin.as_deref()).await,
        Command::Trace(args) => trace::run(session, &args).await,
        Command::Check(args) => check::run(session, &args).await,
        Command::Context(verb) => context_verb(session, verb).await,
        Command::Explain { code } => explain::run(session, code.as_deref(), more),
        Command::Help { about } => manual::help(session, &about, root),
        Command::Man { dir } => manual::man(session, dir.as_deref(), root),
        Command::Completion { shell } => manual::completion(session, shell, root),
    }
}

async fn statement_verb(
    session: &mut Session,
    kind: Kind,
    verb: StatementVerb,
) -> Result<Exit, Failure> {
    match verb {
        StatementVerb::New(args) => statement::new(session, kind, &args),
        StatementVerb::Lint(args) => lint::run(session, kind, &args),
        StatementVerb::Sign(args) => statement::sign(session, kind, &args).await,
        StatementVerb::Submit(args) => statement::submit(session, &args).await,
        StatementVerb::List(args) => record::list(session, kind, &args).await,
        StatementVerb::Show { name } => record::show(session, kind, &name).await,
    }
}

async fn order_verb(session: &mut Session, verb: OrderVerb) -> Result<Exit, Failure> {
    use tocsin_core::order::OrderActKind;
    match verb {
        OrderVerb::Statement(verb) => statement_verb(session, Kind::Order, verb).await,
        OrderVerb::Cosign(args) => statement::cosign(session, &args).await,
        OrderVerb::Suspend(args) => act::run(session, OrderActKind::Suspend, &args).await,
        OrderVerb::Resume(args) => act::run(session, OrderActKind::Resume, &args).await,
        OrderVerb::Modify(args) => act::modify(session, &args).await,
        OrderVerb::Rescind(args) => act::run(session, OrderActKind::Rescind, &args).await,
        OrderVerb::Withdraw(args) => act::run(session, OrderActKind::Withdraw, &args).await,
        OrderVerb::Text(args) => text::run(session, &args).await,
        OrderVerb::Amend(args) => amend::run(session, &args).await,
        OrderVerb::Simulate(args) => screen::simulate(session, &args).await,
    }
}

async fn context_verb(session: &mut Session, verb: ContextVerb) -> Result<Exit, Failure> {
    match verb {
        ContextVerb::List => context::list(session),
        ContextVerb::Add(args) => context::add(session, args),
        ContextVerb::Use { name } => context::choose(session, &name),
        ContextVerb::Previous => context::previous(session),
        ContextVerb::Show { name } => context::show(session, name),
        ContextVerb::Remove { name } => context::remove(session, &name),
        ContextVerb::Validate { name } => context::validate(session, name).await,
    }
}

async fn policy_verb(session: &mut Session, verb: PolicyVerb) -> Result<Exit, Failure> {
    match verb {
        PolicyVerb::New(args) => statement::new(session, Kind::Policy, &args),
        PolicyVerb::Lint(args) => lint::run(session, Kind::Policy, &args),
        PolicyVerb::Test { file, orders } => policy::test(session, &file, &orders).await,
        PolicyVerb::Sign(args) => statement::sign(session, Kind::Policy, &args).await,
        PolicyVerb::Cosign(args) => statement::cosign(session, &args).await,
        PolicyVerb::Submit(args) => statement::submit(session, &args).await,
        PolicyVerb::Show { name } => policy::show(session, &name).await,
    }
}
