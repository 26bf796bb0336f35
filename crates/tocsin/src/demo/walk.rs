//! The walk, step by step: read this first.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};
use tocsin_cli::client;
use tocsin_cli::document::Document;
use tocsin_cli::draft::{Draft, Setting};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::instant::now_ms;
use tocsin_cli::output::Output;
use tocsin_cli::rpc::call;
use tocsin_core::date::DAY_MS;
use tocsin_core::handling::Tlp;
use tocsin_core::order::{OrderAct, OrderActKind};
use tocsin_core::roster::Role;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::Outcome;
use tocsin_wire::receipt::Receipt;

use super::Cast;
use super::closing;
use super::fault::Faults;
use super::network::{GLANCE, Network, PATIENCE, of};
use super::orders::{self, LAMPS_GTIN, STRIPS_GTIN};
use super::proof::{Proven, Prover, head, judge_again};
use super::report::{Done, Report, fitted};
use super::screening;

/// How many of the real orders are issued while one member's node is down.
const ISSUED_WHILE_DOWN: usize = 3;

/// The demonstration as it goes on.
#[derive(Debug)]
pub(super) struct Demo<'a> {
    pub(super) network: &'a Network,
    pub(super) cast: Cast,
    pub(super) report: Report,
    faults: &'a Faults,
    prover: Prover<'a>,
    /// When the demonstration began, Unix milliseconds.
    pub(super) began_ms: i64,
    /// Today's first instant, UTC.
    today: i64,
    /// Running numbers used so far, by member.
    numbers: BTreeMap<String, u32>,
    /// Everything that was accepted, by statement_id, with its author.
    accepted: BTreeMap<Hash, String>,
    /// How many lines of declarations are screened.
    pub(super) lines: u64,
    /// Orders that are not issued yet.
    waiting: Vec<Document>,
    reported: Option<StatementRef>,
    lamps: Option<Proven>,
    /// The order on the drivers, which stays.
    pub(super) drivers: Option<Proven>,
    orders: usize,
}

impl<'a> Demo<'a> {
    pub(super) fn new(network: &'a Network, cast: Cast, faults: &'a Faults, lines: u64) -> Self {
        let now = now_ms();
        let today = now - now.rem_euclid(DAY_MS);
        Self {
            network,
            cast,
            report: Report::default(),
            faults,
            prover: Prover::new(network, faults),
            began_ms: now,
            today,
            numbers: BTreeMap::new(),
            accepted: BTreeMap::new(),
            lines,
            waiting: orders::real(today),
            reported: None,
            lamps: None,
            drivers: None,
            orders: 0,
        }
    }

    /// All steps, each shown as it is done.
    ///
    /// # Errors
    /// Names the step, the member and what failed.
    pub(super) async fn walk(&mut self, out: &mut Output) -> Result<(), Failure> {
        self.step("start", async |demo| demo.start().await, out)
            .await?;
        self.step("policy", async |demo| demo.policy().await, out)
            .await?;
        self.step("report", async |demo| demo.report().await, out)
            .await?;
        self.step("issue", async |demo| demo.issue().await, out)
            .await?;
        self.step("fiction", async |demo| demo.fiction().await, out)
            .await?;
        self.step("adopt", async |demo| demo.adopt().await, out)
            .await?;
        self.step("kill", async |demo| demo.kill().await, out)
            .await?;
        self.step("restart", async |demo| demo.restart().await, out)
            .await?;
        self.step("hold", async |demo| demo.hold().await, out)
            .await?;
        self.step("screen", async |demo| screening::screen(demo).await, out)
            .await?;
        self.step("withdraw", async |demo| demo.withdraw().await, out)
            .await?;
        self.step("audit", async |demo| demo.audit().await, out)
            .await?;
        self.step("logs", async |demo| demo.logs().await, out)
            .await?;
        self.step("lookup", async |demo| closing::lookups(demo).await, out)
            .await?;
        self.step("matrix", async |demo| closing::matrix(demo).await, out)
            .await?;
        self.faults.check_made()
    }

    async fn step(
        &mut self,
        name: &'static str,
        work: impl AsyncFnOnce(&mut Self) -> Result<Done, Failure>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let (network, faults) = (self.network, self.faults);
        let begun = Instant::now();
        faults.begin(name);
        let progress = out.progress(&format!("step {name}"), None);
        let outcome = tokio::select! {
            biased;
            failure = network.watch(faults) => Err(failure),
            outcome = Box::pin(work(self)) => outcome,
            never = progress.late() => match never {},
        };
        drop(progress);
        network.strike(faults);
        let outcome = match (network.dead(), outcome) {
            // A node that has gone is why the rest failed, or would have been missed.
            (Some(dead), _) => Err(dead),
            (None, outcome) => outcome,
        };
        let done = outcome.map_err(|mut failure| {
            failure.message = format!("step {name}: {}", failure.message);
            failure
        })?;
        self.report.add(name, done, begun.elapsed(), out)
    }

    async fn start(&mut self) -> Result<Done, Failure> {
        for id in self.network.ids() {
            self.network.spawn(id)?;
        }
        for id in self.network.ids() {
            self.network.ready(id).await?;
        }
        let ids: Vec<&str> = self.network.ids().collect();
        Ok(Done::new(format!(
            "{} nodes run, a process each: {}",
            ids.len(),
            ids.join(" ")
        ))
        .fact("members", json!(ids)))
    }

    async fn policy(&mut self) -> Result<Done, Failure> {
        let Cast {
            issuer,
            reporter,
            adopter,
            returner,
        } = &self.cast.clone();
        let packs = orders::packs(issuer, [reporter, adopter, returner])?;
        let mut proven = Vec::new();
        for (member, document) in &packs {
            proven.push(
                self.say(member, Role::Officer, document, None, Vec::new())
                    .await?,
            );
        }
        Ok(self.shown(
            format!("{reporter} {adopter} {returner} sign their policy packs"),
            &proven,
        ))
    }

    async fn report(&mut self) -> Result<Done, Failure> {
        let reporter = self.cast.reporter.clone();
        let document = orders::report()?;
        let said = self
            .say(&reporter, Role::Investigator, &document, None, Vec::new())
            .await?;
        self.reported = Some(said.reference());
        Ok(self.shown(
            format!("an investigator of {reporter} reports copied lamps"),
            &[said],
        ))
    }

    async fn issue(&mut self) -> Result<Done, Failure> {
        let now = self.waiting.len().saturating_sub(ISSUED_WHILE_DOWN);
        let documents: Vec<Document> = self.waiting.drain(..now).collect();
        let proven = self.issue_all(&documents, Vec::new()).await?;
        self.decided().await?;
        let issuer = &self.cast.issuer;
        let what = format!(
            "{issuer} issues {} real orders, as an exercise",
            proven.len()
        );
        Ok(self.shown(what, &proven))
    }

    async fn fiction(&mut self) -> Result<Done, Failure> {
        let [lamps, ..] = orders::fictional(self.today)?;
        let before = self.expect(LAMPS_GTIN, [Outcome::None; 4]).await?;
        let cited: Vec<StatementRef> = self.reported.iter().cloned().collect();
        let proven = self.issue_all(&[lamps], cited).await?;
        self.decided().await?;
        let (blocked, flagged) = (Outcome::Blocked, Outcome::Flagged);
        let answers = self
            .expect(LAMPS_GTIN, [blocked, flagged, flagged, Outcome::Review])
            .await?;
        let issuer = &self.cast.issuer;
        let done = self.shown(
            format!("{issuer} orders fictional lamps out, citing the report"),
            &proven,
        );
        self.lamps = proven.into_iter().next();
        Ok(done
            .line(before.line.replace(" is now:", " before:"))
            .line(answers.line)
            .fact("lookups_before", before.value)
            .fact("lookups", answers.value))
    }

    async fn adopt(&mut self) -> Result<Done, Failure> {
        let adopter = self.cast.adopter.clone();
        let order = self.lamps()?;
        let mut document = orders::adoption(&adopter.to_uppercase())?;
        document.order = Some(order.short());
        let about = Some(order.reference());
        let said = self
            .say(&adopter, Role::Officer, &document, about, Vec::new())
            .await?;
        let (blocked, flagged) = (Outcome::Blocked, Outcome::Flagged);
        let answers = self
            .expect(LAMPS_GTIN, [blocked, flagged, blocked, Outcome::Review])
            .await?;
        let what = format!("two officers of {adopter} adopt it, citing a right of their own");
        Ok(self
            .shown(what, &[said])
            .line(answers.line)
            .fact("lookups", answers.value))
    }

    async fn kill(&mut self) -> Result<Done, Failure> {
        let returner = self.cast.returner.clone();
        self.network.kill(&returner)?;
        let mut documents = std::mem::take(&mut self.waiting);
        let [_, drivers, _] = orders::fictional(self.today)?;
        documents.push(drivers);
        let proven = self.issue_all(&documents, Vec::new()).await?;
        self.decided().await?;
        self.drivers = proven.last().cloned();
        let what = format!(
            "the node of {returner} is killed; {} orders go on",
            proven.len()
        );
        Ok(self.shown(what, &proven))
    }

    async fn restart(&mut self) -> Result<Done, Failure> {
        let Cast {
            issuer, returner, ..
        } = self.cast.clone();
        self.network.spawn(&returner)?;
        self.network.ready(&returner).await?;
        let (at_home, there) = self.same_head(&issuer, &returner).await?;
        self.decided().await?;
        let what = format!("{returner} is back and caught up: {at_home} entries of {issuer}");
        Ok(Done::new(what)
            .line(format!("root {:.32}, the same at both", there.to_string()))
            .fact("log", json!(issuer))
            .fact("size", json!(at_home))
            .fact("root", json!(there.to_string())))
    }

    async fn hold(&mut self) -> Result<Done, Failure> {
        let adopter = self.cast.adopter.clone();
        let [_, _, strips] = orders::fictional(self.today)?;
        let order = self.issue_all(&[strips], Vec::new()).await?;
        self.decided().await?;
        let mut document = orders::hold(self.today)?;
        let about = order.first().map(Proven::reference);
        document.order = order.first().map(Proven::short);
        let said = self
            .say(&adopter, Role::Officer, &document, about, Vec::new())
            .await?;
        let (blocked, flagged) = (Outcome::Blocked, Outcome::Flagged);
        let answers = self
            .expect(
                STRIPS_GTIN,
                [blocked, flagged, Outcome::Held, Outcome::Review],
            )
            .await?;
        let records: Vec<Proven> = order.into_iter().chain([said]).collect();
        let what = format!("two officers of {adopter} hold fictional strips for two weeks");
        Ok(self
            .shown(what, &records)
            .line(answers.line)
            .fact("lookups", answers.value))
    }

    async fn withdraw(&mut self) -> Result<Done, Failure> {
        let issuer = self.cast.issuer.clone();
        let order = self.lamps()?;
        let act = OrderAct {
            kind: OrderActKind::Withdraw,
            reason: "EXERCISE. The order was invented.".to_owned(),
            replacement: None,
        };
        let document = Document {
            tlp: Tlp::Clear,
            number: None,
            order: None,
            refs: Vec::new(),
            act: Act::OrderAct(Box::new(act)),
            bodies: Vec::new(),
        };
        let about = Some(order.reference());
        let said = self
            .say(&issuer, Role::Officer, &document, about, Vec::new())
            .await?;
        let answers = self.expect(LAMPS_GTIN, [Outcome::None; 4]).await?;
        let what = format!("two officers of {issuer} withdraw the order on the lamps");
        Ok(self
            .shown(what, &[said])
            .line(answers.line)
            .fact("lookups", answers.value))
    }

    async fn audit(&mut self) -> Result<Done, Failure> {
        let ids: Vec<String> = self.network.ids().map(str::to_owned).collect();
        let mut proven = BTreeMap::new();
        for id in &ids {
            for one in self.prover.audit(id).await? {
                proven.insert(one.verified.statement_id, one);
            }
        }
        if let Some((lost, author)) = self
            .accepted
            .iter()
            .find(|(id, _)| !proven.contains_key(id))
        {
            let text = format!("{author}: statement {lost} was accepted and is not in its log");
            return Err(Failure::unverified("LOST", text));
        }
        let judged = judge_again(&proven, self.faults)?;
        let records: Vec<Value> = proven.values().map(Proven::value).collect();
        Ok(Done::new(format!(
            "{} statements verified at another than their author",
            proven.len()
        ))
        .line(format!(
            "{judged} decisions by policy made again from order and pack: the same"
        ))
        .fact("decisions_judged_again", json!(judged))
        .fact("records", json!(records)))
    }

    async fn logs(&mut self) -> Result<Done, Failure> {
        let ids: Vec<String> = self.network.ids().map(str::to_owned).collect();
        let mut done = Done::new("every log has one root at every node");
        let mut logs = Vec::new();
        for author in &ids {
            let mut cosigners = BTreeSet::new();
            let mut at = (0, Hash::of(b""));
            for other in ids.iter().filter(|id| *id != author) {
                at = self.same_head(author, other).await?;
                cosigners.extend(head(self.network, other, author).await?.cosigners);
            }
            let (size, root) = at;
            let by: Vec<&str> = cosigners.iter().map(String::as_str).collect();
            done = done.line(fitted(
                &format!(
                    "{author}  {size:>3} entries  root {:.16}  cosigned by {}",
                    root.to_string(),
                    by.join(" ")
                ),
                76,
            ));
            logs.push(json!({
                "log": author, "size": size, "root": root.to_string(),
                "cosigners": by, "nodes": ids,
            }));
        }
        Ok(done.fact("logs", json!(logs)))
    }

    /// Issues orders by two officers, then proves each from another member.
    async fn issue_all(
        &mut self,
        documents: &[Document],
        cited: Vec<StatementRef>,
    ) -> Result<Vec<Proven>, Failure> {
        let issuer = self.cast.issuer.clone();
        let mut ids = Vec::new();
        for document in documents {
            ids.push(
                self.submit(&issuer, Role::Officer, document, None, cited.clone())
                    .await?,
            );
        }
        self.orders += ids.len();
        let mut proven = Vec::new();
        for id in &ids {
            proven.push(self.prover.prove(&issuer, id).await?);
        }
        Ok(proven)
    }

    /// Submits a statement and proves it from another member.
    async fn say(
        &mut self,
        member: &str,
        role: Role,
        document: &Document,
        about: Option<StatementRef>,
        refs: Vec<StatementRef>,
    ) -> Result<Proven, Failure> {
        let id = self.submit(member, role, document, about, refs).await?;
        self.prover.prove(member, &id).await
    }

    /// Makes a statement, has the persons of `role` sign it, and submits it; its receipt must
    /// verify.
    async fn submit(
        &mut self,
        member: &str,
        role: Role,
        document: &Document,
        about: Option<StatementRef>,
        refs: Vec<StatementRef>,
    ) -> Result<Hash, Failure> {
        let log = format!("{}/{member}", super::network::LABEL);
        let judged = about.as_ref().map(|order| order.statement_id);
        let mut number = 0;
        if document.act.is_numbered() {
            let used = self.numbers.entry(member.to_owned()).or_default();
            *used += 1;
            number = *used;
        }
        let setting = Setting {
            log,
            created_ms: now_ms(),
            number,
            about,
            judged,
            refs,
        };
        let mut draft = Draft::make(document, setting)?;
        for key in self.network.keys(member, role)? {
            draft.sign(&key);
        }
        let node = self.network.node(member)?;
        let mut door = client!(node, submit_service_client, SubmitServiceClient);
        let request = draft.request(v1::WaitFor::Local, false);
        let answer = call(PATIENCE, door.submit(request))
            .await
            .map_err(|e| of(member, e))?;
        let wrong = |why: String| {
            Failure::unverified(
                "RECEIPT",
                format!("{member}: its receipt proves nothing: {why}"),
            )
        };
        let receipt = answer
            .receipt
            .as_ref()
            .ok_or_else(|| wrong("there is none".to_owned()))?;
        let receipt = Receipt::read(receipt).map_err(|e| wrong(e.to_string()))?;
        let key = &node.member()?.log_key;
        receipt
            .verify(&draft.entry, key)
            .map_err(|e| wrong(e.to_string()))?;
        self.accepted
            .insert(draft.statement_id(), member.to_owned());
        Ok(draft.statement_id())
    }

    /// Waits until every member whose node runs has decided on every order, at every such node.
    async fn decided(&self) -> Result<(), Failure> {
        let wanted: Vec<String> = self.network.running().map(str::to_uppercase).collect();
        for at in self.network.running() {
            let end = Instant::now() + PATIENCE;
            loop {
                let rows = closing::rows(self.network, at).await?;
                let missing = closing::undecided(&rows, &wanted);
                if rows.len() == self.orders && missing.is_none() {
                    break;
                }
                if Instant::now() > end {
                    let what = missing.unwrap_or_else(|| "an order is missing".to_owned());
                    let text = format!("{at}: not decided in time: {what}");
                    return Err(Failure::new(Exit::Failed, text));
                }
                tokio::time::sleep(GLANCE).await;
            }
        }
        Ok(())
    }

    /// Waits until a node holds as much of a log as its own member, and compares the roots.
    async fn same_head(&self, author: &str, at: &str) -> Result<(u64, Hash), Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            let home = head(self.network, author, author).await?.checkpoint;
            let there = head(self.network, at, author).await?.checkpoint;
            if home.size == there.size {
                if home.root == there.root {
                    return Ok((home.size, home.root));
                }
                let text = format!("{at}: another root of {author}'s log at size {}", home.size);
                return Err(Failure::unverified("TWO_ROOTS", text)
                    .detail(format!("{author}: {}", home.root))
                    .detail(format!("{at}: {}", there.root)));
            }
            if Instant::now() > end {
                let (has, of) = (there.size, home.size);
                let text = format!("{at}: holds {has} of {of} entries of {author}'s log");
                return Err(Failure::new(Exit::Failed, text));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Looks a text up in every market until each answers as wanted, in the order of the members.
    async fn expect(&self, text: &str, wanted: [Outcome; 4]) -> Result<Answers, Failure> {
        let (mut words, mut value) = (Vec::new(), Vec::new());
        for (at, wanted) in self.network.ids().zip(wanted) {
            let end = Instant::now() + PATIENCE;
            loop {
                let answer = closing::lookup(self.network, at, text).await?;
                if answer.outcome() == wanted {
                    break;
                }
                if Instant::now() > end {
                    let (is, wanted) = (closing::word(&answer), closing::outcome(wanted));
                    let text = format!("{at}: look-up of {text} says {is}, not {wanted}");
                    return Err(Failure::new(Exit::Failed, text));
                }
                tokio::time::sleep(GLANCE).await;
            }
            let word = closing::outcome(wanted);
            words.push(format!("{at} {word}"));
            value.push(json!({"member": at, "typed": text, "outcome": word}));
        }
        Ok(Answers {
            line: format!("{text} is now: {}", words.join(", ")),
            value: json!(value),
        })
    }

    fn lamps(&self) -> Result<Proven, Failure> {
        let missing = || Failure::new(Exit::Failed, "the order on the lamps was not issued");
        self.lamps.clone().ok_or_else(missing)
    }

    /// What was said, for people and programs.
    fn shown(&self, what: String, proven: &[Proven]) -> Done {
        let mut done = Done::new(what);
        if let [one] = proven {
            let by: Vec<&str> = one.verified.cosigned.keys().map(String::as_str).collect();
            let at = one.verified.index;
            done = done.line(format!("{} at {at}, held by {}", one.name(), by.join(" ")));
        }
        let records: Vec<Value> = proven.iter().map(Proven::value).collect();
        done.fact("records", json!(records))
    }
}

/// What all markets answer to one text.
#[derive(Debug)]
struct Answers {
    line: String,
    value: Value,
}
