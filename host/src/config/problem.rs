//! What is wrong with a file: one problem, and all of them in order.
//!
//! Any room that reads settings may add some. Not here: how they are shown (`cite`).

use std::fmt;
use std::ops::Range;

use super::cite::printable;

/// One thing that is wrong, in the words of the operator.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Problem {
    /// What could not be done and why, beginning in lower case.
    pub(crate) message: String,
    /// The bytes of the text to point at.
    pub(crate) span: Option<Range<usize>>,
    /// Another place that belongs to it, and what is there.
    pub(crate) other: Option<Box<(Range<usize>, String)>>,
    /// What else is known.
    pub(crate) detail: Option<String>,
    /// What to do.
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// A problem of the file as a whole, until [`Problem::at`] points into it.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Points at `span`.
    pub(crate) fn at(self, span: Range<usize>) -> Self {
        Self { span: Some(span), ..self }
    }

    /// Points at a second place too.
    pub(crate) fn beside(self, span: Range<usize>, label: impl Into<String>) -> Self {
        Self { other: Some(Box::new((span, label.into()))), ..self }
    }

    /// Adds what else is known.
    pub(crate) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// Adds what to do.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// The problem in lines, for one that has no place in a text.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.message, false))?;
        if let Some(detail) = &self.detail {
            write!(f, "\n  note: {}", printable(detail, false))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", printable(hint, false))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// All that is wrong with one file, in the order of its text; what has no place in it is last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem in its place.
    pub(crate) fn push(&mut self, problem: Problem) {
        let place = |problem: &Problem| problem.span.as_ref().map_or(usize::MAX, |s| s.start);
        let at = self.0.partition_point(|known| place(known) <= place(&problem));
        self.0.insert(at, problem);
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many things are wrong.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The problems in order.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Keeps the problems for which `keep` is true.
    pub(super) fn retain(&mut self, keep: impl FnMut(&Problem) -> bool) {
        self.0.retain(keep);
    }

    /// Adds many problems, each in its place.
    pub(super) fn extend(&mut self, problems: Vec<Problem>) {
        self.0.extend(problems);
        self.0.sort_by_key(|problem| problem.span.as_ref().map_or(usize::MAX, |s| s.start));
    }
}

#[cfg(test)]
mod tests {
    use super::{Problem, Problems};

    #[test]
    fn problems_stand_in_the_order_of_the_text() {
        let mut problems = Problems::default();
        for span in [Some(9..9), None, Some(2..3)] {
            problems.push(Problem { span, ..Problem::new("x") });
        }
        let starts: Vec<_> = problems.iter().map(|p| p.span.as_ref().map(|s| s.start)).collect();
        assert_eq!(starts, [Some(2), Some(9), None]);
    }

    #[test]
    fn a_problem_without_a_text_is_shown_in_lines() {
        let problem = Problem::new("cannot read \u{7}").detail("a note").hint("do this");
        assert_eq!(problem.to_string(), "cannot read \u{2407}\n  note: a note\n  hint: do this");
    }
}
