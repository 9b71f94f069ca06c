//! exeunt: a session daemon and module host. This is the story on one screen: which process this is
//! decides what happens; each has its room.

mod action;
mod api;
mod cause;
mod channel;
mod claim;
mod cli;
mod clock;
mod config;
mod confine;
mod control;
mod counters;
mod deadline;
mod events;
mod exit;
mod generation;
mod helper;
mod inheritance;
mod journal;
mod log;
mod memory;
mod modules;
mod pages;
mod posture;
mod privileges;
mod reap;
mod report;
mod request;
mod runner;
mod scoreboard;
mod session;
mod signals;
mod supervisor;
mod sys;
mod trial;
mod wtmp;
mod zygote;

use std::process::ExitCode;

use cli::Command;

fn main() -> ExitCode {
    // Before anything else: no signal handler, not even the runtime's own.
    if let Err(e) = signals::restore() {
        return cli::fail(1, &format!("error: signals cannot be set up: {e}"));
    }
    let args = match cli::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(code) => return code,
    };
    let config = args.config;
    // A supervisor that goes on finds the signals that came meanwhile still waiting.
    if let Command::Resume { descriptor, probe } = args.command {
        let resumed = supervisor::resume(descriptor, config.unwrap_or_default(), probe);
        return resumed.unwrap_or_else(|failure| cli::fail(failure.status, &failure.text));
    }
    if let Err(e) = signals::unblock() {
        return cli::fail(1, &format!("error: signals cannot be set up: {e}"));
    }
    match &args.command {
        Command::Zygote { inheritance } => zygote::run(inheritance, config.as_deref()),
        Command::Trial { file, settings } => trial::run(file, settings),
        Command::Module(action) => cli::module(action, config.as_deref()),
        Command::Client(command) => cli::client(command, config.as_deref()),
        daemon => match cli::configuration(config.as_deref()) {
            Err(refusal) => refusal.report(),
            Ok((source, settings)) => run(daemon, source, settings),
        },
    }
}

fn run(command: &Command, source: config::Source, settings: config::Config) -> ExitCode {
    let done = match command {
        Command::Check { json } => supervisor::check(&source, &settings)
            .map(|plan| cli::print_check(&settings.file, &plan, *json)),
        Command::Replay => supervisor::replay(source, settings),
        _ => supervisor::run(source, settings),
    };
    done.unwrap_or_else(|failure| cli::fail(failure.status, &failure.text))
}
