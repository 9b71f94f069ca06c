//! How problems are shown: `file:line:column`, the line, a caret, what to do.
//!
//! Not here: what a problem consists of (`problem`).

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::find::Source;
use super::problem::{Problem, Problems};

/// How many problems are shown; beyond that only their number is.
const SHOWN: usize = 50;

impl Problems {
    /// Shows every problem with its place in `source`, and their number in the last line.
    ///
    /// What the file says reaches the terminal without its control characters. `colour` adds the
    /// escape sequences of a terminal.
    pub(crate) fn render(&self, source: &Source, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let path = printable(&source.path.to_string_lossy(), false);
        let mut shown = String::new();
        for problem in self.iter().take(SHOWN) {
            let group = group(problem, &path, &source.text);
            let _ = writeln!(shown, "{}\n", renderer.render(&[group]));
        }
        let hidden = self.len().saturating_sub(SHOWN);
        if hidden > 0 {
            let _ = writeln!(shown, "and {hidden} more, not shown\n");
        }
        let noun = if self.len() == 1 { "problem" } else { "problems" };
        let _ = writeln!(shown, "{} {noun} in {path}", self.len());
        shown
    }
}

fn group<'a>(problem: &Problem, path: &str, text: &str) -> Group<'a> {
    let title = Level::ERROR.primary_title(printable(&problem.message, false));
    let mut group = match &problem.span {
        Some(span) => title.element(snippet(problem, span, path, text)),
        None => title.element(Origin::path(path.to_owned())),
    };
    if let Some(detail) = &problem.detail {
        group = group.element(Level::NOTE.message(printable(detail, false)));
    }
    if let Some(hint) = &problem.hint {
        let hint = printable(hint, false);
        group = group.element(Level::HELP.with_name("hint").message(hint));
    }
    group
}

/// The lines that a problem points at, as they may be printed.
fn snippet<'a>(
    problem: &Problem,
    span: &Range<usize>,
    path: &str,
    text: &str,
) -> Snippet<'a, Annotation<'a>> {
    let span = within_one_line(span, text);
    let other = problem.other.as_deref();
    let other = other.map(|(span, label)| (within_one_line(span, text), label));
    let first = other.as_ref().map_or(span.start, |(other, _)| other.start.min(span.start));
    let last = other.as_ref().map_or(span.end, |(other, _)| other.end.max(span.end));
    let start = text[..first].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[last..].lines().next().map_or(last, |rest| last + rest.len());
    let moved = |at: usize| printable(&text[start..at], true).len();
    let mark =
        |kind: AnnotationKind, span: &Range<usize>| kind.span(moved(span.start)..moved(span.end));
    let mut snippet = Snippet::source(printable(&text[start..end], true))
        .path(path.to_owned())
        .line_start(text[..start].matches('\n').count() + 1)
        .annotation(mark(AnnotationKind::Primary, &span));
    if let Some((span, label)) = other {
        let label = printable(label, false);
        snippet = snippet.annotation(mark(AnnotationKind::Context, &span).label(label));
    }
    snippet
}

/// The part of `span` in its first line, without cutting a character or the end of a line.
fn within_one_line(span: &Range<usize>, text: &str) -> Range<usize> {
    let boundary = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at)
            || text[..at].ends_with('\r') && text[at..].starts_with('\n')
        {
            at -= 1;
        }
        at
    };
    let (start, end) = (boundary(span.start), boundary(span.end.max(span.start)));
    let line = text[start..end].lines().next().unwrap_or_default();
    start..start + line.len()
}

/// `text` with visible stand-ins for what would steer a terminal or reorder a line.
pub(super) fn printable(text: &str, lines: bool) -> String {
    let stand_in = |c: char| match c {
        '\n' | '\t' if lines => c,
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' => '\u{fffd}',
        '\u{2066}'..='\u{2069}' => '\u{fffd}',
        _ => c,
    };
    let ends = if lines { text.replace("\r\n", "\n") } else { text.to_owned() };
    ends.chars().map(stand_in).collect()
}

#[cfg(test)]
mod tests {
    use super::{Problem, Problems, Source};

    fn shown(text: &str, problem: Problem) -> String {
        let mut problems = Problems::default();
        problems.push(problem);
        problems.render(&Source { path: "modules.toml".into(), text: text.into() }, false)
    }

    #[test]
    fn a_problem_shows_place_line_caret_note_hint_and_count() {
        let problem = Problem::new("no such thing").at(4..7).detail("a note").hint("do this");
        let expected = "\
error: no such thing
 --> modules.toml:2:3
  |
2 | b = 22
  |   ^^^
  |
  = note: a note
  = hint: do this

1 problem in modules.toml
";
        assert_eq!(shown("a\nb = 22\nc\n", problem), expected);
    }

    #[test]
    fn a_problem_without_a_place_names_the_file() {
        let shown = shown("", Problem::new("nothing to do"));
        assert_eq!(shown, "error: nothing to do\n --> modules.toml\n\n1 problem in modules.toml\n");
    }

    #[test]
    fn a_second_place_is_shown_with_its_label() {
        let text = "name = 1\n\n\n\n\n\nname = 2\n";
        let shown = shown(text, Problem::new("twice").at(14..18).beside(0..4, "first here"));
        assert!(shown.contains("modules.toml:7:1\n"), "{shown}");
        assert!(shown.contains("1 | name = 1\n  | ---- first here\n"), "{shown}");
    }

    #[test]
    fn no_control_character_of_the_file_is_printed() {
        let text = "a = \"\u{1b}[31m\u{9b}2J\u{202e}\r\"\r\nb = 1\n";
        let shown = shown(text, Problem::new("bad \u{1b}\n\u{7f}").at(4..text.len()));
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        assert!(!shown.contains('\u{202e}'), "{shown:?}");
        assert!(shown.contains("modules.toml:1:5"), "{shown}");
    }

    #[test]
    fn line_ends_of_another_system_are_no_characters() {
        let text = "a = 1\r\nb = 2\r\nc = 3\r\n";
        let shown = shown(text, Problem::new("x").at(14..20).beside(0..1, "y"));
        let lines = "1 | a = 1\n  | - y\n2 | b = 2\n3 | c = 3\n  | ^^^^^\n";
        assert!(shown.contains(lines), "{shown}");
    }

    #[test]
    fn many_problems_are_counted_rather_than_shown() {
        let mut problems = Problems::default();
        (0..60).for_each(|at| problems.push(Problem::new("x").at(at..at)));
        let source = Source { path: "m".into(), text: "y\n".repeat(60) };
        let shown = problems.render(&source, false);
        assert!(shown.ends_with("and 10 more, not shown\n\n60 problems in m\n"), "{shown}");
    }

    #[test]
    fn colour_adds_escape_sequences() {
        let mut problems = Problems::default();
        problems.push(Problem::new("x").at(0..1));
        let source = Source { path: "m".into(), text: "y\n".into() };
        assert!(problems.render(&source, true).contains("\u{1b}["));
    }
}
