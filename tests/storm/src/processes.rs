//! What the kernel says about a daemon's processes.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

/// What a process holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holds {
    /// Open descriptors.
    pub descriptors: usize,
    /// Mappings of memory.
    pub mappings: usize,
    /// Resident memory, in KiB.
    pub resident: u64,
    /// Address space, in KiB.
    pub virtual_size: u64,
}

impl Holds {
    /// What a process holds when it has done what it was just asked for.
    #[must_use]
    pub fn at_rest(pid: i32) -> Self {
        let samples = (0..5).map(|_| {
            thread::sleep(Duration::from_millis(20));
            Self::of(pid)
        });
        samples.min_by_key(|holds| holds.descriptors).unwrap_or_default()
    }

    /// What a process holds now; nothing of one that is gone.
    #[must_use]
    pub fn of(pid: i32) -> Self {
        let count =
            |name: &str| fs::read_dir(format!("/proc/{pid}/{name}")).map_or(0, Iterator::count);
        let text =
            |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let status = text("status");
        let size = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
        };
        Self {
            descriptors: count("fd"),
            mappings: text("maps").lines().count(),
            resident: size("VmRSS:"),
            virtual_size: size("VmSize:"),
        }
    }
}

/// What the descriptors of a process lead to.
#[must_use]
pub fn descriptors(pid: i32) -> Vec<String> {
    let all = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = all.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.map(|path| path.display().to_string()).collect()
}

/// The processes below another, by name, those that nobody has reaped under `zombie`.
#[must_use]
pub fn below(root: i32) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_string_lossy().parse::<i32>();
        if let Some((pid, stat)) = pid.ok().and_then(|pid| Some((pid, stat(pid)?))) {
            all.insert(pid, stat);
        }
    }
    let is_below = |mut pid: i32| {
        while let Some((_, parent)) = all.get(&pid) {
            if *parent == root {
                return true;
            }
            pid = *parent;
        }
        false
    };
    let mut found = BTreeMap::new();
    for (pid, (name, _)) in &all {
        if is_below(*pid) {
            *found.entry(name.clone()).or_default() += 1;
        }
    }
    found
}

/// Name and parent of a process.
fn stat(pid: i32) -> Option<(String, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (begin, rest) = text.rsplit_once(") ")?;
    let name = begin.split_once(" (")?.1;
    let mut words = rest.split(' ');
    let is_dead = words.next()? == "Z";
    let name = if is_dead { "zombie" } else { name };
    Some((name.to_owned(), words.next()?.parse().ok()?))
}
