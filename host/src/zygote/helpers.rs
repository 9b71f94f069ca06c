//! Root helpers of authenticators: who may have one, and how many there are at once.

use std::os::fd::AsRawFd;

use exeunt_ledger::{Place, SlotStatus};
use nix::unistd::Pid;
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
use crate::helper::{self, Errand};
use crate::log;
use crate::reap::Fate;
use crate::request::Plea;
use crate::sys::{self, Fork};

/// The most helpers at the same time. Who comes then waits at the desk, under a deadline of its own.
const HELPERS: usize = 16;

impl Zygote {
    /// Whether there may be one helper more.
    pub(super) fn can_help(&self) -> bool {
        self.helping.len() < HELPERS
    }

    /// Takes the pleas that have come, as long as there may be helpers.
    pub(super) fn take_pleas(&mut self) {
        while self.can_help() {
            let Some(plea) = self.help_desk.next() else { return };
            // Otherwise its socket closes, and that is the answer.
            if let Some(slot) = self.pleading(&plea) {
                self.help(slot, plea);
            }
        }
    }

    /// The slot of the session that pleads; a session has one helper at a time.
    fn pleading(&self, plea: &Plea) -> Option<usize> {
        let Some(Child::Session { slot }) = self.children.get(&plea.sender).copied() else {
            return None;
        };
        let identity = &self.slots[slot].identity;
        let is_it = identity.session.load(Relaxed) == plea.session
            && identity.status() == SlotStatus::Open
            && !self.helping.values().any(|of| *of == slot);
        is_it.then_some(slot)
    }

    fn help(&mut self, slot: usize, plea: Plea) {
        let plan = &self.generation.plan;
        let authenticator = plan.extras.authenticators.get(plea.authenticator);
        let Some(authenticator) = authenticator.filter(|one| one.place == Place::Root) else {
            return;
        };
        match sys::fork() {
            Ok(Fork::Child) => {
                let (ledger, life) = (&self.ledger, self.life.as_raw_fd());
                let socket = plea.socket;
                let errand = Errand { slot, ledger, authenticator, socket, life };
                helper::run(self.generation, &errand)
            }
            Ok(Fork::Parent(pid)) => {
                self.children.insert(pid.as_raw(), Child::Helper);
                self.helping.insert(pid.as_raw(), slot);
            }
            Err(e) => log::error(format!("no process for a helper: {e}")),
        }
    }

    /// A helper has ended. Its session finds out by itself.
    pub(super) fn helper_ended(&mut self, pid: Pid, fate: Fate) {
        self.helping.remove(&pid.as_raw());
        if fate != Fate::Exited(0) {
            log::warn(format!("a helper of an authenticator ended with {}", fate.text()));
        }
    }
}
