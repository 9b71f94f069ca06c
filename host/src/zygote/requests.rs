//! What sessions ask, and what they are told.

use exeunt_ledger::SlotStatus;
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Zygote};
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
        let (code, detail) = match &asked.request {
            Request::Leave => return self.uncount(slot),
            Request::Run { turn } => {
                if let Some(due) = self.succession(slot).lend(*turn as usize) {
                    self.lent.insert(slot, asked.sequence);
                    return self.follow(slot, due);
                }
                (Answer::NONSENSE, String::new())
            }
            Request::Login { .. } => (Answer::GRANTED, String::new()),
        };
        Answer::give(&self.slots[slot].identity, asked.sequence, code, &detail);
    }
}
