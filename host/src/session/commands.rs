//! The commands that a protocol dispatches: hooks before, the module that carries a verb out, hooks
//! after. What a command does and means is the protocol's business.

use std::rc::Rc;

use exeunt_api::abi::{Phase, status};

use super::callbacks::About;
use super::live::Session;
use crate::api::{self, Begun, Command, Entry, Given, Matter, Outcome};
use crate::config::Kind;
use crate::events::Listener;
use crate::modules;
use std::sync::atomic::Ordering::Relaxed;

impl Session {
    /// Begins a command. What is returned but [`Begun::Own`] has been through all its phases.
    pub(super) fn begin(&self, command: Command) -> Begun {
        if self.bound.get().is_some() || self.handling.get() {
            return Begun::Refused;
        }
        // A protocol that forgot to end its last command has not carried it out.
        self.end_own(status::FAILED, None);
        if self.ending().is_err() {
            return Begun::Ending;
        }
        let command = Rc::new(command);
        if let Err(begun) = self.run_pre(&command) {
            return begun;
        }
        let Some(handler) = self.subject.plan.extras.command(&command.verb) else {
            self.own.replace(Some(command));
            return Begun::Own;
        };
        let begun = match self.carry_out(handler, &command) {
            (Outcome::Ending, _) => Begun::Ending,
            (Outcome::Done, given) => Begun::Done(text(given)),
            (Outcome::Failed(why), _) => Begun::Failed(why),
            (Outcome::Denied(why), _) => Begun::Denied(why),
        };
        self.finish(&command, &begun);
        begun
    }

    /// Ends the command that the protocol has carried out itself; false if there is none.
    pub(super) fn end_own(&self, outcome: i32, reply: Option<&str>) -> bool {
        let Some(command) = self.own.take() else { return false };
        let reply = reply.map(str::to_owned);
        command.told.replace(Some((outcome, reply)));
        if outcome != status::ENDING {
            self.run_hooks(Phase::Post, &command);
        }
        self.run_hooks(Phase::Log, &command);
        true
    }

    /// Runs the hooks before a command; the first that denies ends it.
    fn run_pre(&self, command: &Rc<Command>) -> Result<(), Begun> {
        let plan = self.subject.plan;
        for hook in plan.extras.hooks(Phase::Pre, &command.verb, command.class) {
            let begun = match self.hook(hook, command) {
                Outcome::Denied(why) => Begun::Denied(why),
                Outcome::Failed(why) => {
                    self.failed("command hook", hook, &command.verb, &why);
                    continue;
                }
                Outcome::Done | Outcome::Ending if self.ending().is_ok() => continue,
                Outcome::Done | Outcome::Ending => Begun::Ending,
            };
            self.finish(command, &begun);
            return Err(begun);
        }
        Ok(())
    }

    /// Has a module carry the command out. Like the protocol, it may take its time.
    fn carry_out(&self, handler: &Listener, command: &Rc<Command>) -> (Outcome, Option<Given>) {
        let (plan, state) = (self.subject.plan, self.subject.state);
        let before = state.inside.swap(handler.number, Relaxed);
        self.handling.set(true);
        let entry = Entry {
            subject: Some(self.subject),
            matter: Some(&Matter::Command(Rc::clone(command))),
            ..Entry::of(plan, handler.module, "command")
        };
        let outcome = api::ask(entry, |about| modules::call(&handler.callback, about));
        self.handling.set(false);
        state.inside.store(before, Relaxed);
        outcome
    }

    /// Runs the hooks after a command that the protocol did not carry out.
    fn finish(&self, command: &Rc<Command>, begun: &Begun) {
        let (outcome, reply) = match begun {
            Begun::Done(reply) => (status::OK, Some(reply.clone())),
            Begun::Failed(why) => (status::FAILED, Some(why.clone())),
            Begun::Denied(why) => (status::DENIED, Some(why.clone())),
            Begun::Own | Begun::Ending | Begun::Refused => (status::ENDING, None),
        };
        command.told.replace(Some((outcome, reply)));
        if matches!(begun, Begun::Done(_) | Begun::Failed(_)) {
            self.run_hooks(Phase::Post, command);
        }
        self.run_hooks(Phase::Log, command);
    }

    fn run_hooks(&self, phase: Phase, command: &Rc<Command>) {
        let plan = self.subject.plan;
        for hook in plan.extras.hooks(phase, &command.verb, command.class) {
            if let Outcome::Failed(why) | Outcome::Denied(why) = self.hook(hook, command) {
                self.failed("command hook", hook, &command.verb, &why);
            }
        }
    }

    fn hook(&self, hook: &Listener, command: &Rc<Command>) -> Outcome {
        let matter = Matter::Command(Rc::clone(command));
        self.call("command", hook, About { matter: Some(&matter), payload: None })
    }
}

/// The reply that a handler gave.
fn text(given: Option<Given>) -> String {
    match given.and_then(|(_, value)| value).map(|value| value.kind) {
        Some(Kind::Str(text)) => text,
        _ => String::new(),
    }
}
