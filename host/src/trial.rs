//! A trial: one module loaded and initialised in a process of its own, for its author. No listener
//! runs, and no daemon is asked. What is shown of it is the command line's business: the process says
//! on standard output what it is about to do, a line each, and at last the plan.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use nix::unistd::alarm;
use serde_json::json;

use crate::api::{self, Site};
use crate::config::{self, Environment, Problem, Problems, Source};
use crate::events::{ModulePlan, Registry};
use crate::log;
use crate::modules::{self, Footprint, Refusal};

/// How long it may take; SIGALRM ends it then.
const PATIENCE: u32 = 30;

/// What makes settings a whole configuration, so that they are read and cited as in one.
const BEFORE: &str =
    "listen = [{ name = \"trial\", address = \"127.0.0.1:1\", protocol = \"trial\" }]
[[module]]
name = \"trial\"
[module.config]
";

/// The process of a trial. `settings` are lines of TOML for the module's settings.
pub(crate) fn run(file: &Path, settings: &str) -> ExitCode {
    log::set_role("trial");
    alarm::set(PATIENCE);
    let text = format!("{BEFORE}{settings}");
    let source = Source { path: PathBuf::from("--set"), text };
    match attempt(file, &source) {
        Ok(plan) => tell(&plan).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Err(problems) => {
            // There is nobody to tell if that cannot be written.
            let _unwritten = io::stderr().write_all(problems.render(&source, false).as_bytes());
            ExitCode::from(4)
        }
    }
}

fn attempt(file: &Path, source: &Source) -> Result<String, Problems> {
    let refused = |why: Refusal| all([problem(why)]);
    let identity = modules::see(file).map_err(refused)?.identity;
    let env = Environment::current().map_err(|problem| all([problem]))?;
    let config = config::parse(source, &env)?;
    let staged = modules::stage(&identity.name, file, None).map_err(refused)?;
    let seen = || Footprint::take().map_err(|e| all([Problem::new(e.to_string())]));
    let before = seen()?;
    let told = |what| tell(what).map_err(|e| all([Problem::new(e.to_string())]));
    told("was being loaded")?;
    let code = Box::leak(Box::new(modules::load(staged).map_err(refused)?));
    told("was running its init")?;
    let entry = ModulePlan {
        name: identity.name.clone(),
        version: code.version.clone(),
        sha256: code.sha256.clone(),
        file: file.display().to_string(),
        listener: Duration::ZERO,
        is_bounded: false,
        // Nothing is run that could use it.
        may_be_root: true,
        cell: None,
    };
    let site = Site {
        folder: std::env::current_dir().unwrap_or_default(),
        config: Rc::new(config.modules[0].config.clone()),
        listens: Vec::new(),
    };
    let Some(done) = api::initialise(Registry::new(), code, entry, site) else {
        return Err(all([Problem::new("the init did not come to its end")]));
    };
    let of_host: Vec<i32> = done.opened.iter().map(std::os::fd::AsRawFd::as_raw_fd).collect();
    let init = done.problems.into_iter().map(|p| Problem {
        span: p.span,
        hint: p.hint,
        ..Problem::new(p.text)
    });
    let left = before.left_behind(&seen()?, &of_host).into_iter().map(problem);
    let wrong = all(init.chain(left));
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let plan = done.registry.freeze();
    let plan = plan.map_err(|wrong| all(wrong.into_iter().map(|(_, text)| Problem::new(text))))?;
    Ok(plan.json(0, &json!([])).to_string())
}

fn all(problems: impl IntoIterator<Item = Problem>) -> Problems {
    let mut collected = Problems::default();
    problems.into_iter().for_each(|problem| collected.push(problem));
    collected
}

fn problem(refusal: Refusal) -> Problem {
    let Refusal { message, detail, hint } = refusal;
    Problem { detail, hint, ..Problem::new(message) }
}

fn tell(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
