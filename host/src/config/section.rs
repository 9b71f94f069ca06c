//! One table, opened: its keys compared with its shape, its values taken out by name.

use std::ops::Range;

use super::problem::{Problem, Problems};
use super::read::{Reader, Refusal};
use super::shape::Shape;
use super::value::{Kind, Node};

/// A table whose keys were looked at.
pub(super) struct Section<'a> {
    shape: &'static Shape,
    node: Option<&'a Node>,
}

impl<'a> Section<'a> {
    /// Opens `node`, which may be absent, and reports what may not be written in it.
    pub(super) fn open(
        node: Option<&'a Node>,
        shape: &'static Shape,
        reader: &Reader<'_>,
        problems: &mut Problems,
    ) -> Self {
        match node.map(|node| &node.kind) {
            Some(Kind::Table(entries)) => {
                // In the outermost table of a broken text, keys may have lost their header.
                let strays = shape.title == super::shape::ROOT.title && !reader.complete;
                for (key, _) in entries.iter().filter(|_| !strays) {
                    shape.refuse(key).into_iter().for_each(|problem| problems.push(problem));
                }
            }
            Some(other) => problems.push(not_a_table(shape, other, node)),
            None => {}
        }
        Self { shape, node }
    }

    /// Where the table stands.
    pub(super) fn span(&self) -> Range<usize> {
        self.node.map_or(0..0, |node| node.span.clone())
    }

    /// The value as it was written.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        debug_assert!(self.shape.keys.contains(&key), "{key} is no key of {}", self.shape.title);
        self.node?.get(key)
    }

    /// The value, read; nothing if it is absent or was reported as wrong.
    pub(super) fn read<T>(
        &self,
        key: &str,
        problems: &mut Problems,
        read: impl FnOnce(&Node) -> Result<T, Refusal>,
    ) -> Option<T> {
        let node = self.get(key)?;
        match read(node) {
            Ok(value) => Some(value),
            Err(refusal) => {
                problems.push(refusal.of(key, node));
                None
            }
        }
    }

    /// Like [`Section::read`], but the key must be there; `example` shows what to write.
    pub(super) fn require<T>(
        &self,
        key: &str,
        example: &str,
        reader: &Reader<'_>,
        problems: &mut Problems,
        read: impl FnOnce(&Node) -> Result<T, Refusal>,
    ) -> Option<T> {
        if self.node.is_some_and(|node| matches!(node.kind, Kind::Table(_)))
            && self.get(key).is_none()
            && reader.complete
        {
            let missing = Problem::new(format!("`{key}` is missing in {}", self.shape.title));
            problems.push(missing.hint(format!("add `{example}`")).at(self.span()));
        }
        self.read(key, problems, read)
    }
}

fn not_a_table(shape: &Shape, kind: &Kind, node: Option<&Node>) -> Problem {
    let name = shape.title.trim_matches(['[', ']']);
    let problem = Problem::new(format!("`{name}` must be a table, not {}", kind.noun()))
        .hint(format!("write `{}` and its keys below it", shape.title));
    Problem { span: node.map(|node| node.span.clone()), ..problem }
}

/// The tables of a list of tables such as `[[listen]]`.
pub(super) fn tables<'a>(
    node: Option<&'a Node>,
    shape: &'static Shape,
    problems: &mut Problems,
) -> Vec<&'a Node> {
    match node.map(|node| (&node.kind, node)) {
        None => Vec::new(),
        Some((Kind::List(nodes), _)) => nodes.iter().collect(),
        Some((Kind::Table(_), node)) => {
            let name = shape.title.trim_matches(['[', ']']);
            let problem = Problem::new(format!("`{name}` must be a list of tables, not one table"))
                .hint(format!("write `{}`, with two brackets on each side", shape.title));
            problems.push(problem.at(node.span.clone()));
            vec![node]
        }
        Some((_, node)) => vec![node],
    }
}
