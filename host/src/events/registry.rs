//! What modules register while they initialise. Whatever is wrong with a registration is refused
//! here, with a text that names the module; nothing can be added after [`Registry::freeze`].

use exeunt_api::abi::{Callback, ProtocolTable, status};
use exeunt_ledger::{Entry, LISTENERS, MODULES, Place, STATE_MAX};

use super::extras::Extras;
use super::plan::{
    CONNECT, EXIT, Event, LOGIN, LOGIN_FAILED, Listener, MODULE_UNLOAD, ModulePlan, Plan, Protocol,
    RESTART, SHUTDOWN, STARTUP,
};
use super::wish::Wish;
use crate::cause::Cause;

/// The most bytes of a listener's, an event's or a protocol's name.
const NAME_MAX: usize = 64;

/// What came of a registration: a status code for the module and, if it was refused, why.
pub(crate) type Registration<T = ()> = Result<T, (i32, String)>;

/// The registrations so far.
pub(crate) struct Registry {
    pub(super) modules: Vec<ModulePlan>,
    events: Vec<Event>,
    protocols: Vec<Protocol>,
    pub(super) extras: Extras,
    cells: usize,
    numbers: u32,
}

impl Registry {
    /// No module yet; the host's own events are there.
    pub(crate) fn new() -> Self {
        let own = [STARTUP, RESTART, CONNECT, LOGIN, LOGIN_FAILED, EXIT, MODULE_UNLOAD, SHUTDOWN];
        let ends = (0..64).filter_map(Cause::from_number).filter_map(Cause::event);
        let event = |name: &str| Event {
            name: name.to_owned(),
            owner: None,
            version: 0,
            listeners: Vec::new(),
            roster: Vec::new(),
        };
        let events = own.into_iter().chain(ends).map(event).collect();
        Self {
            modules: Vec::new(),
            events,
            protocols: Vec::new(),
            extras: Extras::default(),
            cells: 0,
            numbers: 0,
        }
    }

    /// Begins the next module; what is registered from here on is its own.
    pub(crate) fn begin(&mut self, module: ModulePlan) {
        self.modules.push(module);
    }

    pub(super) fn module(&self) -> (usize, &str) {
        let index = self.modules.len().saturating_sub(1);
        (index, self.modules.last().map_or("?", |module| module.name.as_str()))
    }

    fn number(&mut self) -> u32 {
        self.numbers += 1;
        self.numbers
    }

    /// Registers a listener. `own_code` says whether an address lies in the module's code.
    pub(crate) fn listener(
        &mut self,
        event: &str,
        name: &str,
        wish: Wish,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the listener `{name}` for `{event}`");
        let mut listener = self.callback(&what, name, callback, own_code)?;
        wish.grant(&what, event, &self.modules[listener.module], &mut listener)?;
        let known = self.events.iter().position(|known| known.name == event);
        let known = known.unwrap_or_else(|| {
            // Perhaps a module that comes later declares it: `freeze` looks.
            self.events.push(Event {
                name: event.to_owned(),
                owner: Some(UNDECLARED),
                version: 0,
                listeners: Vec::new(),
                roster: Vec::new(),
            });
            self.events.len() - 1
        });
        let listeners = &mut self.events[known].listeners;
        not_twice(&what, listeners.iter(), &listener)?;
        if listeners.len() + wish.attempts as usize > LISTENERS {
            let why = format!("an event has at most {LISTENERS} listeners, each attempt counted");
            return refuse(status::TOO_BIG, &what, &why);
        }
        listeners.extend((1..=wish.attempts).map(|n| Listener { attempt: n, ..listener.clone() }));
        Ok(())
    }

    /// A callback of the module under a name, if both may be.
    pub(super) fn callback(
        &mut self,
        what: &str,
        name: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration<Listener> {
        let (module, called) = self.module();
        check_name(what, name)?;
        let Some(call) = callback.call else {
            return refuse(status::BAD_ARGUMENT, what, "its function is a null pointer");
        };
        if !own_code(call as usize) {
            return refuse(status::FOREIGN_POINTER, what, &foreign(called));
        }
        let (number, deadline) = (self.number(), self.modules[module].listener);
        let (name, place, attempt) = (name.to_owned(), Place::Session, 1);
        Ok(Listener { module, name, callback, number, deadline, place, attempt })
    }

    /// Registers a protocol.
    pub(crate) fn protocol(
        &mut self,
        name: &str,
        table: ProtocolTable,
        refusal: Option<String>,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let (index, module) = self.module();
        let what = format!("the protocol `{name}`");
        check_name(&what, name)?;
        let Some(serve) = table.serve else {
            return refuse(status::BAD_ARGUMENT, &what, "its serve function is a null pointer");
        };
        let farewell = table.farewell.map_or(serve as usize, |call| call as usize);
        if !own_code(serve as usize) || !own_code(farewell) {
            return refuse(status::FOREIGN_POINTER, &what, &foreign(module));
        }
        if let Some(other) = self.protocols.iter().find(|p| p.name == name) {
            let why = format!("module `{}` registered it before", self.modules[other.module].name);
            return refuse(status::DUPLICATE, &what, &why);
        }
        let number = self.number();
        self.protocols.push(Protocol {
            name: name.to_owned(),
            module: index,
            table,
            refusal,
            number,
        });
        Ok(())
    }

    /// Declares an event of the module.
    pub(crate) fn event(&mut self, name: &str, version: u32) -> Registration {
        let (index, module) = self.module();
        let what = format!("the event `{name}`");
        check_name(&what, name)?;
        if name.split_once('.').is_none_or(|(owner, rest)| owner != module || rest.is_empty()) {
            let why = format!("an event of this module is called `{module}.what-happened`");
            return refuse(status::BAD_ARGUMENT, &what, &why);
        }
        match self.events.iter_mut().find(|event| event.name == name) {
            Some(event) if event.owner == Some(UNDECLARED) => {
                (event.owner, event.version) = (Some(index), version);
            }
            Some(_) => return refuse(status::DUPLICATE, &what, "it is declared twice"),
            None => {
                let (name, owner) = (name.to_owned(), Some(index));
                let (listeners, roster) = (Vec::new(), Vec::new());
                self.events.push(Event { name, owner, version, listeners, roster });
            }
        }
        Ok(())
    }

    /// Gives the module its cell of each session's state.
    pub(crate) fn state(&mut self, size: u32) -> Registration {
        let what = "the session state";
        if size as usize > STATE_MAX {
            let why = format!("it holds at most {STATE_MAX} bytes, and {size} were asked for");
            return refuse(status::TOO_BIG, what, &why);
        }
        if self.cells == MODULES {
            let why = format!("at most {MODULES} modules may keep session state");
            return refuse(status::TOO_BIG, what, &why);
        }
        let cell = self.cells;
        let Some(module) = self.modules.last_mut() else {
            return refuse(status::BAD_PHASE, what, "no module is initialising");
        };
        if module.cell.is_some() {
            return refuse(status::DUPLICATE, what, "it is asked for twice");
        }
        module.cell = Some(cell);
        self.cells += 1;
        Ok(())
    }

    /// Ends registration. What is still wrong is returned: the module's index and what it is.
    pub(crate) fn freeze(self) -> Result<Plan, Vec<(usize, String)>> {
        let known: Vec<&str> =
            self.events.iter().filter(|e| e.owner != Some(UNDECLARED)).map(|e| &*e.name).collect();
        let mut wrong = Vec::new();
        for event in self.events.iter().filter(|event| event.owner == Some(UNDECLARED)) {
            for listener in &event.listeners {
                let near =
                    known.iter().find(|name| strsim::damerau_levenshtein(name, &event.name) < 4);
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                let text = format!(
                    "the listener `{}` was refused: no enabled module declares the event `{}`{hint}",
                    listener.name, event.name
                );
                wrong.push((listener.module, text));
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let Self { modules, mut events, protocols, extras, cells, .. } = self;
        for event in &mut events {
            let turn = |l: &Listener| Entry { place: l.place, again: l.attempt > 1 };
            event.roster = event.listeners.iter().map(turn).collect();
        }
        Ok(Plan { modules, events, protocols, extras, cells })
    }
}

/// A module has one callback of a name for the same thing.
pub(super) fn not_twice<'a>(
    what: &str,
    mut others: impl Iterator<Item = &'a Listener>,
    new: &Listener,
) -> Registration {
    if others.any(|other| other.module == new.module && other.name == new.name) {
        return refuse(status::DUPLICATE, what, "it is registered twice");
    }
    Ok(())
}

/// The owner of an event that has a listener and no declaration yet.
const UNDECLARED: usize = usize::MAX;

pub(super) fn refuse<T>(code: i32, what: &str, why: &str) -> Registration<T> {
    Err((code, format!("{what} was refused: {why}")))
}

fn foreign(module: &str) -> String {
    format!("its function does not lie in the code of `{module}`")
}

fn check_name(what: &str, name: &str) -> Registration {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(fits) {
        let why = format!("a name has 1 to {NAME_MAX} of a-z, 0-9, `-`, `_` and `.`");
        return refuse(status::BAD_ARGUMENT, what, &why);
    }
    Ok(())
}
