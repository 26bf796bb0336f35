//! Checkpoints: a log's signed word on how long it is and what is in it (C2SP tlog-checkpoint
//! v1.0.0).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::{EMPTY_ROOT, Hash};
use crate::key::{PublicKey, SigningKey};
use crate::note::{Note, NoteError, SignatureLine, TYPE_ED25519, key_id};
use crate::tree::MAX_TREE_SIZE;

/// The most bytes of an origin: it is a file name on every node, and C2SP gives it an 8-bit length.
pub const MAX_ORIGIN_BYTES: usize = 255;
/// The most bytes of one label of a DNS name (RFC 1035 section 2.3.4); a member's id is one.
pub const MAX_LABEL_BYTES: usize = 63;

/// The name of one generation of a member's log, `A/<member>/<generation>`: the first line of its
/// checkpoints.
///
/// `A` is the alliance's label, a lower-case DNS name, and the member's id one label of such a
/// name, so that `<member>.<A>` is a trust domain. Generations count from 1.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    alliance: String,
    member: String,
    generation: u32,
}

/// How long a log is and the root over its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log.
    pub origin: Origin,
    /// Entries in it.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
}

/// A checkpoint whose log key signed it, with the note it came in. Only [`SignedCheckpoint::open`]
/// makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
    /// Which lines are the log key's, all verified.
    key_id: [u8; 4],
}

/// Why a checkpoint is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note's form or signature is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not three lines of origin, size and root, each in its one spelling.
    #[error("checkpoint is not three lines of origin, size and root")]
    Text,
    /// The first line is not of the form `A/<member>/<generation>`.
    #[error("origin is malformed")]
    Origin,
    /// A checkpoint of another log.
    #[error("checkpoint is of {found}, not of {expected}")]
    OtherOrigin {
        /// Whose was asked for.
        expected: Origin,
        /// Whose it is.
        found: Origin,
    },
    /// Over [`MAX_TREE_SIZE`].
    #[error("checkpoint claims {size} entries, over the limit")]
    TooLarge {
        /// The size claimed.
        size: u64,
    },
    /// Notes of size 0 are neither signed nor taken (FORMATS.md 4).
    #[error("checkpoint is of an empty log")]
    Empty,
}

impl Origin {
    /// Names a log.
    ///
    /// # Errors
    /// [`CheckpointError::Origin`] if a part is malformed, or if the name could begin another
    /// signed message.
    pub fn new(alliance: &str, member: &str, generation: u32) -> Result<Self, CheckpointError> {
        let origin = Self {
            alliance: alliance.to_owned(),
            member: member.to_owned(),
            generation,
        };
        // Both are what other messages of the C2SP family begin with; an origin must not (log.md
        // 2.1).
        let reserved =
            alliance == "c2sp.org" || (alliance == "cosignature" && member.starts_with("v1"));
        let fits = origin.to_string().len() <= MAX_ORIGIN_BYTES
            && origin.mirror_name().len() <= MAX_ORIGIN_BYTES;
        if reserved || !fits || generation == 0 || !is_label(member) || !is_dns_name(alliance) {
            return Err(CheckpointError::Origin);
        }
        Ok(origin)
    }

    /// The alliance's label, `A`.
    #[must_use]
    pub fn alliance(&self) -> &str {
        &self.alliance
    }

    /// The member's id.
    #[must_use]
    pub fn member(&self) -> &str {
        &self.member
    }

    /// Counts from 1; a new one begins when a log cannot be signed further.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The log whatever its generation, `A/<member>`: what statements name.
    #[must_use]
    pub fn log_name(&self) -> String {
        format!("{}/{}", self.alliance, self.member)
    }

    /// The name under which this member cosigns the logs of others, `A/<member>/mirror`.
    #[must_use]
    pub fn mirror_name(&self) -> String {
        format!("{}/{}/mirror", self.alliance, self.member)
    }

    /// The origin as a directory's name, with `_` for `/`; neither part can hold a `_`.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}_{}_{}", self.alliance, self.member, self.generation)
    }
}

impl FromStr for Origin {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut parts = text.splitn(3, '/');
        let (Some(alliance), Some(member), Some(generation)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(CheckpointError::Origin);
        };
        let generation = read_decimal(generation).ok_or(CheckpointError::Origin)?;
        let generation = u32::try_from(generation).map_err(|_| CheckpointError::Origin)?;
        Self::new(alliance, member, generation)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.alliance, self.member, self.generation)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Checkpoint {
    /// The three lines that are signed and cosigned.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root.as_bytes())
        )
    }

    /// Reads the three lines. Extension lines are refused: no monitor could audit them.
    ///
    /// # Errors
    /// [`CheckpointError`] names the rule that is broken.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let (origin, size, root) = split_text(text)?;
        let origin = origin.parse()?;
        if size == 0 && root != EMPTY_ROOT {
            return Err(CheckpointError::Text);
        }
        Ok(Self { origin, size, root })
    }

    /// Signs this checkpoint with the log's own key.
    ///
    /// # Errors
    /// [`CheckpointError::Empty`] for a log with no entries, [`CheckpointError::TooLarge`] for an
    /// absurd one.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, CheckpointError> {
        check_signable(self.size)?;
        let text = self.text();
        let name = self.origin.to_string();
        let key_id = key_id(&name, TYPE_ED25519, &key.public());
        let bytes = key.sign(text.as_bytes()).0.to_vec();
        Ok(Note {
            text,
            signatures: vec![SignatureLine {
                name,
                key_id,
                bytes,
            }],
        })
    }
}

impl SignedCheckpoint {
    /// Opens a note: it must be `origin`'s own word, signed with its log key. Other lines are kept
    /// unread.
    ///
    /// # Errors
    /// [`CheckpointError`]; a note with a line by the log's key that fails is refused whole.
    pub fn open(bytes: &[u8], origin: &Origin, key: &PublicKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse_text(&note.text)?;
        if checkpoint.origin != *origin {
            return Err(CheckpointError::OtherOrigin {
                expected: origin.clone(),
                found: checkpoint.origin,
            });
        }
        check_signable(checkpoint.size)?;
        let name = origin.to_string();
        note.verify(&name, key)?;
        Ok(Self {
            checkpoint,
            note,
            key_id: key_id(&name, TYPE_ED25519, key),
        })
    }

    /// What was signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all lines it came with.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a line, such as a cosignature; the caller has verified it.
    ///
    /// # Errors
    /// As [`Note::add`].
    pub fn add_line(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        self.note.add(line)
    }

    /// The note reduced to the log's own signature, whoever passed it on with what else.
    #[must_use]
    pub fn own_note(&self) -> Note {
        let name = self.checkpoint.origin.to_string();
        let signatures = self
            .note
            .lines_by(&name, self.key_id)
            .take(1)
            .cloned()
            .collect();
        Note {
            text: self.note.text.clone(),
            signatures,
        }
    }
}

/// The lines of any C2SP checkpoint without extensions: origin, size, root.
pub(crate) fn split_text(text: &str) -> Result<(&str, u64, Hash), CheckpointError> {
    let mut lines = text
        .strip_suffix('\n')
        .ok_or(CheckpointError::Text)?
        .split('\n');
    let (Some(origin), Some(size), Some(root), None) =
        (lines.next(), lines.next(), lines.next(), lines.next())
    else {
        return Err(CheckpointError::Text);
    };
    let size = read_decimal(size).ok_or(CheckpointError::Text)?;
    if size > MAX_TREE_SIZE {
        return Err(CheckpointError::TooLarge { size });
    }
    let root = STANDARD.decode(root).map_err(|_| CheckpointError::Text)?;
    let root = Hash::try_from(root.as_slice()).map_err(|_| CheckpointError::Text)?;
    Ok((origin, size, root))
}

const fn check_signable(size: u64) -> Result<(), CheckpointError> {
    match size {
        0 => Err(CheckpointError::Empty),
        1..=MAX_TREE_SIZE => Ok(()),
        _ => Err(CheckpointError::TooLarge { size }),
    }
}

/// A number in its one decimal spelling: digits only, no leading zero but for zero itself.
pub(crate) fn read_decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if canonical && digits {
        text.parse().ok()
    } else {
        None
    }
}

fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_LABEL_BYTES).contains(&text.len())
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_dns_name(text: &str) -> bool {
    text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testlog::TestLog;

    #[test]
    fn the_text_is_three_lines() {
        let log = TestLog::of(3);
        let text = log.checkpoint(3).text();
        let root = STANDARD.encode(log.root(3).as_bytes());
        assert_eq!(text, format!("demo.tocsin.example/jp/1\n3\n{root}\n"));
        assert_eq!(Checkpoint::parse_text(&text), Ok(log.checkpoint(3)));
    }

    #[test]
    fn the_example_of_c2sp_is_read() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let text = format!("example.com/behind-the-sofa\n20852163\n{root}\n");
        let (origin, size, read) = split_text(&text).unwrap();
        assert_eq!((origin, size), ("example.com/behind-the-sofa", 20_852_163));
        assert_eq!(STANDARD.encode(read.as_bytes()), root);
        assert_eq!(Checkpoint::parse_text(&text), Err(CheckpointError::Origin));
    }

    #[test]
    fn each_checkpoint_has_one_spelling() {
        let good = TestLog::of(3).checkpoint(3).text();
        let refused = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            Checkpoint::parse_text(&good.replace(from, to)).unwrap_err()
        };
        for size in [
            "03",
            "+3",
            "-3",
            "3 ",
            " 3",
            "",
            "0x3",
            "\u{663}",
            "18446744073709551616",
        ] {
            assert_eq!(
                refused("\n3\n", &format!("\n{size}\n")),
                CheckpointError::Text
            );
        }
        assert_eq!(refused("=\n", "=\nextension\n"), CheckpointError::Text);
        assert_eq!(refused("=\n", "=\n\n"), CheckpointError::Text);
        assert_eq!(refused("=\n", "="), CheckpointError::Text);
        assert_eq!(refused("=\n", "\n"), CheckpointError::Text);
        assert_eq!(refused("\n3\n", "\n0\n"), CheckpointError::Text);
        let size = MAX_TREE_SIZE + 1;
        let refused = refused("\n3\n", &format!("\n{size}\n"));
        assert_eq!(refused, CheckpointError::TooLarge { size });
    }

    #[test]
    fn origins_are_dns_names_labels_and_generations() {
        let origin: Origin = "demo.tocsin.example/jp/2".parse().unwrap();
        assert_eq!(origin, Origin::new("demo.tocsin.example", "jp", 2).unwrap());
        assert_eq!(origin.log_name(), "demo.tocsin.example/jp");
        assert_eq!(origin.mirror_name(), "demo.tocsin.example/jp/mirror");
        assert_eq!(origin.file_name(), "demo.tocsin.example_jp_2");
        assert_eq!(
            format!("{origin} {origin:?}"),
            format!("{0} {0}", "demo.tocsin.example/jp/2")
        );
        let long = format!("{}.example", vec!["a".repeat(63); 4].join("."));
        let bad = [
            "",
            "a",
            "a/b",
            "a/b/",
            "a/b/0",
            "a/b/01",
            "a/b/4294967296",
            "a/b/1/2",
            "A/b/1",
            "a/B/1",
            "a/b_c/1",
            "a//1",
            "/b/1",
            "a..b/c/1",
            "-a/b/1",
            "a/b-/1",
            "a/b.c/1",
            "a b/c/1",
            "c2sp.org/a/1",
            "cosignature/v1/1",
            "a/b/mirror",
            "\u{e9}/b/1",
            &format!("{long}/jp/1"),
            &format!("a/{}/1", "b".repeat(64)),
        ];
        for bad in bad {
            assert_eq!(bad.parse::<Origin>(), Err(CheckpointError::Origin), "{bad}");
        }
    }

    #[test]
    fn a_note_by_another_key_or_of_another_log_is_refused() {
        let log = TestLog::of(5);
        let (note, key) = (log.note(5), log.key.public());
        let opened = SignedCheckpoint::open(&note, &log.origin, &key).unwrap();
        assert_eq!(opened.checkpoint(), &log.checkpoint(5));
        let stranger = SigningKey::from_seed([9; 32]);
        let refused = SignedCheckpoint::open(&note, &log.origin, &stranger.public());
        assert_eq!(refused, Err(CheckpointError::Note(NoteError::Unsigned)));
        let next = Origin::new("demo.tocsin.example", "jp", 2).unwrap();
        let refused = SignedCheckpoint::open(&note, &next, &key);
        let (expected, found) = (next, log.origin.clone());
        assert_eq!(
            refused,
            Err(CheckpointError::OtherOrigin { expected, found })
        );
        let mut forged = Note::parse(&note).unwrap();
        forged.text = forged.text.replace("\n5\n", "\n6\n");
        let refused = SignedCheckpoint::open(&forged.to_bytes(), &log.origin, &key);
        assert_eq!(refused, Err(CheckpointError::Note(NoteError::BadSignature)));
    }

    #[test]
    fn empty_logs_are_not_signed_and_the_largest_is() {
        let log = TestLog::new();
        let empty = log.checkpoint(0);
        assert_eq!(Checkpoint::parse_text(&empty.text()), Ok(empty.clone()));
        assert_eq!(empty.sign(&log.key), Err(CheckpointError::Empty));
        let name = log.origin.to_string();
        let key_id = key_id(&name, TYPE_ED25519, &log.key.public());
        let bytes = log.key.sign(empty.text().as_bytes()).0.to_vec();
        let signatures = vec![SignatureLine {
            name,
            key_id,
            bytes,
        }];
        let note = Note {
            text: empty.text(),
            signatures,
        }
        .to_bytes();
        let refused = SignedCheckpoint::open(&note, &log.origin, &log.key.public());
        assert_eq!(refused, Err(CheckpointError::Empty));

        let mut largest = Checkpoint {
            size: MAX_TREE_SIZE,
            ..empty
        };
        let note = largest.sign(&log.key).unwrap().to_bytes();
        assert!(SignedCheckpoint::open(&note, &log.origin, &log.key.public()).is_ok());
        largest.size += 1;
        let refused = Err(CheckpointError::TooLarge { size: largest.size });
        assert_eq!(largest.sign(&log.key), refused);
    }

    #[test]
    fn the_own_note_leaves_out_what_others_added() {
        let log = TestLog::of(5);
        let mut signed = log.signed(5);
        let plain = signed.note().clone();
        let mut foreign = plain.signatures[0].clone();
        foreign.key_id = [0; 4];
        signed.add_line(foreign).unwrap();
        signed
            .add_line(SignatureLine::parse("\u{2014} x AAAAAAA=").unwrap())
            .unwrap();
        assert_eq!(signed.note().signatures.len(), 3);
        assert_eq!(signed.own_note(), plain);
    }

    proptest! {
        #[test]
        fn hostile_checkpoints_are_refused_or_have_the_same_text(text: String, at: usize, c: char) {
            let log = TestLog::of(3);
            let mut damaged: Vec<char> = log.checkpoint(3).text().chars().collect();
            let at = at % damaged.len();
            damaged[at] = c;
            for text in [text, damaged.into_iter().collect()] {
                if let Ok(checkpoint) = Checkpoint::parse_text(&text) {
                    prop_assert_eq!(checkpoint.text(), text.clone());
                }
                if let Ok(origin) = text.parse::<Origin>() {
                    prop_assert_eq!(origin.to_string(), text.clone());
                }
                let _ = SignedCheckpoint::open(text.as_bytes(), &log.origin, &log.key.public());
            }
        }
    }
}
