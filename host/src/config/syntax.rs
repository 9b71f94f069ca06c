//! From text to tree: the TOML parser, and what its complaints are called here.
//!
//! The parser goes on after an error. What it makes of broken text is good enough to look for more
//! problems in, but not to say that something is missing or misplaced.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::problem::{Problem, Problems};
use super::value::{Key, Kind, Node};

/// The tree of a text and the mistakes in its syntax.
pub(super) struct Tree {
    /// The outermost table.
    pub(super) root: Node,
    problems: Vec<Problem>,
    /// From here on the text was swallowed by a list or table that is never closed.
    swallowed: Option<usize>,
}

/// Parses `text`, whatever is in it.
pub(super) fn parse(text: &str) -> Tree {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut out_of_range = Vec::new();
    let root = Node { span: 0..0, kind: table_of(table.get_ref(), &mut out_of_range) };
    let problem = |error: &Error| syntax_problem(error.message(), error.span(), text);
    let mut problems: Vec<_> = errors.iter().map(problem).collect();
    problems.append(&mut out_of_range);
    let ends = errors.iter().filter_map(unclosed_at);
    let open = ends.filter_map(|end| opened(&root, end)).min_by_key(|open| open.start);
    let swallowed = open.as_ref().map(|open| open.start);
    if let Some(open) = open {
        problems.retain(|problem| start_of(problem).is_none_or(|at| at < open.start));
        problems.push(unclosed(open, text));
    }
    // The first mistake of a line often causes others in it.
    problems.sort_by_key(start_of);
    let starts = line_starts(text);
    let mut lines = BTreeSet::new();
    problems.retain(|problem| lines.insert(line_of(problem, &starts)));
    Tree { root, problems, swallowed }
}

impl Tree {
    /// Whether the whole text was understood.
    pub(super) fn complete(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems of syntax together with those found in the values, in the order of the text.
    ///
    /// What a mistake in the syntax brings about is left out: other problems in its line, and all
    /// that was swallowed by an unclosed list or table.
    pub(super) fn report(self, values: Problems, text: &str) -> Problems {
        let starts = line_starts(text);
        let broken: BTreeSet<_> = self.problems.iter().map(|p| line_of(p, &starts)).collect();
        let mut report = values;
        report.retain(|problem| !broken.contains(&line_of(problem, &starts)));
        if let Some(limit) = self.swallowed {
            report.retain(|problem| start_of(problem).is_none_or(|at| at < limit));
        }
        report.extend(self.problems);
        report
    }
}

fn start_of(problem: &Problem) -> Option<usize> {
    problem.span.as_ref().map(|span| span.start)
}

/// Where each line but the first begins.
fn line_starts(text: &str) -> Vec<usize> {
    text.match_indices('\n').map(|(at, _)| at + 1).collect()
}

/// The number of the line that a problem points at, from 0.
fn line_of(problem: &Problem, starts: &[usize]) -> Option<usize> {
    start_of(problem).map(|at| starts.partition_point(|start| *start <= at))
}

/// The problem for one message of the parser, in this program's words where they are clearer.
fn syntax_problem(message: &str, span: Option<Range<usize>>, text: &str) -> Problem {
    let written = span.clone().and_then(|span| text.get(span)).unwrap_or_default();
    let word = written.starts_with(|c: char| c.is_alphabetic());
    let (what, expected) = message.split_once(", expected ").unwrap_or((message, "nothing"));
    let problem = match what {
        "duplicate key" => Problem::new(format!("`{written}` is written twice"))
            .hint("keep one; the keys of a table stand together, under one header"),
        "recursion limit" => Problem::new("tables and lists are nested too deep"),
        "unclosed table" => Problem::new("the header is not closed").hint("end it with `]`"),
        "unclosed array table" => Problem::new("the header is not closed").hint("end it with `]]`"),
        "string values must be quoted" if written.is_empty() => {
            Problem::new("a value is missing after `=`")
        }
        "string values must be quoted" | "invalid float" | "invalid boolean" if word => {
            Problem::new("a string must stand in quotes").hint(format!("write \"{written}\""))
        }
        _ if expected == "nothing" => Problem::new(what),
        _ => Problem::new(what).detail(format!("expected {expected}")),
    };
    Problem { span, ..problem }
}

/// Where the text ended while a list or an inline table was open.
fn unclosed_at(error: &Error) -> Option<usize> {
    let what = error.message().split(',').next().unwrap_or_default();
    let unclosed = matches!(what, "unclosed array" | "unclosed inline table");
    error.span().filter(|_| unclosed).map(|span| span.end)
}

/// The problem of a bracket without its partner.
fn unclosed(open: Range<usize>, text: &str) -> Problem {
    let (bracket, partner) = if text[open.clone()] == *"[" { ('[', ']') } else { ('{', '}') };
    Problem::new(format!("`{bracket}` is never closed"))
        .hint(format!("close it with `{partner}`"))
        .at(open)
}

/// The opening bracket of the outermost list or inline table that reaches to `end`.
fn opened(node: &Node, end: usize) -> Option<Range<usize>> {
    let below: Box<dyn Iterator<Item = &Node>> = match &node.kind {
        Kind::List(nodes) => Box::new(nodes.iter()),
        Kind::Table(entries) => Box::new(entries.iter().map(|(_, node)| node)),
        _ => return None,
    };
    if node.span.end == end && !node.span.is_empty() {
        return Some(node.span.start..node.span.start + 1);
    }
    below.filter_map(|node| opened(node, end)).min_by_key(|open| open.start)
}

fn table_of(table: &DeTable<'_>, problems: &mut Vec<Problem>) -> Kind {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let key = Key { name: key.get_ref().to_string(), span: key.span() };
            (key, node_of(value, problems))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    Kind::Table(entries)
}

fn node_of(value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Node {
    let span = value.span();
    let kind = match value.get_ref() {
        DeValue::String(text) => Kind::Str(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Kind::Int(parsed.unwrap_or_else(|_| {
                problems.push(out_of_range(&span, "whole numbers reach from -2^63 to 2^63 - 1"));
                0
            }))
        }
        DeValue::Float(number) => {
            let parsed: f64 = number.as_str().parse().unwrap_or(f64::NAN);
            if parsed.is_infinite() && !number.as_str().contains("inf") {
                problems.push(out_of_range(&span, "numbers reach to about 1.8e308"));
            }
            Kind::Float(parsed)
        }
        DeValue::Boolean(value) => Kind::Bool(*value),
        DeValue::Datetime(moment) => Kind::Str(moment.to_string()),
        DeValue::Array(values) => {
            Kind::List(values.iter().map(|value| node_of(value, problems)).collect())
        }
        DeValue::Table(table) => table_of(table, problems),
    };
    Node { span, kind }
}

fn out_of_range(span: &Range<usize>, detail: &str) -> Problem {
    Problem::new("the number is out of range").detail(detail).at(span.clone())
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn a_table_keeps_the_order_of_the_file() {
        let Kind::Table(entries) = parse("z = 1\na = 2\n[m]\nk = 1\n").root.kind else {
            panic!("a table");
        };
        let names: Vec<_> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        assert_eq!(names, ["z", "a", "m"]);
    }

    #[test]
    fn a_date_becomes_text_and_a_radix_is_understood() {
        let root = parse("day = 1979-05-27\nmode = 0o755\n").root;
        assert_eq!(root.get("day").map(|n| &n.kind), Some(&Kind::Str("1979-05-27".into())));
        assert_eq!(root.get("mode").map(|n| &n.kind), Some(&Kind::Int(0o755)));
    }
}
