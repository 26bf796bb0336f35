//! Whoever sits at the terminal: asked on the error stream, so that results stay clean, and
//! answering line by line.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};

use crate::failure::{Exit, Failure};

/// Longest answer to a question in bytes; a reason has the most.
const MAX_ANSWER_BYTES: u64 = 4_096;

/// Where questions go and answers come from.
pub struct Terminal {
    is_attended: bool,
    answers: Box<dyn BufRead + Send>,
    questions: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal")
            .field("is_attended", &self.is_attended)
            .finish_non_exhaustive()
    }
}

impl Terminal {
    /// The process's own; nobody sits there when its input is a file or a pipe.
    #[must_use]
    pub fn own() -> Self {
        Self {
            is_attended: io::stdin().is_terminal(),
            answers: Box::new(BufReader::new(io::stdin())),
            questions: Box::new(io::stderr()),
        }
    }

    /// One at which these answers are given.
    #[must_use]
    pub fn answering(answers: impl BufRead + Send + 'static) -> Self {
        Self {
            is_attended: true,
            answers: Box::new(answers),
            questions: Box::new(io::sink()),
        }
    }

    /// One at which nobody sits.
    #[must_use]
    pub fn unattended() -> Self {
        Self {
            is_attended: false,
            answers: Box::new(io::empty()),
            questions: Box::new(io::sink()),
        }
    }

    /// Whether somebody sits there.
    #[must_use]
    pub const fn is_attended(&self) -> bool {
        self.is_attended
    }

    /// Asks, and takes one line.
    ///
    /// # Errors
    /// When the terminal is closed, or the answer is longer than any that is asked for.
    pub fn ask(&mut self, question: &str) -> Result<String, Failure> {
        let closed = |e: io::Error| Failure::new(Exit::Failed, format!("cannot ask: {e}"));
        let asked = crate::output::clean(question);
        write!(self.questions, "{asked} ")
            .and_then(|()| self.questions.flush())
            .map_err(closed)?;
        let mut answer = String::new();
        let read = Read::take(&mut self.answers, MAX_ANSWER_BYTES)
            .read_line(&mut answer)
            .map_err(closed)?;
        if read == 0 {
            return Err(Failure::new(Exit::Failed, "not done: there was no answer"));
        }
        if !answer.ends_with('\n') && u64::try_from(read).is_ok_and(|n| n == MAX_ANSWER_BYTES) {
            return Err(Failure::usage(format!(
                "the answer is longer than {MAX_ANSWER_BYTES} bytes"
            )));
        }
        Ok(answer.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_takes_one_line_and_the_end_is_no_answer() {
        let mut terminal = Terminal::answering("  yes \nno".as_bytes());
        assert_eq!(terminal.ask("?").unwrap(), "yes");
        assert_eq!(terminal.ask("?").unwrap(), "no");
        assert_eq!(terminal.ask("?").unwrap_err().exit, Exit::Failed);
        assert!(!Terminal::unattended().is_attended());
    }

    #[test]
    fn an_answer_has_a_bound() {
        let long = "a".repeat(5_000) + "\nyes\n";
        let mut terminal = Terminal::answering(io::Cursor::new(long.into_bytes()));
        assert_eq!(terminal.ask("?").unwrap_err().exit, Exit::Usage);
    }
}
