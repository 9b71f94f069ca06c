//! What sessions ask, and what they are told.

use exeunt_ledger::SlotStatus;
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
use crate::cause::Cause;
use crate::config::Level;
use crate::counters::{self, Own};
use crate::request::{Answer, Asked, Request};

/// How many requests are taken before other work gets its turn.
const BURST: usize = 1024;

impl Zygote {
    /// Takes the requests that have come.
    pub(super) fn take_requests(&mut self) {
        for _ in 0..BURST {
            let Some(asked) = self.requests.next() else { return };
            if let Some(slot) = self.asking(&asked) {
                self.answer(slot, &asked);
            }
        }
    }

    /// The slot of the session that asks. Nobody can ask for another session: the kernel says which
    /// process it is, and a number that has passed to another process has another session.
    fn asking(&self, asked: &Asked) -> Option<usize> {
        let Some(Child::Session { slot }) = self.children.get(&asked.sender).copied() else {
            return None;
        };
        let identity = &self.slots[slot].identity;
        let is_it = identity.session.load(Relaxed) == asked.session;
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
        let admitted = self.logins.admit(identity, user).or_else(|_| {
            // Before anybody is refused: who has died by now is not counted any more.
            self.reap_all();
            match self.asking(asked) {
                Some(_) => self.logins.admit(identity, user),
                None => Ok(()),
            }
        });
        Some(match admitted {
            Ok(()) => (Answer::GRANTED, String::new()),
            Err(detail) => {
                counters::count(Own::Refused, Some(Cause::LimitLogins.name()));
                (Cause::LimitLogins as u16, detail)
            }
        })
    }
}
