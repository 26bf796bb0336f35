//! The folder of results: written beside, renamed at the end, and gone on with after an
//! interruption.
//!
//! While work goes on, the folder holds `*.part` and, every few seconds, `resume.json`: how long
//! each part was when everything up to a row was in it, flushed. Whoever goes on cuts the parts
//! back to that and reads on from that row; if the file, the mapping or a block is another by
//! then, the work begins anew, for results are true of one file at one position.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::engine::Batch;
use super::found::{COLUMNS, Counts, Found};
use super::rank::{Listed, rank};
use crate::declarations::input::Identity;
use crate::failure::{Exit, Failure};
use crate::files::{Mode, make_folder, read_bounded, replace};
use crate::output::csv_row;

/// How often the work is made safe.
const SAFE_EVERY: Duration = Duration::from_secs(2);
/// Longest `resume.json` in bytes.
const MAX_RESUME_BYTES: u64 = 1_048_576;
/// Version of its form.
const RESUME_VERSION: u32 = 1;
const RESUME: &str = "resume.json";
const SUMMARY: &str = "summary.json";
const REJECT_COLUMNS: [&str; 5] = ["row", "line", "reason", "particulars", "screened"];

/// What results are true of; they are gone on with only where all of it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Basis {
    /// The file.
    pub(super) input: Identity,
    /// SHA-256 over mapping, suppressions, lists and flags.
    pub(super) settings: String,
    /// SHA-256 over the state of every block.
    pub(super) blocks: String,
}

/// How far the work has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Resume {
    version: u32,
    basis: Basis,
    row: u64,
    hits_bytes: u64,
    rejects_bytes: u64,
    counts: Counts,
}

/// The folder while work goes on.
#[derive(Debug)]
pub(super) struct Results {
    dir: PathBuf,
    is_new: bool,
    basis: Basis,
    hits: Part,
    rejects: Part,
    /// The last row in the parts.
    row: u64,
    /// What was counted up to it.
    pub(super) counts: Counts,
    safe: Instant,
}

/// What was found when a folder was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// Nothing of this work.
    Anew,
    /// Work that goes on after this row.
    After(u64),
    /// Work that does not go on, and why.
    Not(&'static str),
}

impl Results {
    /// Opens a folder for the results of `basis`. With `restart`, what is there is replaced.
    ///
    /// # Errors
    /// `RESULTS_EXIST` when it holds finished results; when it cannot be written; a conflict when
    /// what was interrupted there is about another file.
    pub(super) fn open(dir: &Path, basis: &Basis, restart: bool) -> Result<(Self, Begun), Failure> {
        let is_new = !dir.exists();
        make_folder(dir)?;
        if dir.join(SUMMARY).exists() && !restart {
            let why = format!("{} holds results already", dir.display());
            return Err(Failure::new(Exit::Conflict, why)
                .code("RESULTS_EXIST")
                .advice("choose another folder with --out, or replace them with --restart"));
        }
        let before = if restart { None } else { Resume::read(dir)? };
        let (resume, begun) = match before {
            None => (None, Begun::Anew),
            Some(resume) if resume.basis.input != basis.input => {
                let why = format!("{} holds unfinished work on another file", dir.display());
                return Err(Failure::new(Exit::Conflict, why)
                    .code("RESUME_OTHER_INPUT")
                    .advice("give the file it began with, unchanged, or begin anew: --restart"));
            }
            Some(resume) if resume.basis.settings != basis.settings => {
                (None, Begun::Not("mapping, lists or flags are others"))
            }
            Some(resume) if resume.basis.blocks != basis.blocks => {
                (None, Begun::Not("blocks have changed since"))
            }
            Some(resume) if !resume.has_parts(dir) => (None, Begun::Not("its parts are gone")),
            Some(resume) => {
                let row = resume.row;
                (Some(resume), Begun::After(row))
            }
        };
        let bytes = resume.as_ref().map(|r| (r.hits_bytes, r.rejects_bytes));
        let (hits, rejects) = bytes.unzip();
        let mut results = Self {
            hits: Part::open(&dir.join("hits.csv.part"), hits, &COLUMNS)?,
            rejects: Part::open(&dir.join("rejects.csv.part"), rejects, &REJECT_COLUMNS)?,
            dir: dir.to_owned(),
            is_new,
            basis: basis.clone(),
            row: 0,
            counts: Counts::default(),
            safe: Instant::now(),
        };
        if let Some(resume) = resume {
            results.row = resume.row;
            results.counts = resume.counts;
        }
        Ok((results, begun))
    }

    /// The last row that is in them.
    pub(super) const fn row(&self) -> u64 {
        self.row
    }

    /// Takes what was found in a stretch.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub(super) fn take(&mut self, batch: &Batch<Found>) -> Result<(), Failure> {
        self.hits.write(batch.found.lines.as_bytes())?;
        for reject in &batch.rejects {
            let screened = if reject.is_screened { "yes" } else { "no" };
            let cells = [
                reject.row.to_string(),
                reject.line.to_string(),
                reject.code.to_owned(),
                reject.why.clone(),
                screened.to_owned(),
            ];
            self.rejects.write(csv_row(&cells).as_bytes())?;
            self.rejects.write(b"\n")?;
        }
        self.counts.take(batch);
        self.row = self.row.max(batch.last);
        if self.safe.elapsed() >= SAFE_EVERY {
            self.save()?;
        }
        Ok(())
    }

    /// Makes everything so far safe: whoever goes on loses none of it.
    ///
    /// # Errors
    /// When the disk is full or gone.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        let resume = Resume {
            version: RESUME_VERSION,
            basis: self.basis.clone(),
            row: self.row,
            hits_bytes: self.hits.flush()?,
            rejects_bytes: self.rejects.flush()?,
            counts: self.counts.clone(),
        };
        let text = serde_json::to_vec(&resume)
            .map_err(|e| Failure::new(Exit::Failed, format!("cannot keep the place: {e}")))?;
        replace(&self.dir.join(RESUME), &text, Mode::Secret)?;
        self.safe = Instant::now();
        Ok(())
    }

    /// Ranks, and gives every file its name; the summary last, for where it is everything is.
    /// `summary` is given what was listed.
    ///
    /// # Errors
    /// When a file cannot be written or renamed.
    pub(super) fn finish(
        mut self,
        budget: Option<usize>,
        summary: impl FnOnce(&Counts, Listed) -> Value,
    ) -> Result<(Counts, Listed, Value), Failure> {
        self.save()?;
        let part = |name: &str| self.dir.join(format!("{name}.part"));
        let listed = rank(
            &part("hits.csv"),
            &part("holds.csv"),
            &part("reviews.csv"),
            budget,
        )?;
        let value = summary(&self.counts, listed);
        let _gone = fs::remove_file(self.dir.join(SUMMARY));
        for name in ["hits.csv", "holds.csv", "reviews.csv", "rejects.csv"] {
            let to = self.dir.join(name);
            fs::rename(part(name), &to).map_err(|e| Failure::file(&to, "write", &e))?;
        }
        let text = serde_json::to_string_pretty(&value).unwrap_or_default();
        let to = self.dir.join(SUMMARY);
        replace(&to, format!("{text}\n").as_bytes(), Mode::Secret)?;
        let _gone = fs::remove_file(self.dir.join(RESUME));
        Ok((self.counts, listed, value))
    }

    /// Leaves nothing behind: what was found is true of no file.
    pub(super) fn discard(self) {
        for name in ["hits.csv", "holds.csv", "reviews.csv", "rejects.csv"] {
            let _gone = fs::remove_file(self.dir.join(format!("{name}.part")));
        }
        let _gone = fs::remove_file(self.dir.join(RESUME));
        if self.is_new {
            // It stays where somebody has put something else into it.
            let _gone = fs::remove_dir(&self.dir);
        }
    }
}

impl Counts {
    /// Adds what was found in a stretch.
    pub(super) fn take(&mut self, batch: &Batch<Found>) {
        self.add(&batch.found.counts());
        for reject in &batch.rejects {
            self.rejected += u64::from(!reject.is_screened);
            self.damaged += u64::from(reject.is_screened);
        }
    }
}

impl Resume {
    fn read(dir: &Path) -> Result<Option<Self>, Failure> {
        let bytes = match read_bounded(&dir.join(RESUME), MAX_RESUME_BYTES) {
            Ok(bytes) => bytes,
            Err(failure) if failure.exit == Exit::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let resume: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(resume.filter(|resume| resume.version == RESUME_VERSION))
    }

    /// Whether the parts hold all that was safe.
    fn has_parts(&self, dir: &Path) -> bool {
        let parts = [
            ("hits.csv.part", self.hits_bytes),
            ("rejects.csv.part", self.rejects_bytes),
        ];
        let has = |(name, bytes)| fs::metadata(dir.join(name)).is_ok_and(|m| m.len() >= bytes);
        parts.into_iter().all(has)
    }
}

/// A file that grows.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    out: BufWriter<File>,
    length: u64,
}

impl Part {
    /// Opens it, cut back to `length`, or anew with its heading.
    fn open(path: &Path, length: Option<u64>, columns: &[&str]) -> Result<Self, Failure> {
        use std::os::unix::fs::OpenOptionsExt;
        let unwritten = |e: std::io::Error| Failure::file(path, "write", &e);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            // Declarations are nobody else's business.
            .mode(0o600)
            .open(path)
            .map_err(unwritten)?;
        file.set_len(length.unwrap_or(0)).map_err(unwritten)?;
        let mut part = Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(1 << 18, file),
            length: 0,
        };
        if let Some(length) = length {
            use std::io::{Seek, SeekFrom};
            part.out.seek(SeekFrom::Start(length)).map_err(unwritten)?;
            part.length = length;
        } else {
            part.write(columns.join(",").as_bytes())?;
            part.write(b"\n")?;
        }
        Ok(part)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.length += bytes.len() as u64;
        let written = self.out.write_all(bytes);
        written.map_err(|e| Failure::file(&self.path, "write", &e))
    }

    /// Makes it durable; its length.
    fn flush(&mut self) -> Result<u64, Failure> {
        let flushed = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_data());
        flushed.map_err(|e| Failure::file(&self.path, "write", &e))?;
        Ok(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::rows::Reject;

    fn basis(length: u64, blocks: &str) -> Basis {
        Basis {
            input: Identity {
                length,
                sha256: "a".into(),
                changed_ms: 1,
            },
            settings: "s".into(),
            blocks: blocks.into(),
        }
    }

    fn batch(row: u64) -> Batch<Found> {
        let mut found = Found::default();
        found.lines = format!("{row},\"review\",\"review\",5,,\"x\"\n");
        let reject = Reject::unread(row, row + 1, "CELL_COUNT", "=2 cells".into());
        Batch {
            rows: 1,
            last: row,
            taken: 0,
            rejects: vec![reject],
            found,
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn interrupted_work_goes_on_with_what_was_safe_and_ends_with_whole_files() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("out");
        let (mut results, begun) = Results::open(&dir, &basis(9, "b"), false).unwrap();
        assert_eq!(begun, Begun::Anew);
        results.take(&batch(1)).unwrap();
        results.save().unwrap();
        // What came after the last safe place is lost, and done again.
        results.take(&batch(2)).unwrap();
        drop(results);
        let (mut results, begun) = Results::open(&dir, &basis(9, "b"), false).unwrap();
        assert_eq!(begun, Begun::After(1));
        assert_eq!(results.counts.rejected, 1);
        results.take(&batch(2)).unwrap();
        let (counts, listed, _) = results.finish(None, |_, _| Value::Null).unwrap();
        assert_eq!((counts.rejected, listed.reviews), (2, 2));
        assert_eq!(
            names(&dir),
            [
                "hits.csv",
                "holds.csv",
                "rejects.csv",
                "reviews.csv",
                "summary.json"
            ]
        );
        let hits = fs::read_to_string(dir.join("hits.csv")).unwrap();
        assert_eq!(hits.lines().count(), 3);
        let rejects = fs::read_to_string(dir.join("rejects.csv")).unwrap();
        assert!(rejects.contains("\"'=2 cells\""), "{rejects}");
        let failure = Results::open(&dir, &basis(9, "b"), false).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("RESULTS_EXIST"));
        assert_eq!(
            Results::open(&dir, &basis(9, "b"), true).unwrap().1,
            Begun::Anew
        );
    }

    #[test]
    fn work_on_another_file_is_refused_and_on_other_blocks_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mut results, _) = Results::open(dir.path(), &basis(9, "b"), false).unwrap();
        results.take(&batch(1)).unwrap();
        results.save().unwrap();
        drop(results);
        let failure = Results::open(dir.path(), &basis(10, "b"), false).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("RESUME_OTHER_INPUT"));
        let (results, begun) = Results::open(dir.path(), &basis(9, "c"), false).unwrap();
        assert!(matches!(begun, Begun::Not(_)));
        assert_eq!(results.counts, Counts::default());
        results.discard();
        assert_eq!(names(dir.path()), Vec::<String>::new());
    }
}
