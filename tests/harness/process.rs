//! What the kernel says about a process.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A process, looked at in `/proc` at the moment of each question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process(pub(crate) i32);

struct Stat {
    state: char,
    parent: i32,
    group: i32,
}

impl Process {
    /// Every process below that one, the dead that nobody has reaped included.
    pub(crate) fn below(root: i32) -> Vec<Self> {
        let mut parents = BTreeMap::new();
        for entry in fs::read_dir("/proc").expect("proc is mounted").flatten() {
            let pid = entry.file_name().to_string_lossy().parse::<i32>();
            let process = pid.ok().map(Self);
            if let Some((process, stat)) = process.and_then(|p| Some((p, p.stat()?))) {
                parents.insert(process.0, stat.parent);
            }
        }
        let is_below = |mut pid: i32| {
            while let Some(&parent) = parents.get(&pid) {
                if parent == root {
                    return true;
                }
                pid = parent;
            }
            false
        };
        parents.keys().copied().filter(|pid| is_below(*pid)).map(Self).collect()
    }

    /// What the kernel says in one line, if the process is there.
    fn stat(self) -> Option<Stat> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        let mut words = text.rsplit_once(") ")?.1.split(' ');
        let state = words.next()?.chars().next()?;
        let mut number = || words.next()?.parse().ok();
        Some(Stat { state, parent: number()?, group: number()? })
    }

    /// Whether the process runs, or could.
    pub(crate) fn is_alive(self) -> bool {
        self.stat().is_some_and(|stat| !matches!(stat.state, 'Z' | 'X'))
    }

    /// Whether the process has ended and nobody has reaped it.
    pub(crate) fn is_zombie(self) -> bool {
        self.stat().is_some_and(|stat| stat.state == 'Z')
    }

    /// Its process group, if it is there.
    pub(crate) fn group(self) -> Option<i32> {
        self.stat().map(|stat| stat.group)
    }

    /// Its name, as it was set.
    pub(crate) fn name(self) -> String {
        fs::read_to_string(format!("/proc/{}/comm", self.0)).unwrap_or_default().trim().to_owned()
    }

    /// A line of its status.
    #[track_caller]
    pub(crate) fn status(self, key: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0)).expect("a process");
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        line.expect("a line of the status").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A line of its limits.
    #[track_caller]
    pub(crate) fn limit(self, key: &str) -> String {
        let text = fs::read_to_string(format!("/proc/{}/limits", self.0)).expect("a process");
        let line = text.lines().find_map(|line| line.strip_prefix(key));
        line.expect("a line of the limits").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the system would let others of its user look into it: its files in `/proc` belong to
    /// root otherwise. A process of root looks as if nobody could.
    #[track_caller]
    pub(crate) fn is_dumpable(self) -> bool {
        fs::metadata(format!("/proc/{}/environ", self.0)).expect("a process").uid() != 0
    }

    /// What its descriptors lead to.
    #[track_caller]
    pub(crate) fn descriptors(self) -> Vec<String> {
        let all = fs::read_dir(format!("/proc/{}/fd", self.0)).expect("a process");
        let targets = all.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.map(|path| path.to_string_lossy().into_owned()).collect()
    }

    /// Its memory's map, a line each.
    #[track_caller]
    pub(crate) fn maps(self) -> Vec<String> {
        let text = fs::read_to_string(format!("/proc/{}/maps", self.0)).expect("a process");
        text.lines().map(str::to_owned).collect()
    }

    /// Sends it a signal.
    #[track_caller]
    pub(crate) fn signal(self, signal: Signal) {
        kill(Pid::from_raw(self.0), signal).expect("the process is there");
    }
}
