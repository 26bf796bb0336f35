//! What screening needs before the first row: the file and what its columns mean, the blocks, and
//! what the agency has looked at already.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tocsin_core::date;
use tocsin_log::hash::Hash;
use tocsin_screen::index::Screen;
use tocsin_screen::list::{self, Lists, MAX_LIST_BYTES};
use tocsin_screen::suppression::{MAX_SUPPRESSION_FILE_BYTES, Suppressions};

use super::state::State;
use crate::args::ScreenHow;
use crate::declarations::field::Field;
use crate::declarations::input::Input;
use crate::declarations::mapping::Mapping;
use crate::declarations::source::{Form, Source, propose};
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::instant;
use crate::session::Session;

/// Longest file of suppressions in bytes.
const MAX_SUPPRESS_BYTES: u64 = MAX_SUPPRESSION_FILE_BYTES as u64;

/// All of it.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) input: Input,
    pub(super) mapping: Mapping,
    /// The mapping was made from the names of columns.
    pub(super) is_proposed: bool,
    pub(super) constants: Vec<(Field, String)>,
    pub(super) form: String,
    pub(super) state: State,
    pub(super) screen: Screen,
    pub(super) lists: Arc<Lists>,
    pub(super) suppressions: Suppressions,
    pub(super) since: Option<String>,
    /// SHA-256 over all that changes what is found, but the file and the blocks.
    pub(super) settings: String,
    /// When the work began: every row is judged at it.
    pub(super) now_ms: i64,
    country: String,
}

impl Prepared {
    /// Opens the files first, for they are what is most likely wrong, then asks the node.
    ///
    /// # Errors
    /// When a file is not what it should be, or the node does not answer.
    pub(super) async fn new(
        session: &Session,
        file: &Path,
        how: &ScreenHow,
        since: Option<&str>,
    ) -> Result<Self, Failure> {
        let input = Input::open(file)?;
        let given = how.mapping.as_deref().map(Mapping::open).transpose()?;
        let suppressions = suppressions(how.suppress.as_deref())?;
        let (lists, listed) = lists(&how.lists)?;
        let country = session.context().map(|context| context.member);
        let country = country.unwrap_or_default();
        let (mapping, is_proposed) = mapping(&input, given, &country)?;
        let mut source = Source::open(&input, &mapping, Some(&country))?;
        source.take(&mapping)?;
        let mut state = State::ask(session, how.jurisdiction.as_deref()).await?;
        if let Some(since) = since {
            match instant::parse(since) {
                Some(since_ms) => state.since_instant(since_ms),
                None => state.since_cursor(session, since).await?,
            }
        }
        let screen = Screen::build(state.notices.iter().cloned(), state.basis.clone());
        let screen = screen.with_lists(Arc::clone(&lists));
        let settings = format!(
            "{mapping:?}|{:?}|{since:?}|{how:?}|{listed:?}",
            suppressions.all()
        );
        Ok(Self {
            constants: mapping.constants(),
            form: source.describe(),
            input,
            mapping,
            is_proposed,
            state,
            screen,
            lists,
            suppressions,
            since: since.map(str::to_owned),
            settings: Hash::of(settings.as_bytes()).to_string(),
            now_ms: instant::now_ms(),
            country,
        })
    }

    /// The file, at its first row.
    pub(super) fn open(&self) -> Result<Source, Failure> {
        let mut source = Source::open(&self.input, &self.mapping, Some(&self.country))?;
        source.take(&self.mapping)?;
        Ok(source)
    }

    /// What will be done, for people.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("File    {}\n", self.form);
        if self.is_proposed {
            let columns = self.mapping.columns();
            let taken = columns
                .iter()
                .map(|(column, field)| format!("{} = {column}", field.word()));
            let taken: Vec<String> = taken.collect();
            if !taken.is_empty() {
                text.push_str(&format!("Columns by their names: {}\n", taken.join(", ")));
            }
        }
        text.push_str(&format!(
            "Blocks  {} of {} that can say something in {}",
            self.state.speaking(),
            self.state.notices.len(),
            self.state.jurisdiction
        ));
        if let Some(since) = &self.since {
            text.push_str(&format!(", changed since {since}"));
        }
        if !self.lists.is_empty() {
            let count = self.lists.len();
            text.push_str(&format!(
                "\nLists   {count} parties; never more than review"
            ));
        }
        text
    }
}

/// The mapping that was given, or one made from the names of the columns.
pub(super) fn mapping(
    input: &Input,
    given: Option<Mapping>,
    country: &str,
) -> Result<(Mapping, bool), Failure> {
    if let Some(mapping) = given {
        return Ok((mapping, false));
    }
    let mut source = Source::open(input, &Mapping::default(), Some(country))?;
    if source.form() == Form::Wco {
        return Ok((Mapping::default(), true));
    }
    Ok((propose(&source.guess()?)?, true))
}

fn suppressions(path: Option<&Path>) -> Result<Suppressions, Failure> {
    let Some(path) = path else {
        return Ok(Suppressions::default());
    };
    let refused = |why: String| {
        Failure::usage(format!("{}: {why}", path.display())).code("SUPPRESSIONS_MALFORMED")
    };
    let bytes = read_bounded(path, MAX_SUPPRESS_BYTES)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is no UTF-8".into()))?;
    Suppressions::read(text).map_err(|e| refused(e.to_string()))
}

/// Published lists, prepared, and the hash of each file. A list's date is that of its file, for the
/// files themselves say none.
fn lists(paths: &[PathBuf]) -> Result<(Arc<Lists>, Vec<Hash>), Failure> {
    let mut entries = Vec::new();
    let mut hashes = Vec::new();
    for path in paths {
        let refused = |why: String| {
            Failure::usage(format!("{}: {why}", path.display())).code("LIST_MALFORMED")
        };
        let bytes = read_bounded(path, MAX_LIST_BYTES as u64)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is no UTF-8".into()))?;
        let written = std::fs::metadata(path)
            .and_then(|about| about.modified())
            .ok();
        let since_epoch = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let ms = since_epoch.and_then(|since| i64::try_from(since.as_millis()).ok());
        let dated = ms.map(date::display).unwrap_or_default();
        let read = list::read_consolidated(text, dated.get(..10).unwrap_or(&dated));
        entries.extend(read.map_err(|e| refused(e.to_string()))?);
        hashes.push(Hash::of(&bytes));
    }
    Ok((Arc::new(Lists::new(entries)), hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_list_is_refused_and_a_list_is_dated_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv");
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let paths = [path.clone()];
        let refused = lists(&paths).unwrap_err();
        assert!(refused.to_string().contains("source"), "{refused}");
        let text = "source,entity_number,type,name,start_date,alt_names\nL,1,Entity,Acme,,\n";
        std::fs::write(&path, text).unwrap();
        let (read, hashes) = lists(&paths).unwrap();
        assert_eq!((read.len(), hashes.len()), (1, 1));
        assert!(lists(&[]).unwrap().0.is_empty());
    }
}
