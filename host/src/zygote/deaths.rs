//! What follows from the death of a child: the wait status is recorded, the session is counted out,
//! and a chain that is not sealed gets a runner, until it is. Then the slot is free.

use std::time::Duration;

use exeunt_ledger::{Chain, SlotStatus, State};
use nix::unistd::{Pid, getpid};
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
use crate::api::Subject;
use crate::cause::Cause;
use crate::counters::{self, Own};
use crate::journal::Line;
use crate::pages::DAEMON;
use crate::reap::{self, Fate};
use crate::runner::{self, Job};
use crate::sys::{self, Fork};
use crate::{clock, config, exit, log};

/// How long to wait before a runner that could not be forked is tried again.
pub(super) const RETRY: Duration = Duration::from_millis(100);
/// So many runners more than listeners, and the host gives the chain up.
const SPARE_RUNNERS: usize = 2;

impl Zygote {
    /// Looks at every child that has died: look, record, reap.
    pub(super) fn reap_all(&mut self) {
        while let Some((pid, fate)) = reap::peek() {
            let fate = self.memory.behind(fate);
            let child = self.children.remove(&pid.as_raw());
            if let Some(Child::Session { slot }) = child {
                self.slots[slot].identity.set_wait_status(fate.raw());
            }
            reap::end_group(pid);
            reap::reap(pid);
            match child {
                Some(Child::Session { slot }) => self.session_died(slot, pid, fate),
                Some(Child::Runner { slot }) => self.runner_died(slot, fate),
                Some(Child::Action) => self.action_ended(pid, fate),
                None => log::debug(format!("reaped a process that is not ours: {pid}")),
            }
        }
    }

    pub(super) fn session_died(&mut self, slot: usize, pid: Pid, fate: Fate) {
        let of = &self.slots[slot];
        if of.identity.status() != SlotStatus::Open {
            self.spare_is_lost(pid.as_raw());
            return self.free_slot(slot);
        }
        self.uncount(slot);
        self.board.delete(slot);
        let listeners = self.generation.exits().len();
        if Chain::new(&of.state, listeners, 0).is_sealed() {
            return self.close(slot, &of.state);
        }
        if !of.identity.take_over(0) {
            return;
        }
        of.takeover.take(&of.state, listeners, self.generation.plan.cells);
        of.identity.set_status(SlotStatus::Taken);
        let now = clock::now();
        let (cause, mut detail) = reap::cause(&of.identity, &of.takeover, fate, now);
        if matches!(cause, Cause::Crashed | Cause::Exited | Cause::Deadline)
            && let Some(place) = self.generation.plan.whereabouts(of.takeover.inside.load(Relaxed))
        {
            detail = format!("{detail} {place}");
        }
        exit::commit(&of.takeover, cause, &detail);
        let (death, why) = reap::death(&of.takeover, fate, now);
        Chain::new(&of.takeover, listeners, 0).settle(death, &why, now);
        self.run_rest(slot);
    }

    pub(super) fn runner_died(&mut self, slot: usize, fate: Fate) {
        let of = &self.slots[slot];
        of.identity.set_runner(0);
        let event = self.event_of(slot);
        let worker = of.identity.owner();
        let chain = Chain::new(&of.takeover, self.generation.plan.listeners(event).len(), worker);
        if chain.is_sealed() {
            return self.chain_is_done(slot);
        }
        let now = clock::now();
        let (death, why) = reap::death(&of.takeover, fate, now);
        chain.settle(death, &why, now);
        if of.identity.take_over(worker) {
            self.run_rest(slot);
        }
    }

    /// Goes on with the chain on a slot's `takeover` page: a runner if listeners are owed.
    pub(super) fn run_rest(&mut self, slot: usize) {
        let of = &self.slots[slot];
        let listeners = self.generation.plan.listeners(self.event_of(slot)).len();
        let worker = of.identity.owner();
        let chain = Chain::new(&of.takeover, listeners, worker);
        if !self.can_run_listeners(slot) {
            chain.abandon("the host could not run it: the plan is another than the session's");
        }
        if worker as usize > listeners + SPARE_RUNNERS {
            self.session_log(slot, config::Level::Error, "the runners do not get on; given up");
            chain.abandon("the host gave up: its runners did not get on");
        }
        if chain.owed().is_none() {
            let _sealed = chain.seal();
            return self.chain_is_done(slot);
        }
        if let Err(e) = self.fork_runner(slot, worker) {
            log::error(format!("no process for a runner, tried again: {e}"));
            self.waiting.push(slot);
        }
    }

    /// Tries again where a runner could not be forked.
    pub(super) fn retry_runners(&mut self) {
        for slot in std::mem::take(&mut self.waiting) {
            self.run_rest(slot);
        }
    }

    fn fork_runner(&mut self, slot: usize, worker: u32) -> std::io::Result<()> {
        let zygote = getpid();
        self.slots[slot].takeover.worker.store(0, Relaxed);
        match sys::fork()? {
            Fork::Child => {
                let job = Job {
                    slot,
                    zygote,
                    ledger: &self.ledger,
                    worker,
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
            self.close(slot, &self.slots[slot].takeover);
        }
    }

    /// The session on a slot has ended: journal and log, then the slot is free.
    fn close(&mut self, slot: usize, page: &'static State) {
        let listeners = self.generation.exits();
        let chain = Chain::new(page, listeners.len(), 0);
        let subject = Subject::new(self.generation, &self.slots[slot].identity, page);
        let line = Line::of(&subject, self.generation.number, self.is_replay, &chain, listeners);
        self.session_log(slot, config::Level::Info, &line.summary());
        if let Err(e) = self.journal.append(&line) {
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

    fn free_slot(&mut self, slot: usize) {
        let of = &self.slots[slot];
        let (listeners, cells) = (self.generation.exits().len(), self.generation.plan.cells);
        if of.identity.status() == SlotStatus::Taken {
            of.takeover.reset(listeners, cells);
        }
        of.state.reset(listeners, cells);
        of.identity.reset();
        self.free.push(slot);
    }
}
