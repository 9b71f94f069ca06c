//! A candidate: reads the configuration, stages, loads and initialises the modules, and says whether
//! it is ready. Nothing outside this process has changed by then.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;

use crate::api::{self, Site};
use crate::config::{self, Config, Problem, Problems, Source};
use crate::events::{ModulePlan, Plan, Registry};
use crate::generation::{Generation, Listen};
use crate::inheritance::{Heirloom, Inheritance};
use crate::modules::{self, Loaded, Refusal};
use crate::pages::KEPT;
use crate::privileges::{self, Account, Unusable};
use crate::report::Report;

/// Everything that a generation is made of, or the refusal as it is shown.
pub(super) fn prepare(
    inheritance: &Inheritance,
    path: &Path,
    report: &Report,
) -> Result<Generation, String> {
    let cannot = |e: io::Error| format!("error: the configuration cannot be read: {e}\n");
    let text = read(inheritance, Heirloom::Text).map_err(cannot)?;
    let kept = kept(&read(inheritance, Heirloom::Kept).map_err(cannot)?);
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

type Kept = HashMap<String, (String, String)>;

/// The modules of a plan by name: the SHA-256 of each, and the file that it was read from.
fn kept(plan: &str) -> Kept {
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap_or_default();
    let text = |module: &serde_json::Value, key: &str| module[key].as_str().map(str::to_owned);
    let one =
        |module| Some((text(module, "name")?, (text(module, "sha256")?, text(module, "file")?)));
    plan["modules"].as_array().into_iter().flatten().filter_map(one).collect()
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
    let mut loading = Loading {
        keep: !inheritance.check,
        kept,
        report,
        config: &config,
        registry: Registry::new(),
        enabled: Vec::new(),
        descriptors: Vec::new(),
        threads: 1,
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
    let listens = listens(&config, &plan, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let (number, incarnation) = (inheritance.generation, inheritance.incarnation.clone());
    Ok(Generation { number, incarnation, config, plan, listens, account, descriptors })
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
    let mut problem = Problem::new(format!("sessions cannot become `{name}`: {why}"))
        .hint("give exeunt a user of its own: useradd --system exeunt");
    if let Some(span) = &config.host.user_span {
        problem = problem.at(span.clone());
    }
    problems.push(problem);
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
    let mut problem = Problem::new(format!("the group `{name}` cannot be used: {why}"))
        .hint(format!("make it with `groupadd --system {name}`, or leave `group` out"));
    if let Some(span) = &config.control.group_span {
        problem = problem.at(span.clone());
    }
    problems.push(problem);
}

/// Every listen, each with its protocol in the plan.
fn listens(config: &Config, plan: &Plan, problems: &mut Problems) -> Vec<Listen> {
    let mut listens: Vec<Listen> = Vec::new();
    for listen in &config.listens {
        let protocol = &listen.protocol;
        if plan.protocol(protocol).is_none() {
            let names: Vec<&str> = plan.protocols.iter().map(|p| p.name.as_str()).collect();
            let hint = match names[..] {
                [] => "no enabled module offers a protocol".to_owned(),
                _ => format!("the enabled modules offer: {}", names.join(", ")),
            };
            let message = format!("no enabled module offers the protocol `{protocol}`");
            problems.push(Problem::new(message).at(listen.protocol_span.clone()).hint(hint));
        }
        let index = listens.iter().filter(|other| other.protocol == *protocol).count();
        listens.push(Listen {
            name: listen.name.clone(),
            protocol: protocol.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            address: listen.address,
        });
    }
    listens
}

/// The modules on their way in; every problem of every module is collected.
struct Loading<'a> {
    keep: bool,
    /// The very modules that are to be loaded, if it is not today's files.
    kept: &'a Kept,
    report: &'a Report,
    config: &'a Config,
    registry: Registry,
    /// Name and place of the modules that have begun their init.
    enabled: Vec<(String, Range<usize>)>,
    descriptors: Vec<i32>,
    /// How many threads there were after the last init.
    threads: usize,
    problems: &'a mut Problems,
}

impl Loading<'_> {
    fn add(&mut self, module: &config::Module) {
        match self.load(module) {
            Ok(loaded) => self.initialise(module, loaded),
            Err(refusal) => {
                let span = module.file_span.as_ref().unwrap_or(&module.name_span);
                let mut problem = Problem::new(refusal.message).at(span.clone());
                if let Some(detail) = refusal.detail {
                    problem = problem.detail(detail);
                }
                if let Some(hint) = refusal.hint {
                    problem = problem.hint(hint);
                }
                self.problems.push(problem);
            }
        }
    }

    fn load(&self, module: &config::Module) -> Result<Found, Refusal> {
        let host = &self.config.host;
        let own = || std::env::current_exe().map(|exe| modules::default_dirs(&exe));
        let dirs = match &host.module_dirs[..] {
            [] => own().unwrap_or_default(),
            dirs => dirs.to_owned(),
        };
        self.report.doing(&format!("module `{}` was being loaded", module.name));
        let kept_dir = host.runtime_dir.join(KEPT);
        if let Some((sha256, file)) = self.kept.get(&module.name) {
            let path = kept_dir.join(format!("{sha256}.so"));
            let staged = modules::stage(&module.name, &path, None)?;
            if staged.sha256 != *sha256 {
                return Err(Refusal::new(format!(
                    "the kept copy of module `{}` has changed",
                    module.name
                )));
            }
            return Ok(Found { file: file.clone(), code: leak(modules::load(staged)?) });
        }
        let path = modules::find(&module.name, module.file.as_deref(), &dirs)?;
        let staged = modules::stage(&module.name, &path, self.keep.then_some(&kept_dir))?;
        Ok(Found { file: path.display().to_string(), code: leak(modules::load(staged)?) })
    }

    fn initialise(&mut self, module: &config::Module, found: Found) {
        let Found { file, code } = found;
        let site = Site {
            folder: self.config.file.parent().unwrap_or(Path::new("/")).to_owned(),
            config: Rc::new(module.config.clone()),
            listens: self
                .config
                .listens
                .iter()
                .map(|listen| (listen.protocol.clone(), listen.config.clone()))
                .collect(),
        };
        let entry = ModulePlan {
            name: module.name.clone(),
            version: code.version.clone(),
            sha256: code.sha256.clone(),
            file,
            listener: module.listener.unwrap_or(self.config.exit.listener),
            cell: None,
        };
        self.report.doing(&format!("the init of module `{}` was running", module.name));
        self.enabled.push((module.name.clone(), module.name_span.clone()));
        let registry = std::mem::replace(&mut self.registry, Registry::new());
        let Some(done) = api::initialise(registry, code, entry, site) else { return };
        self.registry = done.registry;
        for directory in done.opened {
            self.descriptors.push(directory.as_raw_fd());
            // Open for as long as this process lives: sessions are forks of it.
            std::mem::forget(directory);
        }
        for problem in done.problems {
            let span = problem.span.unwrap_or_else(|| module.name_span.clone());
            let text = format!("module `{}`: {}", module.name, problem.text);
            let told = Problem::new(text).at(span);
            self.problems.push(match problem.hint {
                Some(hint) => told.hint(hint),
                None => told,
            });
        }
        self.check_threads(module);
    }

    /// A module whose init leaves a thread behind would leave half of itself behind in every fork.
    fn check_threads(&mut self, module: &config::Module) {
        let Ok(threads) = modules::threads() else { return };
        let before = std::mem::replace(&mut self.threads, threads.len());
        if threads.len() > before {
            let message = format!("module `{}`: its init left a thread behind", module.name);
            let names = format!("the threads are: {}", threads.join(", "));
            let hint = "start threads in sessions; a fork has only the thread that forked";
            let problem = Problem::new(message).at(module.name_span.clone());
            self.problems.push(problem.detail(names).hint(hint));
        }
    }
}

/// A module's code is never unloaded.
fn leak(loaded: Loaded) -> &'static Loaded {
    Box::leak(Box::new(loaded))
}

struct Found {
    file: String,
    code: &'static Loaded,
}
