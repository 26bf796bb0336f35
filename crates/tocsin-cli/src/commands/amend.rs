//! The question that decides between the acts on an order: what has happened? Each answer leads to
//! one act, and each act has consequences abroad that whoever signs must know.

use tocsin_core::order::OrderActKind;

use super::act::{self, Own};
use crate::args::{ActArgs, AmendArgs, Cause, ModifyArgs};
use crate::failure::{Exit, Failure};
use crate::session::Session;

/// `order amend`: finds the act, and does it.
///
/// # Errors
/// When nobody says what has happened, or the act cannot be done.
pub async fn run(session: &mut Session, args: &AmendArgs) -> Result<Exit, Failure> {
    let order = &args.order;
    if args.because.is_none() && !may_ask(session) {
        return Err(which_act(order));
    }
    let own = act::own_order(session, order).await?;
    let cause = match args.because {
        Some(cause) => cause,
        None => ask_cause(session, &own.title())?,
    };
    let kind = cause.act();
    let because = Some(cause);
    let reason = match &args.reason {
        Some(reason) => reason.clone(),
        None => needed(
            session,
            "--reason",
            "Why, in words that everybody will read:",
        )?,
    };
    let (order, how) = (order.clone(), args.how.clone());
    if kind == OrderActKind::Modify {
        let document = match &args.document {
            Some(document) => document.clone(),
            None => {
                session.out.note(&format!(
                    "tocsin order text {order} writes the present text, to be changed."
                ));
                let question = "File with the whole new text, as an order document:";
                needed(session, "--document", question)?.into()
            }
        };
        let args = ModifyArgs {
            order,
            document,
            reason,
            because,
            how,
        };
        return act::modify_own(session, own, &args).await;
    }
    if args.document.is_some() {
        let word = kind.word();
        return Err(Failure::usage(format!("{word} gives no new text"))
            .advice("leave --document out, or say --because slip or changed"));
    }
    let args = ActArgs {
        order,
        reason,
        because,
        how,
    };
    act::act_on_own(session, own, kind, &args).await
}

/// Refuses early, before anything is fetched, what nobody could answer later; and what was answered
/// and does not fit.
///
/// # Errors
/// When what has happened calls for another act, or must be said and was not.
pub fn check(
    session: &Session,
    kind: OrderActKind,
    because: Option<Cause>,
    order: &str,
) -> Result<(), Failure> {
    match because {
        Some(cause) if cause.act() == kind || kind == OrderActKind::Resume => Ok(()),
        Some(cause) => Err(other_act(kind, cause, order)),
        None if may_ask(session) || is_open(kind) => Ok(()),
        None => Err(say_cause(kind, order)),
    }
}

/// Says what the act does abroad, and asks what has happened unless that was said.
///
/// # Errors
/// As [`check`].
pub fn settle(
    session: &mut Session,
    kind: OrderActKind,
    because: Option<Cause>,
    own: &Own,
) -> Result<(), Failure> {
    let order = own.short();
    let asks = because.is_none() && kind != OrderActKind::Resume && may_ask(session);
    let because = if asks {
        Some(ask_cause(session, &own.title())?)
    } else {
        because
    };
    check(session, kind, because, order)?;
    session
        .out
        .note(&format!("{}: {}", kind.word(), consequences(kind)));
    Ok(())
}

/// What each act does, to whoever holds goods under the order and to whoever decided on it.
#[must_use]
pub const fn consequences(kind: OrderActKind) -> &'static str {
    match kind {
        OrderActKind::Suspend => {
            "every block that rests on the order stops at once and stops no new goods, until two \
             officers resume it. A suspension never ends by itself."
        }
        OrderActKind::Resume => {
            "what stood before the suspension stands again, in every jurisdiction whose own \
             decision has not ended meanwhile. Two officers."
        }
        OrderActKind::Modify => {
            "the new text replaces the old as a whole. What it takes out is released everywhere at \
             once; what it adds binds abroad only after each member's fresh decision. Two officers."
        }
        OrderActKind::Rescind => {
            "the order ends here and everywhere from now on; until now it was right, and what was \
             done under it stands. It is final: nothing revives it. Two officers."
        }
        OrderActKind::Withdraw => {
            "the order should never have been issued: it ends here and everywhere at once, and \
             goods held under it are to be released. It is final: nothing revives it, and a new \
             order must be issued and decided on anew. Two officers."
        }
    }
}

/// A suspension is right whatever has happened, until that is known, and release is never to be
/// slower than holding; resuming needs no cause but the end of the suspension's.
const fn is_open(kind: OrderActKind) -> bool {
    matches!(kind, OrderActKind::Suspend | OrderActKind::Resume)
}

/// `--yes` answers questions of yes and no, and this is none.
const fn may_ask(session: &Session) -> bool {
    session.is_attended() && !session.globals.yes
}

fn ask_cause(session: &mut Session, title: &str) -> Result<Cause, Failure> {
    session.out.note(title);
    session.out.note("What has happened?");
    for (at, cause) in Cause::ALL.iter().enumerate() {
        let (number, question) = (at + 1, cause.question());
        let verb = cause.act().word();
        session.out.note(&format!(
            "  {number} {:8} {question} -> {verb}",
            cause.word()
        ));
    }
    let answer = session.terminal.ask("1 to 5, or the word:")?;
    let by_number = answer
        .parse::<usize>()
        .ok()
        .and_then(|number| Cause::ALL.get(number.checked_sub(1)?));
    let by_word = || Cause::ALL.iter().find(|cause| cause.word() == answer);
    by_number.or_else(by_word).copied().ok_or_else(|| {
        Failure::new(Exit::Failed, "not done: that was none of the five")
            .code("CAUSE_NEEDED")
            .advice("where none fits, suspend it: one officer can, and it can be resumed")
    })
}

fn needed(session: &mut Session, flag: &str, question: &str) -> Result<String, Failure> {
    let missing = || Failure::usage(format!("{flag} is missing")).code("CAUSE_NEEDED");
    if !may_ask(session) {
        return Err(missing());
    }
    let answer = session.terminal.ask(question)?;
    if answer.is_empty() {
        return Err(missing());
    }
    Ok(answer)
}

/// Nobody can be asked: which verb it is must be said.
fn which_act(order: &str) -> Failure {
    let mut failure =
        Failure::usage("which act it is depends on what has happened, and nobody can be asked")
            .code("CAUSE_NEEDED")
            .advice("use the verb that fits, or say --because CAUSE");
    for cause in Cause::ALL {
        let (verb, word) = (cause.act().word(), cause.word());
        let line = format!(
            "tocsin order {verb} {order} --because {word}: {}",
            cause.question()
        );
        failure = failure.detail(line);
    }
    failure
}

/// The verb is known, and whether it is the right one is not.
fn say_cause(kind: OrderActKind, order: &str) -> Failure {
    let verb = kind.word();
    let fitting: Vec<Cause> = Cause::ALL
        .into_iter()
        .filter(|cause| cause.act() == kind)
        .collect();
    let words: Vec<&str> = fitting.iter().map(|cause| cause.word()).collect();
    let words = words.join(" or --because ");
    let mut failure = Failure::usage(format!("{verb} needs to know what has happened"))
        .code("CAUSE_NEEDED")
        .detail(format!("{verb}: {}", consequences(kind)))
        .advice(format!(
            "where that is so, say --because {words}; else: tocsin order amend {order}"
        ));
    for cause in fitting {
        failure = failure.detail(format!("--because {}: {}", cause.word(), cause.question()));
    }
    failure
}

/// What has happened calls for another act.
fn other_act(kind: OrderActKind, cause: Cause, order: &str) -> Failure {
    let (verb, right, word) = (kind.word(), cause.act().word(), cause.word());
    Failure::usage(format!("{verb} is not the act for this: {right} is"))
        .code("CAUSE_MISMATCH")
        .detail(format!("{word}: {}", cause.question()))
        .detail(format!("{right}: {}", consequences(cause.act())))
        .advice(format!(
            "tocsin order {right} {order} --because {word} --reason ..."
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::tests::session;
    use crate::terminal::Terminal;

    const ORDER: &str = "US-2026-0412";

    fn unattended() -> Session {
        session("tocsin order", Terminal::unattended())
    }

    fn asked(answer: &'static str) -> Result<Cause, Failure> {
        let mut session = session("tocsin order", Terminal::answering(answer.as_bytes()));
        ask_cause(&mut session, ORDER)
    }

    #[test]
    fn each_cause_leads_to_one_act_and_each_act_but_resuming_has_a_cause() {
        for kind in OrderActKind::ALL {
            let causes = Cause::ALL
                .iter()
                .filter(|cause| cause.act() == *kind)
                .count();
            let expected = match kind {
                OrderActKind::Resume => 0,
                OrderActKind::Modify => 2,
                OrderActKind::Suspend | OrderActKind::Rescind | OrderActKind::Withdraw => 1,
            };
            assert_eq!(causes, expected, "{kind}");
            assert!(consequences(*kind).ends_with('.'));
        }
        assert_eq!(Cause::Error.act(), OrderActKind::Withdraw);
        assert_eq!(Cause::Ended.act(), OrderActKind::Rescind);
        assert_eq!(Cause::Stay.act(), OrderActKind::Suspend);
        assert_eq!(Cause::Slip.act(), OrderActKind::Modify);
    }

    #[test]
    fn what_is_final_says_so() {
        for kind in [OrderActKind::Withdraw, OrderActKind::Rescind] {
            assert!(consequences(kind).contains("nothing revives it"));
        }
        for kind in [
            OrderActKind::Suspend,
            OrderActKind::Resume,
            OrderActKind::Modify,
        ] {
            assert!(!consequences(kind).contains("final"));
        }
    }

    #[test]
    fn an_answer_is_a_number_or_the_word() {
        assert_eq!(asked("1\n"), Ok(Cause::Error));
        assert_eq!(asked("5\n"), Ok(Cause::Changed));
        assert_eq!(asked("stay\n"), Ok(Cause::Stay));
        for none in ["0\n", "6\n", "\n", "withdraw\n", ""] {
            assert!(asked(none).is_err(), "{none:?}");
        }
    }

    #[test]
    fn where_nobody_can_be_asked_amend_names_every_verb() {
        let failure = which_act(ORDER);
        assert_eq!(failure.code.as_deref(), Some("CAUSE_NEEDED"));
        for verb in ["withdraw", "rescind", "suspend", "modify"] {
            let line = format!("tocsin order {verb} {ORDER} --because ");
            assert!(
                failure
                    .details
                    .iter()
                    .any(|detail| detail.starts_with(&line))
            );
        }
    }

    #[test]
    fn an_act_is_refused_where_its_cause_is_neither_said_nor_asked_for() {
        for kind in [
            OrderActKind::Withdraw,
            OrderActKind::Rescind,
            OrderActKind::Modify,
        ] {
            let failure = check(&unattended(), kind, None, ORDER).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert_eq!(failure.code.as_deref(), Some("CAUSE_NEEDED"));
            let silent = session(
                "tocsin order --no-input",
                Terminal::answering("1\n".as_bytes()),
            );
            assert!(
                check(&silent, kind, None, ORDER).is_err(),
                "--no-input asks nobody"
            );
            let yes = session("tocsin order --yes", Terminal::answering("1\n".as_bytes()));
            assert!(
                check(&yes, kind, None, ORDER).is_err(),
                "--yes is no answer to this"
            );
        }
    }

    #[test]
    fn a_suspension_waits_for_no_question() {
        assert_eq!(
            check(&unattended(), OrderActKind::Suspend, None, ORDER),
            Ok(())
        );
        assert_eq!(
            check(&unattended(), OrderActKind::Resume, None, ORDER),
            Ok(())
        );
    }

    #[test]
    fn a_cause_that_calls_for_another_act_is_refused_with_that_act() {
        for cause in Cause::ALL {
            for kind in OrderActKind::ALL {
                let checked = check(&unattended(), *kind, Some(cause), ORDER);
                if cause.act() == *kind || *kind == OrderActKind::Resume {
                    assert_eq!(checked, Ok(()));
                    continue;
                }
                let failure = checked.unwrap_err();
                assert_eq!(failure.code.as_deref(), Some("CAUSE_MISMATCH"));
                let advice = failure.advice.unwrap();
                let right = format!("tocsin order {} {ORDER} --because", cause.act().word());
                assert!(advice.starts_with(&right), "{advice}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_or_refused() {
        let mut attended = session(
            "tocsin order",
            Terminal::answering("a court\n\n".as_bytes()),
        );
        assert_eq!(
            needed(&mut attended, "--reason", "Why?").unwrap(),
            "a court"
        );
        assert!(needed(&mut attended, "--reason", "Why?").is_err());
        assert!(needed(&mut unattended(), "--reason", "Why?").is_err());
    }
}
