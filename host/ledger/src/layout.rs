//! The parts of a ledger and their sizes. The pages of a slot are in `identity` and `state`.

use crate::sync::{AtomicU8, AtomicU32, AtomicU64};

use crate::{Identity, State, Text};

/// The unit of protection: each part of a slot begins on a page of its own.
pub const PAGE: usize = 4096;
/// The most listeners that one event may have.
pub const LISTENERS: usize = 64;
/// The most modules that may keep session state.
pub const MODULES: usize = 32;
/// The most bytes of session state that a module may keep.
pub const STATE_MAX: usize = 256;
/// The first word of a ledger.
pub const MAGIC: u64 = u64::from_le_bytes(*b"exeuntL\0");
/// The version of the layout; a reader refuses any other.
pub const VERSION: u32 = 3;

/// The first page of a ledger: written by the generation's zygote, read by the supervisor.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: AtomicU64,
    /// [`VERSION`].
    pub version: AtomicU32,
    /// The number of slots.
    pub capacity: AtomicU32,
    /// The generation.
    pub generation: AtomicU64,
    /// How far the generation has come, as a [`Stage`].
    pub stage: AtomicU32,
    /// What the ids of its sessions begin with.
    pub incarnation: Text<16>,
    /// How many slots, from the first, were ever used: who looks for something need not look further.
    pub used: AtomicU32,
    /// The next session's number within the daemon.
    pub next_session: AtomicU64,
    /// Sessions whose slot is not sealed yet.
    pub open: AtomicU64,
    /// Sessions admitted since the generation began.
    pub admitted: AtomicU64,
    /// Connections turned away because every slot was taken.
    pub refused_capacity: AtomicU64,
    /// Lines that the journal could not take.
    pub journal_failures: AtomicU64,
    /// SHA-256 of the plan: every (module, event, listener).
    pub digest: [AtomicU8; 32],
}

/// How far a generation has come: what a replay owes beside the chains of its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// It has not served yet.
    New = 0,
    /// It serves, or was the last to serve.
    Active = 1,
    /// Another generation serves.
    Retiring = 2,
    /// Its last event has run: nothing is owed.
    Over = 3,
}

impl Stage {
    /// The stage with that number; any other is one that owes its end.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        match number {
            0 => Self::New,
            2 => Self::Retiring,
            3 => Self::Over,
            _ => Self::Active,
        }
    }
}

/// One session's part of the ledger.
#[repr(C)]
#[derive(Debug)]
pub struct Slot {
    /// Written by the zygote.
    pub identity: Identity,
    /// Written by the session.
    pub state: State,
    /// What the zygote read of `state` when it took the chain over; its runners work here.
    pub takeover: State,
}
