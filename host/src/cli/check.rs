//! What `exeunt check` shows when nothing is wrong. The check itself is done by a candidate zygote.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::plan::Plan;
use super::refusal::{Failure, fail};
use super::{listeners, show, status};

/// Shows what a daemon with this configuration would do.
pub(crate) fn print_check(config: &Path, plan: &str, json: bool) -> ExitCode {
    let plan = match serde_json::from_str(plan) {
        Ok(plan) => plan,
        Err(e) => return fail(1, &format!("error: the candidate's plan cannot be read: {e}")),
    };
    let shown = if json { for_programs(config, &plan) } else { for_people(config, &plan) };
    let mut out = io::stdout().lock();
    let written = out.write_all(shown.as_bytes()).and_then(|()| out.flush());
    written.map_or_else(|error| Failure::Output(error).report(), |()| ExitCode::SUCCESS)
}

fn for_programs(config: &Path, plan: &Plan) -> String {
    let config = config.to_string_lossy();
    show::json(&json!({ "config": config, "modules": plan.modules, "events": plan.events }))
}

fn for_people(config: &Path, plan: &Plan) -> String {
    let config = show::escape(&config.to_string_lossy());
    let mut shown = format!("{config} is right\n\n");
    if !plan.modules.is_empty() {
        shown.push_str(&status::render_modules(&plan.modules));
        shown.push('\n');
    }
    shown + &listeners::render(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_shows_what_would_run() {
        let plan: Plan = serde_json::from_str(super::super::tests::PLAN).expect("a plan");
        let expected = "\
a.toml is right

  ftp          0.1.0  0123456789ab
  exit_report  0.2.0  ba9876543210

core.exit
  1  ftp/summary
  2  exit_report/report
core.shutdown
  1  exit_report/bye
";
        assert_eq!(for_people(Path::new("a.toml"), &plan), expected);
        let json: serde_json::Value =
            serde_json::from_str(&for_programs(Path::new("a.toml"), &plan)).expect("JSON");
        assert_eq!(json["events"][0]["listeners"][1]["module"], "exit_report");
    }
}
