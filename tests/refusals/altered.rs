//! A module's file with one thing changed. The offsets are those of the 64-bit ELF header, program
//! header and note in elf(5), little endian.

use std::fs;

use crate::harness::Setup;

pub(super) const PT_LOAD: u32 = 1;
pub(super) const PT_GNU_STACK: u32 = 0x6474_e551;
pub(super) const PF_X: u32 = 1;
pub(super) const PF_W: u32 = 2;

/// The content of a file that was that of a module.
pub(super) struct Altered(Vec<u8>);

impl Altered {
    /// The file of the module `trace_a`.
    pub(super) fn trace_a() -> Self {
        let test = std::env::current_exe().expect("the test has a path");
        Self(fs::read(test.with_file_name("libtrace_a.so")).expect("the module was built"))
    }

    /// How long it is.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Writes over what is at `offset`.
    pub(super) fn with(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.0[offset..][..bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Keeps the first bytes only.
    pub(super) fn cut(mut self, len: usize) -> Self {
        self.0.truncate(len);
        self
    }

    /// Adds a flag to the first segment of that kind which has the other flags.
    pub(super) fn with_flag(self, kind: u32, has: u32, flag: u32) -> Self {
        let (first, size, count) =
            (self.number(0x20, 8), self.number(0x36, 2), self.number(0x38, 2));
        let mut headers = (0..count).map(|index| first + index * size);
        let flags = |header: usize| self.number(header + 4, 4) as u32;
        let wanted =
            |header: &usize| self.number(*header, 4) as u32 == kind && flags(*header) & has == has;
        let header = headers.find(wanted).expect("a segment of that kind");
        let flags = flags(header) | flag;
        self.with(header + 4, &flags.to_le_bytes())
    }

    /// Replaces a word in the identity note by one of the same length.
    pub(super) fn with_note(self, old: &str, new: &str) -> Self {
        assert_eq!(old.len(), new.len());
        let note = self.find(0, b"exeunt\0\0abi=");
        let at = self.find(note, old.as_bytes());
        assert!(at < note + 200, "the word stands in the note");
        self.with(at, new.as_bytes())
    }

    /// Gives the identity note to another owner.
    pub(super) fn with_owner(self, owner: &[u8]) -> Self {
        let note = self.find(0, b"exeunt\0\0abi=");
        self.with(note, owner)
    }

    /// A daemon to be with this file for the module `name`.
    pub(super) fn setup(&self, name: &str) -> Setup {
        file(name, &self.0)
    }

    fn find(&self, from: usize, wanted: &[u8]) -> usize {
        let mut windows = self.0[from..].windows(wanted.len());
        from + windows.position(|window| window == wanted).expect("it is in the file")
    }

    fn number(&self, at: usize, bytes: usize) -> usize {
        self.0[at..][..bytes].iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }
}

/// A daemon to be with a file of that content for the module `name`.
pub(super) fn file(name: &str, content: &[u8]) -> Setup {
    let setup = Setup::new().file("altered.so", content);
    setup.module_at(name, "altered.so".as_ref(), "").listen("echo")
}
