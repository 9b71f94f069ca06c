//! A candidate: reads the configuration, stages, loads and initialises the modules, and says whether
//! it is ready. Nothing outside this process has changed by then.

use std::cell::Cell;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::listens;
use super::loading::{self, Kept, Loading};
use crate::config::{self, Config, Problem, Problems, Source};
use crate::confine::{Confinement, Unmade};
use crate::events::{Allowed, Plan, Registry};
use crate::generation::Generation;
use crate::inheritance::{Heirloom, Inheritance};
use crate::modules::Trust;
use crate::privileges::{self, Account, Unusable};
use crate::report::Report;
use crate::wtmp::Wtmp;

/// Everything that a generation is made of, or the refusal as it is shown.
pub(super) fn prepare(
    inheritance: &Inheritance,
    path: &Path,
    report: &Report,
) -> Result<Generation, String> {
    let cannot = |e: io::Error| format!("error: the configuration cannot be read: {e}\n");
    let text = read(inheritance, Heirloom::Text).map_err(cannot)?;
    let kept = loading::kept(&read(inheritance, Heirloom::Kept).map_err(cannot)?);
    let source = Source { path: path.to_owned(), text };
    let build = || -> Result<Generation, Problems> {
        let env = config::Environment::current().map_err(one)?;
        let config = config::parse(&source, &env)?;
        build(inheritance, config, &kept, report)
    };
    build().map_err(|problems| problems.render(&source, false))
}

fn one(problem: Problem) -> Problems {
    let mut problems = Problems::default();
    problems.push(problem);
    problems
}

/// Reads a file in memory. Other candidates may read it at the same time through the same open file:
/// its position is nobody's.
fn read(inheritance: &Inheritance, which: Heirloom) -> io::Result<String> {
    let file: std::fs::File = inheritance.take(which)?.into();
    let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    String::from_utf8(bytes).map_err(io::Error::other)
}

fn build(
    inheritance: &Inheritance,
    config: Config,
    kept: &Kept,
    report: &Report,
) -> Result<Generation, Problems> {
    let mut problems = Problems::default();
    check_runtime_dir(inheritance, &config, &mut problems);
    let account = account(&config, &mut problems);
    control_group(&config, &mut problems);
    wtmp(&config, &mut problems);
    let mut loading = Loading {
        keep: !inheritance.check,
        trust: privileges::are_root().then(|| Trust::with(&config.file)),
        warned: Cell::new(false),
        kept,
        report,
        config: &config,
        registry: Registry::new(),
        enabled: Vec::new(),
        descriptors: Vec::new(),
        problems: &mut problems,
    };
    config.modules.iter().filter(|module| module.enabled).for_each(|module| loading.add(module));
    let Loading { registry, enabled, descriptors, .. } = loading;
    let plan = match registry.freeze() {
        Ok(plan) => plan,
        Err(wrong) => {
            // Without a plan nothing more can be compared with it.
            for (index, text) in wrong {
                let (name, span) = &enabled[index];
                problems.push(Problem::new(format!("module `{name}`: {text}")).at(span.clone()));
            }
            return Err(problems);
        }
    };
    let listens = listens::listens(inheritance, &config, &plan, &mut problems);
    let confinement = confinement(&plan, &mut problems);
    let (Some(confinement), true) = (confinement, problems.is_empty()) else {
        return Err(problems);
    };
    let (number, incarnation) = (inheritance.generation, inheritance.incarnation.clone());
    Ok(Generation { number, incarnation, config, plan, listens, account, confinement, descriptors })
}

/// The ledgers of all generations are in one place: a reload cannot move it.
fn check_runtime_dir(inheritance: &Inheritance, config: &Config, problems: &mut Problems) {
    let running = &inheritance.runtime_dir;
    if !inheritance.check && config.host.runtime_dir != *running {
        let message = "the runtime_dir of a running daemon cannot change";
        let detail = format!("it runs with {}", running.display());
        problems
            .push(Problem::new(message).detail(detail).hint("stop the daemon and start it anew"));
    }
}

/// Whom sessions become.
fn account(config: &Config, problems: &mut Problems) -> Option<Account> {
    if !privileges::are_root() {
        return None;
    }
    let name = &config.host.user;
    let why = match Account::look_up(name) {
        Ok(account) => return Some(account),
        Err(Unusable::Unknown) => "there is no such user".to_owned(),
        Err(Unusable::Root) => "it is the superuser, or in its group".to_owned(),
        Err(Unusable::Unreadable(e)) => format!("the user database cannot be read: {e}"),
    };
    let problem = Problem::new(format!("sessions cannot become `{name}`: {why}"))
        .hint("give exeunt a user of its own: useradd --system exeunt");
    problems.push(Problem { span: config.host.user_span.clone(), ..problem });
    None
}

/// Whether there is the group that may ask the daemon.
fn control_group(config: &Config, problems: &mut Problems) {
    let Some(name) = &config.control.group else { return };
    let why = match privileges::group(name) {
        Ok(_) => return,
        Err(Unusable::Unreadable(e)) => format!("the group database cannot be read: {e}"),
        Err(_) => "there is no such group".to_owned(),
    };
    let problem = Problem::new(format!("the group `{name}` cannot be used: {why}"))
        .hint(format!("make it with `groupadd --system {name}`, or leave `group` out"));
    problems.push(Problem { span: config.control.group_span.clone(), ..problem });
}

/// What module code may touch for a client.
fn confinement(plan: &Plan, problems: &mut Problems) -> Option<Confinement> {
    let allowed = || plan.extras.allowed.iter();
    let Unmade { path, why } = match Confinement::new(allowed().map(|one| (one.access, &*one.path)))
    {
        Ok(confinement) => return Some(confinement),
        Err(unmade) => unmade,
    };
    let declared = path.and_then(|path| allowed().find(|one| one.path == path));
    let message = match declared {
        Some(Allowed { module, path, .. }) => format!(
            "module `{}`: the access to `{}` was refused: {why}",
            plan.modules[*module].name,
            path.display()
        ),
        None => format!("sessions cannot be confined: {why}"),
    };
    problems.push(Problem::new(message));
    None
}

/// Whether logins can be recorded where they are to be.
fn wtmp(config: &Config, problems: &mut Problems) {
    let Some(path) = &config.host.wtmp else { return };
    if let Err(e) = Wtmp::at(path) {
        let message = format!("logins cannot be recorded in {}: {e}", path.display());
        let hint = "make the file, writable for the daemon, or leave `wtmp` out";
        let problem = Problem::new(message).hint(hint);
        problems.push(Problem { span: config.host.wtmp_span.clone(), ..problem });
    }
}
