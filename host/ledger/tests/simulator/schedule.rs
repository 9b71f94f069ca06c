//! One schedule: who takes a step next, who dies where, and when it is over.

use std::rc::Rc;
use std::sync::LazyLock;

use crate::atoms::{live, set_others};
use crate::choice::{Choices, Seed};
use crate::supervisor::Duty;
use crate::sync::Ordering::Relaxed;
use crate::worker::At;
use crate::world::{CRASHED, KILLED, OVERDUE, Role, SUPERVISOR, World};
use crate::{Entry, Place, Slot, SlotStatus};

/// So many steps, and a schedule does not come to an end.
const LONGEST: u32 = 5000;
/// So often sessions ask again before nobody answers.
const PATIENCE: u32 = 40;

/// A schedule that broke a promise.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub why: String,
    pub choices: Vec<u32>,
    pub trace: Vec<String>,
}

/// Rosters of up to eight turns.
static ROSTERS: LazyLock<Vec<Vec<Entry>>> = LazyLock::new(|| {
    let mut seed = Seed(1);
    let mut one = |index: usize| {
        let mut roster: Vec<Entry> = Vec::new();
        for _ in 0..index % 9 {
            let before = roster.last().copied().filter(|_| seed.next().is_multiple_of(4));
            let place = [Place::Session, Place::Session, Place::Runner, Place::Root];
            let place = if index.is_multiple_of(5) {
                Place::Session
            } else {
                place[seed.next() as usize % 4]
            };
            roster
                .push(before.map_or(Entry { place, again: false }, |e| Entry { again: true, ..e }));
        }
        roster
    };
    (0..1200).map(&mut one).collect()
});

/// Runs one schedule on slots that nobody else uses.
pub(crate) fn run(
    slots: &'static [Slot],
    choices: Choices,
    is_traced: bool,
) -> Result<(), Failure> {
    let roster = &ROSTERS[choices.pick(ROSTERS.len() as u32) as usize];
    let used = 1 + choices.pick(slots.len() as u32) as usize;
    let world = Rc::new(World::new(&slots[..used], roster, choices, is_traced));
    world.to_come.set(1 + world.choices.pick(3));
    world.faults.set(world.choices.pick(9));
    world.note(|| format!("{used} slots, {roster:?}"));
    let others = Rc::clone(&world);
    set_others(Some(Box::new(move || others.step_of_another())));
    world.start_zygote();
    world.is_committed.set(true);
    let mut patience = PATIENCE;
    for _ in 0..LONGEST {
        if world.wrong.borrow().is_some() || world.is_over() {
            break;
        }
        world.step(&mut patience);
    }
    set_others(None);
    if world.wrong.borrow().is_none() {
        world.check(world.end_is_right());
    }
    let wrong = world.wrong.take();
    match wrong {
        None => Ok(()),
        Some(why) => Err(Failure { why, choices: world.choices.taken(), trace: world.trace() }),
    }
}

impl World {
    fn is_over(&self) -> bool {
        let is_idle = |role: &Role| matches!(role, Role::Zygote(z) if !self.has_work(z));
        self.to_come.get() == 0
            && self.is_supervised.get()
            && self.processes.borrow().iter().all(|p| p.ended.is_none() && is_idle(&p.role))
            && self.slots.iter().all(|slot| slot.identity.status() == SlotStatus::Free)
    }

    fn end_is_right(&self) -> Result<(), String> {
        if !self.is_over() {
            return Err("it does not come to an end".to_owned());
        }
        for (number, session) in self.sessions.borrow().iter().enumerate() {
            if session.lines != 1 {
                return Err(format!(
                    "session {} is {} times in the journal",
                    number + 1,
                    session.lines
                ));
            }
            session.is_complete()?;
        }
        Ok(())
    }

    fn step(&self, patience: &mut u32) {
        let (mut life, mut quiet) = (None, None);
        if self.faults.get() > 0 && self.choices.once_in(16) {
            self.faults.set(self.faults.get() - 1);
            match self.choices.pick(8) {
                0..=1 => return self.kill_somebody(),
                2..=4 => life = Some(self.choices.pick(48)),
                5 => return self.end_all(),
                6 => {
                    self.note(|| "the supervisor is killed".to_owned());
                    self.is_supervised.set(false);
                    return self.leave_to_init();
                }
                _ => return self.let_stray(),
            }
        }
        if self.choices.once_in(6) {
            quiet = Some(self.choices.pick(64));
        }
        let busy = self.busy();
        let duty = self.duty();
        let all = busy.len() as u32 + u32::from(duty.is_some());
        if all == 0 {
            return self.go_on_after_silence(patience);
        }
        match busy.get(self.choices.pick(all) as usize) {
            Some(pid) if busy.len() > 1 && self.is_slow(*pid) && !self.choices.once_in(24) => {}
            Some(pid) => self.let_act(*pid, life, quiet),
            None => {
                let duty = duty.expect("the last of the choices");
                if live(life, quiet, || self.attend(duty)).is_none() {
                    self.end_all();
                }
            }
        }
    }

    fn busy(&self) -> Vec<u32> {
        let processes = self.processes.borrow();
        let living = processes.iter().filter(|p| p.ended.is_none());
        living.filter(|p| p.role.is_busy(self)).map(|p| p.pid).collect()
    }

    fn is_slow(&self, pid: u32) -> bool {
        self.processes.borrow().iter().any(|p| p.pid == pid && p.is_slow)
    }

    /// Nobody has anything to do. Those that wait for an answer ask again; else the daemon starts anew.
    fn go_on_after_silence(&self, patience: &mut u32) {
        let is_waiting =
            |role: &Role| matches!(role, Role::Worker(w) if matches!(w.at, At::WaitsFor(_)));
        let processes = self.processes.borrow();
        let mut living = processes.iter().filter(|p| p.ended.is_none());
        let waits = living.find(|p| is_waiting(&p.role)).map(|p| p.pid);
        drop(processes);
        match waits.filter(|_| self.is_supervised.get()) {
            // Its timer.
            Some(pid) if self.is_hostile(pid) && self.choices.once_in(4) => self.end(pid, OVERDUE),
            Some(pid) if *patience > 0 => {
                *patience -= 1;
                self.let_act(pid, None, None);
            }
            Some(pid) if self.is_hostile(pid) => self.end(pid, OVERDUE),
            Some(_) => self.check(Err("nobody answers a session".to_owned())),
            None if !self.is_supervised.get() => self.attend(Duty::Replay),
            None => self.check(Err("nobody has anything to do, and something is owed".to_owned())),
        }
    }

    fn is_hostile(&self, pid: u32) -> bool {
        let number = self.processes.borrow().iter().find_map(|p| match &p.role {
            Role::Worker(worker) if p.pid == pid && worker.zygote.is_none() => Some(worker.number),
            _ => None,
        });
        number.and_then(|number| self.seen(number, |seen| seen.is_hostile)) == Some(true)
    }

    /// One step of a process, in the middle of which it may die.
    fn let_act(&self, pid: u32, life: Option<u32>, quiet: Option<u32>) {
        if self.is_hostile(pid) && self.choices.once_in(4) {
            self.scribble(self.slot_of(pid));
        }
        let Some(mut role) = self.swap_role(pid, Role::Busy) else { return };
        let lived = live(life, quiet, || self.act(pid, &mut role));
        self.swap_role(pid, role);
        if lived.is_none() {
            self.end(pid, KILLED);
        }
    }

    fn act(&self, pid: u32, role: &mut Role) {
        match role {
            Role::Zygote(zygote) => self.go_on(zygote),
            Role::Worker(worker) => drop(self.work(pid, worker)),
            Role::Stray { slot, left: left @ 1.. } => {
                *left -= 1;
                self.scribble(*slot);
            }
            Role::Stray { .. } => self.end(pid, KILLED),
            Role::Busy => {}
        }
    }

    /// In the middle of a step somebody else takes one.
    fn step_of_another(&self) {
        if self.wrong.borrow().is_some() {
            return;
        }
        let busy = self.busy();
        let duty = self.duty().filter(|duty| matches!(duty, Duty::Bury(..)));
        let all = busy.len() as u32 + u32::from(duty.is_some());
        if all == 0 {
            return;
        }
        self.note(|| "meanwhile:".to_owned());
        match busy.get(self.choices.pick(all) as usize) {
            Some(pid) => {
                let Some(mut role) = self.swap_role(*pid, Role::Busy) else { return };
                self.act(*pid, &mut role);
                self.swap_role(*pid, role);
            }
            None => self.attend(duty.expect("the last of the choices")),
        }
    }

    fn swap_role(&self, pid: u32, role: Role) -> Option<Role> {
        let mut processes = self.processes.borrow_mut();
        let process = processes.iter_mut().find(|p| p.pid == pid)?;
        Some(std::mem::replace(&mut process.role, role))
    }

    fn slot_of(&self, pid: u32) -> usize {
        let processes = self.processes.borrow();
        let mut slots = processes.iter().filter(|p| p.pid == pid).filter_map(|p| match &p.role {
            Role::Worker(worker) => Some(worker.slot),
            _ => None,
        });
        slots.next().unwrap_or(0)
    }

    fn kill_somebody(&self) {
        let processes = self.processes.borrow();
        let living: Vec<u32> =
            processes.iter().filter(|p| p.ended.is_none()).map(|p| p.pid).collect();
        drop(processes);
        if let Some(zygote) = self.zygote().filter(|_| self.choices.once_in(3)) {
            self.end(zygote, KILLED);
        } else if !living.is_empty() {
            let pid = living[self.choices.pick(living.len() as u32) as usize];
            self.end(pid, [KILLED, CRASHED, OVERDUE][self.choices.pick(3) as usize]);
        }
    }

    /// A dead session's child lives, and has its page. Before the take-over it can still lie.
    fn let_stray(&self) {
        let slot = self.choices.pick(self.slots.len() as u32) as usize;
        let identity = &self.slots[slot].identity;
        if matches!(identity.status(), SlotStatus::Open | SlotStatus::Taken) {
            let number = identity.session.load(Relaxed);
            let lies = identity.status() == SlotStatus::Open;
            self.seen(number, |seen| seen.is_hostile |= lies);
            let pid = self.fork(SUPERVISOR, Role::Stray { slot, left: self.choices.pick(12) });
            self.strays.borrow_mut().push((pid, slot));
        }
    }
}
