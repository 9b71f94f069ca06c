//! How a chain of listeners moves: `PENDING -> CLAIMED -> RUNNING -> DONE | FAILED | TIMED_OUT |
//! INTERRUPTED`, each byte only growing, or straight to `SPARED`. Which function a listener is, and
//! what its deadline is, is not known here; who goes on after a death is in `succession`.
//!
//! The types carry the rule: a [`Turn`] exists only by a claim, an [`Entered`] only by a turn, and
//! both are used up, so that code that compiles enters a listener at most once a worker. Between
//! workers it is the page: one that died while CLAIMED had not entered, so the listener is still owed;
//! one that died while RUNNING had, so it is settled by [`Chain::settle`] and not entered again.

use crate::sync::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::{Death, Entry, LISTENERS, Place, State, Step};

/// How far a listener has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    /// Its turn has not come.
    Pending = 0,
    /// A worker is about to enter it.
    Claimed = 1,
    /// It was entered.
    Running = 2,
    /// It returned without error.
    Done = 3,
    /// It returned an error, crashed or ended the process.
    Failed = 4,
    /// Its deadline ended it.
    TimedOut = 5,
    /// It was killed from outside; its effect is unknown.
    Interrupted = 6,
    /// It has no turn on this page: an attempt that was not needed, or a turn that a runner had.
    Spared = 7,
}

impl Phase {
    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Pending,
            1 => Self::Claimed,
            2 => Self::Running,
            3 => Self::Done,
            5 => Self::TimedOut,
            6 => Self::Interrupted,
            7 => Self::Spared,
            _ => Self::Failed,
        }
    }

    /// Whether nothing more is owed to the listener.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        self >= Self::Done
    }

    /// Its name in the journal; `None` while something is owed, or if it had no turn.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Pending | Self::Claimed | Self::Running | Self::Spared => None,
            Self::Done => Some("done"),
            Self::Failed => Some("failed"),
            Self::TimedOut => Some("timed-out"),
            Self::Interrupted => Some("interrupted"),
        }
    }
}

/// How a listener that returned went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Without error.
    Done,
    /// With this error.
    Failed(&'a str),
}

/// Why a chain cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// It is sealed.
    Sealed,
    /// This listener is still owed its turn.
    Owed(usize),
}

/// A chain of turns on a page, worked on by `worker` (0 the session, then its runners), who takes
/// those turns that are in its place.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    page: &'a State,
    entries: &'a [Entry],
    worker: u8,
    place: Place,
}

impl<'a> Chain<'a> {
    /// The chain on `page` for a worker in the session's place; more turns than there are cells are not
    /// possible.
    #[must_use]
    pub fn new(page: &'a State, entries: &'a [Entry], worker: u32) -> Self {
        let entries = &entries[..entries.len().min(LISTENERS)];
        Self { page, entries, worker: worker.min(255) as u8, place: Place::Session }
    }

    /// The same chain for a worker in that place.
    #[must_use]
    pub fn in_place(self, place: Place) -> Self {
        Self { place, ..self }
    }

    /// Commits the cause of the end; false if one was committed before, which then stands.
    #[must_use]
    pub fn commit(&self, cause: u32) -> bool {
        self.page.cause.compare_exchange(0, cause, AcqRel, Acquire).is_ok()
    }

    /// The committed cause.
    #[must_use]
    pub fn cause(&self) -> Option<u32> {
        Some(self.page.cause.load(Acquire)).filter(|n| *n != 0)
    }

    /// How far listener `index` has come.
    #[must_use]
    pub fn phase(&self, index: usize) -> Phase {
        Phase::from_byte(self.page.listeners[index].phase.load(Acquire))
    }

    /// What a runner does first, before it looks whether its zygote lives: writes its number, so that a
    /// zygote that comes after a dead one either finds it there, or it finds its own gone. False if
    /// another one is there: then the turns are not its own.
    #[must_use]
    pub fn report(&self, pid: u32) -> bool {
        self.page.worker.compare_exchange(0, pid, SeqCst, SeqCst).is_ok()
    }

    /// Claims the first turn that is still owed; none if there is none, or if it belongs elsewhere.
    #[must_use]
    pub fn claim(&self) -> Option<Turn<'a>> {
        let index = self.spare_what_is_not_needed()?;
        let cell = &self.page.listeners[index].phase;
        if self.entries[index].place != self.place {
            return None;
        }
        // CLAIMED is what a worker left that died before it entered: the page has one worker at a time,
        // so it is ours now.
        let claimed = cell
            .compare_exchange(Phase::Pending as u8, Phase::Claimed as u8, AcqRel, Acquire)
            .or_else(|seen| if seen == Phase::Claimed as u8 { Ok(seen) } else { Err(seen) });
        claimed.is_ok().then_some(Turn { chain: *self, index })
    }

    /// Settles the attempts that are not needed, up to the first turn that is owed, which it returns.
    fn spare_what_is_not_needed(&self) -> Option<usize> {
        (0..self.entries.len()).find(|index| {
            let is_needed = !self.entries[*index].again
                || *index == 0
                || !matches!(self.phase(index - 1), Phase::Done | Phase::Spared);
            let cell = &self.page.listeners[*index].phase;
            // A turn that was claimed is taken, needed or not.
            let (pending, spared) = (Phase::Pending as u8, Phase::Spared as u8);
            if !is_needed && cell.compare_exchange(pending, spared, AcqRel, Acquire).is_ok() {
                return false;
            }
            !self.phase(*index).is_terminal()
        })
    }

    /// Where the first turn is to be taken that is owed; none if nothing is.
    #[must_use]
    pub fn next_place(&self) -> Option<(usize, Place)> {
        let index = self.spare_what_is_not_needed()?;
        Some((index, self.entries[index].place))
    }

    /// On the session's own page: runners have seen to their turns among the first `over`.
    pub fn had_elsewhere(&self, over: usize) {
        let cells = self.page.listeners.iter().zip(self.entries).take(over);
        for (cell, _) in cells.filter(|(_, entry)| entry.place != Place::Session) {
            cell.phase.store(Phase::Spared as u8, Release);
        }
    }

    /// Ends what a dead worker left entered: the listener in RUNNING (on a page that lies there may be
    /// more) gets the outcome that its death means. Returns its index.
    pub fn settle(&self, death: Death, error: &str, now: u64) -> Option<usize> {
        let phase = match death {
            Death::Deadline => Phase::TimedOut,
            Death::Fault => Phase::Failed,
            Death::Killed => Phase::Interrupted,
        };
        let running = (0..self.entries.len()).filter(|i| self.phase(*i) == Phase::Running);
        running.fold(None, |first, index| {
            self.finish(index, phase, error, now);
            first.or(Some(index))
        })
    }

    /// Gives up: every turn in `place` (in any, if none) that is still owed is failed by the host,
    /// with `error`.
    pub fn abandon(&self, place: Option<Place>, error: &str) {
        for (index, entry) in self.entries.iter().enumerate() {
            if place.is_none_or(|place| place == entry.place) && !self.phase(index).is_terminal() {
                self.page.listeners[index].error.set(error);
                self.page.listeners[index].phase.store(Phase::Failed as u8, Release);
            }
        }
    }

    fn finish(&self, index: usize, phase: Phase, error: &str, now: u64) {
        let cell = &self.page.listeners[index];
        let entered = cell.entered_at.load(Relaxed);
        cell.took.store(now.saturating_sub(entered) / 1000, Relaxed);
        cell.error.set(error);
        cell.phase.store(phase as u8, Release);
    }

    /// The first turn that is not terminal, if there is one.
    #[must_use]
    pub fn owed(&self) -> Option<usize> {
        (0..self.entries.len()).find(|i| !self.phase(*i).is_terminal())
    }

    /// Seals the chain if nothing is owed.
    pub fn seal(&self) -> Seal {
        match self.owed() {
            Some(index) => Seal::Owed(index),
            None => {
                self.page.sealed.store(1, Release);
                Seal::Sealed
            }
        }
    }

    /// Whether the chain is sealed; the mark alone is not believed.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.page.sealed.load(Acquire) != 0 && self.owed().is_none()
    }

    /// Begins a step that leaves something outside; false if some worker did so before.
    #[must_use]
    pub fn begin(&self, step: Step) -> bool {
        self.page.steps[step as usize].compare_exchange(0, 1, AcqRel, Acquire).is_ok()
    }

    /// How many microseconds listener `index` took.
    #[must_use]
    pub fn took_micros(&self, index: usize) -> u64 {
        self.page.listeners[index].took.load(Relaxed)
    }

    /// The worker that entered listener `index`.
    #[must_use]
    pub fn entered_by(&self, index: usize) -> u8 {
        self.page.listeners[index].by.load(Relaxed)
    }

    /// Why listener `index` failed; empty if it did not.
    #[must_use]
    pub fn error(&self, index: usize) -> String {
        self.page.listeners[index].error.get()
    }
}

/// A listener whose turn it is: claimed, not entered.
#[derive(Debug)]
#[must_use = "a claimed listener has to be entered"]
pub struct Turn<'a> {
    chain: Chain<'a>,
    index: usize,
}

impl<'a> Turn<'a> {
    /// Which listener.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Says that the very next thing is the call. `now` is on the monotonic clock.
    pub fn enter(self, now: u64) -> Entered<'a> {
        let cell = &self.chain.page.listeners[self.index];
        cell.by.store(self.chain.worker, Relaxed);
        cell.entered_at.store(now, Relaxed);
        cell.phase.store(Phase::Running as u8, Release);
        Entered { chain: self.chain, index: self.index }
    }
}

/// A listener that was entered.
#[derive(Debug)]
#[must_use = "a listener that returned has an outcome"]
pub struct Entered<'a> {
    chain: Chain<'a>,
    index: usize,
}

impl Entered<'_> {
    /// Records how it went.
    pub fn leave(self, outcome: Outcome<'_>, now: u64) {
        let (phase, error) = match outcome {
            Outcome::Done => (Phase::Done, ""),
            Outcome::Failed(error) => (Phase::Failed, error),
        };
        self.chain.finish(self.index, phase, error, now);
    }
}
