//! A control group that bounds the memory of what runs in it, so that the kernel really kills for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A control group of its own, which goes with this value.
pub(crate) struct MemoryGroup(PathBuf);

impl MemoryGroup {
    /// A group whose processes together have that many bytes; none where this process may not make one.
    pub(crate) fn new(bytes: u64) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("exeunt-test-{}-{}", process::id(), NEXT.fetch_add(1, Relaxed));
        let group = Self(own()?.join(name));
        fs::create_dir(&group.0).ok()?;
        let bound = |name| fs::write(group.0.join(name), bytes.to_string()).is_ok();
        // The first is the bound of version 1, the second that of version 2.
        let is_bound = ["memory.limit_in_bytes", "memory.max"].into_iter().any(bound);
        is_bound.then_some(group)
    }

    /// The file through which processes come in.
    pub(super) fn door(&self) -> PathBuf {
        self.0.join("cgroup.procs")
    }
}

impl Drop for MemoryGroup {
    fn drop(&mut self) {
        // One that is not empty stays: that nothing is left running is for the scenarios to say.
        let _not_empty = fs::remove_dir(&self.0);
    }
}

/// The group that this process is in, of the kind that counts memory.
fn own() -> Option<PathBuf> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let mut groups = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let memory = groups.clone().find(|(kinds, _)| kinds.split(',').any(|kind| kind == "memory"));
    let (kinds, path) = memory.or_else(|| groups.find(|(kinds, _)| kinds.is_empty()))?;
    let is_old = !kinds.is_empty();
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let place = mounts.lines().find_map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        let [_, place, kind, options, ..] = fields[..] else { return None };
        let has_memory = options.split(',').any(|option| option == "memory");
        (if is_old { kind == "cgroup" && has_memory } else { kind == "cgroup2" }).then_some(place)
    })?;
    Some(Path::new(place).join(path.trim_start_matches('/')))
}
