//! The pages of the ledger. How a chain moves over them is in `chain`.

use std::sync::atomic::{
    AtomicU8, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::Text;

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
pub const VERSION: u32 = 1;

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

/// What a slot is used for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum SlotStatus {
    /// Nobody's.
    Free = 0,
    /// A spare waits with it; nothing is owed.
    Reserved = 1,
    /// A session was admitted: its chain is owed.
    Open = 2,
    /// Its process has died, or handed over: runners work on the `takeover` page.
    Taken = 3,
}

impl SlotStatus {
    fn from_number(n: u32) -> Self {
        match n {
            1 => Self::Reserved,
            2 => Self::Open,
            3 => Self::Taken,
            _ => Self::Free,
        }
    }
}

/// Who a session is: written by the zygote alone, mapped read-only by the session.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Identity {
    status: AtomicU32,
    /// The number of the worker that owns the chain: 0 the session, then its runners.
    owner: AtomicU32,
    /// The session's number.
    pub session: AtomicU64,
    /// The process that serves it.
    pub pid: AtomicU32,
    /// The runner that works on the chain now, or 0.
    pub runner: AtomicU32,
    /// The cause that somebody else ordered, as a number of the host's; 0 is none.
    order: AtomicU32,
    /// The detail of the order.
    pub order_detail: Text<64>,
    /// When the order was written, on the monotonic clock, in nanoseconds.
    pub ordered_at: AtomicU64,
    /// The raw wait status of the process, plus [`Identity::DEAD`] once it is known.
    wait_status: AtomicU64,
    /// The same of the runner that works on the chain now.
    runner_status: AtomicU64,
    /// Whether the limits count this session.
    pub counted: AtomicU32,
    /// When it was admitted: milliseconds since 1970 UTC.
    pub started: AtomicU64,
    /// When it was admitted: nanoseconds of the monotonic clock.
    pub started_at: AtomicU64,
    /// The index of the listen.
    pub listen: AtomicU32,
    /// The number of listeners in its chain.
    pub listeners: AtomicU32,
    /// The client's address and port.
    pub peer: Text<64>,
    /// The local address and port.
    pub local: Text<64>,
}

impl Identity {
    const DEAD: u64 = 1 << 32;

    /// A page on which nothing is written: what a new file holds.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            status: AtomicU32::new(0),
            owner: AtomicU32::new(0),
            session: AtomicU64::new(0),
            pid: AtomicU32::new(0),
            runner: AtomicU32::new(0),
            order: AtomicU32::new(0),
            order_detail: Text::new(),
            ordered_at: AtomicU64::new(0),
            wait_status: AtomicU64::new(0),
            runner_status: AtomicU64::new(0),
            counted: AtomicU32::new(0),
            started: AtomicU64::new(0),
            started_at: AtomicU64::new(0),
            listen: AtomicU32::new(0),
            listeners: AtomicU32::new(0),
            peer: Text::new(),
            local: Text::new(),
        }
    }

    /// What the slot is used for.
    #[must_use]
    pub fn status(&self) -> SlotStatus {
        SlotStatus::from_number(self.status.load(Acquire))
    }

    /// Says what the slot is used for from here on; everything written before is visible with it.
    pub fn set_status(&self, status: SlotStatus) {
        self.status.store(status as u32, Release);
    }

    /// The worker that owns the chain.
    #[must_use]
    pub fn owner(&self) -> u32 {
        self.owner.load(Acquire)
    }

    /// Takes the chain over from worker `from`; false if somebody else has.
    #[must_use]
    pub fn take_over(&self, from: u32) -> bool {
        self.owner
            .compare_exchange(from, from + 1, std::sync::atomic::Ordering::AcqRel, Acquire)
            .is_ok()
    }

    /// The cause that was ordered, if one was.
    #[must_use]
    pub fn order(&self) -> Option<u32> {
        Some(self.order.load(Acquire)).filter(|n| *n != 0)
    }

    /// Orders the session to end; the first order wins.
    pub fn set_order(&self, cause: u32, detail: &str, now: u64) {
        if self.order.load(Acquire) == 0 {
            self.order_detail.set(detail);
            self.ordered_at.store(now, Relaxed);
            self.order.store(cause, Release);
        }
    }

    /// How the process ended, once it has.
    #[must_use]
    pub fn wait_status(&self) -> Option<i32> {
        Self::status_in(&self.wait_status)
    }

    /// Records how the process ended.
    pub fn set_wait_status(&self, raw: i32) {
        self.wait_status.store(u64::from(raw as u32) | Self::DEAD, Release);
    }

    /// How the runner ended, once it has.
    #[must_use]
    pub fn runner_status(&self) -> Option<i32> {
        Self::status_in(&self.runner_status)
    }

    /// Records how the runner ended.
    pub fn set_runner_status(&self, raw: i32) {
        self.runner_status.store(u64::from(raw as u32) | Self::DEAD, Release);
    }

    /// A new runner works on the chain.
    pub fn set_runner(&self, pid: u32) {
        self.runner_status.store(0, Relaxed);
        self.runner.store(pid, Release);
    }

    fn status_in(word: &AtomicU64) -> Option<i32> {
        let word = word.load(Acquire);
        (word & Self::DEAD != 0).then_some(word as u32 as i32)
    }

    /// Makes the page ready for the next session of the slot.
    pub fn reset(&self) {
        self.set_status(SlotStatus::Free);
        for word in [&self.owner, &self.order, &self.counted, &self.listen, &self.listeners] {
            word.store(0, Relaxed);
        }
        for word in [
            &self.wait_status,
            &self.runner_status,
            &self.ordered_at,
            &self.started,
            &self.started_at,
        ] {
            word.store(0, Relaxed);
        }
        self.session.store(0, Relaxed);
        self.pid.store(0, Relaxed);
        self.runner.store(0, Relaxed);
        self.order_detail.clear();
        self.peer.clear();
        self.local.clear();
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

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
}

/// How far one listener has come, and how it went.
#[repr(C)]
#[derive(Debug)]
pub struct ListenerCell {
    pub(crate) phase: AtomicU8,
    /// The worker that entered it: 0 the session, else a runner.
    pub(crate) by: AtomicU8,
    pub(crate) attempt: AtomicU32,
    /// When it was entered, on the monotonic clock.
    pub(crate) entered_at: AtomicU64,
    /// How long it took, in microseconds.
    pub(crate) took: AtomicU64,
    /// Why it failed.
    pub error: Text<96>,
}

impl ListenerCell {
    const fn new() -> Self {
        Self {
            phase: AtomicU8::new(0),
            by: AtomicU8::new(0),
            attempt: AtomicU32::new(0),
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
    /// Twice the number of writes, plus which buffer counts.
    turn: AtomicU32,
    len: [AtomicU32; 2],
    bytes: [[AtomicU8; STATE_MAX]; 2],
}

impl ModuleCell {
    const fn new() -> Self {
        let bytes = [const { [const { AtomicU8::new(0) }; STATE_MAX] }; 2];
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
    pub const fn new() -> Self {
        Self {
            cause: AtomicU32::new(0),
            sealed: AtomicU32::new(0),
            detail: Text::new(),
            ended: AtomicU64::new(0),
            chain_at: AtomicU64::new(0),
            armed_until: AtomicU64::new(0),
            worker: AtomicU32::new(0),
            inside: AtomicU32::new(0),
            steps: [const { AtomicU8::new(0) }; 4],
            logged_in: AtomicU32::new(0),
            failed_logins: AtomicU32::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            user: Text::new(),
            command: Text::new(),
            path: Text::new(),
            listeners: [const { ListenerCell::new() }; LISTENERS],
            modules: [const { ModuleCell::new() }; MODULES],
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
            cell.attempt.store(0, Relaxed);
            cell.entered_at.store(0, Relaxed);
            cell.took.store(0, Relaxed);
            cell.error.clear();
        }
        self.modules.iter().take(modules).for_each(ModuleCell::clear);
    }

    /// Copies `from`, read once, into this page: the take-over of a chain.
    pub fn take(&self, from: &Self, listeners: usize, modules: usize) {
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
        for (to, from) in self.listeners.iter().zip(&from.listeners).take(listeners) {
            to.phase.store(from.phase.load(Acquire), Relaxed);
            to.by.store(from.by.load(Relaxed), Relaxed);
            to.attempt.store(from.attempt.load(Relaxed), Relaxed);
            to.entered_at.store(from.entered_at.load(Relaxed), Relaxed);
            to.took.store(from.took.load(Relaxed), Relaxed);
            to.error.copy(&from.error);
        }
        for (to, from) in self.modules.iter().zip(&from.modules).take(modules) {
            to.copy(from);
        }
    }
}
