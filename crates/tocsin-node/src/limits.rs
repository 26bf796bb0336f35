//! Every limit of the node, with its unit and its reason.
//!
//! The defaults of tonic, hyper and h2 are not relied on: what is not named here is not allowed.

use std::time::Duration;

// Messages. tonic reserves up to the whole limit as soon as a length prefix has arrived, so the
// limit of a method is what it needs and no more; a longer message gets OUT_OF_RANGE.

/// A message that only asks: reads, watches, cursors (bytes).
pub const MAX_CONTROL_MESSAGE_BYTES: usize = 64 * 1024;
/// A submission: an entry at the door (16 KiB), its inline body (256 KiB), framing (8 KiB).
pub const MAX_SUBMIT_MESSAGE_BYTES: usize = MAX_DOOR_ENTRY_BYTES + MAX_BODY_BYTES + 8 * 1024;
/// A `Follow` message: one commit batch (1 MiB of frames) with its note and framing (64 KiB).
pub const MAX_BULK_MESSAGE_BYTES: usize = MAX_BATCH_BYTES + 64 * 1024;
/// What a client reads back at most: a bundle with its manifests (4 MiB, FORMATS.md 8).
pub const MAX_ANSWER_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// An entry at our own door (bytes, FORMATS.md 3).
pub const MAX_DOOR_ENTRY_BYTES: usize = 16_384;
/// A body that travels with its statement (bytes, FORMATS.md 2).
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Frames in one commit batch (bytes, FORMATS.md 4).
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Entries in one commit batch (FORMATS.md 4).
pub const MAX_BATCH_ENTRIES: usize = 4_096;
/// Characters of a `request_id` (SURFACE.md).
pub const MAX_REQUEST_ID_CHARS: usize = 64;

// Connections.

/// Open connections in all: bounds file handles and the memory of HTTP/2 windows.
pub const MAX_CONNECTIONS: usize = 1_024;
/// Connections of all names of one member, so that no member can take the others' places.
pub const MAX_CONNECTIONS_PER_MEMBER: usize = 256;
/// Connections of one name (a node or a client); one does, eight leave room for reconnecting.
pub const MAX_CONNECTIONS_PER_NAME: usize = 8;
/// TCP connections still in their handshake; kept apart from the open ones, so that strangers
/// who never finish cannot keep out those who do.
pub const MAX_HANDSHAKES: usize = 4_096;
/// The same from one address (IPv6: one /64), so that one stranger cannot take all of them.
pub const MAX_HANDSHAKES_PER_ADDRESS: usize = 512;
/// Finished handshakes that wait for the server to take them.
pub const ACCEPTED_QUEUE: usize = 64;
/// Lines in the log each second about connections that were refused or cut; the metrics count all.
pub const MAX_REFUSAL_LINES_PER_SECOND: u64 = 20;
/// Pause after `accept` fails (no file handles left), instead of spinning.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// From the TCP connection to the end of the TLS handshake, and again to the HTTP/2 preface.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);
/// An open connection on which nothing at all arrives; pings are answered every 15 s.
pub const READ_IDLE: Duration = Duration::from_secs(60);
/// A peer that takes nothing while we have something for it.
pub const WRITE_STALL: Duration = Duration::from_secs(10);
/// How often a connection is looked at for the two above.
pub const TEND_INTERVAL: Duration = Duration::from_secs(1);
/// Then the peer is asked to connect again, so that new certificates and rosters take hold.
pub const MAX_CONNECTION_AGE: Duration = Duration::from_secs(3_600);
/// What streams get to say goodbye, when a connection is too old or the node stops.
pub const GOODBYE: Duration = Duration::from_secs(10);
/// Certificates in a peer's chain, the leaf included.
pub const MAX_CHAIN_CERTIFICATES: usize = 4;
/// A PEM file of ours, or a member's CA certificate in the roster (bytes).
pub const MAX_PEM_BYTES: usize = 64 * 1024;

// HTTP/2.

/// Streams at once on one connection; the 65th is refused.
pub const MAX_CONCURRENT_STREAMS: u32 = 64;
/// Requests at once in all that have not begun to answer.
pub const MAX_CONCURRENT_REQUESTS: usize = 4_096;
/// Header list of a request (bytes).
pub const MAX_HEADER_LIST_BYTES: u32 = 8 * 1024;
/// One frame (bytes): the least that HTTP/2 allows.
pub const MAX_FRAME_BYTES: u32 = 16 * 1024;
/// Unread bytes of one stream that we dialled: one batch.
pub const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
/// Unread bytes of one connection that we dialled: four batches.
pub const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;
/// Unread bytes of one stream of a caller: nearly one submission; peers only ask here.
pub const SERVER_STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// Unread bytes of one connection of a caller: so many for each of one member's connections are a
/// quarter of the memory that a node may take.
pub const SERVER_CONNECTION_WINDOW_BYTES: u32 = 512 * 1024;
/// Bytes that a connection may bring beside its requests and what it is told: pings, settings,
/// resets, frames of unknown kinds, data that nobody reads. One window, and half of one.
pub const FREE_BYTES: u64 = 768 * 1024;
/// And so many more for each second of its life.
pub const FREE_BYTES_PER_SECOND: u64 = 16 * 1024;
/// SETTINGS that a connection may bring. A client sends one, and another each time it gives its
/// streams a larger window, which is a few times.
pub const FREE_SETTINGS: u64 = 100;
/// And so many more for each second of its life.
pub const FREE_SETTINGS_PER_SECOND: u64 = 1;
/// What a request brings beside its messages: its header block and frames (bytes).
pub const REQUEST_OVERHEAD_BYTES: u64 = 2 * 1024;
/// Ping a silent peer.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// And give it this long to answer.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Streams reset by the peer before we accepted them (CVE-2023-44487, rapid reset).
pub const MAX_PENDING_ACCEPT_RESETS: usize = 20;
/// Resets of our own that a peer's errors may provoke (CVE-2025-8671, made you reset).
pub const MAX_LOCAL_ERROR_RESETS: usize = 128;
/// Seconds after which the kernel probes a silent TCP connection.
pub const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

// Requests.

/// The longest a request may take to its answer, or a stream to its first word.
pub const REQUEST_DEADLINE: Duration = Duration::from_secs(30);
/// To open a connection to a peer, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For one batch of spans to a collector, and for the last one when the node ends.
pub const TRACE_TIMEOUT: Duration = Duration::from_secs(2);

// Memory. A message that does not fit is refused with RESOURCE_EXHAUSTED.

/// Bytes of requests being taken and answers being sent, in all; half of the 512 MiB that a node
/// under attack may take, the rest being its state and windows.
pub const MAX_HELD_BYTES: usize = 256 * 1024 * 1024;
/// The same of one member: two that collude leave room for the others.
pub const MAX_HELD_BYTES_PER_MEMBER: usize = 96 * 1024 * 1024;
/// The same of one name: every stream of its connections, with some answers.
pub const MAX_HELD_BYTES_PER_NAME: usize = 40 * 1024 * 1024;
/// What a request counts at least until it is answered, so that no member takes all the places of
/// [`MAX_CONCURRENT_REQUESTS`].
pub const REQUEST_HELD_BYTES: usize = 64 * 1024;
/// `Follow` streams of one member; with one more the oldest ends, for a peer that comes again has
/// lost the others.
pub const MAX_FOLLOWS_PER_MEMBER: usize = 2;
/// Cosignatures that do not verify, after which a `Follow` stream ends. An honest peer that was
/// shown another history has told us of it by then, and may come again.
pub const MAX_FALSE_COSIGNATURES: usize = 16;

// Queues: full means refused with RESOURCE_EXHAUSTED or back-pressure, never growth.

/// Statements that wait for the sequencer: one batch gathers while one is flushed.
pub const SUBMIT_QUEUE: usize = 1_024;
/// When to try again after a full queue: it is written within a flush or two.
pub const QUEUE_FULL_RETRY: Duration = Duration::from_secs(1);
/// Submissions of one stream that are under way or whose answers are not yet taken: some commit
/// batches' worth, so that none goes out half full.
pub const STREAM_SUBMISSIONS: usize = 512;
/// Answers ready for one stream of submissions; the window does the rest.
pub const STREAM_ANSWERS: usize = 64;
/// Room that the submissions of all streams share on their way to the disk, in units of
/// [`SUBMISSION_UNIT_BYTES`]: half of [`SUBMIT_QUEUE`], so that streams never fill it, and 32 MiB.
pub const STREAM_SUBMISSION_UNITS: usize = SUBMIT_QUEUE / 2;
/// A submission takes one of the above, and one more for each further so many bytes.
pub const SUBMISSION_UNIT_BYTES: usize = 64 * 1024;
/// Streams of submissions at once, in all.
pub const MAX_SUBMIT_STREAMS: usize = 128;
/// Streams of submissions of one client, so that none takes the others' places.
pub const MAX_SUBMIT_STREAMS_PER_CLIENT: usize = 16;
/// Entries that are written and that the applier has not taken over: several batches, some MiB.
pub const FRESH_ENTRIES: usize = 4 * MAX_BATCH_ENTRIES;
/// Messages ready for one `Follow` stream, either way; the windows do the rest.
pub const FOLLOW_QUEUE: usize = 4;
/// Notices ready for one watcher.
pub const NOTICE_QUEUE: usize = 64;
/// Watchers of notices at once, in all: about 64 KiB each, so 128 MiB.
pub const MAX_WATCHERS: usize = 2_048;
/// Watchers of notices that clients of one member may have: half of all, as with connections.
pub const MAX_WATCHERS_PER_MEMBER: usize = 1_024;
/// Events between tasks of the node (commits, heads, evidence).
pub const EVENT_QUEUE: usize = 256;
/// Remembered `request_id`s: some minutes of retries at full speed.
pub const REQUEST_IDS: usize = 16_384;

// Screening.

/// A message of declarations: a thousand lines of a thousand bytes.
pub const MAX_SCREEN_MESSAGE_BYTES: usize = 1024 * 1024;
/// Lines of one message (screen.proto).
pub const MAX_SCREEN_LINES: usize = 1_000;
/// Results of one `Screen`: with the last result that fits, and without the hits of what comes
/// after it, the answer stays under [`MAX_ANSWER_MESSAGE_BYTES`].
pub const MAX_SCREEN_ANSWER_BYTES: usize = 3 * 1024 * 1024;
/// A response of a stream ends with the result that goes over so many bytes.
pub const SCREEN_RESPONSE_BYTES: usize = 256 * 1024;
/// Lines checked before other requests have their turn: a fraction of a millisecond for usual ones.
pub const SCREEN_CHUNK_LINES: usize = 64;
/// Messages of one stream that wait while one is checked.
pub const SCREEN_STREAM_MESSAGES: usize = 1;
/// Responses ready for one stream, its last word among them; the window does the rest.
pub const SCREEN_STREAM_ANSWERS: usize = 3;
/// Room that the messages of all streams share, in units of [`SUBMISSION_UNIT_BYTES`]: 64 MiB.
pub const SCREEN_STREAM_UNITS: usize = 1_024;
/// Streams of declarations at once, in all.
pub const MAX_SCREEN_STREAMS: usize = 32;
/// Streams of declarations of one client: more than a machine has cores for it.
pub const MAX_SCREEN_STREAMS_PER_CLIENT: usize = 8;
/// At most so often the index of blocks is swapped: changes that come together make one swap.
pub const SCREEN_SWAP_INTERVAL: Duration = Duration::from_millis(10);
/// When to try again while the first index is built.
pub const SCREEN_BUILDING_RETRY: Duration = Duration::from_secs(1);
/// How long a look at the age of the members' logs stands (ms); limits on it are hours.
pub const SCREEN_AGE_STANDS_MS: i64 = 250;

// Quotas: defaults of `[quota]` in node.toml. A person may say a quarter of a day's in an hour.

/// Orders, modifications and resumptions of one officer: the busiest issuer makes some dozens a
/// year.
pub const PERSON_ORDERS_PER_DAY: u64 = 200;
/// Decisions of one officer: a backlog after a holiday, one a minute.
pub const PERSON_DECISIONS_PER_DAY: u64 = 2_000;
/// Reports and indicators of one investigator, for imports.
pub const PERSON_REPORTS_PER_DAY: u64 = 10_000;
/// Policy packs of one officer.
pub const PERSON_PACKS_PER_DAY: u64 = 50;
/// Entries and bodies of one person (MiB).
pub const PERSON_MIB_PER_DAY: u64 = 512;
/// Entries of one other member taken at full speed: a new node takes all history at once.
pub const ORIGIN_ENTRIES_PER_DAY: u32 = 2_000_000;
/// The same in MiB.
pub const ORIGIN_MIB_PER_DAY: u32 = 8_192;
/// Reads of one client, or one member's node; a look-up costs some ten microseconds.
pub const CLIENT_REQUESTS_PER_SECOND: u32 = 1_000;
/// Reads of all clients of another member together.
pub const MEMBER_REQUESTS_PER_SECOND: u32 = 2_000;
/// How many seconds' worth may come at once.
pub const REQUEST_BURST_SECONDS: u16 = 2;
/// Callers whose reads are counted each by itself; further ones count for their member alone.
pub const MAX_CALLERS: usize = 2_048;
/// Disk kept for what releases goods: some thousands of withdrawals with their index (MiB).
pub const DISK_RESERVE_MIB: u32 = 32;
/// After a start the own log is searched backwards in such stretches for what was said today.
pub const QUOTA_STRETCH_ENTRIES: u64 = 1_024;
/// And no further than this: some tenths of a second of reading.
pub const QUOTA_SEARCH_ENTRIES: u64 = 65_536;
// Drafts.

/// Drafts that wait for a second officer, in all: a member's officers have that many in years. Of
/// this and of the next, what would release goods may use as much again.
pub const MAX_DRAFTS: usize = 1_024;
/// Bytes of all drafts with their bodies, in memory.
pub const MAX_DRAFTS_BYTES: usize = 32 * 1024 * 1024;
/// One draft with its bodies (bytes): one record of the local log, with room for what stands
/// beside it. What is larger is mailed as a file.
pub const MAX_DRAFT_BYTES: usize = tocsin_store::local::MAX_RECORD_BYTES - 1024;
/// Characters of the reason for which a draft was discarded.
pub const MAX_DRAFT_REASON_CHARS: usize = 256;

// Reading.

/// Items of one page when the client does not say.
pub const DEFAULT_PAGE_ITEMS: usize = 50;
/// Items of one page at most (record.proto).
pub const MAX_PAGE_ITEMS: usize = 500;
/// A page ends with the item that goes over this many bytes: with one record of 2.2 MiB (an entry
/// and eight bodies) it stays under [`MAX_ANSWER_MESSAGE_BYTES`].
pub const MAX_PAGE_BYTES: usize = 1024 * 1024;
/// Orders walked under one hold of the registry's lock, so that a long list stops no writer.
pub const WALK_CHUNK: usize = 256;
/// Entries of one `ReadEntries` (log.proto).
pub const MAX_READ_ENTRIES: u64 = 4_096;
/// Bytes of entries read from the disk at a time for one stream.
pub const READ_CHUNK_BYTES: usize = 256 * 1024;
/// What one stream of entries counts in its reader's share: what was read, and messages ready.
pub const READ_HELD_BYTES: usize = 4 * READ_CHUNK_BYTES;
/// A watcher hears something at least this often (FORMATS.md 7).
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);
/// Blocks due to one watcher that are named at a time; each is looked at when its turn comes.
pub const DUE_CHUNK: usize = 1_024;

// Configuration.

/// `node.toml` (bytes).
pub const MAX_CONFIG_BYTES: u64 = 64 * 1024;
/// The alliance file (bytes): 64 members' manifests with certificates and keys.
pub const MAX_ALLIANCE_BYTES: u64 = 4 * 1024 * 1024;
/// A key file (bytes): one line and comments.
pub const MAX_KEY_FILE_BYTES: u64 = 4 * 1024;
/// Clients named in `node.toml`.
pub const MAX_CLIENTS: usize = 1_024;
/// Endpoint overrides in `node.toml`.
pub const MAX_PEERS: usize = 256;

// Following, applying, deciding.

/// Members of an alliance; the roster has the same bound.
pub const MAX_MEMBERS: usize = tocsin_core::roster::MAX_MEMBERS;
/// First pause before a peer is dialled again.
pub const RECONNECT_FIRST: Duration = Duration::from_millis(100);
/// Longest pause before a peer is dialled again (FORMATS.md 6).
pub const RECONNECT_CAP: Duration = Duration::from_secs(5);
/// How often each stream tells the newest notes of all origins (FORMATS.md 6).
pub const HEADS_INTERVAL: Duration = Duration::from_secs(10);
/// A `Follow` stream on which nothing is heard, not even heads, is dialled anew.
pub const FOLLOW_SILENCE: Duration = Duration::from_secs(30);
/// How often a stream looks whether it is still the right upstream of each origin.
pub const CHOOSE_UPSTREAM_INTERVAL: Duration = Duration::from_millis(500);
/// For how long cosignatures are gathered before they are passed on. What waits for one is a grade,
/// and no act waits for a grade; five members pass each of them on twenty times.
pub const COSIGS_GATHERED: Duration = Duration::from_millis(25);
/// A follower this far behind gets several commit batches in one message: each costs it two
/// flushes, and a withdrawal waits behind all of them.
pub const FAR_BEHIND_ENTRIES: u64 = 32;
/// How far threads that judge many entries go behind all others (nice(2)): what arrives meanwhile
/// is stored and answered first.
pub const JUDGING_NICENESS: i32 = 10;
/// Bytes of one log applied before the next log has its turn: some 20 ms of signatures on two
/// processors.
pub const APPLY_CHUNK_BYTES: usize = 1024 * 1024;
/// How long an answer waits for the applier, so that whoever asks next sees what was said.
pub const APPLY_BEFORE_ANSWER: Duration = Duration::from_secs(2);
/// How long a submission waits for its grade when the client sets no deadline.
pub const WAIT_FOR_GRADE: Duration = Duration::from_secs(10);
/// How often the ends of holds are looked for; a reader never trusts an expired hold anyway.
pub const DUE_INTERVAL: Duration = Duration::from_secs(1);
/// Decisions made at once: one batch of them is flushed together.
pub const MAX_DUE_AT_ONCE: usize = 256;
/// Missing lasting bodies looked for at once.
pub const MAX_MISSING_BODIES: usize = 64;
/// How often they are looked for.
pub const MISSING_BODIES_INTERVAL: Duration = Duration::from_secs(2);
/// How often a damaged or short log is tried to be repaired from the other members.
pub const REPAIR_INTERVAL: Duration = Duration::from_secs(1);
/// How often the checks look whether each log still moves.
pub const CHECK_LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Files of one directory of keys whose modes a check looks at.
pub const MAX_CHECKED_FILES: usize = 1_024;
/// Files of the data directory that are counted into its size: 1,000,000 entries make some 300.
pub const MAX_COUNTED_FILES: usize = 100_000;
/// How long a reading of another node's clock stands, unless a closer one comes.
pub const CLOCK_READING_STANDS: Duration = Duration::from_secs(60);
/// Entries of each log, the newest, that a trace looks through for what no register of names has.
pub const MAX_TRACED_ENTRIES: u64 = 1_024;
/// How often the reserve on the disk is looked after.
pub const ROOM_INTERVAL: Duration = Duration::from_secs(1);
/// When to submit again to a node whose disk is nearly full: somebody must make room.
pub const DISK_RETRY: Duration = Duration::from_secs(60);
/// How often the start-up question is looked at.
pub const START_POLL: Duration = Duration::from_millis(50);

// What leaves in an error: it travels in headers, which are bounded on the other side too.

/// Characters of an error's message.
pub const MAX_ERROR_MESSAGE_CHARS: usize = 512;
/// Characters of one fact beside it.
pub const MAX_ERROR_FACT_CHARS: usize = 128;
/// Facts beside it.
pub const MAX_ERROR_FACTS: usize = 8;

/// The limits of the listener that a test sets lower; [`Default`] is the constants above.
#[derive(Debug, Clone, Copy)]
pub struct ListenLimits {
    /// [`MAX_CONNECTIONS`].
    pub connections: usize,
    /// [`MAX_CONNECTIONS_PER_MEMBER`].
    pub per_member: usize,
    /// [`MAX_CONNECTIONS_PER_NAME`].
    pub per_name: usize,
    /// [`MAX_HANDSHAKES`].
    pub handshakes: usize,
    /// [`MAX_HANDSHAKES_PER_ADDRESS`].
    pub handshakes_per_address: usize,
    /// [`HANDSHAKE_TIMEOUT`].
    pub handshake_timeout: Duration,
    /// [`READ_IDLE`].
    pub read_idle: Duration,
    /// [`WRITE_STALL`].
    pub write_stall: Duration,
    /// [`TEND_INTERVAL`].
    pub tend_interval: Duration,
    /// [`MAX_CONNECTION_AGE`].
    pub age: Duration,
    /// [`GOODBYE`].
    pub goodbye: Duration,
    /// [`REQUEST_DEADLINE`].
    pub request_deadline: Duration,
    /// [`MAX_CONCURRENT_REQUESTS`].
    pub requests: usize,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            per_member: MAX_CONNECTIONS_PER_MEMBER,
            per_name: MAX_CONNECTIONS_PER_NAME,
            handshakes: MAX_HANDSHAKES,
            handshakes_per_address: MAX_HANDSHAKES_PER_ADDRESS,
            handshake_timeout: HANDSHAKE_TIMEOUT,
            read_idle: READ_IDLE,
            write_stall: WRITE_STALL,
            tend_interval: TEND_INTERVAL,
            age: MAX_CONNECTION_AGE,
            goodbye: GOODBYE,
            request_deadline: REQUEST_DEADLINE,
            requests: MAX_CONCURRENT_REQUESTS,
        }
    }
}
