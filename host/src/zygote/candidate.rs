//! A candidate: reads the configuration, stages, loads and initialises the modules, and says whether
//! it is ready. Nothing outside this process has changed by then.

use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::rc::Rc;

use crate::api::{self, Site};
use crate::config::{self, Config, Problem, Problems, Source};
use crate::events::{ModulePlan, Plan, Registry};
use crate::generation::{Generation, Listen};
use crate::inheritance::{Heirloom, Inheritance};
use crate::modules::{self, Footprint, Loaded, Refusal};
use crate::pages::KEPT;
use crate::privileges::{self, Account, Unusable};
use crate::report::Report;

/// Everything that a generation is made of, or the refusal as it is shown.
pub(super) fn prepare(
    inheritance: &Inheritance,
    path: &Path,
    report: &Report,
) -> Result<Generation, String> {
    let text =
        read(inheritance).map_err(|e| format!("error: the configuration cannot be read: {e}"))?;
    let source = Source { path: path.to_owned(), text };
    let build = || -> Result<Generation, Problems> {
        let env = config::Environment::current().map_err(one)?;
        let config = config::parse(&source, &env)?;
        build(inheritance, config, report)
    };
    build().map_err(|problems| problems.render(&source, false))
}

fn one(problem: Problem) -> Problems {
    let mut problems = Problems::default();
    problems.push(problem);
    problems
}

fn read(inheritance: &Inheritance) -> io::Result<String> {
    let mut text = String::new();
    let mut file: std::fs::File = inheritance.take(Heirloom::Text)?.into();
    io::Seek::rewind(&mut file)?;
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn build(
    inheritance: &Inheritance,
    config: Config,
    report: &Report,
) -> Result<Generation, Problems> {
    let mut problems = Problems::default();
    let account = account(&config, &mut problems);
    let mut loading = Loading {
        keep: !inheritance.check,
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
    report: &'a Report,
    config: &'a Config,
    registry: Registry,
    /// Name and place of the modules that have begun their init.
    enabled: Vec<(String, Range<usize>)>,
    descriptors: Vec<i32>,
    problems: &'a mut Problems,
}

impl Loading<'_> {
    fn add(&mut self, module: &config::Module) {
        match self.load(module) {
            Ok(found) => self.initialise(module, found),
            Err(refusal) => {
                let span = module.file_span.as_ref().unwrap_or(&module.name_span);
                self.problems.push(problem(refusal).at(span.clone()));
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
        let path = modules::find(&module.name, module.file.as_deref(), &dirs)?;
        self.report.doing(&format!("module `{}` was being loaded", module.name));
        let kept = host.runtime_dir.join(KEPT);
        let staged = modules::stage(&module.name, &path, self.keep.then_some(&kept))?;
        let file = path.display().to_string();
        let before = Footprint::take()
            .map_err(|e| Refusal::new(format!("the state of the process cannot be seen: {e}")))?;
        Ok(Found { file, before, code: Box::leak(Box::new(modules::load(staged)?)) })
    }

    fn initialise(&mut self, module: &config::Module, found: Found) {
        let Found { file, before, code } = found;
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
        let mut of_host = Vec::new();
        for directory in done.directories {
            self.descriptors.push(directory.as_raw_fd());
            of_host.push(directory.as_raw_fd());
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
        self.check_footprint(module, &before, &of_host);
    }

    /// What a module leaves behind here would be in every fork of this process.
    fn check_footprint(&mut self, module: &config::Module, before: &Footprint, of_host: &[RawFd]) {
        let left = match Footprint::take() {
            Ok(now) => before.left_behind(&now, of_host),
            Err(e) => vec![Refusal::new(format!("what its init left behind cannot be seen: {e}"))],
        };
        for refusal in left {
            let message = format!("module `{}`: {}", module.name, refusal.message);
            self.problems
                .push(problem(Refusal { message, ..refusal }).at(module.name_span.clone()));
        }
    }
}

fn problem(refusal: Refusal) -> Problem {
    let Refusal { message, detail, hint } = refusal;
    Problem { detail, hint, ..Problem::new(message) }
}

struct Found {
    file: String,
    /// The process before any of its code ran.
    before: Footprint,
    code: &'static Loaded,
}
