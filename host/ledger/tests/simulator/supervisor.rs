//! The supervisor: reaps orphans and writes down how they died, starts the next zygote, is killed with
//! everything, and replays. It has no memory but who its zygote is.

use crate::atoms::write;
use crate::sync::Ordering::{Relaxed, SeqCst};
use crate::world::{KILLED, Role, SUPERVISOR, World};
use crate::{Slot, SlotStatus};

/// What the supervisor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// A child has ended.
    Bury(u32, i32),
    StartZygote,
    /// The zygote has loaded its modules: from here on it is told.
    Commit,
    /// Nobody is there: the daemon is started again.
    Replay,
}

impl World {
    pub(crate) fn duty(&self) -> Option<Duty> {
        if !self.is_supervised.get() {
            return None;
        }
        if let Some((pid, raw)) = self.peek(SUPERVISOR) {
            return Some(Duty::Bury(pid, raw));
        }
        if self.zygote().is_none() {
            return (!self.is_zygote_busy()).then_some(Duty::StartZygote);
        }
        (!self.is_committed.get()).then_some(Duty::Commit)
    }

    fn is_zygote_busy(&self) -> bool {
        let processes = self.processes.borrow();
        processes.iter().any(|p| matches!(p.role, Role::Busy) && p.ended.is_none())
    }

    pub(crate) fn attend(&self, duty: Duty) {
        self.note(|| format!("the supervisor: {duty:?}"));
        match duty {
            Duty::Bury(pid, raw) => self.bury(pid, raw),
            Duty::StartZygote => {
                self.is_committed.set(false);
                self.start_zygote();
            }
            Duty::Commit => self.is_committed.set(true),
            Duty::Replay => self.replay(),
        }
    }

    fn bury(&self, pid: u32, raw: i32) {
        let is_runner = |slot: &Slot| slot.takeover.worker.load(SeqCst) == pid;
        let is_session = |slot: &Slot| {
            let status = slot.identity.status();
            let lives = matches!(status, SlotStatus::Reserved | SlotStatus::Open);
            lives && slot.identity.pid.load(Relaxed) == pid
        };
        let found = self.slots.iter().position(|slot| {
            slot.identity.status() != SlotStatus::Free && (is_runner(slot) || is_session(slot))
        });
        if let Some(slot) = found {
            let of = &self.slots[slot];
            if is_runner(of) {
                of.identity.set_runner_status(pid, raw);
            } else {
                of.identity.set_wait_status(raw);
            }
        }
        write();
        self.reap(pid);
        if let Some(slot) = found.filter(|_| self.is_committed.get()) {
            self.told.borrow_mut().push(slot);
        }
    }

    /// The daemon is started again: what is left is ended, and buried.
    fn replay(&self) {
        self.end_all();
        self.is_supervised.set(true);
        for slot in self.slots {
            let identity = &slot.identity;
            match identity.status() {
                SlotStatus::Free | SlotStatus::Taken | SlotStatus::Closing => {}
                SlotStatus::Reserved => self.succession_of(slot).release(),
                SlotStatus::Open => {
                    identity.set_order(7, "", 1);
                    if identity.wait_status().is_none() {
                        identity.set_wait_status(KILLED);
                    }
                }
            }
            let worker = slot.takeover.worker.load(SeqCst);
            if worker != 0 {
                identity.set_runner_status(worker, KILLED);
            }
        }
        self.start_zygote();
        self.is_committed.set(true);
    }

    fn succession_of(&self, slot: &'static Slot) -> crate::Succession<'static> {
        crate::Succession::new(slot, self.roster, crate::MODULES)
    }
}
