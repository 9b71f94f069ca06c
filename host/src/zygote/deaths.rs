//! What follows from the death of a child: the wait status is recorded, the session is counted out,
//! and a chain that is not sealed gets a runner, until it is. Then the slot is free.

use std::time::Duration;

use exeunt_ledger::{Chain, Due, Place, SlotStatus, State, Succession, Verdict};
use nix::unistd::{Pid, getpid};
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
use crate::api::Subject;
use crate::cause::Cause;
use crate::counters::{self, Own};
use crate::events::EXIT;
use crate::journal::Line;
use crate::pages::DAEMON;
use crate::reap::{self, Fate};
use crate::runner::{self, Job};
use crate::sys::{self, Fork};
use crate::{clock, config, log};

/// How long to wait before a runner that could not be forked is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(100);

impl Zygote {
    /// Looks at every child that has died: look, record, reap.
    pub(super) fn reap_all(&mut self) {
        while let Some((pid, fate)) = reap::peek() {
            let fate = self.memory.behind(fate);
            let child = self.children.remove(&pid.as_raw());
            match child {
                Some(Child::Session { slot }) => {
                    self.slots[slot].identity.set_wait_status(fate.raw());
                }
                Some(Child::Runner { slot }) => {
                    let number = pid.as_raw().cast_unsigned();
                    self.slots[slot].identity.set_runner_status(number, fate.raw());
                }
                _ => {}
            }
            reap::end_group(pid);
            reap::reap(pid);
            match child {
                Some(Child::Session { slot }) => self.session_died(slot, pid, fate),
                Some(Child::Runner { slot }) => self.runner_died(slot, fate),
                Some(Child::Action) => self.action_ended(pid, fate),
                Some(Child::Helper) => self.helper_ended(pid, fate),
                None => log::debug(format!("reaped a process that is not ours: {pid}")),
            }
        }
    }

    pub(super) fn session_died(&mut self, slot: usize, pid: Pid, fate: Fate) {
        match self.slots[slot].identity.status() {
            SlotStatus::Reserved => {
                self.spare_is_lost(pid.as_raw());
                self.free_slot(slot);
            }
            SlotStatus::Open => {
                self.uncount(slot);
                self.board.delete(slot);
                let due = self.succession(slot).session_died(|page| self.verdict(slot, page, fate));
                self.follow(slot, due);
            }
            // Of one that was seen to, when its last runner died, the supervisor tells nevertheless.
            SlotStatus::Free | SlotStatus::Taken | SlotStatus::Closing => {}
        }
    }

    fn verdict(&self, slot: usize, page: &State, fate: Fate) -> Verdict {
        let now = clock::now();
        let (cause, mut detail) = reap::cause(&self.slots[slot].identity, page, fate, now);
        if matches!(cause, Cause::Crashed | Cause::Exited | Cause::Deadline)
            && let Some(place) = self.generation.plan.whereabouts(page.inside.load(Relaxed))
        {
            detail = format!("{detail} {place}");
        }
        let (death, why) = reap::death(page, fate, now);
        let ended = clock::unix_millis();
        Verdict { cause: cause as u32, detail, death, why, ended, now }
    }

    pub(super) fn runner_died(&mut self, slot: usize, fate: Fate) {
        let now = clock::now();
        let due = self.succession(slot).runner_died(|page| reap::death(page, fate, now), now);
        self.follow(slot, due);
    }

    /// A slot with the turns that are to be taken there.
    pub(super) fn succession(&self, slot: usize) -> Succession<'static> {
        let plan = &self.generation.plan;
        Succession::new(&self.slots[slot], plan.roster(self.event_of(slot)), plan.cells)
    }

    /// Does what is due for a slot.
    pub(super) fn follow(&mut self, slot: usize, due: Due) {
        match due {
            Due::Wait => {}
            // Its death is recorded. Whoever is to tell of it may not have yet: that is no second one.
            Due::Bury => self.session_died_elsewhere(slot),
            Due::GoOn => self.say_that_its_turns_are_over(slot),
            Due::Close => self.chain_is_done(slot),
            Due::Runner { worker, .. } if !self.can_run_listeners(slot) => {
                let why = "the host could not run it: the plan is another than the session's";
                self.succession(slot).chain(worker).abandon(None, why);
                let due = self.succession(slot).retry();
                self.follow(slot, due);
            }
            Due::Runner { worker, place } => {
                if let Err(e) = self.fork_runner(slot, worker, place) {
                    log::error(format!("no process for a runner, tried again: {e}"));
                    self.waiting.push(slot);
                }
            }
        }
    }

    /// Tries again where a runner could not be forked.
    pub(super) fn retry_runners(&mut self) {
        for slot in std::mem::take(&mut self.waiting) {
            let due = self.succession(slot).retry();
            self.follow(slot, due);
        }
    }

    fn fork_runner(&mut self, slot: usize, worker: u32, place: Place) -> std::io::Result<()> {
        let zygote = getpid();
        self.slots[slot].takeover.worker.store(0, Relaxed);
        match sys::fork()? {
            Fork::Child => {
                let job = Job {
                    slot,
                    zygote,
                    ledger: &self.ledger,
                    worker,
                    place,
                    event: self.event_of(slot),
                    life: std::os::fd::AsRawFd::as_raw_fd(&self.life),
                };
                runner::run(self.generation, &job)
            }
            Fork::Parent(pid) => {
                self.slots[slot].identity.set_runner(pid.as_raw().cast_unsigned());
                self.children.insert(pid.as_raw(), Child::Runner { slot });
                Ok(())
            }
        }
    }

    fn chain_is_done(&mut self, slot: usize) {
        if slot == DAEMON {
            self.daemon_event_is_done();
        } else {
            self.close(slot);
        }
    }

    /// The session on a slot has ended: journal and log, then the slot is free.
    pub(super) fn close(&mut self, slot: usize) {
        self.record_logout(slot);
        let page = self.succession(slot).page();
        let chain = Chain::new(page, self.generation.plan.roster(EXIT), 0);
        let subject = Subject::new(self.generation, &self.slots[slot].identity, page);
        let line = Line::of(&subject, self.generation, self.is_replay, &chain);
        self.session_log(slot, config::Level::Info, &line.summary());
        // A zygote that died after the line and before the slot was free has written it.
        let is_there = !self.succession(slot).close() && self.journal.holds(&subject.about.id);
        if !is_there && let Err(e) = self.journal.append(&line) {
            counters::count(Own::JournalFailures, None);
            let failures = self.header.journal_failures.fetch_add(1, Relaxed);
            if failures == 0 {
                log::error(format!("the journal cannot be written: {e}; `exeunt status` counts"));
            }
        }
        counters::count(Own::Ended, subject.cause().map(Cause::name).or(Some("unknown")));
        self.header.open.fetch_sub(1, Relaxed);
        self.free_slot(slot);
    }

    pub(super) fn free_slot(&mut self, slot: usize) {
        self.succession(slot).release();
        self.lent.remove(&slot);
        self.free.push(slot);
    }
}
