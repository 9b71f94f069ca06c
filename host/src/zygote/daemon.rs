//! The daemon's own events: `core.startup` before the first connection, `core.shutdown` after the
//! last session. They have a slot of the ledger and run in runners that keep the zygote's privileges.

use exeunt_ledger::{Chain, SlotStatus};
use std::sync::atomic::Ordering::Relaxed;

use super::{Phase, Zygote};
use crate::channel::Message;
use crate::events::{SHUTDOWN, STARTUP};
use crate::log;
use crate::pages::DAEMON;

impl Zygote {
    /// The event that the daemon's slot is used for now.
    pub(super) fn daemon_event(&self) -> &'static str {
        if self.phase == Phase::ShuttingDown { SHUTDOWN } else { STARTUP }
    }

    /// Runs the listeners of the event that belongs to the phase.
    pub(super) fn start_daemon_event(&mut self) {
        let slot = &self.slots[DAEMON];
        slot.identity.reset();
        slot.takeover.reset(self.generation.plan.listeners(self.daemon_event()).len(), 0);
        slot.identity.set_status(SlotStatus::Taken);
        if slot.identity.take_over(0) {
            self.run_rest(DAEMON);
        }
    }

    /// Every listener of the daemon's event has had its turn.
    pub(super) fn daemon_event_is_done(&mut self) {
        self.tell_daemon_event();
        self.slots[DAEMON].identity.reset();
        if self.phase == Phase::Starting {
            self.phase = Phase::Active;
            log::debug("accepts connections");
        }
        if self.phase == Phase::ShuttingDown
            && let Err(e) = self.channel.send(Message::Drained, &[])
        {
            log::warn(format!("the supervisor does not listen: {e}"));
        }
    }

    fn tell_daemon_event(&self) {
        let event = self.daemon_event();
        let listeners = self.generation.plan.listeners(event);
        let page = &self.slots[DAEMON].takeover;
        let chain = Chain::new(page, listeners.len(), 0);
        for (index, listener) in listeners.iter().enumerate() {
            let title = self.generation.plan.title(listener);
            let outcome = chain.phase(index).name().unwrap_or("failed");
            let took = chain.took_micros(index) as f64 / 1000.0;
            match chain.error(index) {
                error if error.is_empty() => {
                    log::info(format!("{event}: {title} {outcome}, {took} ms"));
                }
                error => log::warn(format!("{event}: {title} {outcome}, {took} ms: {error}")),
            }
        }
    }

    /// When the last session is gone, `core.shutdown` runs; the zygote of a supervisor that died
    /// leaves it to the next start.
    pub(super) fn go_on_if_drained(&mut self) {
        let starting = self.slots[DAEMON].identity.status() == SlotStatus::Taken;
        let open = self.header.open.load(Relaxed);
        if matches!(self.phase, Phase::Draining { .. }) && open == 0 && !starting {
            self.phase = Phase::ShuttingDown;
            self.start_daemon_event();
        }
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_done(&self) -> bool {
        let idle = self.slots[DAEMON].identity.status() == SlotStatus::Free;
        match self.phase {
            Phase::ShuttingDown => idle,
            Phase::Lost => self.header.open.load(Relaxed) == 0,
            _ => false,
        }
    }
}
