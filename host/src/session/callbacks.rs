//! The callbacks that are entered in a living session, each under the deadline of a listener: the
//! listeners of events that are not the end, and timers.

use exeunt_api::abi::Handle;
use std::sync::atomic::Ordering::Relaxed;

use super::live::Session;
use crate::api::{self, Ending, Entry, Given, Living, Matter, Outcome};
use crate::cause::Cause;
use crate::events::Listener;
use crate::{clock, config, exit, modules};

/// What else a callback is about, beside its session.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    pub(super) payload: Option<Handle>,
    pub(super) matter: Option<&'a Matter>,
}

impl Session {
    /// Runs the listeners of an event that is not the end. One that denies ends the session.
    pub(super) fn deliver(&self, event: &str, payload: Option<Handle>) -> Result<(), Ending> {
        for listener in self.subject.plan.listeners(event) {
            match self.call(event, listener, About { payload, ..About::default() }) {
                Outcome::Done | Outcome::Ending => {}
                Outcome::Denied(why) => {
                    let title = self.subject.plan.title(listener);
                    self.end(Cause::AccessDenied, Some(&format!("{title}: {why}")));
                    return Err(Ending);
                }
                Outcome::Failed(why) => self.failed("listener", listener, event, &why),
            }
        }
        self.ending()
    }

    /// Runs the timers that are due, in the order of their moments; none within another callback.
    pub(super) fn run_timers(&self) -> Result<(), Ending> {
        if self.bound.get().is_some() {
            return Ok(());
        }
        let now = clock::now();
        while let Some(timer) = self.timers.take_due(now) {
            let timer = &self.subject.plan.extras.timers[timer];
            if let Outcome::Failed(why) | Outcome::Denied(why) =
                self.call("timer", timer, About::default())
            {
                self.failed("timer", timer, "the session", &why);
            }
            self.ending()?;
        }
        Ok(())
    }

    /// Enters a callback about this session, under the deadline of a listener.
    pub(super) fn call(&self, event: &str, listener: &Listener, about: About<'_>) -> Outcome {
        self.ask(event, listener, about).0
    }

    /// The same, with the callback's answer.
    pub(super) fn ask(
        &self,
        event: &str,
        listener: &Listener,
        about: About<'_>,
    ) -> (Outcome, Option<Given>) {
        let (plan, state) = (self.subject.plan, self.subject.state);
        let before = (state.inside.load(Relaxed), self.bound.get());
        let end = clock::after(clock::now(), plan.modules[listener.module].listener);
        let end = before.1.map_or(end, |bound| bound.min(end));
        self.bound.set(Some(end));
        exit::arm(&self.deadline, state, end);
        state.inside.store(listener.number, Relaxed);
        let About { payload, matter } = about;
        let entry = Entry {
            subject: Some(self.subject),
            payload,
            matter,
            ..Entry::of(plan, listener.module, event)
        };
        let outcome = api::ask(entry, |about| modules::call(&listener.callback, about));
        state.inside.store(before.0, Relaxed);
        self.bound.set(before.1);
        self.stand_over(clock::now());
        outcome
    }

    /// Says that a callback failed; the session goes on.
    pub(super) fn failed(&self, kind: &str, listener: &Listener, of: &str, why: &str) {
        let title = self.subject.plan.title(listener);
        self.log(config::Level::Warn, &format!("{kind} {title} of {of} failed: {why}"));
    }
}
