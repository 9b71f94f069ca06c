//! The owned value tree: settings as they were written, each with its place in the text.
//!
//! Modules' settings and event payloads share it. Not here: how text becomes a tree (`syntax`).

use std::ops::Range;

/// A value and the bytes of the text that it was written with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// Where the value stands; for a table with a header, the header.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// No value; TOML has none, payloads do.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text; a date or time of TOML is text too.
    Str(String),
    /// Bytes that need not be text; TOML has none, payloads do.
    Bytes(Vec<u8>),
    /// Values in order.
    List(Vec<Node>),
    /// Named values in the order of the file; a name occurs once.
    Table(Vec<(Key, Node)>),
}

/// A name in a table and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    /// The name without quotes.
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Range<usize>,
}

impl Node {
    /// A table without entries, cited at `span`.
    pub(crate) fn empty_table(span: Range<usize>) -> Self {
        Self { span, kind: Kind::Table(Vec::new()) }
    }

    /// The value under `name`, if this is a table that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Node> {
        let Kind::Table(entries) = &self.kind else { return None };
        entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    /// This value with `over` laid on it: tables merge name by name, anything else is replaced.
    ///
    /// Each value keeps the place where it was written. A merged table is cited where the lower one
    /// stands.
    pub(crate) fn overlay(&self, over: &Node) -> Node {
        let (Kind::Table(lower), Kind::Table(upper)) = (&self.kind, &over.kind) else {
            return over.clone();
        };
        let mut merged = lower.clone();
        for (key, node) in upper {
            match merged.iter_mut().find(|(known, _)| known.name == key.name) {
                Some(entry) => *entry = (key.clone(), entry.1.overlay(node)),
                None => merged.push((key.clone(), node.clone())),
            }
        }
        Node { span: self.span.clone(), kind: Kind::Table(merged) }
    }
}

impl Kind {
    /// What to call it in a message: `a string`, `a list`, …
    pub(crate) fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Int(_) => "a whole number",
            Self::Float(_) => "a number with a fraction",
            Self::Str(_) => "a string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node};
    use crate::config::syntax;

    fn tree(text: &str) -> Node {
        syntax::parse(text).root
    }

    #[test]
    fn an_overlay_replaces_single_values_and_keeps_the_others() {
        let merged = tree("a = 1\nb = 2\n").overlay(&tree("b = 3\nc = 4\n"));
        let kind = |name: &str| merged.get(name).map(|node| node.kind.clone());
        assert_eq!(kind("a"), Some(Kind::Int(1)));
        assert_eq!(kind("b"), Some(Kind::Int(3)));
        assert_eq!(kind("c"), Some(Kind::Int(4)));
    }

    #[test]
    fn an_overlay_merges_tables_within_tables() {
        let merged = tree("t = { a = 1, b = 2 }\n").overlay(&tree("t.b = 3\n"));
        let table = merged.get("t").expect("the table");
        assert_eq!(table.get("a").map(|node| &node.kind), Some(&Kind::Int(1)));
        assert_eq!(table.get("b").map(|node| &node.kind), Some(&Kind::Int(3)));
    }

    #[test]
    fn an_overlay_replaces_a_list_as_a_whole() {
        let merged = tree("write = [1, 2]\n").overlay(&tree("write = []\n"));
        assert_eq!(merged.get("write").map(|node| &node.kind), Some(&Kind::List(vec![])));
    }
}
