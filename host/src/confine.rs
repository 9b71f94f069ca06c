//! What of the file system module code may touch for a client: the system, to be read, and what modules
//! declared. The kernel keeps these rules, where it has Landlock, over whatever the permissions of files
//! allow. They are made once a generation; each process confines itself before it meets a client.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use exeunt_api::abi::Access;
use landlock::{
    ABI, Access as _, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// What these rules are written for. An older kernel keeps those that it knows.
const KNOWN: ABI = ABI::V6;

/// What may be read by everybody: programs (which is not to run them), libraries, settings of the
/// system, processes. What is not there is left out. `/etc/resolv.conf` may lead elsewhere.
const SYSTEM: [&str; 10] = [
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/etc/resolv.conf",
    "/proc",
    "/dev/random",
    "/dev/urandom",
];
/// What may be read and written by everybody.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];
/// Where the dynamic loader lies, without which hardly a program runs.
const LOADERS: [&str; 2] = ["/lib64", "/lib"];

/// The rules, ready to be entered.
pub(crate) struct Confinement {
    rules: RulesetCreated,
    strength: Strength,
}

/// How much of the rules the kernel keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// All.
    Whole,
    /// Those that its version knows.
    Part,
    /// None: it has no Landlock.
    None,
}

/// Why there are no rules, and for which path if it is one.
#[derive(Debug)]
pub(crate) struct Unmade {
    pub(crate) path: Option<PathBuf>,
    pub(crate) why: String,
}

impl From<RulesetError> for Unmade {
    fn from(error: RulesetError) -> Self {
        Self { path: None, why: error.to_string() }
    }
}

impl Confinement {
    /// The rules that allow the system and this.
    pub(crate) fn new<'a>(
        allowed: impl IntoIterator<Item = (Access, &'a Path)>,
    ) -> Result<Self, Unmade> {
        let (mut rules, whole) = match begin(CompatLevel::HardRequirement) {
            Ok(rules) => (rules, true),
            Err(_) => (begin(CompatLevel::BestEffort)?, false),
        };
        let strength = match Option::<OwnedFd>::from(rules.try_clone().map_err(unmade(None))?) {
            None => Strength::None,
            Some(_) if whole => Strength::Whole,
            Some(_) => Strength::Part,
        };
        for (paths, access) in [(&SYSTEM[..], read()), (&DEVICES[..], write())] {
            for path in paths.iter().filter(|path| Path::new(path).exists()) {
                add(&mut rules, Path::new(path), access)?;
            }
        }
        let mut runs = false;
        for (access, path) in allowed {
            match access {
                Access::Read => add(&mut rules, path, read())?,
                Access::Write => add(&mut rules, path, write())?,
                Access::Run => {
                    runs = true;
                    add(&mut rules, path, run())?;
                    if let Some(interpreter) = interpreter(path) {
                        add(&mut rules, &interpreter, run())?;
                    }
                }
            }
        }
        let loaders = if runs { loaders() } else { Vec::new() };
        loaders.iter().try_for_each(|loader| add(&mut rules, loader, run()))?;
        Ok(Self { rules, strength })
    }

    /// How much of the rules the kernel keeps.
    pub(crate) fn strength(&self) -> Strength {
        self.strength
    }

    /// Confines this process and all that it starts, for good. Signals to processes outside are refused
    /// as well.
    pub(crate) fn enter(&self) -> io::Result<()> {
        let status = self.rules.try_clone()?.restrict_self().map_err(io::Error::other)?;
        if status.ruleset == RulesetStatus::NotEnforced && self.strength != Strength::None {
            return Err(io::Error::other("Landlock does not keep the rules"));
        }
        Ok(())
    }
}

fn begin(level: CompatLevel) -> Result<RulesetCreated, RulesetError> {
    Ruleset::default()
        .set_compatibility(level)
        .handle_access(AccessFs::from_all(KNOWN))?
        .scope(Scope::Signal)?
        .create()
        // Rights that this kernel does not know are none that it could refuse.
        .map(|rules| rules.set_compatibility(CompatLevel::BestEffort))
}

fn read() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::ReadDir
}

fn write() -> BitFlags<AccessFs> {
    let never = AccessFs::Execute | AccessFs::IoctlDev | AccessFs::MakeChar | AccessFs::MakeBlock;
    AccessFs::from_all(KNOWN) & !never
}

fn run() -> BitFlags<AccessFs> {
    read() | AccessFs::Execute
}

/// Allows a path and all beneath it.
fn add(rules: &mut RulesetCreated, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Unmade> {
    let is_dir = fs::metadata(path).map_err(unmade(Some(path)))?.is_dir();
    let access = if is_dir { access } else { access & AccessFs::from_file(KNOWN) };
    let opened = PathFd::new(path).map_err(unmade(Some(path)))?;
    let added = rules.add_rule(PathBeneath::new(opened, access)).map(|_| ());
    added.map_err(unmade(Some(path)))
}

fn unmade<E: ToString>(path: Option<&Path>) -> impl Fn(E) -> Unmade {
    let path = path.map(Path::to_owned);
    move |why| Unmade { path: path.clone(), why: why.to_string() }
}

/// The program that the first line of a script names.
fn interpreter(script: &Path) -> Option<PathBuf> {
    let mut line = Vec::new();
    let file = File::open(script).ok().filter(|file| file.metadata().is_ok_and(|m| m.is_file()))?;
    BufReader::new(file).take(256).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let path = PathBuf::from(line.strip_prefix("#!")?.split_whitespace().next()?);
    path.is_file().then_some(path)
}

fn loaders() -> Vec<PathBuf> {
    let folders = LOADERS.iter().filter_map(|folder| fs::read_dir(folder).ok());
    let files = folders.flatten().flatten().map(|entry| entry.path());
    let is_loader = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-") && name.contains(".so") && path.is_file()
    };
    files.filter(is_loader).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_path_that_is_not_there_is_named() {
        let missing = Path::new("/no/such/folder");
        let refused = Confinement::new([(Access::Read, missing)]).err().expect("refused");
        assert_eq!(refused.path.as_deref(), Some(missing));
        assert!(refused.why.contains("No such file"), "{}", refused.why);
    }

    /// Prints what a process pays: a thread can be confined alone, and is thrown away.
    #[test]
    #[ignore = "it measures; see docs/performance.md"]
    fn entering_takes_microseconds() {
        let rules = Confinement::new([(Access::Write, Path::new("/srv"))]).expect("rules");
        let once = || {
            let start = Instant::now();
            rules.enter().expect("entered");
            start.elapsed()
        };
        let mut costs: Vec<Duration> = (0..1000)
            .map(|_| thread::scope(|scope| scope.spawn(once).join().expect("joined")))
            .collect();
        costs.sort_unstable();
        let (median, p99) = (costs[500], costs[990]);
        let mut out = io::stdout().lock();
        writeln!(out, "entering: median {median:?}, p99 {p99:?}").expect("written");
        assert!(median < Duration::from_millis(1), "{median:?}");
    }

    #[test]
    fn a_script_is_run_by_what_its_first_line_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let script = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            interpreter(&path)
        };
        assert_eq!(script("a", "#!/bin/sh -e\nexit\n"), Some("/bin/sh".into()));
        assert_eq!(script("b", "#! /bin/sh"), Some("/bin/sh".into()));
        assert_eq!(script("c", "exit\n"), None);
        assert_eq!(script("d", "#!/no/such/shell\n"), None);
        assert_eq!(interpreter(folder.path()), None);
    }
}
