//! The process of one authentication with root's rights: a fork of the zygote, not of the session, which
//! hears one claim, asks one authenticator about it, answers and ends. Who may have one is the zygote's
//! to say, what an answer is worth the session's.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use exeunt_ledger::State;
use nix::sys::prctl;
use nix::unistd::{Pid, setpgid};

use crate::api::{self, Entry, Matter, Subject};
use crate::deadline::Deadline;
use crate::events::Listener;
use crate::generation::Generation;
use crate::pages::Ledger;
use crate::{claim, clock, log, modules, privileges, sys};

/// What a helper is to do.
pub(crate) struct Errand<'a> {
    /// The slot of the session that asks.
    pub(crate) slot: usize,
    pub(crate) ledger: &'a Ledger,
    pub(crate) authenticator: &'static Listener,
    /// Where the session is heard and answered.
    pub(crate) socket: OwnedFd,
    pub(crate) life: RawFd,
}

/// Asks the authenticator, answers, and ends this process.
pub(crate) fn run(generation: &'static Generation, errand: &Errand<'_>) -> ! {
    log::set_role("helper");
    let done = prepare(generation, errand).and_then(|subject| {
        let given = ask(generation, errand, subject)?;
        claim::answer(&errand.socket, given)
    });
    if let Err(e) = done {
        log::error(format!("a helper cannot go on: {e}"));
        sys::leave(1)
    }
    sys::leave(0)
}

fn prepare(generation: &'static Generation, errand: &Errand<'_>) -> io::Result<&'static Subject> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    prctl::set_name(c"exeunt-helper")?;
    let mut deadline = Deadline::new()?;
    deadline.arm(clock::after(clock::now(), errand.authenticator.deadline))?;
    // It stays armed until the end.
    std::mem::forget(deadline);
    let identity = errand.ledger.identity(errand.slot)?;
    privileges::harden()?;
    generation.part_from_the_zygote(&[errand.socket.as_raw_fd(), errand.life])?;
    // The session's own page is hostile, and nothing of it is needed.
    let state: &State = Box::leak(Box::default());
    Ok(Box::leak(Box::new(Subject::new(generation, identity, state))))
}

fn ask(
    generation: &'static Generation,
    errand: &Errand<'_>,
    subject: &'static Subject,
) -> io::Result<Result<Option<api::Given>, String>> {
    let matter = Matter::Credentials(Rc::new(claim::hear(&errand.socket)?));
    let authenticator = errand.authenticator;
    let entry = Entry {
        subject: Some(subject),
        matter: Some(&matter),
        ..Entry::of(&generation.plan, authenticator.module, "login")
    };
    let (outcome, given) = api::ask(entry, |about| modules::call(&authenticator.callback, about));
    Ok(outcome.or_why().map(|()| given))
}
