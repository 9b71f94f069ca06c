//! The daemon's own events: those with which a generation begins and leaves. They have a slot of the
//! ledger and run in runners that keep the zygote's privileges.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{Chain, SlotStatus, Stage};

use super::{Phase, Zygote};
use crate::channel::{Beginning, Message};
use crate::events::{MODULE_UNLOAD, RESTART, SHUTDOWN, STARTUP};
use crate::log;
use crate::pages::DAEMON;

/// An event that is about no session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum DaemonEvent {
    Startup = 0,
    Restart = 1,
    ModuleUnload = 2,
    Shutdown = 3,
}

impl DaemonEvent {
    pub(super) fn name(self) -> &'static str {
        match self {
            DaemonEvent::Startup => STARTUP,
            DaemonEvent::Restart => RESTART,
            DaemonEvent::ModuleUnload => MODULE_UNLOAD,
            DaemonEvent::Shutdown => SHUTDOWN,
        }
    }

    fn from_number(number: u32) -> Self {
        match number {
            0 => DaemonEvent::Startup,
            1 => DaemonEvent::Restart,
            2 => DaemonEvent::ModuleUnload,
            _ => DaemonEvent::Shutdown,
        }
    }
}

impl Zygote {
    /// The supervisor has decided for this zygote: the first event of its generation runs, or it goes
    /// on where one of the same generation died.
    pub(super) fn begin(&mut self, beginning: Beginning) -> io::Result<()> {
        self.phase = Phase::Preparing;
        match beginning {
            Beginning::Startup => self.found_the_ledger(DaemonEvent::Startup),
            Beginning::Restart => self.found_the_ledger(DaemonEvent::Restart),
            Beginning::Adoption => return self.adopt(),
            Beginning::Replay => {
                self.is_replay = true;
                return self.adopt();
            }
        }
        Ok(())
    }

    fn found_the_ledger(&mut self, event: DaemonEvent) {
        for (cell, byte) in self.header.digest.iter().zip(self.generation.plan.digest()) {
            cell.store(byte, Relaxed);
        }
        self.free = (1..self.slots.len()).rev().collect();
        self.run_daemon_event(event);
    }

    /// Accepts from now on; the older generations' sessions count, too.
    pub(super) fn accept_from_now(&mut self, after: u64, older: Vec<OwnedFd>) -> io::Result<()> {
        self.header.next_session.fetch_max(after, Relaxed);
        self.count_the_others(older)?;
        self.phase = Phase::Active;
        self.set_stage(Stage::Active);
        log::debug("accepts connections");
        Ok(())
    }

    /// Another generation serves.
    pub(super) fn retire(&mut self) {
        self.listeners.clear();
        self.dismiss_spares();
        self.phase = Phase::Retiring;
        self.set_stage(Stage::Retiring);
        let open = self.header.open.load(Relaxed);
        if open > 0 {
            let number = self.generation.number;
            log::info(format!("generation {number} finishes its {open} sessions"));
        }
    }

    /// Says for a replay how far this generation has come.
    fn set_stage(&self, stage: Stage) {
        self.header.stage.store(stage as u32, Relaxed);
    }

    /// Runs the listeners of an event of the daemon.
    pub(super) fn run_daemon_event(&mut self, event: DaemonEvent) {
        let slot = &self.slots[DAEMON];
        self.daemon_event = event;
        slot.identity.reset();
        slot.takeover.reset(self.generation.plan.listeners(event.name()).len(), 0);
        // Which event it is, for a zygote that comes after this one.
        slot.identity.listen.store(event as u32, Relaxed);
        slot.identity.set_status(SlotStatus::Taken);
        let due = self.succession(DAEMON).resume();
        self.follow(DAEMON, due);
    }

    /// The event that the daemon's slot was used for by the zygote before this one.
    pub(super) fn find_daemon_event(&mut self) {
        let number = self.slots[DAEMON].identity.listen.load(Relaxed);
        self.daemon_event = DaemonEvent::from_number(number);
    }

    /// Every listener of the daemon's event has had its turn.
    pub(super) fn daemon_event_is_done(&mut self) {
        self.tell_daemon_event();
        if matches!(self.daemon_event, DaemonEvent::ModuleUnload | DaemonEvent::Shutdown) {
            self.set_stage(Stage::Over);
        }
        self.slots[DAEMON].identity.reset();
        match self.daemon_event {
            DaemonEvent::Startup | DaemonEvent::Restart => self.is_prepared(),
            DaemonEvent::ModuleUnload | DaemonEvent::Shutdown => self.phase = Phase::Done,
        }
    }

    /// Says that it can serve, if nothing else has been decided meanwhile.
    pub(super) fn is_prepared(&mut self) {
        if self.phase == Phase::Preparing {
            self.phase = Phase::Paused;
        }
        self.tell(Message::Prepared);
    }

    fn tell(&self, message: Message) {
        if let Err(e) = self.channel.send(message, &[]) {
            log::warn(format!("the supervisor does not listen: {e}"));
        }
    }

    fn tell_daemon_event(&self) {
        let event = self.daemon_event.name();
        let listeners = self.generation.plan.listeners(event);
        let page = &self.slots[DAEMON].takeover;
        let chain = Chain::new(page, self.generation.plan.roster(event), 0);
        for (index, listener) in listeners.iter().enumerate() {
            // An attempt that was not needed has none.
            let Some(outcome) = chain.phase(index).name() else { continue };
            let title = self.generation.plan.title(listener);
            let took = chain.took_micros(index) as f64 / 1000.0;
            match chain.error(index) {
                error if error.is_empty() => {
                    log::info(format!("{event}: {title} {outcome}, {took} ms"));
                }
                error => log::warn(format!("{event}: {title} {outcome}, {took} ms: {error}")),
            }
        }
    }

    /// What follows when the last session of a generation is gone that accepts no more.
    pub(super) fn go_on_if_empty(&mut self) {
        let busy = self.slots[DAEMON].identity.status() == SlotStatus::Taken;
        if busy || self.header.open.load(Relaxed) > 0 {
            return;
        }
        match self.phase {
            Phase::Retiring => self.leave_with(DaemonEvent::ModuleUnload),
            Phase::Draining => {
                self.phase = Phase::Empty;
                self.tell(Message::Empty);
            }
            // `core.shutdown` is left to the next start.
            Phase::Lost => self.phase = Phase::Done,
            _ => {}
        }
    }

    /// Runs the last event of this generation.
    pub(super) fn leave_with(&mut self, event: DaemonEvent) {
        if self.phase != Phase::Leaving {
            self.phase = Phase::Leaving;
            self.run_daemon_event(event);
        }
    }
}
