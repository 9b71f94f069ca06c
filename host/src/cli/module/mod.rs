//! `exeunt module`: what a module's file says about itself, and its pin in `modules.toml`. No code of
//! a module runs here.

mod info;
mod list;
mod pin;
mod trial;

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::Action;
use super::daemon::configuration;
use super::refusal::{ExitStatus, Failure, Refusal};
use super::{Streams, show};
use crate::config::{self, Config, Problem};
use crate::modules::{self, Seen};

/// Does it.
pub(crate) fn module(action: &Action, config: Option<&Path>) -> ExitCode {
    let (mut out, mut err) = (BufWriter::new(io::stdout().lock()), io::stderr().lock());
    let mut streams = Streams { out: &mut out, err: &mut err };
    let done = match action {
        Action::Info { file, json } => info::run(file, *json, &mut streams),
        Action::Check { file, run: false, .. } => info::check(file, &mut streams),
        Action::Check { file, set, .. } => {
            seen(file).map_err(Failure::from).and_then(|_| trial::run(file, set, &mut streams))
        }
        Action::List { json } => list::run(config, *json, &mut streams),
        Action::Pin { names } => pin::run(config, names, &mut streams),
    };
    let done = done.and(streams.flush());
    done.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

/// A refusal of the room of the modules, as a command shows it.
fn refused(why: modules::Refusal) -> Refusal {
    let modules::Refusal { message, detail, hint } = why;
    let problem = Problem { detail, hint, ..Problem::new(message) };
    Refusal::new(ExitStatus::Unusable, &problem)
}

/// A file, looked at.
fn seen(file: &Path) -> Result<Seen, Refusal> {
    modules::see(file).map_err(|why| {
        let message = format!("{} cannot be taken: {}", file.display(), why.message);
        refused(modules::Refusal { message, ..why })
    })
}

/// Where modules without a `file` are looked for.
fn folders(config: &Config) -> Vec<PathBuf> {
    if config.host.module_dirs.is_empty() {
        std::env::current_exe().map(|exe| modules::default_dirs(&exe)).unwrap_or_default()
    } else {
        config.host.module_dirs.clone()
    }
}

/// The file of a module of the configuration.
fn file_of(module: &config::Module, config: &Config) -> Result<PathBuf, modules::Refusal> {
    modules::find(&module.name, module.file.as_deref(), &folders(config))
}

/// The first digits of a sum, as people compare them.
fn short(sha256: &str) -> String {
    show::escape(&sha256.chars().take(12).collect::<String>())
}
