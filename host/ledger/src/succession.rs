//! Who goes on after a death: what a zygote does with a slot whose session or runner is gone, or asks
//! for a runner, decided on the pages alone. Every step may be the last one of the zygote: the next
//! one finds on the pages what was begun, and each function may be called again for the same slot.
//!
//! Forking, reaping and the journal are the host's; how a single turn moves is in `chain`.

use crate::sync::Ordering::{Acquire, Relaxed, Release, SeqCst};

use crate::{Chain, Death, Entry, Place, Slot, SlotStatus, State};

/// So many runners more than turns, and the host gives the chain up.
const SPARE_RUNNERS: usize = 2;

/// What is to be done for a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A runner is to be forked for the turns in that place.
    Runner {
        /// Its number on the chain.
        worker: u32,
        /// Whose turns it takes.
        place: Place,
    },
    /// The session may go on: the turns that it asked a runner for are over.
    GoOn,
    /// A runner works on it: its death is what comes next.
    Wait,
    /// The session is dead, too, and nobody works on its chain: [`Succession::session_died`] is next.
    Bury,
    /// The chain has come to its end: journal, then the slot is free.
    Close,
}

/// Why a session's process is gone, as far as it did not say itself.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The cause, for a session that had none committed.
    pub cause: u32,
    /// Its detail.
    pub detail: String,
    /// What the death means for the listener that was entered.
    pub death: Death,
    /// The same in words.
    pub why: String,
    /// Now, in milliseconds since 1970 UTC.
    pub ended: u64,
    /// Now, on the monotonic clock.
    pub now: u64,
}

/// A slot, as whoever sees to its chain handles it.
#[derive(Clone, Copy, Debug)]
pub struct Succession<'a> {
    slot: &'a Slot,
    entries: &'a [Entry],
    modules: usize,
}

impl<'a> Succession<'a> {
    /// The slot with its roster, and the number of modules that keep session state.
    #[must_use]
    pub fn new(slot: &'a Slot, entries: &'a [Entry], modules: usize) -> Self {
        Self { slot, entries, modules }
    }

    /// The page on which the chain stands: the session's own until it was taken over, unless runners
    /// have turns in any case.
    #[must_use]
    pub fn page(&self) -> &'a State {
        let is_the_sessions = self.slot.identity.owner() == 0 && !self.has_placed();
        if is_the_sessions { &self.slot.state } else { &self.slot.takeover }
    }

    fn has_placed(&self) -> bool {
        self.entries.iter().any(|entry| entry.place != Place::Session)
    }

    /// The chain on the page of the runners.
    #[must_use]
    pub fn chain(&self, worker: u32) -> Chain<'a> {
        Chain::new(&self.slot.takeover, self.entries, worker)
    }

    /// A slot that is free is made ready for a spare. All of its pages are cleaned here and not when it
    /// becomes free: that is one store, so that nobody can die half way.
    pub fn reserve(&self) {
        if self.slot.identity.owner() != 0 || self.has_placed() {
            self.slot.takeover.reset(self.entries.len(), self.modules);
        }
        self.slot.state.reset(self.entries.len(), self.modules);
        self.slot.identity.reset();
        self.slot.identity.set_status(SlotStatus::Reserved);
    }

    /// Says that nothing but the journal is left. False if that was said before: then a zygote has died
    /// in between, and the line may be there.
    #[must_use]
    pub fn close(&self) -> bool {
        let first = self.slot.identity.status() != SlotStatus::Closing;
        self.slot.identity.set_status(SlotStatus::Closing);
        first
    }

    /// The slot is free: it owes nothing, or that is in the journal.
    pub fn release(&self) {
        self.slot.identity.set_status(SlotStatus::Free);
    }

    /// A zygote died: the one that comes after it takes the runner for its own that has reported, which
    /// is returned. One that has not will find its zygote gone, and do nothing.
    #[must_use]
    pub fn adopt(&self) -> Option<u32> {
        let pid = self.slot.takeover.worker.load(SeqCst);
        self.slot.identity.set_runner(pid);
        Some(pid).filter(|pid| *pid != 0)
    }

    /// The session's process is gone. If nobody works on its chain, that is taken over, unless it is at
    /// its end. The verdict is asked for when the page was taken.
    pub fn session_died(&self, verdict: impl FnOnce(&State) -> Verdict) -> Due {
        let identity = &self.slot.identity;
        if identity.runner.load(Acquire) != 0 {
            return Due::Wait;
        }
        // What follows was begun by a zygote before, or is over.
        if identity.status() != SlotStatus::Open {
            return Due::Wait;
        }
        if self.has_placed() {
            self.slot.takeover.take(&self.slot.state, self.entries, self.modules);
        }
        if identity.owner() == 0 && Chain::new(self.page(), self.entries, 0).is_sealed() {
            return Due::Close;
        }
        // Worker 1 with an open slot: a zygote that died between these lines.
        if identity.owner() == 0 && !identity.take_over(0) {
            return Due::Wait;
        }
        self.slot.takeover.take(&self.slot.state, self.entries, self.modules);
        let verdict = verdict(&self.slot.takeover);
        let chain = self.chain(identity.owner());
        if chain.commit(verdict.cause) {
            self.slot.takeover.detail.set(&verdict.detail);
            self.slot.takeover.ended.store(verdict.ended, Relaxed);
        }
        chain.settle(verdict.death, &verdict.why, verdict.now);
        identity.set_status(SlotStatus::Taken);
        self.due()
    }

    /// The runner is gone that worked on the chain; `death` says what that means for the listener that
    /// it was in. For a session that lives the turns in the runner's place go on until they are over.
    pub fn runner_died(&self, death: impl FnOnce(&State) -> (Death, String), now: u64) -> Due {
        let identity = &self.slot.identity;
        let chain = self.chain(identity.owner());
        if !chain.is_sealed() {
            let (death, why) = death(&self.slot.takeover);
            chain.settle(death, &why, now);
        }
        self.slot.takeover.worker.store(0, Relaxed);
        identity.set_runner(0);
        if identity.status() == SlotStatus::Open {
            identity.lent.fetch_add(1, Relaxed);
            return self.retry();
        }
        if !chain.is_sealed() && !identity.take_over(identity.owner()) {
            return Due::Wait;
        }
        self.due()
    }

    /// A session, which lives, has come to turn `index`, which is to be taken in a runner. Nothing if
    /// that is not so: what it says is not believed.
    #[must_use]
    pub fn lend(&self, index: usize) -> Option<Due> {
        let identity = &self.slot.identity;
        let is_open = identity.status() == SlotStatus::Open && identity.owner() == 0;
        if !is_open || identity.runner.load(Acquire) != 0 || identity.wait_status().is_some() {
            return None;
        }
        let is_placed = self.entries.get(index).is_some_and(|e| e.place != Place::Session);
        if !is_placed || Chain::new(&self.slot.state, &[], 0).cause().is_none() {
            return None;
        }
        self.slot.takeover.take(&self.slot.state, self.entries, self.modules);
        match self.chain(0).next_place() {
            Some((next, _)) if next < index => None,
            // A session that asks twice is told again.
            _ => Some(self.due_to_the_living()),
        }
    }

    /// The answer is on the page before anybody is told, and stays there.
    fn go_on(&self) -> Due {
        let next = self.chain(0).next_place().map_or(self.entries.len(), |(index, _)| index);
        self.slot.identity.over.store(next as u32, Release);
        Due::GoOn
    }

    /// What is to be done for a slot for which no runner could be forked, if nobody works on it by now.
    #[must_use]
    pub fn retry(&self) -> Due {
        let identity = &self.slot.identity;
        match identity.status() {
            _ if identity.runner.load(Acquire) != 0 => Due::Wait,
            SlotStatus::Open if identity.wait_status().is_some() => Due::Bury,
            SlotStatus::Open => self.due_to_the_living(),
            SlotStatus::Taken => self.due(),
            SlotStatus::Free | SlotStatus::Reserved | SlotStatus::Closing => Due::Wait,
        }
    }

    fn due_to_the_living(&self) -> Due {
        let lent = self.slot.identity.lent.load(Relaxed) as usize;
        match self.chain(0).next_place() {
            Some((_, place)) if place != Place::Session => {
                if lent > self.entries.len() + SPARE_RUNNERS {
                    self.chain(0).abandon(Some(place), GIVEN_UP);
                    return self.go_on();
                }
                Due::Runner { worker: 1, place }
            }
            _ => self.go_on(),
        }
    }

    /// Goes on with a chain that was taken over and that nobody works on.
    #[must_use]
    pub fn resume(&self) -> Due {
        let identity = &self.slot.identity;
        if identity.take_over(identity.owner()) { self.due() } else { Due::Wait }
    }

    /// What is to be done for a chain that was taken over.
    #[must_use]
    pub fn due(&self) -> Due {
        let worker = self.slot.identity.owner();
        let chain = self.chain(worker);
        if worker as usize > self.entries.len() + SPARE_RUNNERS {
            chain.abandon(None, GIVEN_UP);
        }
        match chain.next_place() {
            Some((_, place)) => Due::Runner { worker, place },
            None => {
                let _sealed = chain.seal();
                Due::Close
            }
        }
    }
}

/// The error of the turns that no runner got to.
const GIVEN_UP: &str = "the host gave up: its runners did not get on";
