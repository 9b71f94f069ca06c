//! `exeunt status`: the daemon, its generations, their modules.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Streams;
use super::daemon::{Daemon, Status};
use super::plan::{Module, Plan};
use super::refusal::Failure;
use super::show;
use crate::counters;

pub(super) fn run(daemon: &Daemon, json: bool, streams: &mut Streams<'_>) -> Result<(), Failure> {
    let (mut status, mut value) = daemon.status()?;
    // Without the counters there is what the daemon itself has said.
    let rows = counters::read(&daemon.runtime_dir).unwrap_or_default();
    for (reason, number) in counters::refused(&rows) {
        value["refused"][&reason] = json!(number);
        status.refused.insert(reason, number);
    }
    let plans: Vec<_> = status
        .generations
        .iter()
        .map(|g| {
            let plan = Plan::read(&daemon.runtime_dir, g.generation);
            plan.map_err(|error| {
                let what = format!("could not read the plan of generation {}", g.generation);
                streams.note(&format!("{what}: {error}"));
            })
            .ok()
        })
        .collect();
    if json {
        add_modules(&mut value, &plans);
        return streams.say(&show::json(&value));
    }
    streams.say(&render(&status, &plans))
}

/// Gives each generation its modules; null where they are not known.
fn add_modules(status: &mut Value, plans: &[Option<Plan>]) {
    let generations = status.get_mut("generations").and_then(Value::as_array_mut);
    for (generation, plan) in generations.into_iter().flatten().zip(plans) {
        generation["modules"] = plan.as_ref().map_or(Value::Null, |plan| json!(plan.modules));
    }
}

fn render(status: &Status, plans: &[Option<Plan>]) -> String {
    let mut facts = vec![
        ["pid".to_owned(), status.pid.to_string()],
        ["started".to_owned(), show::escape(&status.started)],
        ["config".to_owned(), show::escape(&status.config)],
        ["user".to_owned(), show::or_dash(status.user.as_deref())],
    ];
    for (reason, number) in &status.refused {
        facts.push([format!("refused, {}", show::escape(reason)), number.to_string()]);
    }
    if status.journal_failures > 0 {
        let lost = show::count(status.journal_failures, "end");
        facts.push(["journal".to_owned(), format!("{lost} could not be written")]);
    }
    let mut shown = show::columns("", &facts);
    for (generation, plan) in status.generations.iter().zip(plans) {
        let pid = generation.pid.map_or_else(String::new, |pid| format!(", pid {pid}"));
        let _ = writeln!(
            shown,
            "\ngeneration {}: {}{pid}, {}",
            generation.generation,
            show::escape(&generation.state),
            show::count(generation.sessions, "session"),
        );
        if let Some(plan) = plan {
            shown.push_str(&render_modules(&plan.modules));
        }
    }
    shown
}

/// A line for each module.
pub(super) fn render_modules(modules: &[Module]) -> String {
    let row = |module: &Module| {
        let digest: String = module.sha256.chars().take(12).collect();
        [show::escape(&module.name), show::escape(&module.version), show::escape(&digest)]
    };
    show::columns("  ", &modules.iter().map(row).collect::<Vec<_>>())
}
