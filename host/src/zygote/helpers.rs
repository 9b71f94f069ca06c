//! Root helpers of authenticators: who may have one, and how many there are at once.

use std::os::fd::AsRawFd;

use exeunt_ledger::Place;
use nix::unistd::Pid;

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
            let Some(plea) = self.help_desk.next_plea() else { return };
            self.take_plea(plea);
        }
    }

    /// A session has one helper at a time. One that asks again has seen the first one end, a moment
    /// before this process does: it waits. Where there is no help its socket closes, and that is
    /// the answer.
    fn take_plea(&mut self, plea: Plea) {
        let Some(slot) = self.asking(plea.sender, plea.session) else { return };
        if self.helping.values().any(|of| *of == slot) {
            self.waiting_pleas.entry(slot).or_insert(plea);
        } else {
            self.help(slot, plea);
        }
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
        let slot = self.helping.remove(&pid.as_raw());
        if let Some(plea) = slot.and_then(|slot| self.waiting_pleas.remove(&slot)) {
            self.take_plea(plea);
        }
        if fate != Fate::Exited(0) {
            log::warn(format!("a helper of an authenticator ended with {}", fate.text()));
        }
    }
}
