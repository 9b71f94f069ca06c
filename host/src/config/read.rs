//! From a node to a value: the readers that the tables use, and what they say when they refuse.
//!
//! Not here: what stands inside a string (`text`, `address`).

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::find::{Environment, Source};
use super::problem::Problem;
use super::shape::{nearest, quoted};
use super::text;
use super::value::{Kind, Node};

/// Why a value was refused; reads on from the name of its key.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    /// For instance `must be a string, not a list`.
    pub(super) what: String,
    /// What to do.
    pub(super) hint: Option<String>,
    /// Where, if it is only a part of the value.
    pub(super) part: Option<Range<usize>>,
}

impl Refusal {
    /// A refusal that says all.
    pub(super) fn bare(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, part: None }
    }

    /// A refusal with advice.
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..Self::bare(what) }
    }

    /// A value of another type than the one that is needed.
    pub(super) fn kind(wanted: &str, found: &Node) -> Self {
        Self::bare(format!("must be {wanted}, not {}", found.kind.noun()))
    }

    /// The problem of the value of `key`.
    pub(super) fn of(self, key: &str, node: &Node) -> Problem {
        let span = self.part.unwrap_or_else(|| node.span.clone());
        let problem = Problem::new(format!("`{key}` {}", self.what)).at(span);
        Problem { hint: self.hint, ..problem }
    }
}

/// What reading depends on beside the value itself.
pub(super) struct Reader<'a> {
    /// Who starts the daemon, and where.
    pub(super) env: &'a Environment<'a>,
    /// Whether the whole text was understood, so that what is not there is really missing.
    pub(super) complete: bool,
    /// The file that is read, from the root of the file system.
    pub(super) file: PathBuf,
}

impl<'a> Reader<'a> {
    /// A reader for `source`.
    pub(super) fn new(source: &Source, env: &'a Environment<'a>, complete: bool) -> Self {
        Self { env, complete, file: clean(&env.folder.join(&source.path)) }
    }

    /// A path, relative to the folder of the file.
    pub(super) fn path(&self, node: &Node) -> Result<PathBuf, Refusal> {
        let path = string(node)?;
        if path.is_empty() {
            return Err(Refusal::bare("must not be empty"));
        }
        if path.contains('\0') {
            return Err(Refusal::bare("must not contain a NUL"));
        }
        if path == "~" || path.starts_with("~/") {
            return Err(Refusal::new(
                "must be a path from `/` or from the folder of this file; `~` is not expanded",
                "write the path of the home folder out",
            ));
        }
        Ok(clean(&self.file.parent().unwrap_or(&self.file).join(path)))
    }

    /// A list of paths.
    pub(super) fn paths(&self, node: &Node) -> Result<Vec<PathBuf>, Refusal> {
        let Kind::List(nodes) = &node.kind else {
            return Err(Refusal::kind("a list of paths", node));
        };
        let entry = |node: &Node| {
            self.path(node).map_err(|refusal| Refusal {
                what: format!("has an entry that {}", refusal.what),
                hint: refusal.hint,
                part: Some(node.span.clone()),
            })
        };
        nodes.iter().map(entry).collect()
    }
}

/// The same path without `.` and doubled slashes; `..` stays, since a link may stand before it.
fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Text.
pub(super) fn string(node: &Node) -> Result<&str, Refusal> {
    match &node.kind {
        Kind::Str(text) => Ok(text),
        _ => Err(Refusal::kind("a string", node)),
    }
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node) -> Result<bool, Refusal> {
    match &node.kind {
        Kind::Bool(value) => Ok(*value),
        Kind::Str(text) if text == "true" || text == "false" => {
            Err(Refusal::new("must be true or false, not a string", "write it without quotes"))
        }
        _ => Err(Refusal::kind("true or false", node)),
    }
}

/// A whole number within `range`.
pub(super) fn number(node: &Node, range: RangeInclusive<u32>) -> Result<u32, Refusal> {
    let (least, most) = (range.start(), range.end());
    let wanted = format!("a whole number from {least} to {most}");
    match &node.kind {
        Kind::Int(value) => u32::try_from(*value)
            .ok()
            .filter(|value| range.contains(value))
            .ok_or_else(|| Refusal::bare(format!("must be {wanted}, not {value}"))),
        Kind::Str(text) if text.parse::<u32>().is_ok_and(|value| range.contains(&value)) => {
            Err(Refusal::new(format!("must be {wanted}, not a string"), format!("write {text}")))
        }
        _ => Err(Refusal::kind(&wanted, node)),
    }
}

/// A limit: a number of at least 1, or `"off"`.
pub(super) fn limit(node: &Node) -> Result<Option<u32>, Refusal> {
    match &node.kind {
        Kind::Int(0) => Err(Refusal::new(
            "must be at least 1, not 0",
            "write \"off\" for no limit; to serve nobody, remove the [[listen]]",
        )),
        Kind::Int(_) => number(node, 1..=u32::MAX).map(Some),
        Kind::Str(text) if text == "off" => Ok(None),
        Kind::Str(text) if text.parse::<u32>().is_ok() => {
            Err(Refusal::new("must be a number, not a string", format!("write {text}")))
        }
        Kind::Str(text) => Err(Refusal::new(
            format!("must be a number or \"off\", not \"{text}\""),
            "write \"off\" for no limit",
        )),
        _ => Err(Refusal::kind("a number or \"off\"", node)),
    }
}

/// A length of time that is not nothing and at most `most`.
pub(super) fn duration(node: &Node, most: Duration) -> Result<Duration, Refusal> {
    match &node.kind {
        Kind::Str(text) if text == "off" => {
            Err(Refusal::new("must not be \"off\"", "write a length of time such as \"30s\""))
        }
        Kind::Str(text) => text::duration(text, most),
        Kind::Int(value) => {
            let example = if *value > 0 { format!("{value}s") } else { "90s".into() };
            let hint = format!("write \"{example}\" for seconds; the units are h, m, s and ms");
            Err(Refusal::new("must be a length of time with a unit, not a bare number", hint))
        }
        _ => Err(Refusal::kind("a length of time such as \"90s\"", node)),
    }
}

/// A length of time, or `"off"`.
pub(super) fn duration_or_off(node: &Node, most: Duration) -> Result<Option<Duration>, Refusal> {
    match &node.kind {
        Kind::Str(text) if text == "off" => Ok(None),
        _ => duration(node, most).map(Some).map_err(|refusal| match refusal.what.as_str() {
            text::ZERO => Refusal::new(refusal.what, "write \"off\" for no timeout"),
            _ => refusal,
        }),
    }
}

/// A number of bytes.
pub(super) fn size(node: &Node) -> Result<u64, Refusal> {
    match &node.kind {
        Kind::Str(text) => text::size(text),
        Kind::Int(value) => u64::try_from(*value)
            .map_err(|_| Refusal::bare(format!("must not be negative, but is {value}"))),
        _ => Err(Refusal::kind("a size such as \"64MB\"", node)),
    }
}

/// One of a few words.
pub(super) fn one_of<T: Copy>(node: &Node, words: &[(&str, T)]) -> Result<T, Refusal> {
    let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
    let written = string(node)?;
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == written) {
        return Ok(*value);
    }
    let hint = nearest(written, &names).map(|word| format!("did you mean \"{word}\"?"));
    let what = format!("must be {}, not \"{written}\"", quoted(&names, "or"));
    Err(Refusal { hint, ..Refusal::bare(what) })
}

/// A name of small letters, digits and the characters of `beside`.
pub(super) fn name(node: &Node, beside: &[char]) -> Result<String, Refusal> {
    let written = string(node)?;
    text::name(written, beside).map(|()| written.to_owned())
}
