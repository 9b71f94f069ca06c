//! How a protocol has its commands dispatched.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::CommandClass;
use crate::abi::{Begun, status};
use crate::facts::Source;
use crate::session::Session;
use crate::{Error, Result};

/// A command as a protocol has understood it, for [`Session::dispatch`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The verb, in upper case: `A-Z`, `0-9`, `-` and `_`.
    pub verb: &'a str,
    /// What follows it; `None` if nothing does, or a secret that no module is to see.
    pub argument: Option<&'a str>,
    /// What kind of command it is.
    pub class: CommandClass,
}

/// What came of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum Dispatched<T> {
    /// The protocol has carried it out itself.
    Own(T),
    /// A module has carried it out; its reply.
    Done(String),
    /// A module tried, and failed; its reply.
    Failed(String),
    /// A module denied it; the reason.
    Denied(String),
}

/// How the protocol says what it has answered, for the hooks that run after it.
pub struct Told {
    outcome: i32,
    reply: Option<String>,
}

impl Told {
    /// It was carried out, with this reply. What is not told at all counts as carried out.
    pub fn done(&mut self, reply: impl Into<String>) {
        (self.outcome, self.reply) = (status::OK, Some(reply.into()));
    }

    /// It failed, with this reply.
    pub fn failed(&mut self, reply: impl Into<String>) {
        (self.outcome, self.reply) = (status::FAILED, Some(reply.into()));
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").field("reply", &self.reply).finish_non_exhaustive()
    }
}

impl Session<'_> {
    /// Dispatches a command: the hooks of [`CommandPhase::Pre`](super::CommandPhase::Pre), then the module that
    /// carries out the verb or, if none does, `own`, then the hooks of the phases `Post` and `Log`. \[in
    /// [`Protocol::serve`](crate::Protocol::serve), not within another command\]
    ///
    /// # Errors
    ///
    /// That of `own`; or the session is ending.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn retrieve(path: &str) -> Result<String> { Ok(String::new()) }
    /// # fn example(session: &Session<'_>, path: &str) -> Result<()> {
    /// let class = CommandClass::Read;
    /// let request = Request { verb: "GET", argument: Some(path), class };
    /// let dispatched = session.dispatch(&request, |told| {
    ///     let reply = retrieve(path)?;
    ///     told.done(&*reply);
    ///     Ok(reply)
    /// })?;
    /// let reply = match dispatched {
    ///     Dispatched::Own(reply) | Dispatched::Done(reply) => reply,
    ///     Dispatched::Failed(why) | Dispatched::Denied(why) => format!("no: {why}"),
    /// };
    /// # Ok(()) }
    /// ```
    pub fn dispatch<T>(
        &self,
        request: &Request<'_>,
        own: impl FnOnce(&mut Told) -> Result<T>,
    ) -> Result<Dispatched<T>> {
        let Request { verb, argument, class } = *request;
        let (begun, reply) = self.held().command_begin(verb, argument, class as u32);
        let reply = reply.unwrap_or_default();
        match begun {
            Begun::OWN => self.carry_out(own).map(Dispatched::Own),
            Begun::HANDLED => Ok(Dispatched::Done(reply)),
            status::FAILED => Ok(Dispatched::Failed(reply)),
            status::DENIED => Ok(Dispatched::Denied(reply)),
            status => Err(Error::refused(format_args!("the command {verb}"), status)),
        }
    }

    /// Carries a command out that was begun, and ends it, whatever happens.
    fn carry_out<T>(&self, own: impl FnOnce(&mut Told) -> Result<T>) -> Result<T> {
        let mut told = Told { outcome: status::OK, reply: None };
        // What is half changed is the protocol's, which does not go on after a panic.
        match catch_unwind(AssertUnwindSafe(|| own(&mut told))) {
            Ok(result) => {
                let outcome = result.as_ref().map_or_else(Error::status, |_| told.outcome);
                self.held().command_end(outcome, told.reply.as_deref());
                result
            }
            Err(panic) => {
                self.held().command_end(status::PANICKED, None);
                resume_unwind(panic)
            }
        }
    }
}
