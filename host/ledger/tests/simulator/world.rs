//! The kernel's part: processes with their parents, what is left of them until they are reaped, and the
//! channels between them. Who does what is in `worker`, `zygote` and `supervisor`.

use std::cell::{Cell, RefCell};

use crate::choice::Choices;
use crate::oracle;
use crate::worker::{At, Worker};
use crate::zygote::Zygote;
use crate::{Entry, Slot, Succession};

/// The supervisor's number.
pub(crate) const SUPERVISOR: u32 = 1;
/// Of a wait status: killed from outside.
pub(crate) const KILLED: i32 = 9;
/// Of a wait status: it crashed.
pub(crate) const CRASHED: i32 = 11;
/// Of a wait status, here: killed by its own timer.
pub(crate) const OVERDUE: i32 = 14;

/// What a process does.
#[derive(Debug)]
pub(crate) enum Role {
    Zygote(Zygote),
    Worker(Worker),
    /// A descendant of a session that survived it, and writes nonsense into the session's page.
    Stray {
        slot: usize,
        left: u32,
    },
    /// Its role is at work now.
    Busy,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zygote(_) => write!(f, "zygote"),
            Self::Worker(Worker { slot, number, place, zygote: Some(_), .. }) => {
                write!(f, "runner, slot {slot}, session {number}, {place:?}")
            }
            Self::Worker(Worker { slot, number, .. }) => write!(f, "session {number}, slot {slot}"),
            Self::Stray { slot, .. } => write!(f, "stray, slot {slot}"),
            Self::Busy => write!(f, "busy"),
        }
    }
}

/// A process that lives, or that nobody has reaped.
#[derive(Debug)]
pub(crate) struct Process {
    pub pid: u32,
    pub parent: u32,
    /// How it ended.
    pub ended: Option<i32>,
    pub role: Role,
    /// Others are far more often faster.
    pub is_slow: bool,
}

/// One generation with everything around it.
pub(crate) struct World {
    pub slots: &'static [Slot],
    pub roster: &'static [Entry],
    pub choices: Choices,
    pub processes: RefCell<Vec<Process>>,
    /// Processes and slots.
    pub strays: RefCell<Vec<(u32, usize)>>,
    pub last_pid: Cell<u32>,
    /// What the supervisor has told the zygote: slots on which somebody died.
    pub told: RefCell<Vec<usize>>,
    /// What sessions have asked the zygote for: slot and turn.
    pub asked: RefCell<Vec<(usize, usize)>>,
    pub sessions: RefCell<Vec<oracle::Session>>,
    /// Sessions that are still to come.
    pub to_come: Cell<u32>,
    /// The supervisor is there.
    pub is_supervised: Cell<bool>,
    /// The supervisor has decided for the zygote, and tells it of deaths.
    pub is_committed: Cell<bool>,
    pub faults: Cell<u32>,
    pub wrong: RefCell<Option<String>>,
    trace: Option<RefCell<Vec<String>>>,
}

impl World {
    pub(crate) fn new(
        slots: &'static [Slot],
        roster: &'static [Entry],
        choices: Choices,
        is_traced: bool,
    ) -> Self {
        for slot in slots {
            slot.identity.reset();
            slot.state.reset(crate::LISTENERS, crate::MODULES);
            slot.takeover.reset(crate::LISTENERS, crate::MODULES);
        }
        Self {
            slots,
            roster,
            choices,
            processes: RefCell::default(),
            strays: RefCell::default(),
            last_pid: Cell::new(SUPERVISOR),
            told: RefCell::default(),
            asked: RefCell::default(),
            sessions: RefCell::default(),
            to_come: Cell::new(0),
            is_supervised: Cell::new(true),
            is_committed: Cell::new(false),
            faults: Cell::new(0),
            wrong: RefCell::default(),
            trace: is_traced.then(RefCell::default),
        }
    }

    /// Notes something for whoever reads a schedule that failed.
    pub(crate) fn note(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(text());
        }
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.trace.as_ref().map_or_else(Vec::new, |trace| trace.borrow().clone())
    }

    /// A promise is broken.
    pub(crate) fn check(&self, checked: Result<(), String>) {
        if let Err(why) = checked {
            self.note(|| format!("WRONG: {why}"));
            self.wrong.borrow_mut().get_or_insert(why);
        }
    }

    pub(crate) fn succession(&self, slot: usize) -> Succession<'static> {
        Succession::new(&self.slots[slot], self.roster, crate::MODULES)
    }

    pub(crate) fn fork(&self, parent: u32, role: Role) -> u32 {
        let pid = self.last_pid.get() + 1;
        self.last_pid.set(pid);
        self.note(|| format!("{parent} forks {pid}: {role}"));
        let is_slow = self.choices.once_in(5);
        self.processes.borrow_mut().push(Process { pid, parent, ended: None, role, is_slow });
        pid
    }

    /// Whether nothing has that number any more.
    pub(crate) fn is_gone(&self, pid: u32) -> bool {
        !self.processes.borrow().iter().any(|p| p.pid == pid)
    }

    pub(crate) fn parent(&self, pid: u32) -> u32 {
        let processes = self.processes.borrow();
        processes.iter().find(|p| p.pid == pid).map_or(0, |p| p.parent)
    }

    /// A process ends. Its children are the supervisor's, or nobody's.
    pub(crate) fn end(&self, pid: u32, raw: i32) {
        let mut processes = self.processes.borrow_mut();
        let Some(place) = processes.iter().position(|p| p.pid == pid && p.ended.is_none()) else {
            return;
        };
        self.note(|| format!("{pid} ends ({raw})"));
        processes[place].ended = Some(raw);
        let role = std::mem::replace(&mut processes[place].role, Role::Busy);
        for child in processes.iter_mut().filter(|p| p.parent == pid) {
            child.parent = SUPERVISOR;
            // A spare whose zygote is gone.
            if let Role::Worker(Worker { at: at @ At::Waiting, .. }) = &mut child.role {
                *at = At::Leaving(0);
            }
        }
        for session in self.sessions.borrow_mut().iter_mut() {
            session.died(pid);
        }
        if let Role::Zygote(_) = role {
            self.told.borrow_mut().clear();
            self.asked.borrow_mut().clear();
            for session in self.sessions.borrow_mut().iter_mut().filter(|s| s.lines == 0) {
                session.efforts += 1;
            }
        }
        drop(processes);
        self.strays.borrow_mut().retain(|stray| stray.0 != pid);
        self.leave_to_init();
    }

    /// Without a supervisor whoever has no parent is reaped by init.
    pub(crate) fn leave_to_init(&self) {
        if !self.is_supervised.get() {
            self.processes.borrow_mut().retain(|p| p.ended.is_none() || p.parent != SUPERVISOR);
        }
    }

    /// Whether somebody who should not has a slot's page still mapped.
    pub(crate) fn has_strays(&self, slot: usize) -> bool {
        self.strays.borrow().iter().any(|stray| stray.1 == slot)
    }

    pub(crate) fn reap(&self, pid: u32) {
        self.processes.borrow_mut().retain(|p| p.pid != pid);
    }

    /// The pid and the wait status of a child that has ended, if there is one.
    pub(crate) fn peek(&self, parent: u32) -> Option<(u32, i32)> {
        let processes = self.processes.borrow();
        let mut ended = processes.iter().filter(|p| p.parent == parent);
        ended.find_map(|p| Some((p.pid, p.ended?)))
    }

    pub(crate) fn zygote(&self) -> Option<u32> {
        let processes = self.processes.borrow();
        let mut living = processes.iter().filter(|p| p.ended.is_none());
        living.find(|p| matches!(p.role, Role::Zygote(_))).map(|p| p.pid)
    }

    /// Everything is killed: nobody is left to reap anybody.
    pub(crate) fn end_all(&self) {
        self.note(|| "everything is killed".to_owned());
        for session in self.sessions.borrow_mut().iter_mut() {
            session.turns.iter_mut().for_each(|turn| turn.over |= turn.by != 0);
            session.efforts += usize::from(session.lines == 0);
        }
        self.processes.borrow_mut().clear();
        self.strays.borrow_mut().clear();
        self.told.borrow_mut().clear();
        self.asked.borrow_mut().clear();
        self.is_supervised.set(false);
        self.is_committed.set(false);
    }

    /// What the oracle knows of a session.
    pub(crate) fn seen<T>(
        &self,
        number: u64,
        look: impl FnOnce(&mut oracle::Session) -> T,
    ) -> Option<T> {
        let mut sessions = self.sessions.borrow_mut();
        sessions.get_mut((number as usize).wrapping_sub(1)).map(look)
    }
}
