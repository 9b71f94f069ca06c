//! Where a zygote died: what the next one makes of its slots, and of the processes that are not its own
//! children. How they died it finds on the pages, or is told to look there.

use crate::SlotStatus;
use crate::sync::Ordering::Relaxed;
use crate::world::{KILLED, World};
use crate::zygote::{Child, Zygote};

impl World {
    /// What the zygote before this one left.
    pub(crate) fn adopt(&self, zygote: &mut Zygote) {
        for (slot, of) in self.slots.iter().enumerate() {
            match of.identity.status() {
                SlotStatus::Free => {}
                SlotStatus::Closing => self.close(slot),
                SlotStatus::Reserved if of.identity.pid.load(Relaxed) == 0 => {
                    self.succession(slot).release();
                }
                SlotStatus::Reserved => self.adopt_session(zygote, slot),
                // The session first: while there is a runner, its death waits.
                SlotStatus::Open => {
                    let runner = self.succession(slot).adopt();
                    self.adopt_session(zygote, slot);
                    if let Some(pid) = runner {
                        self.adopt_runner(zygote, slot, pid);
                    }
                }
                SlotStatus::Taken => match self.succession(slot).adopt() {
                    Some(pid) => self.adopt_runner(zygote, slot, pid),
                    None => {
                        let due = self.succession(slot).resume();
                        self.follow(zygote, slot, due);
                    }
                },
            }
        }
        zygote.has_begun = true;
    }

    fn adopt_session(&self, zygote: &mut Zygote, slot: usize) {
        let identity = &self.slots[slot].identity;
        let pid = identity.pid.load(Relaxed);
        zygote.children.push((pid, slot, Child::Session));
        if identity.wait_status().is_some() {
            self.session_died_elsewhere(zygote, slot);
        }
    }

    fn adopt_runner(&self, zygote: &mut Zygote, slot: usize, pid: u32) {
        zygote.children.push((pid, slot, Child::Runner));
        if self.slots[slot].identity.runner_status().is_some() || self.is_gone(pid) {
            self.runner_died_elsewhere(zygote, slot);
        }
    }

    pub(crate) fn died_elsewhere(&self, zygote: &mut Zygote, slot: usize) {
        let identity = &self.slots[slot].identity;
        if identity.runner_status().is_some() {
            self.runner_died_elsewhere(zygote, slot);
        }
        if identity.wait_status().is_some() {
            self.session_died_elsewhere(zygote, slot);
        }
    }

    fn session_died_elsewhere(&self, zygote: &mut Zygote, slot: usize) {
        let identity = &self.slots[slot].identity;
        if zygote.forgets(identity.pid.load(Relaxed)) {
            let raw = identity.wait_status().unwrap_or(KILLED);
            identity.set_wait_status(raw);
            self.session_died(zygote, slot, raw);
        }
    }

    fn runner_died_elsewhere(&self, zygote: &mut Zygote, slot: usize) {
        let identity = &self.slots[slot].identity;
        if zygote.forgets(identity.runner.load(Relaxed)) {
            let raw = identity.runner_status().unwrap_or(KILLED);
            self.runner_died(zygote, slot, raw);
        }
    }

    /// Without a supervisor nobody says when a process has died that was adopted.
    pub(crate) fn look_for_the_adopted(&self, zygote: &mut Zygote) {
        let gone = zygote.children.iter().copied().find(|child| self.is_gone(child.0));
        let Some((pid, slot, child)) = gone else { return };
        let identity = &self.slots[slot].identity;
        match child {
            Child::Session if identity.pid.load(Relaxed) == pid => {
                self.session_died_elsewhere(zygote, slot);
            }
            Child::Runner if identity.runner.load(Relaxed) == pid => {
                self.runner_died_elsewhere(zygote, slot);
            }
            // That was seen to.
            _ => drop(zygote.forgets(pid)),
        }
    }
}
