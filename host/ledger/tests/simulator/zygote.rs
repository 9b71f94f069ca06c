//! The zygote as the host has it: one event at a time, each of which it may not live to the end of. What
//! it knows by itself dies with it.

use crate::atoms::{undisturbed, write};
use crate::oracle::{Session, Turn};
use crate::sync::Ordering::Relaxed;
use crate::worker::{At, Worker};
use crate::world::{KILLED, OVERDUE, Role, SUPERVISOR, World};
use crate::{Chain, Death, Due, Phase, Place, SlotStatus, Verdict};

/// What a child is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    Session,
    Runner,
}

/// What a zygote knows.
#[derive(Debug, Default)]
pub(crate) struct Zygote {
    pid: u32,
    /// It has found out what the one before it left.
    pub has_begun: bool,
    pub children: Vec<(u32, usize, Child)>,
    /// Slots for which no runner could be forked.
    waiting: Vec<usize>,
}

fn death(raw: i32) -> Death {
    match raw {
        KILLED => Death::Killed,
        OVERDUE => Death::Deadline,
        _ => Death::Fault,
    }
}

impl World {
    /// Starts a zygote, which will first look at what is there.
    pub(crate) fn start_zygote(&self) {
        let pid = self.fork(SUPERVISOR, Role::Zygote(Zygote::default()));
        if let Some(process) = self.processes.borrow_mut().iter_mut().find(|p| p.pid == pid) {
            process.role = Role::Zygote(Zygote { pid, ..Zygote::default() });
        }
    }

    pub(crate) fn has_work(&self, zygote: &Zygote) -> bool {
        if !zygote.has_begun {
            return self.is_committed.get();
        }
        self.peek(zygote.pid).is_some()
            || !self.told.borrow().is_empty()
            || !self.asked.borrow().is_empty()
            || !zygote.waiting.is_empty()
            || self.may_open()
            || (!self.is_supervised.get() && zygote.children.iter().any(|c| self.is_gone(c.0)))
    }

    fn may_open(&self) -> bool {
        self.is_supervised.get() && self.to_come.get() > 0 && self.free_slot().is_some()
    }

    fn free_slot(&self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.identity.status() == SlotStatus::Free)
    }

    /// One event.
    pub(crate) fn go_on(&self, zygote: &mut Zygote) {
        if !zygote.has_begun {
            return self.adopt(zygote);
        }
        let messages = u32::from(!self.told.borrow().is_empty());
        let requests = u32::from(!self.asked.borrow().is_empty());
        let deaths = u32::from(self.peek(zygote.pid).is_some());
        let kinds = [
            (deaths, 0),
            (messages, 1),
            (requests, 2),
            (u32::from(!zygote.waiting.is_empty()), 3),
            (u32::from(self.may_open()), 4),
        ];
        let there = kinds.iter().filter(|kind| kind.0 > 0).count() as u32;
        if there == 0 {
            return self.look_for_the_adopted(zygote);
        }
        let chosen = self.choices.pick(there) as usize;
        match kinds.iter().filter(|kind| kind.0 > 0).nth(chosen).map(|kind| kind.1) {
            Some(0) => self.reap_child(zygote),
            Some(1) => {
                let slot = self.told.borrow_mut().remove(0);
                self.died_elsewhere(zygote, slot);
            }
            Some(2) => {
                let (slot, index) = self.asked.borrow_mut().remove(0);
                if let Some(due) = self.succession(slot).lend(index) {
                    self.follow(zygote, slot, due);
                }
            }
            Some(3) => {
                let slot = zygote.waiting.remove(0);
                let due = self.succession(slot).retry();
                self.follow(zygote, slot, due);
            }
            _ => self.open(zygote),
        }
    }

    fn reap_child(&self, zygote: &mut Zygote) {
        let Some((pid, raw)) = self.peek(zygote.pid) else { return };
        let place = zygote.children.iter().position(|child| child.0 == pid);
        let child = place.map(|place| zygote.children.remove(place));
        match child {
            Some((_, slot, Child::Session)) => self.slots[slot].identity.set_wait_status(raw),
            Some((_, slot, Child::Runner)) => self.slots[slot].identity.set_runner_status(pid, raw),
            None => {}
        }
        write();
        self.reap(pid);
        write();
        match child {
            Some((_, slot, Child::Session)) => self.session_died(zygote, slot, raw),
            Some((_, slot, Child::Runner)) => self.runner_died(zygote, slot, raw),
            None => {}
        }
    }

    pub(crate) fn session_died(&self, zygote: &mut Zygote, slot: usize, raw: i32) {
        let succession = self.succession(slot);
        if self.slots[slot].identity.status() == SlotStatus::Reserved {
            return succession.release();
        }
        let verdict = |_: &crate::State| Verdict {
            cause: 9,
            detail: String::new(),
            death: death(raw),
            why: String::new(),
            ended: 1,
            now: 3,
        };
        let due = succession.session_died(verdict);
        self.follow(zygote, slot, due);
    }

    pub(crate) fn runner_died(&self, zygote: &mut Zygote, slot: usize, raw: i32) {
        let due = self.succession(slot).runner_died(|_| (death(raw), String::new()), 3);
        self.follow(zygote, slot, due);
    }

    pub(crate) fn follow(&self, zygote: &mut Zygote, slot: usize, due: Due) {
        self.note(|| format!("slot {slot}: due is {due:?}"));
        match due {
            Due::Wait | Due::GoOn => {}
            Due::Bury => {
                let raw = self.slots[slot].identity.wait_status().unwrap_or(KILLED);
                self.session_died(zygote, slot, raw);
            }
            Due::Close => self.close(slot),
            // No process for it.
            Due::Runner { .. } if self.faults.get() > 0 && self.choices.once_in(8) => {
                self.faults.set(self.faults.get() - 1);
                zygote.waiting.push(slot);
            }
            Due::Runner { worker, place } => self.fork_runner(zygote, slot, worker, place),
        }
    }

    fn fork_runner(&self, zygote: &mut Zygote, slot: usize, worker: u32, place: Place) {
        let (of, succession) = (&self.slots[slot], self.succession(slot));
        let number = of.identity.session.load(Relaxed);
        of.takeover.worker.store(0, Relaxed);
        let chain = succession.chain(worker).in_place(place);
        let (at, parent) = (At::New, Some(zygote.pid));
        let runner = Worker { slot, number, chain, place, at, zygote: parent };
        self.seen(number, |seen| seen.efforts += 1);
        let bound = 4 * self.roster.len() + 40;
        if self.seen(number, |seen| seen.efforts > bound) == Some(true) {
            self.check(Err(format!("session {number} has more than {bound} runners")));
        }
        let pid = self.fork(zygote.pid, Role::Worker(runner));
        of.identity.set_runner(pid);
        zygote.children.push((pid, slot, Child::Runner));
    }

    pub(crate) fn close(&self, slot: usize) {
        let (of, succession) = (&self.slots[slot], self.succession(slot));
        let number = of.identity.session.load(Relaxed);
        let is_first = succession.close();
        write();
        if is_first || self.seen(number, |seen| seen.lines == 0) == Some(true) {
            self.note(|| format!("session {number} is in the journal"));
            let chain = Chain::new(succession.page(), self.roster, 0);
            let phases: Vec<Phase> = (0..self.roster.len()).map(|i| chain.phase(i)).collect();
            let closed = self.seen(number, |seen| {
                seen.lines += 1;
                if seen.lines > 1 {
                    return Err("two lines".to_owned());
                }
                seen.is_told(|index| phases[index] == Phase::Done)?;
                seen.is_complete()
            });
            self.check(closed.unwrap_or_else(|| Err("the journal has a session of nobody".into())));
        }
        write();
        succession.release();
    }

    /// A session begins: a spare is forked, and handed a connection.
    fn open(&self, zygote: &mut Zygote) {
        let Some(slot) = self.free_slot() else { return };
        let has_strays = self.has_strays(slot);
        let (of, number) = (&self.slots[slot], self.sessions.borrow().len() as u64 + 1);
        self.succession(slot).reserve();
        let chain = Chain::new(&of.state, self.roster, 0);
        let (place, at) = (Place::Session, At::Waiting);
        let spare = Worker { slot, number, chain, place, at, zygote: None };
        let pid = self.fork(zygote.pid, Role::Worker(spare));
        of.identity.pid.store(pid, Relaxed);
        zygote.children.push((pid, slot, Child::Session));
        of.identity.session.store(number, Relaxed);
        write();
        // From here on its chain is owed: said in the same breath as the page says it.
        self.to_come.set(self.to_come.get() - 1);
        let turns = vec![Turn::default(); self.roster.len()];
        let is_hostile = has_strays || self.choices.once_in(6);
        let session = Session { roster: self.roster, is_hostile, turns, ..Session::default() };
        self.sessions.borrow_mut().push(session);
        undisturbed(|| of.identity.set_status(SlotStatus::Open));
        write();
        let service = self.choices.pick(3);
        let mut processes = self.processes.borrow_mut();
        if let Some(Role::Worker(worker)) =
            processes.iter_mut().find(|p| p.pid == pid && p.ended.is_none()).map(|p| &mut p.role)
        {
            worker.at = At::Serving(service);
        }
    }
}

impl Zygote {
    /// A child is gone; false if it was none.
    pub(crate) fn forgets(&mut self, pid: u32) -> bool {
        let before = self.children.len();
        self.children.retain(|child| child.0 != pid);
        self.children.len() < before
    }
}
