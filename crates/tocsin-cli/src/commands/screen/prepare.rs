//! What screening needs before the first row: the file and what its columns mean, the blocks, and
//! what the agency has looked at already.

use std::path::Path;

use tocsin_log::hash::Hash;
use tocsin_screen::index::Screen;
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
        let settings = format!("{mapping:?}|{:?}|{since:?}|{how:?}", suppressions.all());
        Ok(Self {
            constants: mapping.constants(),
            form: source.describe(),
            input,
            mapping,
            is_proposed,
            state,
            screen,
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
