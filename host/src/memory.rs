//! Whether a process died because memory had run out: the kernel counts whom it killed for that in a
//! control group, and the own group's count is looked at when a process was killed. What it means for a
//! session is decided in `reap`.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use crate::reap::Fate;

/// The count of the group that this process is in.
pub(crate) struct Memory {
    /// None where the kernel does not count.
    count: Option<PathBuf>,
    /// As many deaths have been told apart already.
    seen: u64,
}

impl Memory {
    /// The count as it is now.
    pub(crate) fn of_own_group() -> Self {
        let read = |name: &str| fs::read_to_string(Path::new("/proc/self").join(name)).ok();
        let count = read("cgroup").zip(read("mounts"));
        let count = count.and_then(|(groups, mounts)| place(&groups, &mounts));
        let mut memory = Self { count, seen: 0 };
        memory.seen = memory.now();
        memory
    }

    /// The fate of a process, with what was behind it. A death for each that the kernel has counted: if
    /// others are killed at the same moment, the two may be taken for one another.
    pub(crate) fn behind(&mut self, fate: Fate) -> Fate {
        if fate == Fate::Killed(Signal::SIGKILL) && self.now() > self.seen {
            self.seen += 1;
            return Fate::KilledForMemory;
        }
        fate
    }

    fn now(&self) -> u64 {
        let text = self.count.as_ref().and_then(|file| fs::read_to_string(file).ok());
        text.as_deref().and_then(kills).unwrap_or(0)
    }
}

/// The number of kills in the text of a group's count.
fn kills(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse().ok())
}

/// The file with the count: of the hierarchy that counts memory, in version 1 one of its own, in
/// version 2 the only one.
fn place(groups: &str, mounts: &str) -> Option<PathBuf> {
    let mut groups = groups.lines().filter_map(|line| {
        let (kinds, path) = line.split_once(':')?.1.split_once(':')?;
        Some((kinds, path.trim_start_matches('/')))
    });
    let is_memory = |word: &str| word == "memory";
    let old = groups.clone().find(|(kinds, _)| kinds.split(',').any(is_memory));
    let (path, file) = match old {
        Some((_, path)) => (path, "memory.oom_control"),
        None => (groups.find(|(kinds, _)| kinds.is_empty())?.1, "memory.events"),
    };
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        let is_it = match old {
            Some(_) => kind == "cgroup" && options.split(',').any(is_memory),
            None => kind == "cgroup2",
        };
        is_it.then_some(place)
    })?;
    Some(Path::new(mount).join(path).join(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_found_in_either_version() {
        let mounts = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n\
                      cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n";
        let found = |groups| place(groups, mounts).map(|path| path.display().to_string());
        let new = Some("/sys/fs/cgroup/system.slice/memory.events".to_owned());
        assert_eq!(found("0::/system.slice\n"), new);
        let old = Some("/sys/fs/cgroup/memory/a/memory.oom_control".to_owned());
        assert_eq!(found("4:cpu,memory:/a\n0::/\n"), old);
        assert_eq!(found(""), None);
    }

    #[test]
    fn the_number_of_kills_is_read_and_not_that_of_other_events() {
        assert_eq!(kills("oom 7\noom_kill 3\noom_group_kill 1\n"), Some(3));
        assert_eq!(kills("under_oom 0\n"), None);
    }

    #[test]
    fn each_kill_that_was_counted_is_behind_one_death() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut memory = Memory { count: Some(file.path().to_owned()), seen: 1 };
        let kill = Fate::Killed(Signal::SIGKILL);
        fs::write(file.path(), "oom_kill 1\n").expect("written");
        assert_eq!(memory.behind(kill), kill);
        fs::write(file.path(), "oom_kill 2\n").expect("written");
        assert_eq!(memory.behind(Fate::Exited(0)), Fate::Exited(0));
        assert_eq!(memory.behind(kill), Fate::KilledForMemory);
        assert_eq!(memory.behind(kill), kill);
    }
}
