//! The whole configuration: every table checked, then compared with the others.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use super::address::Address;
use super::bounds::{self, Exit, Limits, Reload, Timeouts};
use super::host::{self, Control, Host, Log};
use super::lists::{self, Listen, Module};
use super::problem::{Problem, Problems};
use super::read::Reader;
use super::section::Section;
use super::shape::{EXIT, ROOT};
use super::text::spell;
use super::value::{Kind, Node};

/// What `modules.toml` says, with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// The file, from the root of the file system.
    pub(crate) file: PathBuf,
    /// The daemon itself.
    pub(crate) host: Host,
    /// Who may ask it.
    pub(crate) control: Control,
    /// Where the log goes.
    pub(crate) log: Log,
    /// Where clients connect; at least one.
    pub(crate) listens: Vec<Listen>,
    /// How much is admitted.
    pub(crate) limits: Limits,
    /// What a client may take.
    pub(crate) timeouts: Timeouts,
    /// What an end may take.
    pub(crate) exit: Exit,
    /// What a new generation may take.
    pub(crate) reload: Reload,
    /// The modules in the order of registration, also those that are not enabled.
    pub(crate) modules: Vec<Module>,
}

/// Reads the tree; what it returns counts only if there are no problems.
pub(super) fn check(root: &Node, reader: &Reader<'_>, problems: &mut Problems) -> Config {
    let table = Section::open(Some(root), &ROOT, reader, problems);
    let config = Config {
        file: reader.file.clone(),
        host: host::host(table.get("host"), reader, problems),
        control: host::control(table.get("control"), reader, problems),
        log: host::log(table.get("log"), reader, problems),
        listens: lists::listens(table.get("listen"), reader, problems),
        limits: bounds::limits(table.get("limits"), reader, problems),
        timeouts: bounds::timeouts(table.get("timeouts"), reader, problems),
        exit: bounds::exit(table.get("exit"), reader, problems),
        reload: bounds::reload(table.get("reload"), reader, problems),
        modules: lists::modules(table.get("module"), reader, problems),
    };
    let listens = table.get("listen");
    if reader.complete && listens.is_none_or(|node| node.kind == Kind::List(Vec::new())) {
        let problem = Problem::new("there is nothing to listen on")
            .hint("add a [[listen]] with `name`, `address` and `protocol`");
        problems.push(Problem { span: listens.map(|node| node.span.clone()), ..problem });
    }
    unique_names(&config, problems);
    unique_addresses(&config.listens, problems);
    times_fit(&config, table.get("exit"), problems);
    limits_fit(&config, table.get("limits"), problems);
    config
}

fn unique_names(config: &Config, problems: &mut Problems) {
    let modules = config.modules.iter().map(|module| (&module.name, &module.name_span));
    let listens = config.listens.iter().map(|listen| (&listen.name, &listen.name_span));
    for twin in repeated(modules) {
        problems.push(twin.problem("module", "remove one of the two"));
    }
    for twin in repeated(listens) {
        problems.push(twin.problem("listen", "give each [[listen]] a name of its own"));
    }
}

/// A name that stands twice.
struct Twin<'a> {
    name: &'a str,
    first: &'a Range<usize>,
    second: &'a Range<usize>,
}

impl Twin<'_> {
    fn problem(&self, noun: &str, hint: &str) -> Problem {
        Problem::new(format!("two entries of [[{noun}]] are named `{}`", self.name))
            .at(self.second.clone())
            .beside(self.first.clone(), "first here")
            .hint(hint)
    }
}

fn repeated<'a>(names: impl Iterator<Item = (&'a String, &'a Range<usize>)>) -> Vec<Twin<'a>> {
    let mut seen: BTreeMap<&str, &Range<usize>> = BTreeMap::new();
    let mut twins = Vec::new();
    for (name, second) in names {
        match seen.get(name.as_str()) {
            Some(first) => twins.push(Twin { name, first, second }),
            None => drop(seen.insert(name, second)),
        }
    }
    twins
}

fn unique_addresses(listens: &[Listen], problems: &mut Problems) {
    for (index, second) in listens.iter().enumerate() {
        let Some(first) = listens[..index].iter().find(|l| overlap(&l.address, &second.address))
        else {
            continue;
        };
        let message = if first.address == second.address {
            format!("`{}` and `{}` have the same address", first.name, second.name)
        } else {
            format!("the addresses of `{}` and `{}` overlap", first.name, second.name)
        };
        let problem = Problem::new(message)
            .at(second.address_span.clone())
            .beside(first.address_span.clone(), "first here")
            .hint("give one of them another address");
        problems.push(problem);
    }
}

/// Whether there cannot be both; port 0 is any free one.
fn overlap(one: &Address, other: &Address) -> bool {
    let (Address::Bound(one), Address::Bound(other)) = (one, other) else { return one == other };
    let all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() != 0
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (all || one == other)
}

/// A chain has time for its slowest listener.
fn times_fit(config: &Config, exit: Option<&Node>, problems: &mut Problems) {
    let chain = config.exit.chain;
    let at = |key: &str| exit.and_then(|exit| exit.get(key)).map(|node| node.span.clone());
    let raise =
        |longer| format!("raise `chain` in {} to at least \"{}\"", EXIT.title, spell(longer));
    if config.exit.listener > chain {
        let problem = Problem::new(format!(
            "a listener may take {}, but its chain only {}",
            spell(config.exit.listener),
            spell(chain)
        ));
        let span = at("listener").or_else(|| at("chain"));
        problems.push(Problem { span, ..problem.hint(raise(config.exit.listener)) });
    }
    for module in &config.modules {
        let Some(listener) = module.listener.filter(|listener| *listener > chain) else {
            continue;
        };
        let problem = Problem::new(format!(
            "a listener of `{}` may take {}, but its chain only {}",
            module.name,
            spell(listener),
            spell(chain)
        ));
        let span = module.listener_span.clone();
        problems.push(Problem { span, ..problem.hint(raise(listener)) });
    }
}

/// A limit that was written can be reached.
fn limits_fit(config: &Config, limits: Option<&Node>, problems: &mut Problems) {
    let capacity = config.host.capacity;
    let written = |key: &str| limits.and_then(|limits| limits.get(key));
    for (key, limit) in [
        ("sessions", config.limits.sessions),
        ("sessions_per_address", config.limits.sessions_per_address),
        ("logins", config.limits.logins),
        ("logins_per_address", config.limits.logins_per_address),
        ("logins_per_user", config.limits.logins_per_user),
    ] {
        let (Some(limit), Some(node)) = (limit.filter(|limit| *limit > capacity), written(key))
        else {
            continue;
        };
        let message = format!("`{key}` is {limit}, but there is room for {capacity} only");
        let hint = format!("lower it, or raise `capacity` in [host] to {limit} or more");
        problems.push(Problem::new(message).hint(hint).at(node.span.clone()));
    }
}
