//! The tables about the daemon itself: `[host]`, `[control]` and `[log]`.

use std::ops::Range;
use std::path::PathBuf;

use super::problem::{Problem, Problems};
use super::read::{Reader, Refusal, boolean, number, one_of, size, string};
use super::section::Section;
use super::shape::{CONTROL, HOST, LOG};
use super::value::Node;

/// The least that is worth calling a journal.
const LEAST_JOURNAL: u64 = 64_000;

/// `[host]`: the daemon itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Host {
    /// Whom sessions become when the daemon was started as root.
    pub(crate) user: String,
    /// Where `user` was written.
    pub(crate) user_span: Option<Range<usize>>,
    /// What lives as long as the daemon: lock, control socket, ledgers, kept modules.
    pub(crate) runtime_dir: PathBuf,
    /// What stays: the journal.
    pub(crate) state_dir: PathBuf,
    /// Where modules are looked for; empty for the host's default.
    pub(crate) module_dirs: Vec<PathBuf>,
    /// The file that holds the supervisor's process id.
    pub(crate) pid_file: Option<PathBuf>,
    /// How large the journal may grow, in bytes.
    pub(crate) journal_max: u64,
    /// How many processes wait for a connection.
    pub(crate) spares: u32,
    /// How many sessions there may be at most, those included that are ending.
    pub(crate) capacity: u32,
    /// Whether every enabled module must have a `sha256`.
    pub(crate) require_pins: bool,
    /// Where the logins of system users are recorded, if they are.
    pub(crate) wtmp: Option<PathBuf>,
    /// Where `wtmp` was written.
    pub(crate) wtmp_span: Option<Range<usize>>,
}

/// `[control]`: who may ask the daemon.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Control {
    /// The group whose members may read.
    pub(crate) group: Option<String>,
    /// Where `group` was written.
    pub(crate) group_span: Option<Range<usize>>,
}

/// `[log]`: where the log goes, how much of it, and in which form.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Log {
    /// Where it goes.
    pub(crate) to: LogTo,
    /// The least important line that is written.
    pub(crate) level: Level,
    /// The form of a line.
    pub(crate) format: Format,
}

/// Where the log goes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LogTo {
    /// The standard error stream of the daemon.
    Stderr,
    /// A file.
    File(PathBuf),
}

/// How important a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Something failed.
    Error,
    /// Something may fail.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What an author of a module wants to know.
    Debug,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(super) fn host(node: Option<&Node>, reader: &Reader<'_>, problems: &mut Problems) -> Host {
    let table = Section::open(node, &HOST, reader, problems);
    let path = |node: &Node| reader.path(node);
    let written = table.get("user").map(|node| node.span.clone());
    let state_dir = table.read("state_dir", problems, path);
    if table.get("state_dir").is_none() && reader.env.state_dir().is_none() {
        let problem = Problem::new("there is no place for the daemon's state")
            .detail("neither XDG_STATE_HOME nor HOME is set")
            .hint("set `state_dir` in [host]");
        problems.push(Problem { span: node.map(|node| node.span.clone()), ..problem });
    }
    Host {
        user: table.read("user", problems, account).unwrap_or_else(|| "nobody".into()),
        user_span: written,
        runtime_dir: table
            .read("runtime_dir", problems, path)
            .unwrap_or_else(|| reader.env.runtime_dir()),
        state_dir: state_dir.or_else(|| reader.env.state_dir()).unwrap_or_default(),
        module_dirs: table
            .read("module_dirs", problems, |node| reader.paths(node))
            .unwrap_or_default(),
        pid_file: table.read("pid_file", problems, path),
        journal_max: table.read("journal_max", problems, journal).unwrap_or(64_000_000),
        spares: table.read("spares", problems, |node| number(node, 0..=64)).unwrap_or(4),
        capacity: table.read("capacity", problems, |node| number(node, 1..=65_536)).unwrap_or(4096),
        require_pins: table.read("require_pins", problems, boolean).unwrap_or(false),
        wtmp: table.read("wtmp", problems, |node| off_or_path(node, reader)).flatten(),
        wtmp_span: table.get("wtmp").map(|node| node.span.clone()),
    }
}

pub(super) fn control(
    node: Option<&Node>,
    reader: &Reader<'_>,
    problems: &mut Problems,
) -> Control {
    let table = Section::open(node, &CONTROL, reader, problems);
    Control {
        group: table.read("group", problems, account),
        group_span: table.get("group").map(|node| node.span.clone()),
    }
}

pub(super) fn log(node: Option<&Node>, reader: &Reader<'_>, problems: &mut Problems) -> Log {
    let table = Section::open(node, &LOG, reader, problems);
    let levels = [
        ("error", Level::Error),
        ("warn", Level::Warn),
        ("info", Level::Info),
        ("debug", Level::Debug),
    ];
    let formats = [("text", Format::Text), ("json", Format::Json)];
    Log {
        to: table.read("to", problems, |node| log_to(node, reader)).unwrap_or(LogTo::Stderr),
        level: table.read("level", problems, |node| one_of(node, &levels)).unwrap_or(Level::Info),
        format: table
            .read("format", problems, |node| one_of(node, &formats))
            .unwrap_or(Format::Text),
    }
}

/// The name of a user or a group; the system's files decide whether there is one.
fn account(node: &Node) -> Result<String, Refusal> {
    let name = string(node)?;
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control() || c == ':') {
        return Err(Refusal::bare("must be a name without spaces, colons and control characters"));
    }
    Ok(name.to_owned())
}

/// A path, or nothing for the word "off".
fn off_or_path(node: &Node, reader: &Reader<'_>) -> Result<Option<PathBuf>, Refusal> {
    if string(node)? == "off" { Ok(None) } else { reader.path(node).map(Some) }
}

fn journal(node: &Node) -> Result<u64, Refusal> {
    let bytes = size(node)?;
    if bytes < LEAST_JOURNAL {
        let what = format!("must be at least {LEAST_JOURNAL} bytes, not {bytes}");
        return Err(Refusal::new(what, "write a size such as \"64MB\""));
    }
    Ok(bytes)
}

fn log_to(node: &Node, reader: &Reader<'_>) -> Result<LogTo, Refusal> {
    match string(node)? {
        "stderr" => Ok(LogTo::Stderr),
        word @ ("journal" | "stdout" | "syslog") => Err(Refusal::new(
            format!("cannot be \"{word}\" in this version"),
            format!("write \"stderr\" or a path; a file of that name is \"./{word}\""),
        )),
        _ => reader.path(node).map(LogTo::File),
    }
}
