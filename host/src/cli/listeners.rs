//! `exeunt listeners`: the plan of the active generation.

use std::fmt::Write as _;

use serde_json::json;

use super::Streams;
use super::daemon::Daemon;
use super::plan::{Event, Plan};
use super::refusal::{ExitStatus, Failure, Refusal};
use super::show;
use crate::config::Problem;

pub(super) fn run(daemon: &Daemon, json: bool, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let (status, _) = daemon.status()?;
    let active = status.generations.iter().find(|generation| generation.state == "active");
    let Some(active) = active.map(|active| active.generation) else {
        let problem = Problem::new("no generation is active")
            .hint("the daemon is starting or ending; `exeunt status` shows it");
        return Err(Refusal::new(ExitStatus::No, &problem).into());
    };
    let plan = Plan::read(&daemon.runtime_dir, active).map_err(|error| {
        Refusal::failed(format!("could not read the plan of generation {active}"), &error)
    })?;
    if json {
        return streams.say(&show::json(&json!({ "events": plan.events })));
    }
    streams.say(&render(&plan.events))
}

/// Each event and its listeners, numbered.
pub(super) fn render(events: &[Event]) -> String {
    let mut shown = String::new();
    for event in events {
        let _ = writeln!(shown, "{}", show::escape(&event.event));
        for (number, listener) in (1..).zip(&event.listeners) {
            let (module, name) = (show::escape(&listener.module), show::escape(&listener.listener));
            let _ = writeln!(shown, "{number:>3}  {module}/{name}{}", listener.wish());
        }
    }
    if shown.is_empty() { "no module listens to any event\n".to_owned() } else { shown }
}
