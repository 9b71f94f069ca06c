//! The tables that occur any number of times: `[[listen]]` and `[[module]]`.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use super::address::{Address, address};
use super::bounds::end_time;
use super::problem::Problems;
use super::read::{Reader, Refusal, boolean, name, string};
use super::section::{Section, tables};
use super::shape::{LISTEN, MODULE};
use super::value::{Kind, Node};

/// `[[listen]]`: an address and the protocol that is spoken there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Listen {
    /// Its name, unique among the listens.
    pub(crate) name: String,
    /// Where the name was written.
    pub(crate) name_span: Range<usize>,
    /// The address and port, or the name of a socket.
    pub(crate) address: Address,
    /// Where the address was written.
    pub(crate) address_span: Range<usize>,
    /// The name of the protocol, which a module offers.
    pub(crate) protocol: String,
    /// Where the protocol was written.
    pub(crate) protocol_span: Range<usize>,
    /// Settings to lay over those of the protocol's module ([`Node::overlay`]); a table.
    pub(crate) config: Option<Node>,
}

/// `[[module]]`: a module, at its place in the order of registration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Module {
    /// Its name, unique among the modules.
    pub(crate) name: String,
    /// Where the name was written.
    pub(crate) name_span: Range<usize>,
    /// Whether it is loaded.
    pub(crate) enabled: bool,
    /// Its file, if it is not to be looked for in `module_dirs`.
    pub(crate) file: Option<PathBuf>,
    /// Where the file was written.
    pub(crate) file_span: Option<Range<usize>>,
    /// The SHA-256 that its file must have, in small hexadecimal digits.
    pub(crate) sha256: Option<String>,
    /// Where that was written.
    pub(crate) sha256_span: Option<Range<usize>>,
    /// What each of its listeners may take, instead of `[exit] listener`.
    pub(crate) listener: Option<Duration>,
    /// Where that was written.
    pub(crate) listener_span: Option<Range<usize>>,
    /// Whether its listeners may have root's rights, where they ask for them.
    pub(crate) may_be_root: bool,
    /// Its settings; always a table, cited at the module's header if none were written.
    pub(crate) config: Node,
}

pub(super) fn listens(
    node: Option<&Node>,
    reader: &Reader<'_>,
    problems: &mut Problems,
) -> Vec<Listen> {
    let nodes = tables(node, &LISTEN, problems);
    nodes.into_iter().filter_map(|node| listen(node, reader, problems)).collect()
}

pub(super) fn modules(
    node: Option<&Node>,
    reader: &Reader<'_>,
    problems: &mut Problems,
) -> Vec<Module> {
    let nodes = tables(node, &MODULE, problems);
    nodes.into_iter().filter_map(|node| module(node, reader, problems)).collect()
}

fn listen(node: &Node, reader: &Reader<'_>, problems: &mut Problems) -> Option<Listen> {
    let table = Section::open(Some(node), &LISTEN, reader, problems);
    let word = |node: &Node| name(node, &['_', '-']).map(|name| (name, node.span.clone()));
    let place = |node: &Node| address(node).map(|address| (address, node.span.clone()));
    let name = table.require("name", "name = \"public\"", reader, problems, word);
    let example = "address = \"127.0.0.1:2121\"";
    let address = table.require("address", example, reader, problems, place);
    let protocol = table.require("protocol", "protocol = \"ftp\"", reader, problems, word);
    let config = table.read("config", problems, settings);
    let ((name, name_span), (address, address_span)) = (name?, address?);
    let (protocol, protocol_span) = protocol?;
    Some(Listen { name, name_span, address, address_span, protocol, protocol_span, config })
}

fn module(node: &Node, reader: &Reader<'_>, problems: &mut Problems) -> Option<Module> {
    let table = Section::open(Some(node), &MODULE, reader, problems);
    let word = |node: &Node| name(node, &['_']).map(|name| (name, node.span.clone()));
    let name = table.require("name", "name = \"hello\"", reader, problems, word);
    let enabled = table.read("enabled", problems, boolean).unwrap_or(true);
    let file = table.read("file", problems, |node| reader.path(node));
    let pin = table.read("sha256", problems, sha256);
    let listener = table.read("listener", problems, end_time);
    let grants = table.read("grant", problems, grants).unwrap_or_default();
    let config = table.read("config", problems, settings);
    let (name, name_span) = name?;
    Some(Module {
        name,
        name_span,
        enabled,
        file,
        file_span: table.get("file").map(|node| node.span.clone()),
        sha256: pin,
        sha256_span: table.get("sha256").map(|node| node.span.clone()),
        listener,
        listener_span: table.get("listener").map(|node| node.span.clone()),
        may_be_root: grants,
        config: config.unwrap_or_else(|| Node::empty_table(node.span.clone())),
    })
}

/// What a module may have that asks for it: whether root is among it.
fn grants(node: &Node) -> Result<bool, Refusal> {
    let Kind::List(words) = &node.kind else { return Err(Refusal::kind("a list of text", node)) };
    for word in words {
        let word = string(word)?;
        if word != "root" {
            return Err(Refusal::new(
                format!("holds `{word}`, which cannot be granted"),
                "there is one right: `grant = [\"root\"]`",
            ));
        }
    }
    Ok(!words.is_empty())
}

/// A pin.
fn sha256(node: &Node) -> Result<String, Refusal> {
    let digits = string(node)?.to_ascii_lowercase();
    if digits.len() == 64 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Ok(digits);
    }
    let what = match digits.len() {
        64 => "must be hexadecimal digits only".to_owned(),
        other => format!("must be the 64 hexadecimal digits of a SHA-256, not {other}"),
    };
    Err(Refusal::new(what, "`exeunt module pin` writes it"))
}

/// A module's settings, which only the module understands.
fn settings(node: &Node) -> Result<Node, Refusal> {
    match node.kind {
        Kind::Table(_) => Ok(node.clone()),
        _ => Err(Refusal::kind("a table", node)),
    }
}
