//! The written list: what a zygote gets from the supervisor, and nothing else. Both sides read it
//! here.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
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
    /// The ledger, to read and write.
    Ledger = 4,
    /// The ledger, to read.
    LedgerToRead = 5,
    /// The scoreboard.
    Scoreboard = 6,
}

const COUNT: usize = 7;

/// What a zygote is started with.
pub(crate) struct Inheritance {
    pub(crate) generation: u64,
    /// Tells this daemon's sessions from those of other daemons.
    pub(crate) incarnation: String,
    /// Whether this is a check: the candidate ends when it is ready.
    pub(crate) check: bool,
    numbers: [RawFd; COUNT],
}

impl Inheritance {
    /// The inheritance for a generation, of these descriptors.
    pub(crate) fn new(
        generation: u64,
        incarnation: &str,
        check: bool,
        descriptors: [BorrowedFd<'_>; COUNT],
    ) -> Self {
        let numbers = descriptors.map(|fd| fd.as_raw_fd());
        Self { generation, incarnation: incarnation.to_owned(), check, numbers }
    }

    /// The word on the zygote's command line.
    fn word(&self) -> String {
        let numbers: Vec<String> = self.numbers.iter().map(RawFd::to_string).collect();
        let (generation, check) = (self.generation, u8::from(self.check));
        format!("{generation}:{}:{check}:{}", self.incarnation, numbers.join(","))
    }

    /// Reads the word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        let mut parts = word.split(':');
        let generation = parts.next()?.parse().ok()?;
        let incarnation = parts.next()?.to_owned();
        let check = parts.next()? == "1";
        let numbers: Vec<RawFd> = parts.next()?.split(',').map_while(|n| n.parse().ok()).collect();
        Some(Self { generation, incarnation, check, numbers: numbers.try_into().ok()? })
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
            numbers: [3, 4, 5, 6, 7, 8, 9],
        };
        let read = Inheritance::from_word(&given.word()).expect("readable");
        assert_eq!((read.generation, &*read.incarnation, read.check), (3, "tk3f9a", true));
        assert_eq!(read.numbers, given.numbers);
        assert!(Inheritance::from_word("3:x:0:1,2").is_none());
    }
}
