//! What sessions ask, and what they are told.

use exeunt_ledger::SlotStatus;
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
use crate::cause::Cause;
use crate::config::Level;
use crate::counters::{self, Own};
use crate::request::{Answer, Asked, Request};
use crate::wtmp;

/// How many requests are taken before other work gets its turn.
const BURST: usize = 1024;

impl Zygote {
    /// Takes the requests that have come.
    pub(super) fn take_requests(&mut self) {
        for _ in 0..BURST {
            let Some(asked) = self.requests.next_request() else { return };
            if let Some(slot) = self.asking(asked.sender, asked.session) {
                self.answer(slot, &asked);
            }
        }
    }

    /// The slot of the session that asks. Nobody can ask for another session: the kernel says which
    /// process it is, and a number that has passed to another process has another session.
    pub(super) fn asking(&self, sender: i32, session: u64) -> Option<usize> {
        let Some(Child::Session { slot }) = self.children.get(&sender).copied() else {
            return None;
        };
        let identity = &self.slots[slot].identity;
        let is_it = identity.session.load(Relaxed) == session;
        (is_it && identity.status() == SlotStatus::Open).then_some(slot)
    }

    /// The turns are over that a session has asked a runner for; it goes on.
    pub(super) fn say_that_its_turns_are_over(&mut self, slot: usize) {
        if let Some(sequence) = self.lent.remove(&slot) {
            Answer::give(&self.slots[slot].identity, sequence, Answer::GRANTED, "");
        }
    }

    fn answer(&mut self, slot: usize, asked: &Asked) {
        let answer = match &asked.request {
            Request::Leave => return self.uncount(slot),
            Request::Become { user } => Some(self.let_become(slot, user)),
            Request::Run { turn } => {
                if let Some(due) = self.succession(slot).lend(*turn as usize) {
                    self.lent.insert(slot, asked.sequence);
                    return self.follow(slot, due);
                }
                Some((Answer::NONSENSE, String::new()))
            }
            Request::LogOut => {
                self.record_logout(slot);
                Some((Answer::GRANTED, String::new()))
            }
            Request::Login { user } => self.log_in(slot, asked, user),
        };
        if let Some((code, detail)) = answer {
            Answer::give(&self.slots[slot].identity, asked.sequence, code, &detail);
        }
    }

    /// Lets a session log in, once, while it counts; nothing if that was not to be asked.
    fn log_in(&mut self, slot: usize, asked: &Asked, user: &str) -> Option<(u16, String)> {
        let identity = &self.slots[slot].identity;
        if identity.counted.load(Relaxed) == 0 || identity.login.load(Relaxed) != 0 {
            self.session_log(slot, Level::Debug, "asks for a login that it cannot have");
            return None;
        }
        let mut admitted = self.logins.admit(identity, user);
        if admitted.is_err() {
            // Before anybody is refused: who has died by now is not counted any more. It may be the very
            // session that asks.
            self.reap_all();
            self.asking(asked.sender, asked.session)?;
            admitted = self.logins.admit(identity, user);
        }
        Some(match admitted {
            Ok(()) => {
                self.record_login(slot, user);
                (Answer::GRANTED, String::new())
            }
            Err(detail) => {
                counters::count(Own::Refused, Some(Cause::LimitLogins.name()));
                (Cause::LimitLogins as u16, detail)
            }
        })
    }

    /// Writes into wtmp that a user of the system has come in, if that is wanted.
    fn record_login(&self, slot: usize, user: &str) {
        let Some(wtmp) = self.wtmp.as_ref().filter(|_| wtmp::is_system_user(user)) else { return };
        let identity = &self.slots[slot].identity;
        let (pid, from) = (identity.pid.load(Relaxed), super::admission::address_of(identity));
        identity.begin_wtmp();
        if let Err(e) = wtmp.log_in(&wtmp::Login { user, pid, from }) {
            self.session_log(slot, Level::Error, &format!("wtmp has no record of the login: {e}"));
        }
    }

    /// Writes that they are gone, once.
    pub(super) fn record_logout(&self, slot: usize) {
        let identity = &self.slots[slot].identity;
        if let Some(wtmp) = self.wtmp.as_ref().filter(|_| identity.end_wtmp())
            && let Err(e) = wtmp.log_out(identity.pid.load(Relaxed))
        {
            self.session_log(slot, Level::Error, &format!("wtmp has no record of the end: {e}"));
        }
    }
}
