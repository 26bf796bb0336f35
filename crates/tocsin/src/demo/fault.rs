//! Faults made on purpose: the demonstration must notice each one, and tests hold it to that.
//!
//! A fault is made on the demonstration's own side alone: it kills a process that it started, or
//! spoils bytes that it has fetched before it verifies them. The node that ships knows nothing of
//! it.

use std::cell::{Cell, RefCell};
use std::str::FromStr;

use tocsin_cli::failure::Failure;

/// What the demonstration does, in order; the first is done before any process runs.
pub(super) const STEPS: [&str; 14] = [
    "found", "start", "policy", "report", "issue", "fiction", "adopt", "kill", "restart",
    "withdraw", "audit", "logs", "lookup", "matrix",
];

/// One fault: `STEP:kill:MEMBER`, `STEP:flip:MEMBER` or `audit:pack:MEMBER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    step: String,
    what: What,
    member: String,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The member's node is killed as the step begins.
    Kill,
    /// One byte of what the member's node serves is another.
    Flip,
    /// The member's policy pack says something else when its decisions are judged again.
    Pack,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let (Some(step), Some(what), Some(member), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("write STEP:kill|flip|pack:MEMBER".to_owned());
        };
        if !STEPS.contains(&step) {
            return Err(format!("steps are {}", STEPS.join(" ")));
        }
        let what = match what {
            "kill" => What::Kill,
            "flip" => What::Flip,
            "pack" => What::Pack,
            _ => return Err("a fault is kill, flip or pack".to_owned()),
        };
        Ok(Self {
            step: step.to_owned(),
            what,
            member: member.to_owned(),
        })
    }
}

/// The fault of this run, if any, and whether it has been made.
#[derive(Debug)]
pub(super) struct Faults {
    fault: Option<Fault>,
    step: RefCell<String>,
    made: Cell<bool>,
}

impl Faults {
    pub(super) const fn new(fault: Option<Fault>) -> Self {
        Self {
            fault,
            step: RefCell::new(String::new()),
            made: Cell::new(false),
        }
    }

    pub(super) fn begin(&self, step: &str) {
        step.clone_into(&mut self.step.borrow_mut());
    }

    /// The member that is to suffer this fault now, if it has not yet.
    pub(super) fn due(&self, what: What) -> Option<&str> {
        let fault = self.fault.as_ref()?;
        let is_due = fault.what == what && fault.step == *self.step.borrow() && !self.made.get();
        is_due.then_some(fault.member.as_str())
    }

    pub(super) fn made(&self) {
        self.made.set(true);
    }

    /// Spoils one byte of what this member serves, if that is the fault that is due.
    pub(super) fn flip(&self, member: &str, bytes: &mut [u8]) {
        if self.due(What::Flip) == Some(member) {
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 1;
                self.made();
            }
        }
    }

    /// A fault that was asked for and never came about would pass for one that was noticed.
    pub(super) fn check_made(&self) -> Result<(), Failure> {
        match &self.fault {
            Some(Fault { step, member, .. }) if !self.made.get() => Err(Failure::usage(format!(
                "the fault asked for did not come about: nothing of {member} in step {step}"
            ))),
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_due_in_its_step_and_once() {
        let faults = Faults::new(Some("audit:flip:de".parse().unwrap()));
        let mut bytes = [0; 3];
        faults.begin("report");
        faults.flip("de", &mut bytes);
        faults.begin("audit");
        faults.flip("jp", &mut bytes);
        assert_eq!(bytes, [0; 3]);
        assert!(faults.check_made().is_err());
        faults.flip("de", &mut bytes);
        faults.flip("de", &mut bytes);
        assert_eq!(bytes, [0, 1, 0]);
        faults.check_made().unwrap();
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for text in [
            "",
            "audit",
            "audit:flip",
            "dance:kill:de",
            "audit:burn:de",
            "audit:kill:de:x",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }
}
