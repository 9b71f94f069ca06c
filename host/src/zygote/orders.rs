//! Ending sessions from outside: the reason is written first, then the signal is sent, and who does
//! not end in time is killed.

use std::time::Duration;

use exeunt_ledger::{Chain, SlotStatus};
use nix::sys::signal::Signal;
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Phase, Zygote};
use crate::cause::Cause;
use crate::clock::{self, Moment};
use crate::{config, log};

/// A session that was ordered to end, and when it is killed if it has not.
pub(super) struct Kill {
    pub(super) at: Moment,
    slot: usize,
    session: u64,
}

impl Zygote {
    /// Orders the session with that number to end; false if there is none.
    pub(super) fn kick(&mut self, session: u64) -> bool {
        let is_it = |slot: &usize| {
            let identity = &self.slots[*slot].identity;
            identity.session.load(Relaxed) == session && identity.status() == SlotStatus::Open
        };
        let Some(slot) = self.session_slots().into_iter().find(is_it) else { return false };
        self.order(slot, Cause::Kicked, "by the control socket");
        true
    }

    fn session_slots(&self) -> Vec<usize> {
        let slot = |child: &Child| match child {
            Child::Session { slot } => Some(*slot),
            Child::Runner { .. } | Child::Action => None,
        };
        self.children.values().filter_map(slot).collect()
    }

    pub(super) fn order(&mut self, slot: usize, cause: Cause, detail: &str) {
        let now = clock::now();
        let identity = &self.slots[slot].identity;
        identity.set_order(cause as u32, detail, now);
        self.signal(slot, Signal::SIGTERM);
        let at = clock::after(now, self.generation.config.exit.kill_after);
        let session = identity.session.load(Relaxed);
        let place = self.kills.partition_point(|kill| kill.at <= at);
        self.kills.insert(place, Kill { at, slot, session });
    }

    /// Sends a signal to a session. While it is among the children it is not reaped, or, if it was
    /// adopted, not without its wait status in the ledger: that is looked at between the two calls, so
    /// that the number cannot be somebody else's.
    fn signal(&self, slot: usize, signal: Signal) {
        let identity = &self.slots[slot].identity;
        let pid = identity.pid.load(Relaxed).cast_signed();
        let Some(number) = rustix::process::Pid::from_raw(pid) else { return };
        if !self.children.contains_key(&pid) {
            return;
        }
        // It may have died meanwhile; then there is nothing left to signal.
        let flags = rustix::process::PidfdFlags::empty();
        let Ok(process) = rustix::process::pidfd_open(number, flags) else { return };
        if identity.wait_status().is_none() {
            let signal = rustix::process::Signal::from_named_raw(signal as i32);
            let _dead = signal.map(|signal| rustix::process::pidfd_send_signal(&process, signal));
        }
    }

    /// Kills the sessions that were ordered to end and did not begin to. One that has begun is bounded
    /// by its chain: it is looked at again when that must be over.
    pub(super) fn kill_the_overdue(&mut self, now: Moment) {
        while self.kills.front().is_some_and(|kill| kill.at <= now) {
            let Some(Kill { slot, session, .. }) = self.kills.pop_front() else { return };
            let of = &self.slots[slot];
            let same = of.identity.session.load(Relaxed) == session;
            if !same || of.identity.status() != SlotStatus::Open {
                continue;
            }
            let ordered = of.identity.ordered_at.load(Relaxed);
            let last = clock::after(ordered, self.longest_end());
            if Chain::new(&of.state, &[], 0).cause().is_some() && now < last {
                let place = self.kills.partition_point(|kill| kill.at <= last);
                self.kills.insert(place, Kill { at: last, slot, session });
                continue;
            }
            let text = "does not end in time: killed";
            self.session_log(slot, config::Level::Warn, text);
            self.signal(slot, Signal::SIGKILL);
        }
    }

    /// The longest that an end may take from its order on: every part of it has a bound.
    fn longest_end(&self) -> Duration {
        let exit = &self.generation.config.exit;
        let floors = Duration::from_millis(100) * self.generation.exits().len() as u32;
        exit.kill_after * 2 + exit.listener + exit.chain + floors + exit.linger
    }

    /// No more connections; the sessions are ordered to end after `grace`. A second time only the
    /// moment changes.
    pub(super) fn drain(&mut self, grace: Duration, cause: Option<Cause>) {
        match self.phase {
            Phase::Empty | Phase::Leaving | Phase::Lost | Phase::Done => return,
            // It leaves as it was told to, only sooner.
            Phase::Retiring => {}
            _ => self.phase = Phase::Draining,
        }
        self.listeners.clear();
        self.dismiss_spares();
        let open = self.header.open.load(Relaxed);
        if open > 0 && !grace.is_zero() {
            let length = jiff::SignedDuration::try_from(grace).unwrap_or_default();
            log::info(format!(
                "{open} sessions are open; they are ended in {length:#} at the latest"
            ));
        }
        let cause = cause.unwrap_or(Cause::DaemonShutdown);
        self.order_at = Some((clock::after(clock::now(), grace), cause));
    }

    pub(super) fn order_all(&mut self, cause: Cause, detail: &str) {
        for slot in self.session_slots() {
            if self.slots[slot].identity.status() == SlotStatus::Open {
                self.order(slot, cause, detail);
            }
        }
    }

    /// The supervisor died: the sessions end, their chains are finished, and `core.shutdown` is left
    /// to the next start.
    pub(super) fn supervisor_is_gone(&mut self) {
        if !matches!(self.phase, Phase::Lost | Phase::Done) {
            log::error("the supervisor is gone; the sessions are ended");
            self.listeners.clear();
            self.dismiss_spares();
            self.phase = Phase::Lost;
            self.order_all(Cause::SupervisorLost, "");
        }
    }
}
