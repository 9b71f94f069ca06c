//! The daemon's files: lock, pid file, ledgers, scoreboards, plans. Made at the start, gone at the
//! end; what is in them is other rooms' business.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::{Gid, Group, chown, geteuid};

use super::Failure;
use super::member::Held;
use crate::config::Host;
use crate::pages::{self, Whole};
use crate::{control, counters, scoreboard};

const LOCK: &str = "lock";
const PID_FILE: &str = "exeunt.pid";

/// The files of a running daemon; while this exists, no other daemon has the runtime directory.
pub(super) struct Files {
    dir: PathBuf,
    pid_file: PathBuf,
    group: Option<Gid>,
    lock: Flock<File>,
}

fn cannot(what: &str, path: &Path, e: impl std::fmt::Display) -> Failure {
    Failure::no(format!("error: cannot {what} {}: {e}", path.display()))
}

impl Files {
    /// Makes the directories, takes the lock and removes what a daemon left that was killed.
    pub(super) fn claim(host: &Host, group: Option<Gid>) -> Result<Self, Failure> {
        let dir = &host.runtime_dir;
        make_private(dir)?;
        make_private(&host.state_dir)?;
        make_private(&dir.join(pages::KEPT))?;
        let lock = lock(dir)?;
        let files = Self { dir: dir.clone(), pid_file: pid_file(host), group, lock };
        if let Some(group) = group {
            chown(dir, None, Some(group)).map_err(|e| cannot("give away", dir, e))?;
        }
        Ok(files)
    }

    /// The files of a daemon that goes on in this process: the lock came along.
    pub(super) fn inherit(host: &Host, lock: File, group: Option<&str>) -> io::Result<Self> {
        let lock = Flock::lock(lock, FlockArg::LockExclusiveNonblock).map_err(|(_, e)| e)?;
        let group = match group {
            Some(name) => Group::from_name(name)?.map(|group| group.gid),
            None => None,
        };
        Ok(Self { dir: host.runtime_dir.clone(), pid_file: pid_file(host), group, lock })
    }

    /// The lock's descriptor.
    pub(super) fn lock_descriptor(&self) -> RawFd {
        self.lock.as_raw_fd()
    }

    /// A new ledger and scoreboard for a generation.
    pub(super) fn create(
        &self,
        generation: u64,
        capacity: u32,
        incarnation: &str,
    ) -> Result<Held, Failure> {
        let make = || -> io::Result<Held> {
            let ledger = self.file(&pages::file_name(generation), 0o600)?;
            pages::create(&ledger, capacity, generation, incarnation)?;
            let ledger_to_read = File::open(self.dir.join(pages::file_name(generation)))?;
            let scoreboard = self.file(&scoreboard::file_name(generation), 0o640)?;
            scoreboard::create(&scoreboard, capacity, generation)?;
            let pages = Whole::map(&ledger, capacity)?;
            Ok(Held { ledger, ledger_to_read, scoreboard, pages })
        };
        make().map_err(file_error("the ledger cannot be made"))
    }

    /// Leaves a generation's plan for the client commands, and its text beside it: with both, the
    /// kept modules and the ledger, another daemon can finish what this one leaves if it is killed.
    pub(super) fn write_plan(
        &self,
        generation: u64,
        plan: &str,
        text: &File,
    ) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            self.file(&plan_name(generation), 0o640)?.write_all(plan.as_bytes())?;
            self.file(&text_name(generation), 0o600)?.write_all(&whole(text)?)
        };
        write().map_err(file_error("the plan cannot be written"))
    }

    /// The generations that a daemon left that was killed, the oldest first.
    pub(super) fn left_over(&self) -> Vec<u64> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut found: Vec<u64> =
            names.filter_map(|name| pages::generation_of(&name.to_string_lossy())).collect();
        found.sort_unstable();
        found
    }

    /// What was left of a generation: its files, its text and its plan.
    pub(super) fn open_left_over(&self, generation: u64) -> io::Result<(Held, File, String)> {
        let open = |name: String, write: bool| {
            File::options().read(true).write(write).open(self.dir.join(name))
        };
        let ledger = open(pages::file_name(generation), true)?;
        let pages = pages::left_over(&ledger)?;
        let held = Held {
            ledger_to_read: open(pages::file_name(generation), false)?,
            scoreboard: open(scoreboard::file_name(generation), true)?,
            ledger,
            pages,
        };
        let text = open(text_name(generation), false)?;
        Ok((held, text, fs::read_to_string(self.dir.join(plan_name(generation)))?))
    }

    /// Puts the ledger of a generation aside that cannot be finished, for whoever wants to look.
    pub(super) fn put_aside(&self, generation: u64) {
        let name = pages::file_name(generation);
        // What cannot be renamed is removed below.
        let _there = fs::rename(self.dir.join(&name), self.dir.join(format!("unfinished-{name}")));
        self.remove_generation(generation);
    }

    /// Removes what was there for a generation.
    pub(super) fn remove_generation(&self, generation: u64) {
        let names = [
            pages::file_name(generation),
            scoreboard::file_name(generation),
            plan_name(generation),
            text_name(generation),
        ];
        for name in names {
            // A candidate that was refused early has none.
            let _gone = fs::remove_file(self.dir.join(name));
        }
    }

    /// Removes the kept modules that none of the `plans` names.
    pub(super) fn keep_modules_of(&self, plans: &[&str]) {
        let Ok(entries) = fs::read_dir(self.dir.join(pages::KEPT)) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let sha256 = name.strip_suffix(".so");
            if !sha256.is_some_and(|sha256| plans.iter().any(|plan| plan.contains(sha256))) {
                // What cannot be removed is in nobody's way.
                let _stays = fs::remove_file(entry.path());
            }
        }
    }

    /// Writes the pid file, whole or not at all.
    pub(super) fn write_pid(&self) -> Result<(), Failure> {
        let path = &self.pid_file;
        let new = path.with_extension("pid.new");
        let written = fs::write(&new, format!("{}\n", std::process::id()));
        written.and_then(|()| fs::rename(&new, path)).map_err(|e| cannot("write", path, e))
    }

    fn file(&self, name: &str, mode: u32) -> io::Result<File> {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(true).mode(mode);
        let file = options.open(self.dir.join(name))?;
        file.set_permissions(Permissions::from_mode(mode))?;
        if let Some(group) = self.group {
            std::os::unix::fs::fchown(&file, None, Some(group.as_raw()))?;
        }
        Ok(file)
    }

    /// Nothing is owed any more: whatever is left of another daemon goes.
    pub(super) fn remove_left_over(&self) {
        self.remove_generations();
        self.remove_kept();
    }

    /// The kept modules are of use as long as the daemon lives.
    fn remove_kept(&self) {
        let Ok(entries) = fs::read_dir(self.dir.join(pages::KEPT)) else { return };
        for entry in entries.flatten() {
            let _stays = fs::remove_file(entry.path());
        }
    }

    fn remove_generations(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = name.split_once('.').map(|(kind, _)| kind);
            let of_generation = matches!(kind, Some("ledger" | "scoreboard" | "plan" | "text"));
            if of_generation || name == counters::FILE || name == pages::LOGINS {
                // What cannot be removed is overwritten or in nobody's way.
                let _stays = fs::remove_file(entry.path());
            }
        }
    }

    /// Removes what was there for the running daemon; the lock goes with this value.
    pub(super) fn clean_up(&self) {
        control::remove(&self.dir);
        self.remove_generations();
        self.remove_kept();
        let _gone = fs::remove_file(&self.pid_file);
    }
}

fn whole(file: &File) -> io::Result<Vec<u8>> {
    let size = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// A step that failed, in words.
pub(super) fn file_error(what: &str) -> impl Fn(io::Error) -> Failure + use<'_> {
    move |e| Failure::no(format!("error: {what}: {e}"))
}

/// The name of the text of a generation's configuration.
fn text_name(generation: u64) -> String {
    format!("text.{generation}")
}

/// The name of a generation's plan.
fn plan_name(generation: u64) -> String {
    format!("plan.{generation}.json")
}

fn pid_file(host: &Host) -> PathBuf {
    host.pid_file.clone().unwrap_or_else(|| host.runtime_dir.join(PID_FILE))
}

/// Whether a start could use the directories, those of them that are there; makes none.
pub(super) fn examine(host: &Host) -> Result<(), Failure> {
    let kept = host.runtime_dir.join(pages::KEPT);
    let there = [&host.runtime_dir, &host.state_dir, &kept].into_iter().filter(|dir| dir.exists());
    for dir in there {
        is_private(dir)?;
    }
    Ok(())
}

/// Makes a directory that is ours alone to write, or checks that it is.
fn make_private(dir: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o750).create(dir);
    made.map_err(|e| cannot("make the directory", dir, e))?;
    is_private(dir)
}

fn is_private(dir: &Path) -> Result<(), Failure> {
    let about = fs::metadata(dir).map_err(|e| cannot("look at", dir, e))?;
    if about.uid() != geteuid().as_raw() || about.mode() & 0o002 != 0 {
        let text = format!(
            "error: will not use {}: others than the daemon's user can write there\n  \
             hint: name another directory in [host], or give this one to the daemon's user",
            dir.display()
        );
        return Err(Failure::no(text));
    }
    Ok(())
}

fn lock(dir: &Path) -> Result<Flock<File>, Failure> {
    let path = dir.join(LOCK);
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(|e| cannot("open", &path, e))?;
    Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, e)| match e {
        Errno::EWOULDBLOCK => Failure::no(format!(
            "error: a daemon is running already with {}\n  \
             hint: `exeunt status` shows it, `exeunt stop` ends it; another one needs a runtime_dir \
             of its own in [host]",
            dir.display()
        )),
        e => cannot("lock", &path, e),
    })
}
