//! What the listeners and the journal saw, and what they must never see. Nothing here looks at a page.

use crate::{Entry, Place};

/// What happened to one turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    /// The process that said that it enters it.
    pub by: u32,
    /// How often it was entered.
    pub entered: u32,
    /// It came back, or its process has died.
    pub over: bool,
    /// It came back without error, and that was written down.
    pub done: bool,
}

/// One session as it really was.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub roster: &'static [Entry],
    /// Somebody writes nonsense into its page: only the turns of runners are promised.
    pub is_hostile: bool,
    pub turns: Vec<Turn>,
    /// Runners that were put to work for it, and zygotes that died over it.
    pub efforts: usize,
    pub lines: u32,
}

impl Session {
    /// Whether a turn is promised, whatever the session's page says.
    fn is_promised(&self, index: usize) -> bool {
        !self.is_hostile || self.roster[index].place != Place::Session
    }

    /// Whether no attempt was needed any more.
    fn is_spared(&self, index: usize) -> bool {
        let turn = &self.turns[index];
        let before = index.checked_sub(1).filter(|_| self.roster[index].again);
        turn.by == 0 && before.is_some_and(|i| self.turns[i].done || self.is_spared(i))
    }

    /// Whether the host may have given up: more runners than turns, and none of them got on.
    fn may_be_given_up(&self) -> bool {
        self.efforts >= self.roster.len() + 2
    }

    /// The process says that it enters a turn. It may die before it does.
    pub(crate) fn begins(&mut self, index: usize, pid: u32) -> Result<(), String> {
        if self.is_promised(index) {
            if self.turns[index].by != 0 {
                return Err(format!("turn {index} is begun twice"));
            }
            if self.is_spared(index) {
                return Err(format!("turn {index} is begun and was not needed"));
            }
            for i in (0..index).filter(|i| self.is_promised(*i)) {
                if self.turns[i].by == 0 && !self.is_spared(i) && !self.may_be_given_up() {
                    return Err(format!("turn {index} is begun before turn {i}"));
                }
                if self.turns[i].by != 0 && !self.turns[i].over {
                    return Err(format!("turn {index} is begun while {i} is not over"));
                }
            }
        }
        self.turns[index].by = pid;
        Ok(())
    }

    /// The listener is called.
    pub(crate) fn enters(
        &mut self,
        index: usize,
        place: Place,
        in_session: bool,
    ) -> Result<(), String> {
        self.turns[index].entered += 1;
        if self.is_promised(index) && self.turns[index].entered > 1 {
            return Err(format!("turn {index} is entered twice"));
        }
        let is_there = self.roster[index].place == place;
        let in_its_place = is_there && (!in_session || place == Place::Session);
        if in_its_place { Ok(()) } else { Err(format!("turn {index} is entered in another place")) }
    }

    /// A process has died: what it was in is over.
    pub(crate) fn died(&mut self, pid: u32) {
        self.turns.iter_mut().filter(|turn| turn.by == pid).for_each(|turn| turn.over = true);
    }

    /// The journal says of each turn whether it was done.
    pub(crate) fn is_told(&self, told: impl Fn(usize) -> bool) -> Result<(), String> {
        let promised = (0..self.turns.len()).filter(|i| self.is_promised(*i));
        match promised.filter(|i| told(*i) != self.turns[*i].done).min() {
            Some(index) => Err(format!("the journal lies about turn {index}")),
            None => Ok(()),
        }
    }

    /// The chain is said to be at its end.
    pub(crate) fn is_complete(&self) -> Result<(), String> {
        for index in (0..self.turns.len()).filter(|i| self.is_promised(*i)) {
            let turn = &self.turns[index];
            if turn.by == 0 && !self.is_spared(index) && !self.may_be_given_up() {
                return Err(format!("closed without turn {index}"));
            }
            if turn.by != 0 && !turn.over {
                return Err(format!("closed while turn {index} is not over"));
            }
        }
        Ok(())
    }
}
