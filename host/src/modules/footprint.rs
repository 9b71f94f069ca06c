//! What a module's constructors and init leave behind in the process, found by looking before and
//! after. Each session and each runner is a fork of this process: what is left here is in all of them.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::{env, fs};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

use super::Refusal;
use super::threads::threads;

/// The process as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footprint {
    threads: Vec<String>,
    /// Each descriptor and what it leads to.
    descriptors: BTreeMap<RawFd, String>,
    /// Lines of `/proc/thread-self/status` by their names.
    status: BTreeMap<&'static str, String>,
    folder: PathBuf,
    /// The lines of `/proc/self/limits`.
    limits: Vec<String>,
}

/// The lines of the status that are compared.
const STATUS: [&str; 6] = ["Umask", "Uid", "Gid", "SigBlk", "SigIgn", "SigCgt"];

/// The signals that glibc keeps for itself; it catches them once there was a thread.
const OF_GLIBC: [u32; 2] = [32, 33];

impl Footprint {
    /// How the process is now.
    pub(crate) fn take() -> io::Result<Self> {
        let text = fs::read_to_string("/proc/thread-self/status")?;
        let line = |name: &'static str| {
            let value = text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'));
            (name, value.unwrap_or_default().trim().to_owned())
        };
        let limits = fs::read_to_string("/proc/self/limits")?;
        Ok(Self {
            threads: threads()?,
            descriptors: descriptors()?,
            status: STATUS.into_iter().map(line).collect(),
            folder: env::current_dir().unwrap_or_default(),
            limits: limits.lines().map(str::to_owned).collect(),
        })
    }

    /// What is different now; `of_host` are the descriptors that the host itself opened meanwhile.
    /// Each reads on from "module `a`: ".
    pub(crate) fn left_behind(&self, now: &Self, of_host: &[RawFd]) -> Vec<Refusal> {
        let mut left = Vec::new();
        if now.threads.len() > self.threads.len() {
            left.push(
                Refusal::new("its init left a thread behind")
                    .detail(format!("the threads are: {}", now.threads.join(", ")))
                    .hint("start threads in sessions; a fork has only the thread that forked"),
            );
        }
        self.compare_descriptors(now, of_host, &mut left);
        self.compare_signals(now, &mut left);
        for (name, what) in [
            ("Umask", "changed the umask"),
            ("Uid", "changed the user ids of the process"),
            ("Gid", "changed the group ids of the process"),
        ] {
            let (was, is) = (&self.status[name], &now.status[name]);
            left.extend((was != is).then(|| changed(what, was, is)));
        }
        if self.folder != now.folder {
            let (was, is) = (self.folder.display(), now.folder.display());
            left.push(changed("changed the working directory", was, is));
        }
        for (was, is) in self.limits.iter().zip(&now.limits).filter(|(was, is)| was != is) {
            let spaced = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            left.push(changed("changed a resource limit", spaced(was), spaced(is)));
        }
        left
    }

    fn compare_descriptors(&self, now: &Self, of_host: &[RawFd], left: &mut Vec<Refusal>) {
        let fresh = now.descriptors.iter().filter(|(number, target)| {
            !of_host.contains(number) && self.descriptors.get(number) != Some(target)
        });
        for (number, target) in fresh {
            left.push(
                Refusal::new(format!("its init left descriptor {number} behind"))
                    .detail(format!("it leads to {target}"))
                    .hint("close it, open it in the callback, or let the host open a folder"),
            );
        }
        let lost = self.descriptors.iter().filter(|(n, _)| !now.descriptors.contains_key(n));
        for (number, target) in lost {
            left.push(
                Refusal::new(format!("its init closed descriptor {number}, which is not its own"))
                    .detail(format!("it led to {target}")),
            );
        }
    }

    fn compare_signals(&self, now: &Self, left: &mut Vec<Refusal>) {
        let set = |of: &Self, name| u64::from_str_radix(&of.status[name], 16).unwrap_or_default();
        for (name, what, hint) in [
            (
                "SigCgt",
                "left a signal handler behind",
                "the host reads signals from a descriptor; wait through the host to see the end",
            ),
            ("SigIgn", "changed which signals are ignored", "leave signals to the host"),
            ("SigBlk", "changed the signal mask", "restore it before init returns"),
        ] {
            let names = names(set(self, name) ^ set(now, name));
            if !names.is_empty() {
                let refusal = Refusal::new(format!("its init {what}: {}", names.join(", ")));
                left.push(refusal.hint(hint));
            }
        }
    }
}

fn changed(what: &str, was: impl std::fmt::Display, is: impl std::fmt::Display) -> Refusal {
    Refusal::new(format!("its init {what}"))
        .detail(format!("it was {was}, and is {is}"))
        .hint("every session would inherit that; put it back before init returns")
}

/// The names of the signals of a set, those of glibc aside.
fn names(set: u64) -> Vec<String> {
    let held = (1..=64_u32).filter(|n| set >> (n - 1) & 1 == 1 && !OF_GLIBC.contains(n));
    let name = |n: u32| match Signal::try_from(n.cast_signed()) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {n}"),
    };
    held.map(name).collect()
}

fn descriptors() -> io::Result<BTreeMap<RawFd, String>> {
    let mut folder =
        Dir::open("/proc/self/fd", OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty())?;
    let own = folder.as_raw_fd();
    let mut found = BTreeMap::new();
    for entry in folder.iter() {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        let number = name.parse().ok().filter(|number| *number != own);
        if let Some(number) = number {
            let target = fs::read_link(format!("/proc/self/fd/{number}"))?;
            found.insert(number, target.display().to_string());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two footprints that differ as `change` says: other tests share this process.
    fn differing(change: impl FnOnce(&mut Footprint)) -> (Footprint, Footprint) {
        let before = Footprint::take().unwrap();
        let mut after = before.clone();
        change(&mut after);
        (before, after)
    }

    #[test]
    fn nothing_is_left_behind_by_looking() {
        let (before, after) = differing(|_| {});
        assert_eq!(before.left_behind(&after, &[]), []);
        assert!(before.descriptors.contains_key(&0) || !before.descriptors.is_empty());
    }

    #[test]
    fn a_descriptor_is_named_with_what_it_leads_to() {
        let (before, after) = differing(|after| {
            after.descriptors.insert(700, "/etc/passwd".to_owned());
        });
        let left = before.left_behind(&after, &[]);
        assert_eq!(left[0].message, "its init left descriptor 700 behind");
        assert_eq!(left[0].detail.as_deref(), Some("it leads to /etc/passwd"));
        assert_eq!(before.left_behind(&after, &[700]), []);
        let lost = after.left_behind(&before, &[]);
        assert_eq!(lost[0].message, "its init closed descriptor 700, which is not its own");
    }

    #[test]
    fn handlers_are_named_and_those_of_glibc_do_not_count() {
        let (before, after) = differing(|after| {
            after.status.insert("SigCgt", "0000000180000200".to_owned());
        });
        let mut before = before;
        before.status.insert("SigCgt", "0000000000000000".to_owned());
        let left = before.left_behind(&after, &[]);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].message, "its init left a signal handler behind: SIGUSR1");
    }
}
