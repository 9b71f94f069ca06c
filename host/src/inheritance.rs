//! The written list: what a zygote gets from the supervisor, and nothing else. Both sides read it
//! here.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::sys;

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
    numbers: [RawFd; COUNT],
}

impl Inheritance {
    /// The inheritance for a generation, of these descriptors.
    pub(crate) fn new(
        generation: u64,
        incarnation: &str,
        runtime_dir: Option<&Path>,
        descriptors: [BorrowedFd<'_>; COUNT],
    ) -> Self {
        let numbers = descriptors.map(|fd| fd.as_raw_fd());
        let (check, runtime_dir) = (runtime_dir.is_none(), runtime_dir.unwrap_or(Path::new("")));
        let (incarnation, runtime_dir) = (incarnation.to_owned(), runtime_dir.to_owned());
        Self { generation, incarnation, check, runtime_dir, numbers }
    }

    /// The word on the zygote's command line.
    fn word(&self) -> OsString {
        let numbers: Vec<String> = self.numbers.iter().map(RawFd::to_string).collect();
        let (generation, check) = (self.generation, u8::from(self.check));
        let mut word: OsString =
            format!("{generation}:{}:{check}:{}:", self.incarnation, numbers.join(",")).into();
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
        let runtime_dir = PathBuf::from(OsStr::from_bytes(parts.next()?));
        Some(Self {
            generation,
            incarnation,
            check,
            runtime_dir,
            numbers: numbers.try_into().ok()?,
        })
    }

    /// Takes one of the descriptors.
    pub(crate) fn take(&self, which: Heirloom) -> io::Result<OwnedFd> {
        let number = self.numbers[which as usize];
        sys::keep_from_programs(number, true)?;
        sys::adopt(number)
    }

    /// Starts a process with exactly these descriptors and the standard streams. The supervisor has
    /// one thread: nothing else can be started while the descriptors are open to children.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let child = self.open_to_children(true).and_then(|()| command.arg(self.word()).spawn());
        self.open_to_children(false)?;
        child
    }

    fn open_to_children(&self, open: bool) -> io::Result<()> {
        self.numbers.iter().try_for_each(|number| sys::keep_from_programs(*number, !open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_says_it_all() {
        let given = Inheritance {
            generation: 3,
            incarnation: "tk3f9a".to_owned(),
            check: true,
            runtime_dir: "/run/a:b".into(),
            numbers: [3, 4, 5, 6, 7],
        };
        let read = Inheritance::from_word(&given.word()).expect("readable");
        assert_eq!((read.generation, &*read.incarnation, read.check), (3, "tk3f9a", true));
        assert_eq!(read.numbers, given.numbers);
        assert_eq!(read.runtime_dir, given.runtime_dir);
        assert!(Inheritance::from_word(OsStr::new("3:x:0:1,2:")).is_none());
    }
}
