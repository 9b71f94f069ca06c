//! Going on where a zygote of the same generation died: its sessions, its runners and its unfinished
//! chains are found in the ledger. The processes are the supervisor's children now: it reaps them,
//! and says so.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{Slot, SlotStatus};
use nix::unistd::Pid;

use super::{Child, Phase, Zygote};
use crate::cause::Cause;
use crate::events::EXIT;
use crate::log;
use crate::pages::{self, DAEMON};
use crate::reap::Fate;

/// As wait(2) has it for a process that was killed.
const KILLED: i32 = 9;

/// Whether nothing has that number. A child that was not reaped has it still.
fn is_gone(pid: i32) -> bool {
    nix::sys::signal::kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH)
}

impl Zygote {
    /// Takes over the ledger of a zygote that died.
    pub(super) fn adopt(&mut self) -> io::Result<()> {
        self.has_adopted = true;
        let digest = self.generation.plan.digest();
        let found = self.header.digest.iter().map(|byte| byte.load(Relaxed));
        self.plan_differs = !found.eq(digest);
        if self.plan_differs {
            log::error(
                "the plan is not the one that the sessions began with: their listeners cannot run",
            );
        }
        self.find_daemon_event();
        let mut adopted = 0;
        let used = (self.header.used.load(Relaxed) as usize).clamp(1, self.slots.len());
        self.free = (used..self.slots.len()).rev().collect();
        let is_open = |slot: &&Slot| {
            use SlotStatus::{Closing, Open, Taken};
            matches!(slot.identity.status(), Open | Taken | Closing)
        };
        let open = self.slots[1..used].iter().filter(is_open).count();
        self.header.open.store(open as u64, Relaxed);
        for slot in 1..used {
            let identity = &self.slots[slot].identity;
            match identity.status() {
                SlotStatus::Free => self.free.push(slot),
                SlotStatus::Reserved => self.adopt_process(slot),
                SlotStatus::Open => {
                    adopted += 1;
                    self.adopt_session(slot);
                }
                SlotStatus::Taken => self.adopt_chain(slot),
                SlotStatus::Closing => self.close(slot),
            }
        }
        log::warn(format!("goes on for a zygote that died; {adopted} sessions are open"));
        if self.slots[DAEMON].identity.status() == SlotStatus::Taken {
            self.adopt_chain(DAEMON);
        } else {
            self.is_prepared();
        }
        Ok(())
    }

    /// A process of a slot that still lives, or that the supervisor has buried already.
    fn adopt_process(&mut self, slot: usize) {
        let pid = self.slots[slot].identity.pid.load(Relaxed).cast_signed();
        if pid == 0 {
            // A spare that was forked, and then its zygote died before it wrote down which process it
            // is. It goes when it finds its socket closed, and has written nothing.
            return self.free_slot(slot);
        }
        self.children.insert(pid, Child::Session { slot });
        if self.slots[slot].identity.wait_status().is_some() || is_gone(pid) {
            self.session_died_elsewhere(slot);
        }
    }

    fn adopt_session(&mut self, slot: usize) {
        // While there is a runner the session's death waits.
        let runner = self.succession(slot).adopt();
        let identity = &self.slots[slot].identity;
        if identity.counted.load(Relaxed) == 1
            && let Ok(peer) = identity.peer.get().parse()
        {
            self.admission.count(peer);
        }
        self.adopt_process(slot);
        if let Some(pid) = runner {
            self.adopt_runner(slot, pid);
        }
        let of = &self.slots[slot];
        let before_login = of.state.logged_in.load(Relaxed) == 0;
        if of.identity.status() == SlotStatus::Open && before_login {
            self.order(slot, Cause::ZygoteLost, "");
        }
    }

    /// A chain that was taken over: by a runner that still works, or that has died.
    fn adopt_chain(&mut self, slot: usize) {
        match self.succession(slot).adopt() {
            None => self.go_on(slot),
            Some(pid) => self.adopt_runner(slot, pid),
        }
    }

    fn adopt_runner(&mut self, slot: usize, pid: u32) {
        self.children.insert(pid.cast_signed(), Child::Runner { slot });
        let is_buried = self.slots[slot].identity.runner_status().is_some();
        if is_buried || is_gone(pid.cast_signed()) {
            self.runner_died_elsewhere(slot);
        }
    }

    /// No runner had begun: the chain goes on with the next worker.
    fn go_on(&mut self, slot: usize) {
        let due = self.succession(slot).resume();
        self.follow(slot, due);
    }

    /// The supervisor has reaped a process that worked on a slot, and written down how it ended.
    pub(super) fn died_elsewhere(&mut self, slot: usize) {
        let Some(of) = self.slots.get(slot) else { return };
        if of.identity.runner_status().is_some() {
            self.runner_died_elsewhere(slot);
        }
        if of.identity.wait_status().is_some() {
            self.session_died_elsewhere(slot);
        }
    }

    /// The session's process is gone, whoever has reaped it. One that was seen to is not seen to again:
    /// its slot says so.
    pub(super) fn session_died_elsewhere(&mut self, slot: usize) {
        let identity = &self.slots[slot].identity;
        let pid = identity.pid.load(Relaxed).cast_signed();
        self.forget(pid, slot);
        // Without a status it died before anybody looked: as if it had been killed.
        let fate = Fate::from_raw(identity.wait_status().unwrap_or(KILLED));
        let fate = self.memory.behind(fate);
        identity.set_wait_status(fate.raw());
        self.session_died(slot, Pid::from_raw(pid), fate);
    }

    fn runner_died_elsewhere(&mut self, slot: usize) {
        let identity = &self.slots[slot].identity;
        let pid = identity.runner.load(Relaxed).cast_signed();
        if self.forget(pid, slot) {
            let fate = Fate::from_raw(identity.runner_status().unwrap_or(KILLED));
            let fate = self.memory.behind(fate);
            self.runner_died(slot, fate);
        }
    }

    /// The process that worked on a slot is no child any more; false if it was none, or is another's.
    fn forget(&mut self, pid: i32, slot: usize) -> bool {
        let is_its = |child: &Child| {
            let (Child::Session { slot: of } | Child::Runner { slot: of }) = child else {
                return false;
            };
            *of == slot
        };
        self.children.get(&pid).is_some_and(is_its) && self.children.remove(&pid).is_some()
    }

    /// Without a supervisor nobody says when a process has died that was adopted: looks for itself.
    pub(super) fn look_for_the_adopted(&mut self) {
        let gone = |(pid, child): (&i32, &Child)| is_gone(*pid).then_some((*pid, *child));
        for (pid, child) in self.children.iter().filter_map(gone).collect::<Vec<_>>() {
            let works_on = |slot: usize| {
                let identity = &self.slots[slot].identity;
                [&identity.pid, &identity.runner].map(|number| number.load(Relaxed).cast_signed())
            };
            match child {
                Child::Session { slot } if works_on(slot)[0] == pid => {
                    self.session_died_elsewhere(slot);
                }
                Child::Runner { slot } if works_on(slot)[1] == pid => {
                    self.runner_died_elsewhere(slot);
                }
                // It was seen to before; another may have the slot by now.
                _ => {
                    self.children.remove(&pid);
                }
            }
        }
    }

    /// Counts the sessions of the older generations that are living; from here on they only leave.
    pub(super) fn count_the_others(&mut self, older: Vec<OwnedFd>) -> io::Result<()> {
        self.admission.forget_the_others();
        for ledger in older {
            for slot in pages::slots_to_read(&File::from(ledger))? {
                let identity = &slot.identity;
                if identity.status() == SlotStatus::Open
                    && identity.counted.load(Relaxed) == 1
                    && let Ok(peer) = identity.peer.get().parse()
                {
                    self.admission.count_other(identity, peer);
                }
            }
        }
        Ok(())
    }

    /// The event whose chain is on a slot.
    pub(super) fn event_of(&self, slot: usize) -> &'static str {
        if slot == DAEMON { self.daemon_event.name() } else { EXIT }
    }

    /// Whether a new worker may be put on chains.
    pub(super) fn can_run_listeners(&self, slot: usize) -> bool {
        !(self.plan_differs && slot != DAEMON) && self.phase != Phase::Done
    }
}
