//! Whoever works on a chain: a session that comes to its end, or a runner. Each call into the ledger is
//! a step of its own, and so is the listener.

use crate::world::{CRASHED, KILLED, OVERDUE, Role, World};
use crate::{Chain, Entered, Outcome, Place, Turn};

/// How far a worker has come.
#[derive(Debug)]
pub(crate) enum At {
    /// A spare that nobody has handed a connection, or a session in service, with what is left of it.
    Waiting,
    Serving(u32),
    /// A runner that has begun.
    New,
    Reported,
    Next,
    Claimed(Turn<'static>),
    Entering(Entered<'static>, usize),
    Returned(Entered<'static>, usize, Return),
    /// It asks, and asks again if nobody answers.
    WaitsFor(usize),
    Sealing,
    Leaving(i32),
}

/// How a listener comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    Done,
    Failed,
    /// It left the process in another state: the host ends it.
    Spoilt,
}

/// A session or a runner.
#[derive(Debug)]
pub(crate) struct Worker {
    pub slot: usize,
    /// The session, numbered from 1.
    pub number: u64,
    pub chain: Chain<'static>,
    pub place: Place,
    pub at: At,
    /// Of a runner: who forked it.
    pub zygote: Option<u32>,
}

impl World {
    /// One step of a worker; false if its process has ended.
    pub(crate) fn work(&self, pid: u32, worker: &mut Worker) -> bool {
        let chain = worker.chain;
        let at = std::mem::replace(&mut worker.at, At::Next);
        worker.at = match at {
            At::Waiting => At::Waiting,
            At::Serving(0) => {
                let _first = chain.commit(1 + self.choices.pick(3));
                At::Next
            }
            At::Serving(left) => At::Serving(left - 1),
            At::New if chain.report(pid) => At::Reported,
            At::New => At::Leaving(1),
            At::Reported if Some(self.parent(pid)) == worker.zygote => At::Next,
            At::Reported => At::Leaving(1),
            At::Next => match chain.claim() {
                Some(turn) => At::Claimed(turn),
                None => self.without_turn(worker),
            },
            At::Claimed(turn) => {
                let index = turn.index();
                let entered = turn.enter(1);
                self.begins(pid, worker, index);
                At::Entering(entered, index)
            }
            At::Entering(entered, index) => match self.enter(pid, worker, index) {
                Some(how) => At::Returned(entered, index, how),
                None => return false,
            },
            At::Returned(entered, index, how) => {
                let outcome =
                    if how == Return::Done { Outcome::Done } else { Outcome::Failed("no") };
                entered.leave(outcome, 2);
                if how == Return::Done {
                    self.seen(worker.number, |seen| seen.turns[index].done = true);
                }
                if how == Return::Spoilt { At::Leaving(1 << 8) } else { At::Next }
            }
            At::WaitsFor(index) if self.slots[worker.slot].identity.over() > index => {
                chain.had_elsewhere(self.slots[worker.slot].identity.over());
                At::Next
            }
            At::WaitsFor(index) => {
                self.asked.borrow_mut().push((worker.slot, index));
                At::WaitsFor(index)
            }
            At::Sealing => {
                let _sealed = chain.seal();
                At::Leaving(0)
            }
            At::Leaving(raw) => {
                self.end(pid, raw);
                return false;
            }
        };
        true
    }

    fn without_turn(&self, worker: &Worker) -> At {
        let elsewhere = worker.chain.next_place().filter(|(_, place)| *place != worker.place);
        match elsewhere {
            Some((index, _)) if worker.zygote.is_none() => {
                self.asked.borrow_mut().push((worker.slot, index));
                At::WaitsFor(index)
            }
            _ => At::Sealing,
        }
    }

    fn begins(&self, pid: u32, worker: &Worker, index: usize) {
        self.note(|| format!("{pid} begins turn {index} of session {}", worker.number));
        let begun = self.seen(worker.number, |seen| seen.begins(index, pid));
        self.check(begun.unwrap_or_else(|| Err("a turn of nobody is begun".to_owned())));
    }

    /// The listener is called. None if it ends the process.
    fn enter(&self, pid: u32, worker: &Worker, index: usize) -> Option<Return> {
        let in_session = worker.zygote.is_none();
        let entered = self.seen(worker.number, |s| s.enters(index, worker.place, in_session));
        self.check(entered.unwrap_or(Ok(())));
        let how = match self.choices.pick(16) {
            0..=9 => Return::Done,
            10..=11 => Return::Failed,
            12 => Return::Spoilt,
            fault => {
                let raw = [KILLED, CRASHED, OVERDUE][fault as usize - 13];
                self.end(pid, raw);
                return None;
            }
        };
        self.seen(worker.number, |seen| seen.turns[index].over = true);
        Some(how)
    }

    /// Nonsense is written into a session's page, and the zygote is asked for nonsense.
    pub(crate) fn scribble(&self, slot: usize) {
        use crate::sync::Ordering::Relaxed;
        let (page, n) = (&self.slots[slot].state, self.roster.len().max(1) as u32);
        let cell = &page.listeners[self.choices.pick(n) as usize];
        let byte = self.choices.pick(9) as u8;
        match self.choices.pick(8) {
            0..=2 => cell.phase.store(byte, Relaxed),
            3 => page.sealed.store(u32::from(byte), Relaxed),
            4 => page.cause.store(u32::from(byte), Relaxed),
            5 => cell.by.store(byte, Relaxed),
            6 => page.worker.store(self.choices.pick(40), Relaxed),
            _ => self.asked.borrow_mut().push((slot, self.choices.pick(n + 2) as usize)),
        }
    }
}

impl Role {
    /// Whether it has something to do; a session that waits for an answer has not, for a while.
    pub(crate) fn is_busy(&self, world: &World) -> bool {
        match self {
            Role::Worker(worker) => match worker.at {
                At::Waiting => false,
                At::WaitsFor(index) => world.slots[worker.slot].identity.over() > index,
                _ => true,
            },
            Role::Stray { .. } => true,
            Role::Zygote(zygote) => world.has_work(zygote),
            Role::Busy => false,
        }
    }
}
