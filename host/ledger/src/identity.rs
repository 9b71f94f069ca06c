//! The identity page of a slot: who a session is, and what others decided about it. The zygote alone
//! writes it; the session maps it to read.

use crate::sync::{
    AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::{Person, Text};

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
    /// Its process has died: runners work on the `takeover` page.
    Taken = 3,
    /// Its chain has come to its end: it is written into the journal, then the slot is free.
    Closing = 4,
}

impl SlotStatus {
    /// The status with that number; any other is free.
    #[must_use]
    pub fn from_number(n: u32) -> Self {
        match n {
            1 => Self::Reserved,
            2 => Self::Open,
            3 => Self::Taken,
            4 => Self::Closing,
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
    /// The process that died, and its raw wait status; 0 while it lives.
    wait_status: AtomicU64,
    /// The same of the last runner that died.
    runner_status: AtomicU64,
    /// Whether the limits count this session.
    pub counted: AtomicU32,
    /// Whether the limits count its login; changed under the lock of the log of logins alone.
    pub login: AtomicU32,
    /// Whose login it is.
    pub login_user: Text<64>,
    /// The answer to the session's last request: the request's number, and what the host says.
    pub answer: AtomicU32,
    /// The detail of the answer.
    pub answer_detail: Text<64>,
    /// Whom it became, if it was let in as a user of the system.
    pub person: Person,
    /// When it was admitted: milliseconds since 1970 UTC.
    pub started: AtomicU64,
    /// When it was admitted: nanoseconds of the monotonic clock.
    pub started_at: AtomicU64,
    /// The index of the listen.
    pub listen: AtomicU32,
    /// The number of turns in its chain.
    pub listeners: AtomicU32,
    /// How many runners have had turns for it while it lived.
    pub lent: AtomicU32,
    /// The record of its login in wtmp: 0 none, 1 written, 2 closed.
    wtmp: AtomicU32,
    /// How many turns, from the first, are over as far as runners have seen to them while it lived.
    pub(crate) over: AtomicU32,
    /// The client's address and port.
    pub peer: Text<64>,
    /// The local address and port.
    pub local: Text<64>,
}

impl Identity {
    /// Where the status stands, as a word, for those who read the file from outside.
    pub const STATUS_AT: usize = std::mem::offset_of!(Self, status);

    /// A page on which nothing is written: what a new file holds.
    #[must_use]
    pub fn new() -> Self {
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
            login: AtomicU32::new(0),
            login_user: Text::new(),
            answer: AtomicU32::new(0),
            answer_detail: Text::new(),
            person: Person::new(),
            started: AtomicU64::new(0),
            started_at: AtomicU64::new(0),
            listen: AtomicU32::new(0),
            listeners: AtomicU32::new(0),
            lent: AtomicU32::new(0),
            wtmp: AtomicU32::new(0),
            over: AtomicU32::new(0),
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
        self.owner.compare_exchange(from, from + 1, AcqRel, Acquire).is_ok()
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
        Self::status_of(self.pid.load(Acquire), &self.wait_status)
    }

    /// Records how the process ended.
    pub fn set_wait_status(&self, raw: i32) {
        Self::set_status_of(self.pid.load(Acquire), &self.wait_status, raw);
    }

    /// How the runner ended that works on the chain, once it has.
    #[must_use]
    pub fn runner_status(&self) -> Option<i32> {
        Self::status_of(self.runner.load(Acquire), &self.runner_status)
    }

    /// Records how a runner ended. One that nobody had put on the chain says nothing about the one that
    /// works on it.
    pub fn set_runner_status(&self, pid: u32, raw: i32) {
        Self::set_status_of(pid, &self.runner_status, raw);
    }

    /// A new runner works on the chain; 0 is none.
    pub fn set_runner(&self, pid: u32) {
        self.runner.store(pid, Release);
    }

    /// Says that a login is about to be recorded. A death before it is leaves none, and a record too
    /// few is better than one too many.
    pub fn begin_wtmp(&self) {
        self.wtmp.store(1, Release);
    }

    /// Whether a login was recorded that is not closed.
    #[must_use]
    pub fn has_wtmp(&self) -> bool {
        self.wtmp.load(Acquire) == 1
    }

    /// Says that the record is about to be closed; false if there is none, or somebody has.
    #[must_use]
    pub fn end_wtmp(&self) -> bool {
        self.wtmp.compare_exchange(1, 2, AcqRel, Acquire).is_ok()
    }

    fn set_status_of(pid: u32, word: &AtomicU64, raw: i32) {
        word.store(u64::from(pid) << 32 | u64::from(raw as u32), Release);
    }

    fn status_of(pid: u32, word: &AtomicU64) -> Option<i32> {
        let word = word.load(Acquire);
        (pid != 0 && word >> 32 == u64::from(pid)).then_some(word as u32 as i32)
    }

    /// How many turns, from the first, are over as far as runners have seen to them: a session that
    /// waits for one of them goes on.
    #[must_use]
    pub fn over(&self) -> usize {
        self.over.load(Acquire) as usize
    }

    /// Makes the page ready for the next session of a free slot, or makes a slot free that owes nothing.
    pub fn reset(&self) {
        self.set_status(SlotStatus::Free);
        for word in [
            &self.owner,
            &self.pid,
            &self.runner,
            &self.order,
            &self.counted,
            &self.login,
            &self.answer,
            &self.listen,
            &self.listeners,
            &self.lent,
            &self.over,
            &self.wtmp,
        ] {
            word.store(0, Relaxed);
        }
        for word in [
            &self.session,
            &self.wait_status,
            &self.runner_status,
            &self.ordered_at,
            &self.started,
            &self.started_at,
        ] {
            word.store(0, Relaxed);
        }
        self.order_detail.clear();
        self.login_user.clear();
        self.answer_detail.clear();
        self.person.clear();
        self.peer.clear();
        self.local.clear();
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}
