//! The state page of a slot: what a session, or a runner, writes about itself. How a chain moves over
//! it is in `chain`.

use std::array::from_fn;

use crate::sync::{
    AtomicU8, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::{Entry, LISTENERS, MODULES, Phase, Place, STATE_MAX, Text};

/// The steps of an end that leave something outside, kept under the same rule as listeners: begun
/// before, done after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Step {
    /// The scoreboard entry was deleted.
    Scoreboard = 0,
    /// The final reply was sent.
    Farewell = 1,
    /// The connections were closed.
    Linger = 2,
    /// The record of its login was closed.
    Wtmp = 3,
}

/// How far one listener has come, and how it went.
#[repr(C)]
#[derive(Debug)]
pub struct ListenerCell {
    pub(crate) phase: AtomicU8,
    /// The worker that entered it: 0 the session, else a runner.
    pub(crate) by: AtomicU8,
    /// When it was entered, on the monotonic clock.
    pub(crate) entered_at: AtomicU64,
    /// How long it took, in microseconds.
    pub(crate) took: AtomicU64,
    /// Why it failed.
    pub error: Text<96>,
}

impl ListenerCell {
    fn new() -> Self {
        Self {
            phase: AtomicU8::new(0),
            by: AtomicU8::new(0),
            entered_at: AtomicU64::new(0),
            took: AtomicU64::new(0),
            error: Text::new(),
        }
    }
}

/// The facts that a module keeps about a session: two buffers, of which one counts.
#[repr(C)]
#[derive(Debug)]
pub struct ModuleCell {
    /// Which buffer counts.
    turn: AtomicU32,
    len: [AtomicU32; 2],
    bytes: [[AtomicU8; STATE_MAX]; 2],
}

impl ModuleCell {
    fn new() -> Self {
        let bytes = from_fn(|_| from_fn(|_| AtomicU8::new(0)));
        Self { turn: AtomicU32::new(0), len: [AtomicU32::new(0), AtomicU32::new(0)], bytes }
    }

    /// Replaces the facts. A death in between leaves the old ones. False if there are too many.
    #[must_use]
    pub fn write(&self, bytes: &[u8]) -> bool {
        if bytes.len() > STATE_MAX {
            return false;
        }
        let next = (self.turn.load(Acquire) & 1) ^ 1;
        let side = next as usize;
        for (cell, byte) in self.bytes[side].iter().zip(bytes) {
            cell.store(*byte, Relaxed);
        }
        self.len[side].store(bytes.len() as u32, Relaxed);
        self.turn.store(next, Release);
        true
    }

    /// Copies the facts into `to`, as far as it reaches, and returns their length.
    pub fn read(&self, to: &mut [u8]) -> usize {
        let side = (self.turn.load(Acquire) & 1) as usize;
        let len = (self.len[side].load(Relaxed) as usize).min(STATE_MAX);
        for (byte, cell) in to.iter_mut().zip(&self.bytes[side][..len]) {
            *byte = cell.load(Relaxed);
        }
        len
    }

    fn clear(&self) {
        self.len[0].store(0, Relaxed);
        self.len[1].store(0, Relaxed);
        self.turn.store(0, Relaxed);
    }

    fn copy(&self, other: &Self) {
        let mut bytes = [0; STATE_MAX];
        let len = other.read(&mut bytes);
        self.clear();
        let _fits = self.write(&bytes[..len]);
    }
}

/// What a session, or a runner, writes about itself. Hostile to everybody else.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct State {
    pub(crate) cause: AtomicU32,
    pub(crate) sealed: AtomicU32,
    /// The detail of the cause.
    pub detail: Text<128>,
    /// When the cause was committed: milliseconds since 1970 UTC.
    pub ended: AtomicU64,
    /// When the chain began, on the monotonic clock; 0 before.
    pub chain_at: AtomicU64,
    /// The moment at which the worker's timer kills it, on the monotonic clock; 0 if not armed.
    pub armed_until: AtomicU64,
    /// The runner that works on this page, written by itself; 0 on a session's page.
    pub worker: AtomicU32,
    /// Which callback of the plan the process is in, plus 1; 0 if in none.
    pub inside: AtomicU32,
    pub(crate) steps: [AtomicU8; 4],
    /// Whether a user has logged in.
    pub logged_in: AtomicU32,
    /// How often a login has failed.
    pub failed_logins: AtomicU32,
    /// Bytes received from the client.
    pub bytes_in: AtomicU64,
    /// Bytes sent to the client.
    pub bytes_out: AtomicU64,
    /// Who has logged in.
    pub user: Text<64>,
    /// What the client asked for last.
    pub command: Text<128>,
    /// On which path.
    pub path: Text<256>,
    /// A cell for each listener of the chain.
    pub listeners: [ListenerCell; LISTENERS],
    /// A cell for each module that keeps session state.
    pub modules: [ModuleCell; MODULES],
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// How a worker that died in a listener is to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Its own deadline ended it.
    Deadline,
    /// It crashed or ended the process.
    Fault,
    /// Somebody else killed it.
    Killed,
}

impl State {
    /// A page on which nothing is written: what a new file holds.
    #[must_use]
    pub fn new() -> Self {
        Self {
            cause: AtomicU32::new(0),
            sealed: AtomicU32::new(0),
            detail: Text::new(),
            ended: AtomicU64::new(0),
            chain_at: AtomicU64::new(0),
            armed_until: AtomicU64::new(0),
            worker: AtomicU32::new(0),
            inside: AtomicU32::new(0),
            steps: from_fn(|_| AtomicU8::new(0)),
            logged_in: AtomicU32::new(0),
            failed_logins: AtomicU32::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            user: Text::new(),
            command: Text::new(),
            path: Text::new(),
            listeners: from_fn(|_| ListenerCell::new()),
            modules: from_fn(|_| ModuleCell::new()),
        }
    }

    /// Makes the page ready for the next session; only what the first `listeners` and `modules` cells
    /// hold is cleared.
    pub fn reset(&self, listeners: usize, modules: usize) {
        for word in [
            &self.cause,
            &self.sealed,
            &self.worker,
            &self.inside,
            &self.logged_in,
            &self.failed_logins,
        ] {
            word.store(0, Relaxed);
        }
        for word in
            [&self.ended, &self.chain_at, &self.armed_until, &self.bytes_in, &self.bytes_out]
        {
            word.store(0, Relaxed);
        }
        self.steps.iter().for_each(|step| step.store(0, Relaxed));
        self.detail.clear();
        self.user.clear();
        self.command.clear();
        self.path.clear();
        for cell in self.listeners.iter().take(listeners) {
            cell.phase.store(0, Relaxed);
            cell.by.store(0, Relaxed);
            cell.entered_at.store(0, Relaxed);
            cell.took.store(0, Relaxed);
            cell.error.clear();
        }
        self.modules.iter().take(modules).for_each(ModuleCell::clear);
    }

    /// Copies `from`, a session's page, read once, into this page: the take-over of a chain. Of the
    /// turns only those in the session's place are: what runners had is on this page already.
    pub fn take(&self, from: &Self, entries: &[Entry], modules: usize) {
        for (to, from) in [
            (&self.cause, &from.cause),
            (&self.sealed, &from.sealed),
            (&self.inside, &from.inside),
            (&self.logged_in, &from.logged_in),
            (&self.failed_logins, &from.failed_logins),
        ] {
            to.store(from.load(Acquire), Relaxed);
        }
        for (to, from) in [
            (&self.ended, &from.ended),
            (&self.chain_at, &from.chain_at),
            (&self.armed_until, &from.armed_until),
            (&self.bytes_in, &from.bytes_in),
            (&self.bytes_out, &from.bytes_out),
        ] {
            to.store(from.load(Relaxed), Relaxed);
        }
        for (to, from) in self.steps.iter().zip(&from.steps) {
            to.store(from.load(Relaxed), Relaxed);
        }
        self.detail.copy(&from.detail);
        self.user.copy(&from.user);
        self.command.copy(&from.command);
        self.path.copy(&from.path);
        let cells = self.listeners.iter().zip(&from.listeners).zip(entries);
        for ((to, from), entry) in cells.filter(|(_, entry)| entry.place == Place::Session) {
            let phase = match Phase::from_byte(from.phase.load(Acquire)) {
                // Only an attempt can be one that was not needed.
                Phase::Spared if !entry.again => Phase::Failed,
                phase => phase,
            };
            to.phase.store(phase as u8, Relaxed);
            // Whatever the session says, these turns were its own.
            to.by.store(0, Relaxed);
            to.entered_at.store(from.entered_at.load(Relaxed), Relaxed);
            to.took.store(from.took.load(Relaxed), Relaxed);
            to.error.copy(&from.error);
        }
        for (to, from) in self.modules.iter().zip(&from.modules).take(modules) {
            to.copy(from);
        }
    }
}
