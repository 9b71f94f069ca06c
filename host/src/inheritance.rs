//! The written list: what a zygote gets from the supervisor, and nothing else. Both sides read it
//! here.

use std::ffi::{OsStr, OsString};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::sys;

/// Variables of the dynamic loader and the C library that change which code is run.
const LOADER: [&str; 5] = ["GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH", "NLSPATH", "GETCONF_DIR"];
/// How the names of others begin.
const LOADER_FAMILIES: [&str; 2] = ["LD_", "MALLOC_"];

/// The names of the descriptors, in the order in which they are written.
#[derive(Clone, Copy)]
#[repr(usize)]
pub(crate) enum Heirloom {
    /// Messages to and from the supervisor.
    Channel = 0,
    /// The text of `modules.toml`.
    Text = 1,
    /// The report of the candidate.
    Report = 2,
    /// The reading end of the supervisor's life pipe.
    Life = 3,
    /// The plan of the generation whose very modules are to be loaded, from their kept copies; empty
    /// if the modules are to be loaded from their files.
    Kept = 4,
}

const COUNT: usize = 5;

/// What a zygote is started with.
pub(crate) struct Inheritance {
    pub(crate) generation: u64,
    /// Tells this daemon's sessions from those of other daemons.
    pub(crate) incarnation: String,
    /// Whether this is a check: the candidate ends when it is ready.
    pub(crate) check: bool,
    /// The runtime directory of the running daemon; a check has none.
    pub(crate) runtime_dir: PathBuf,
    /// The names of the sockets that the daemon was started with, and where they are bound.
    pub(crate) passed: Vec<(String, SocketAddr)>,
    numbers: [RawFd; COUNT],
}

impl Inheritance {
    /// The inheritance for a generation, of these descriptors.
    pub(crate) fn new(
        generation: u64,
        incarnation: &str,
        runtime_dir: Option<&Path>,
        passed: &[(String, SocketAddr)],
        descriptors: [BorrowedFd<'_>; COUNT],
    ) -> Self {
        let numbers = descriptors.map(|fd| fd.as_raw_fd());
        let (check, runtime_dir) = (runtime_dir.is_none(), runtime_dir.unwrap_or(Path::new("")));
        let (incarnation, runtime_dir) = (incarnation.to_owned(), runtime_dir.to_owned());
        Self { generation, incarnation, check, runtime_dir, passed: passed.to_vec(), numbers }
    }

    /// The word on the zygote's command line. The runtime directory begins with the only `/`.
    fn word(&self) -> OsString {
        let numbers: Vec<String> = self.numbers.iter().map(RawFd::to_string).collect();
        let passed = self.passed.iter().map(|(name, address)| format!("{name}={address}"));
        let (numbers, passed) = (numbers.join(","), passed.collect::<Vec<_>>().join(","));
        let (generation, check) = (self.generation, u8::from(self.check));
        let mut word: OsString =
            format!("{generation}:{}:{check}:{numbers}:{passed}", self.incarnation).into();
        word.push(&self.runtime_dir);
        word
    }

    /// Reads the word.
    pub(crate) fn from_word(word: &OsStr) -> Option<Self> {
        let mut parts = word.as_bytes().splitn(5, |byte| *byte == b':');
        let mut text = || std::str::from_utf8(parts.next()?).ok();
        let generation = text()?.parse().ok()?;
        let incarnation = text()?.to_owned();
        let check = text()? == "1";
        let numbers: Vec<RawFd> = text()?.split(',').map_while(|n| n.parse().ok()).collect();
        let rest = parts.next()?;
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (passed, runtime_dir) = rest.split_at(end);
        let passed = std::str::from_utf8(passed).ok()?.split_terminator(',').map(passed_socket);
        Some(Self {
            generation,
            incarnation,
            check,
            runtime_dir: PathBuf::from(OsStr::from_bytes(runtime_dir)),
            passed: passed.collect::<Option<_>>()?,
            numbers: numbers.try_into().ok()?,
        })
    }

    /// Takes one of the descriptors.
    pub(crate) fn take(&self, which: Heirloom) -> io::Result<OwnedFd> {
        let number = self.numbers[which as usize];
        sys::keep_from_programs(number, true)?;
        sys::adopt(number)
    }

    /// Starts a process with exactly these descriptors and the standard streams, and without the
    /// variables that would decide which code the dynamic loader runs there. The supervisor has
    /// one thread: nothing else can be started while the descriptors are open to children.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_for_the_loader(name)) {
            command.env_remove(name);
        }
        let child = self.open_to_children(true).and_then(|()| command.arg(self.word()).spawn());
        self.open_to_children(false)?;
        child
    }

    fn open_to_children(&self, open: bool) -> io::Result<()> {
        self.numbers.iter().try_for_each(|number| sys::keep_from_programs(*number, !open))
    }
}

fn is_for_the_loader(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    LOADER_FAMILIES.iter().any(|begin| name.starts_with(begin)) || LOADER.contains(&&*name)
}

fn passed_socket(text: &str) -> Option<(String, SocketAddr)> {
    let (name, address) = text.split_once('=')?;
    Some((name.to_owned(), address.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_redirects_the_loader_is_known() {
        for name in ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES", "MALLOC_CHECK_"]
        {
            assert!(is_for_the_loader(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "EXEUNT_CONFIG", "LANG", "OLD_LD_PRELOAD"] {
            assert!(!is_for_the_loader(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn the_word_says_it_all() {
        let given = Inheritance {
            generation: 3,
            incarnation: "tk3f9a".to_owned(),
            check: true,
            runtime_dir: "/run/a:b".into(),
            passed: [("ftp", "0.0.0.0:21"), ("l.6", "[fe80::1%3]:7")]
                .map(|(name, address)| (name.to_owned(), address.parse().expect("an address")))
                .to_vec(),
            numbers: [3, 4, 5, 6, 7],
        };
        let read = Inheritance::from_word(&given.word()).expect("readable");
        assert_eq!((read.generation, &*read.incarnation, read.check), (3, "tk3f9a", true));
        assert_eq!(read.numbers, given.numbers);
        assert_eq!((read.runtime_dir, read.passed), (given.runtime_dir, given.passed));
        assert!(Inheritance::from_word(OsStr::new("3:x:0:1,2:")).is_none());
    }
}
