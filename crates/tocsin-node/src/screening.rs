//! The blocks of the node's own jurisdiction, frozen for screening and swapped whole.
//!
//! One task follows the registry and puts each new state of a block in a layer of its own, beside
//! all that was there: checks go on meanwhile, on what they began with. What time does to a block
//! (a hold lapses, an order begins or ends) is no change of the registry and waits for no swap: it
//! is judged at each check.
//!
//! Only the own jurisdiction is kept. An index takes some KiB for each block, and declarations are
//! for the authority whose border the goods cross; whoever wants another country's blocks asks that
//! country's node, or screens at home against its notices.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::registry::Registry;
use tocsin_core::statement::StatementRef;
use tocsin_screen::answer::{Age, Basis};
use tocsin_screen::index::Screen;
use tocsin_screen::suppression::{MAX_SUPPRESSION_FILE_BYTES, Suppressions};
use tocsin_wire::proto::v1;

use crate::clock::{self, Stopwatch};
use crate::config::{Config, ConfigError, read_bounded};
use crate::freshness::Stale;
use crate::limits;
use crate::node::Node;
use crate::status::{Reason, Refusal};

/// What the node screens with.
#[derive(Debug)]
pub(crate) struct Screening {
    frozen: ArcSwapOption<Frozen>,
    suppressions: ArcSwap<Suppressions>,
    known: Mutex<Option<Arc<Ages>>>,
}

/// The blocks as they were known at one position.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) screen: Screen,
    /// As clients carry it.
    pub(crate) position: String,
    /// Blocks that can say something.
    pub(crate) blocks: usize,
    vector: Vector,
}

/// How old the copies of the members' logs are, looked at a moment ago.
#[derive(Debug)]
pub(crate) struct Ages {
    pub(crate) stale: Stale,
    pub(crate) ages: Vec<v1::OriginAge>,
    at_ms: i64,
}

impl Screening {
    /// With the suppressions of the configuration; nothing can be screened until the first index
    /// is built.
    ///
    /// # Errors
    /// The file of suppressions cannot be read whole.
    pub(crate) fn open(config: &Config) -> Result<Self, ConfigError> {
        let suppressions = match &config.suppressions {
            Some(file) => read_suppressions(file).map_err(|what| ConfigError::Bad {
                key: SUPPRESSIONS,
                what,
                remedy: "mend the file; nothing of it was taken",
            })?,
            None => Suppressions::default(),
        };
        Ok(Self {
            frozen: ArcSwapOption::empty(),
            suppressions: ArcSwap::from_pointee(suppressions),
            known: Mutex::default(),
        })
    }

    /// The newest index.
    ///
    /// # Errors
    /// `INDEX_BUILDING` for the first seconds of a node.
    pub(crate) fn frozen(&self) -> Result<Arc<Frozen>, Refusal> {
        self.newest().ok_or_else(|| {
            Refusal::of(Reason::IndexBuilding).retry_after(limits::SCREEN_BUILDING_RETRY)
        })
    }

    /// The newest index, if there is one yet.
    pub(crate) fn newest(&self) -> Option<Arc<Frozen>> {
        self.frozen.load_full()
    }

    /// The suppressions in use.
    pub(crate) fn suppressions(&self) -> Arc<Suppressions> {
        self.suppressions.load_full()
    }

    /// Reads the suppressions again; a file with a fault changes nothing.
    ///
    /// # Errors
    /// What is wrong with the file, for the operator.
    pub(crate) fn reload(&self, file: &Path) -> Result<usize, String> {
        let suppressions = read_suppressions(file)?;
        let count = suppressions.all().len();
        self.suppressions.store(Arc::new(suppressions));
        Ok(count)
    }
}

/// Reads a file of suppressions.
///
/// # Errors
/// What is wrong with it, for the operator.
fn read_suppressions(file: &Path) -> Result<Suppressions, String> {
    let most = u64::try_from(MAX_SUPPRESSION_FILE_BYTES).unwrap_or(u64::MAX);
    let bytes = read_bounded(SUPPRESSIONS, file, most).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
    Suppressions::read(&text).map_err(|error| error.to_string())
}

/// Follows the registry until the node drains; on a thread of its own, for the first index takes
/// seconds.
pub(crate) async fn run(node: Arc<Node>) {
    let mut changed = node.state.watch();
    let stop = node.stopping();
    let mut told = Told::new();
    loop {
        changed.borrow_and_update();
        follow(&node, &mut told);
        // Many changes within a moment make one swap.
        tokio::select! {
            () = tokio::time::sleep(limits::SCREEN_SWAP_INTERVAL) => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            _ = changed.changed() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Versions of the blocks that changed last. While a lasting body is missing, the position stands
/// before it, and all that came after is named as changed each time.
type Told = BTreeMap<StatementRef, u64>;

/// Brings the index to the registry's present position.
fn follow(node: &Node, told: &mut Told) {
    let screening = &node.screening;
    let jurisdiction = &node.member().jurisdiction;
    let before = screening.newest();
    let timer = Stopwatch::start();
    let (vector, changed) = {
        let applied = node.state.read();
        let registry = &applied.registry;
        let changed = match &before {
            Some(before) => registry.changed_since(jurisdiction, &before.vector),
            None => registry.orders().collect(),
        };
        let changed: Vec<StatementRef> = changed.into_iter().cloned().collect();
        (registry.position(), changed)
    };
    let now = clock::now_ms();
    let mut notices = notices(node, jurisdiction, &changed, now);
    if let Some(before) = &before {
        let versions = notices.iter().map(|n| (n.order_ref.clone(), n.version));
        let versions: Told = versions.collect();
        notices.retain(|notice| told.get(&notice.order_ref) != Some(&notice.version));
        *told = versions;
        if notices.is_empty() && before.vector == vector {
            return;
        }
    }
    let count = notices.len();
    let basis = Basis {
        position: position(&vector),
        ages: basis_ages(node, &vector, now),
    };
    let position = basis.position.encode();
    let screen = match &before {
        None => Screen::build(notices, basis),
        Some(before) => before.screen.with(notices, basis),
    };
    let blocks = screen.len();
    screening.frozen.store(Some(Arc::new(Frozen {
        screen,
        position,
        blocks,
        vector,
    })));
    if before.is_none() {
        let seconds = timer.seconds();
        tracing::info!(blocks, seconds, "ready to screen");
    }
    node.metrics.screen_swapped(blocks, count, &timer);
}

/// The blocks of these orders. The registry is let go between stretches, so that a long list stops
/// no writer; what changes meanwhile is only newer than the position says, and comes again.
fn notices(node: &Node, jurisdiction: &str, orders: &[StatementRef], now: i64) -> Vec<Notice> {
    let mut notices = Vec::with_capacity(orders.len());
    for stretch in orders.chunks(limits::WALK_CHUNK) {
        let applied = node.state.read();
        let blocks = stretch
            .iter()
            .filter_map(|order| block_to_come(&applied.registry, order, jurisdiction, now));
        notices.extend(blocks);
    }
    notices
}

/// A block as it stands now, or as it will stand once its time begins: both ends of its time are
/// honoured at each check.
fn block_to_come(
    registry: &Registry,
    order: &StatementRef,
    jurisdiction: &str,
    now: i64,
) -> Option<Notice> {
    let notice = registry.block(order, jurisdiction, now)?;
    if notice.state == BlockState::Scheduled {
        return registry.block(order, jurisdiction, notice.from_ms);
    }
    Some(notice)
}

fn position(vector: &Vector) -> Cursor {
    Cursor {
        view: View::NONE,
        vector: vector.clone(),
    }
}

fn basis_ages(node: &Node, vector: &Vector, now: i64) -> Vec<Age> {
    let members = node.alliance.members();
    let ages = members.map(|member| Age {
        origin: member.origin.to_string(),
        as_of_ms: node.known_until(member, now),
        is_frozen: vector.is_frozen(&member.origin),
    });
    ages.collect()
}

impl Node {
    /// How old the copies of the members' logs are, by the policy of the own jurisdiction. Looked
    /// at anew after [`limits::SCREEN_AGE_STANDS_MS`], for it reads the disk.
    pub(crate) fn ages_of_copies(&self, now: i64) -> Arc<Ages> {
        let known = &self.screening.known;
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh =
            |known: &Arc<Ages>| (0..limits::SCREEN_AGE_STANDS_MS).contains(&(now - known.at_ms));
        if let Some(known) = known.as_ref().filter(|known| is_fresh(known)) {
            return Arc::clone(known);
        }
        let stale = Stale::of(self, &self.member().jurisdiction, now);
        let ages = self.alliance.members().map(|member| v1::OriginAge {
            member: member.id.clone(),
            age_ms: now.saturating_sub(self.known_until(member, now)),
            stale: stale.has(&member.id),
        });
        let fresh = Arc::new(Ages {
            ages: ages.collect(),
            stale,
            at_ms: now,
        });
        *known = Some(Arc::clone(&fresh));
        fresh
    }
}

/// The setting.
const SUPPRESSIONS: &str = "screen.suppressions";
