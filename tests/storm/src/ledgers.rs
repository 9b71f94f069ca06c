//! The ledgers of a running daemon, read from outside: who works on which slot.

use std::fs::{self, File};
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use exeunt_ledger::{Header, Identity, Slot, SlotStatus, State};

/// The place of a slot in its ledger.
#[must_use]
pub fn offset(slot: usize) -> u64 {
    (size_of::<Header>() + slot * size_of::<Slot>()) as u64
}

/// A slot that was ever used, as it was when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// What it is used for.
    pub status: SlotStatus,
    /// The process that serves it, or waits to; 0 if there is none.
    pub pid: i32,
    /// The runner that works on its chain, or 0.
    pub runner: i32,
}

impl Used {
    /// Whether a session's chain, or its line in the journal, is owed.
    #[must_use]
    pub fn is_owed(&self) -> bool {
        !matches!(self.status, SlotStatus::Free | SlotStatus::Reserved)
    }
}

/// The ledgers in a runtime directory.
#[derive(Clone, Debug)]
pub struct Ledgers(pub PathBuf);

impl Ledgers {
    /// Every slot that a session may have, of every generation.
    #[must_use]
    pub fn used(&self) -> Vec<Used> {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let is_ledger = |name: &str| name.starts_with("ledger.");
        let files = files.filter(|file| file.file_name().to_str().is_some_and(is_ledger));
        let opened = files.filter_map(|file| File::open(file.path()).ok());
        opened.flat_map(|file| of_one(&file)).collect()
    }
}

fn of_one(file: &File) -> Vec<Used> {
    let used = word(file, offset_of!(Header, used) as u64);
    // The first slot is the daemon's.
    let slot = |number: usize| {
        let identity = offset(number) + offset_of!(Slot, identity) as u64;
        let takeover = offset(number) + offset_of!(Slot, takeover) as u64;
        let status = SlotStatus::from_number(word(file, identity + Identity::STATUS_AT as u64));
        if status == SlotStatus::Free {
            // What its last session left is still there.
            return Used { status, pid: 0, runner: 0 };
        }
        Used {
            status,
            pid: word(file, identity + offset_of!(Identity, pid) as u64).cast_signed(),
            runner: word(file, takeover + offset_of!(State, worker) as u64).cast_signed(),
        }
    };
    (1..used as usize).map(slot).collect()
}

/// A number in a ledger; 0 if it has just gone.
fn word(file: &File, at: u64) -> u32 {
    let mut bytes = [0; 4];
    let _gone = file.read_exact_at(&mut bytes, at);
    u32::from_ne_bytes(bytes)
}
