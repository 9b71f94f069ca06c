//! Registrations of what is neither a listener nor a protocol: counters, timers,
//! command hooks and handlers, authenticators, control actions.

use exeunt_api::abi::{Callback, Phase, Place, status};

use super::access::Allowed;
use super::plan::{Listener, Plan};
use super::registry::{Registration, Registry, not_twice, refuse};
use super::wish::NO_ROOT;
use crate::counters::{self, LABELS, Wanted};

/// What is neither a listener nor a protocol.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    /// Their numbers are their places.
    pub(crate) counters: Vec<Counter>,
    /// Timers of sessions.
    pub(crate) timers: Vec<Listener>,
    /// Command hooks, in the order in which those of a phase run.
    pub(crate) hooks: Vec<Hook>,
    /// Who carries out a verb, under its name.
    pub(crate) commands: Vec<Listener>,
    /// Authenticators, in the order in which they are asked.
    pub(crate) authenticators: Vec<Listener>,
    /// Control actions.
    pub(crate) controls: Vec<Listener>,
    /// What the modules may touch in sessions.
    pub(crate) allowed: Vec<Allowed>,
}

/// A command hook.
#[derive(Debug)]
pub(crate) struct Hook {
    phase: Phase,
    pattern: Pattern,
    listener: Listener,
}

/// The commands that a hook is for.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// The verb; none for all.
    pub(crate) verb: Option<String>,
    /// A sum of class bits; 0 for all.
    pub(crate) classes: u32,
}

impl Pattern {
    fn fits(&self, verb: &str, class: u32) -> bool {
        self.verb.as_ref().is_none_or(|own| own == verb)
            && (self.classes == 0 || self.classes & class != 0)
    }
}

/// A counter that all sessions share.
#[derive(Debug)]
pub(crate) struct Counter {
    /// The index of its module.
    pub(crate) module: usize,
    /// Its name in OpenMetrics, without `_total`.
    pub(crate) metric: String,
    /// The names of its labels.
    pub(crate) labels: Vec<String>,
}

impl Extras {
    /// The callback with that number among all of the plan, and what it is.
    pub(super) fn callback(&self, number: u32) -> Option<(&'static str, &Listener)> {
        let hooks = self.hooks.iter().map(|hook| ("command hook", &hook.listener));
        let timers = self.timers.iter().map(|timer| ("timer", timer));
        let commands = self.commands.iter().map(|command| ("the command", command));
        let controls = self.controls.iter().map(|control| ("control action", control));
        let others = self.authenticators.iter().map(|other| ("authenticator", other));
        let mut all = hooks.chain(timers).chain(commands).chain(others).chain(controls);
        all.find(|(_, listener)| listener.number == number)
    }

    /// The hooks of a phase for a command, in order.
    pub(crate) fn hooks(
        &self,
        phase: Phase,
        verb: &str,
        class: u32,
    ) -> impl Iterator<Item = &Listener> {
        let hooks = self.hooks.iter().filter(move |hook| hook.phase == phase);
        hooks.filter(move |hook| hook.pattern.fits(verb, class)).map(|hook| &hook.listener)
    }

    /// Who carries out a verb in place of the protocol.
    pub(crate) fn command(&self, verb: &str) -> Option<&Listener> {
        self.commands.iter().find(|command| command.name == verb)
    }

    /// The place of a module's timer.
    pub(crate) fn timer(&self, module: usize, name: &str) -> Option<usize> {
        self.timers.iter().position(|timer| timer.module == module && timer.name == name)
    }
}

/// The most callbacks of one kind in a plan.
const CALLBACKS: usize = 256;
/// The most bytes of a verb.
const VERB: usize = 32;
/// The most counters of a plan.
const COUNTERS: usize = 64;
/// The most bytes of a counter's or label's name.
const METRIC_NAME: usize = 32;

impl Registry {
    /// Registers a counter; returns its number.
    pub(crate) fn counter(&mut self, name: &str, labels: &[&str]) -> Registration<i32> {
        let (index, module) = self.module();
        let what = format!("the counter `{name}`");
        if let Some(wrong) = std::iter::once(name).chain(labels.iter().copied()).find(|n| !fits(n))
        {
            let why = format!(
                "`{wrong}` is no name for a metric: 1 to {METRIC_NAME} of a-z, 0-9 and `_`, the first a letter"
            );
            return refuse(status::BAD_ARGUMENT, &what, &why);
        }
        let twice = (1..labels.len()).find(|place| labels[..*place].contains(&labels[*place]));
        if let Some(place) = twice {
            let why = format!("its label `{}` is there twice", labels[place]);
            return refuse(status::BAD_ARGUMENT, &what, &why);
        }
        if labels.len() > LABELS || self.extras.counters.len() == COUNTERS {
            let why =
                format!("a counter has at most {LABELS} labels, a daemon {COUNTERS} counters");
            return refuse(status::TOO_BIG, &what, &why);
        }
        let metric = format!("exeunt_{module}_{name}");
        if let Some(other) = self.extras.counters.iter().find(|other| other.metric == metric) {
            let other = &self.modules[other.module].name;
            let why = format!("module `{other}` has registered the metric {metric} before");
            return refuse(status::DUPLICATE, &what, &why);
        }
        if counters::is_own(&metric) {
            return refuse(status::DUPLICATE, &what, &format!("{metric} is a metric of the host"));
        }
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        self.extras.counters.push(Counter { module: index, metric, labels });
        Ok(self.extras.counters.len() as i32 - 1)
    }
}

impl Registry {
    /// Registers a timer of sessions.
    pub(crate) fn timer(
        &mut self,
        name: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the timer `{name}`");
        let timer = self.callback(&what, name, callback, own_code)?;
        not_twice(&what, self.extras.timers.iter(), &timer)?;
        add(&what, &mut self.extras.timers, timer)
    }

    /// Registers a command hook.
    pub(crate) fn hook(
        &mut self,
        phase: Phase,
        pattern: Pattern,
        name: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the command hook `{name}`");
        if let Some(verb) = pattern.verb.as_ref().filter(|verb| !is_verb(verb)) {
            return refuse(status::BAD_ARGUMENT, &what, &no_verb(verb));
        }
        let listener = self.callback(&what, name, callback, own_code)?;
        let same = self.extras.hooks.iter().filter(|hook| hook.phase == phase);
        not_twice(&what, same.map(|hook| &hook.listener), &listener)?;
        add(&what, &mut self.extras.hooks, Hook { phase, pattern, listener })
    }

    /// Registers an authenticator. Where it is to run has to be known.
    pub(crate) fn authenticator(
        &mut self,
        name: &str,
        place: Option<Place>,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the authenticator `{name}`");
        let mut new = self.callback(&what, name, callback, own_code)?;
        new.place = match place {
            Some(Place::Session) => exeunt_ledger::Place::Session,
            Some(Place::RootHelper) if self.modules[new.module].may_be_root => {
                exeunt_ledger::Place::Root
            }
            Some(Place::RootHelper) => return refuse(status::BAD_ARGUMENT, &what, NO_ROOT),
            None => {
                let why = "it is to run where this daemon runs none";
                return refuse(status::BAD_ARGUMENT, &what, why);
            }
        };
        not_twice(&what, self.extras.authenticators.iter(), &new)?;
        add(&what, &mut self.extras.authenticators, new)
    }

    /// Registers a control action.
    pub(crate) fn control(
        &mut self,
        action: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the control action `{action}`");
        let new = self.callback(&what, action, callback, own_code)?;
        not_twice(&what, self.extras.controls.iter(), &new)?;
        add(&what, &mut self.extras.controls, new)
    }

    /// Registers who carries out a verb.
    pub(crate) fn command(
        &mut self,
        verb: &str,
        callback: Callback,
        own_code: impl Fn(usize) -> bool,
    ) -> Registration {
        let what = format!("the command `{verb}`");
        if !is_verb(verb) {
            return refuse(status::BAD_ARGUMENT, &what, &no_verb(verb));
        }
        let mut command = self.callback(&what, "command", callback, own_code)?;
        verb.clone_into(&mut command.name);
        if let Some(other) = self.extras.command(verb) {
            let (own, other) =
                (&self.modules[command.module].name, &self.modules[other.module].name);
            let why = format!("module `{other}` carries it out already, and `{own}` cannot, too");
            return refuse(status::DUPLICATE, &what, &why);
        }
        add(&what, &mut self.extras.commands, command)
    }
}

/// Adds a callback if there is room for one more of its kind.
fn add<T>(what: &str, to: &mut Vec<T>, new: T) -> Registration {
    if to.len() == CALLBACKS {
        let why = format!("there are at most {CALLBACKS} of its kind");
        return refuse(status::TOO_BIG, what, &why);
    }
    to.push(new);
    Ok(())
}

/// Whether a text is the verb of a command.
pub(crate) fn is_verb(verb: &str) -> bool {
    let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "-_".contains(c);
    (1..=VERB).contains(&verb.len()) && verb.chars().all(fits)
}

fn no_verb(verb: &str) -> String {
    format!("`{verb}` is no verb: 1 to {VERB} of A-Z, 0-9, `-` and `_`")
}

/// Whether it is a name for a metric or a label.
fn fits(name: &str) -> bool {
    let rest = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= METRIC_NAME
        && name.chars().all(rest)
}

impl Plan {
    /// The counters as the table of all generations takes them.
    pub(crate) fn wanted_counters(&self) -> Vec<Wanted<'_>> {
        fn wanted(counter: &Counter) -> Wanted<'_> {
            let Counter { metric, labels, module } = counter;
            Wanted { name: metric.clone(), labels, module: *module }
        }
        self.extras.counters.iter().map(wanted).collect()
    }
}

#[cfg(test)]
#[path = "extras_tests.rs"]
mod tests;
