//! Why a command was not done: the exit statuses, and what is said on standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use crate::config::{Problem, Problems, Source};

/// How a command ended, for the shell. Wrong usage, 2, is found by the parser of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitStatus {
    /// The daemon or a module said no, or the answer could not be shown.
    No = 1,
    /// There is no daemon.
    NoDaemon = 3,
    /// The configuration or a module was refused.
    Unusable = 4,
}

/// A command that was not done, and why.
#[derive(Debug, PartialEq)]
pub(crate) struct Refusal {
    /// For the shell.
    pub(crate) status: ExitStatus,
    /// For people: lines that end with a newline.
    pub(crate) text: String,
}

impl Refusal {
    /// A refusal for one reason.
    pub(crate) fn new(status: ExitStatus, problem: &Problem) -> Self {
        Self { status, text: format!("error: {problem}\n") }
    }

    /// Something that was tried and failed; `what` reads on with a colon and the error.
    pub(super) fn failed(what: impl Display, error: &io::Error) -> Self {
        Self::new(ExitStatus::No, &Problem::new(format!("{what}: {error}")))
    }

    /// The refusal of a configuration, each problem with its place in the file.
    pub(crate) fn of(problems: &Problems, source: &Source) -> Self {
        let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { status: ExitStatus::Unusable, text: problems.render(source, colour) }
    }

    /// Says it on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        fail(self.status as u8, &self.text)
    }
}

/// Says on standard error why something was not done, and with which status the process ends.
pub(crate) fn fail(status: u8, text: &str) -> ExitCode {
    let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    // There is nobody left to tell if that cannot be written.
    let _unwritten = write!(io::stderr().lock(), "{text}{newline}");
    ExitCode::from(status)
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was refused.
    Refused(Refusal),
    /// Its output could not be written.
    Output(io::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Failure {
    /// What is left to say; nothing to a reader that has closed the pipe, since it has seen enough.
    pub(super) fn refusal(self) -> Option<Refusal> {
        match self {
            Failure::Refused(refusal) => Some(refusal),
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            Failure::Output(error) => Some(Refusal::failed("could not write the output", &error)),
        }
    }

    /// Says it on standard error.
    pub(super) fn report(self) -> ExitCode {
        self.refusal().map_or(ExitCode::SUCCESS, |refusal| refusal.report())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_a_reason_a_note_and_a_hint() {
        let problem = Problem::new("no such thing").detail("it never was").hint("look elsewhere");
        let refusal = Refusal::new(ExitStatus::No, &problem);
        let expected = "error: no such thing\n  note: it never was\n  hint: look elsewhere\n";
        assert_eq!(refusal.text, expected);
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let closed = Failure::Output(io::ErrorKind::BrokenPipe.into());
        assert_eq!(closed.refusal(), None);
        let full = Failure::Output(io::ErrorKind::StorageFull.into()).refusal().expect("a refusal");
        assert_eq!(full.status, ExitStatus::No);
        assert!(full.text.starts_with("error: could not write the output: "), "{}", full.text);
    }
}
