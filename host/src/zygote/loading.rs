//! The modules on their way in: found or kept, pinned, staged, loaded, initialised. What a candidate is made of
//! beside them is in `candidate`.

use crate::api::{self, Site};
use crate::config::{self, Config, Problem, Problems};
use crate::events::{ModulePlan, Registry};
use crate::log;
use crate::modules::{self, Footprint, Loaded, Refusal, Staged, Trust};
use crate::pages::KEPT;
use crate::report::Report;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::rc::Rc;

/// The SHA-256 of a module, and the file that it was read from, by its name.
pub(super) type Kept = HashMap<String, (String, String)>;

/// The modules of a plan by name: the SHA-256 of each, and the file that it was read from.
pub(super) fn kept(plan: &str) -> Kept {
    let plan: serde_json::Value = serde_json::from_str(plan).unwrap_or_default();
    let text = |module: &serde_json::Value, key: &str| module[key].as_str().map(str::to_owned);
    let one =
        |module| Some((text(module, "name")?, (text(module, "sha256")?, text(module, "file")?)));
    plan["modules"].as_array().into_iter().flatten().filter_map(one).collect()
}

/// The modules on their way in; every problem of every module is collected.
pub(super) struct Loading<'a> {
    pub(super) keep: bool,
    /// Whose files root takes.
    pub(super) trust: Option<Trust>,
    /// Whether it was said that there are modules of somebody else.
    pub(super) warned: Cell<bool>,
    /// The very modules that are to be loaded, if it is not today's files.
    pub(super) kept: &'a Kept,
    pub(super) report: &'a Report,
    pub(super) config: &'a Config,
    pub(super) registry: Registry,
    /// Name and place of the modules that have begun their init.
    pub(super) enabled: Vec<(String, Range<usize>)>,
    pub(super) descriptors: Vec<i32>,
    pub(super) problems: &'a mut Problems,
}

impl Loading<'_> {
    pub(super) fn add(&mut self, module: &config::Module) {
        match self.load(module) {
            Ok(found) => self.initialise(module, found),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn load(&self, module: &config::Module) -> Result<Found, Problem> {
        self.report.doing(&format!("module `{}` was being loaded", module.name));
        let place = module.file_span.as_ref().unwrap_or(&module.name_span);
        let refused = |refusal| problem(refusal).at(place.clone());
        let (staged, file) = match self.kept.get(&module.name) {
            Some(kept) => self.kept(module, kept).map_err(refused)?,
            None => {
                let (staged, file) = self.found(module).map_err(refused)?;
                self.pinned(module, &staged)?;
                (staged, file)
            }
        };
        let before = Footprint::take().map_err(|e| {
            refused(Refusal::new(format!("the state of the process cannot be seen: {e}")))
        })?;
        Ok(Found { file, before, code: leak(modules::load(staged).map_err(refused)?) })
    }

    /// Today's file of a module.
    fn found(&self, module: &config::Module) -> Result<(Staged, String), Refusal> {
        let host = &self.config.host;
        let own = || std::env::current_exe().map(|exe| modules::default_dirs(&exe));
        let dirs = match &host.module_dirs[..] {
            [] => own().unwrap_or_default(),
            dirs => dirs.to_owned(),
        };
        let path = modules::find(&module.name, module.file.as_deref(), &dirs)?;
        if let Some(trust) = &self.trust {
            let owner = trust.check(&path).map_err(|why| why.of_module(&module.name, &path))?;
            if let Some(owner) = owner.filter(|_| !self.warned.replace(true)) {
                log::warn(format!(
                    "modules of {owner} run with root's rights: {} belongs to {owner} too",
                    self.config.file.display()
                ));
            }
        }
        let kept_dir = host.runtime_dir.join(KEPT);
        let staged = modules::stage(&module.name, &path, self.keep.then_some(&kept_dir))?;
        Ok((staged, path.display().to_string()))
    }

    /// The very file that a module was loaded from before.
    fn kept(
        &self,
        module: &config::Module,
        (sha256, file): &(String, String),
    ) -> Result<(Staged, String), Refusal> {
        let path = self.config.host.runtime_dir.join(KEPT).join(format!("{sha256}.so"));
        let staged = modules::stage(&module.name, &path, None)?;
        if staged.sha256 == *sha256 {
            return Ok((staged, file.clone()));
        }
        Err(Refusal::new(format!("the kept copy of module `{}` has changed", module.name)))
    }

    /// Whether the module is the one that the operator meant.
    fn pinned(&self, module: &config::Module, staged: &Staged) -> Result<(), Problem> {
        let Staged { name, path, sha256, .. } = staged;
        let hint = "`exeunt module pin` writes the pin, if the file is the right one";
        match (&module.sha256, &module.sha256_span) {
            (Some(pin), Some(span)) if pin != sha256 => {
                let message = format!("module `{name}`: {} is not what was pinned", path.display());
                let detail = format!("its SHA-256 is {sha256}");
                Err(Problem::new(message).detail(detail).hint(hint).at(span.clone()))
            }
            (None, _) if self.config.host.require_pins => {
                let message = format!("module `{name}` has no `sha256`, and [host] requires one");
                Err(Problem::new(message).hint(hint).at(module.name_span.clone()))
            }
            _ => Ok(()),
        }
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
            is_bounded: module.listener.is_some(),
            may_be_root: module.may_be_root,
            cell: None,
        };
        self.report.doing(&format!("the init of module `{}` was running", module.name));
        self.enabled.push((module.name.clone(), module.name_span.clone()));
        let registry = std::mem::replace(&mut self.registry, Registry::new());
        let Some(done) = api::initialise(registry, code, entry, site) else { return };
        self.registry = done.registry;
        let mut of_host = Vec::new();
        for directory in done.opened {
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

/// A module's code is never unloaded.
fn leak(loaded: Loaded) -> &'static Loaded {
    Box::leak(Box::new(loaded))
}

struct Found {
    file: String,
    /// The process before any of its code ran.
    before: Footprint,
    code: &'static Loaded,
}
