//! The command line: what may be written on it, and the commands that ask a daemon or read what it
//! wrote. What a daemon does lives elsewhere; so do `run`, `check` and the roles of its processes.

mod args;
mod check;
mod ctl;
mod daemon;
mod exits;
mod journal;
mod kick;
mod listeners;
mod metrics;
mod module;
mod plan;
mod refusal;
mod reload;
mod show;
mod status;
mod stop;
#[cfg(test)]
mod tests;
mod who;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

pub(crate) use args::{Client, Command, parse};
pub(crate) use check::print_check;
pub(crate) use daemon::configuration;
pub(crate) use module::module;
pub(crate) use refusal::fail;

use daemon::Daemon;
use refusal::Failure;

/// Does a command that asks a daemon, or reads what it wrote.
pub(crate) fn client(command: &Client, config: Option<&Path>) -> ExitCode {
    let (mut out, mut err) = (BufWriter::new(io::stdout().lock()), io::stderr().lock());
    let mut streams = Streams { out: &mut out, err: &mut err };
    let done = Daemon::find(config, &mut streams)
        .map_err(Failure::from)
        .and_then(|daemon| obey(command, &daemon, &mut streams));
    // What was written stands before what is said about the rest.
    let done = done.and(streams.flush());
    done.map_or_else(Failure::report, |()| ExitCode::SUCCESS)
}

fn obey(command: &Client, daemon: &Daemon, streams: &mut Streams<'_>) -> Result<(), Failure> {
    match command {
        Client::Status { metrics: true, .. } => metrics::run(daemon, streams),
        Client::Status { json, .. } => status::run(daemon, *json, streams),
        Client::Who { json } => who::run(daemon, *json, streams),
        Client::Listeners { json } => listeners::run(daemon, *json, streams),
        Client::Exits { last, follow, json } => {
            let wait: exits::Wait<'_> = &mut exits::wait;
            exits::run(daemon, *last, *json, follow.then_some(wait), streams)
        }
        Client::Stop { grace, now } => stop::run(daemon, *grace, *now, streams),
        Client::Reload { previous } => reload::run(daemon, *previous, streams),
        Client::Ctl { module, action, arguments } => {
            ctl::run(daemon, module, action, arguments, streams)
        }
        Client::Kick { session } => kick::run(daemon, session, streams),
    }
}

/// Where a command writes.
struct Streams<'a> {
    /// The answer.
    out: &'a mut dyn Write,
    /// What is to be said beside it.
    err: &'a mut dyn Write,
}

impl Streams<'_> {
    /// Writes a part of the answer.
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(Failure::Output)
    }

    /// Shows what was written so far.
    fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(Failure::Output)
    }

    /// Says something that is no part of the answer.
    fn note(&mut self, text: &str) {
        // A note that cannot be written does not change the answer.
        let _unwritten = writeln!(self.err, "note: {}", show::escape(text));
    }
}
