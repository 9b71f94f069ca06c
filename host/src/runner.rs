//! A runner goes on where a session died: it works on the zygote's copy of the session's page, with
//! the session's identity, and runs what is still owed. The daemon's own events run in one, too, as
//! root. Whether a runner is needed, and what its own death means, the zygote decides.

use std::cell::RefCell;
use std::io;
use std::os::fd::RawFd;

use exeunt_ledger::{Chain, Identity, Place, State};
use nix::sys::prctl;
use nix::unistd::{Pid, getppid, setpgid};

use crate::api::Subject;
use crate::deadline::Deadline;
use crate::events::EXIT;
use crate::exit::Course;
use crate::generation::Generation;
use crate::pages::{DAEMON, Ledger};
use crate::privileges::Account;
use crate::{log, privileges, signals, sys};

/// What a runner is to do.
pub(crate) struct Job<'a> {
    pub(crate) slot: usize,
    pub(crate) ledger: &'a Ledger,
    /// The number of this worker on the chain.
    pub(crate) worker: u32,
    /// Whose turns it takes.
    pub(crate) place: Place,
    /// The zygote: a runner whose zygote has died before it began does nothing.
    pub(crate) zygote: Pid,
    /// `core.exit` for a session; for [`DAEMON`] an event of the daemon.
    pub(crate) event: &'static str,
    pub(crate) life: RawFd,
}

/// Runs what is owed, seals the chain, and ends this process.
pub(crate) fn run(generation: &'static Generation, job: &Job<'_>) -> ! {
    log::set_role("runner");
    let (identity, state, deadline) = match prepare(generation, job) {
        Ok(ready) => ready,
        Err(why) => {
            log::error(format!("a runner cannot be prepared: {why}"));
            sys::leave(1)
        }
    };
    let listeners = generation.plan.listeners(job.event);
    let roster = generation.plan.roster(job.event);
    let chain = Chain::new(state, roster, job.worker).in_place(job.place);
    let subject = (job.slot != DAEMON).then(|| {
        let subject = Subject::new(generation, identity, state);
        &*Box::leak(Box::new(subject))
    });
    let daemon = format!("{}-daemon.{}", generation.incarnation, generation.number);
    let course = Course {
        plan: &generation.plan,
        event: job.event,
        listeners,
        settings: &generation.config.exit,
        state,
        chain,
        subject,
        what: subject.map_or(&daemon, |subject| &subject.about.id),
        descriptors: &[0, 1, 2, job.life],
    };
    course.run(&RefCell::new(deadline));
    // What is still owed after all, the next runner finds.
    let _sealed = chain.seal();
    sys::leave(0)
}

fn prepare(
    generation: &Generation,
    job: &Job<'_>,
) -> io::Result<(&'static Identity, &'static State, Deadline)> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    prctl::set_name(c"exeunt-runner")?;
    let identity = job.ledger.identity(job.slot)?;
    let state = job.ledger.takeover(job.slot)?;
    let deadline = Deadline::new()?;
    // First the own number, then the look at the parent: a zygote that comes after a dead one either
    // finds this runner on the page, or the runner finds its zygote gone.
    let is_its_own = Chain::new(state, &[], job.worker).report(std::process::id());
    if !is_its_own || getppid() != job.zygote {
        return Err(io::Error::other("the zygote has died meanwhile"));
    }
    if job.place == Place::Root {
        privileges::harden()?;
    } else if job.event == EXIT {
        let account = Account::recorded(&identity.person)?.or_else(|| generation.account.clone());
        privileges::give_up(account.as_ref())?;
        generation.confinement.enter()?;
    }
    generation.part_from_the_zygote(&[job.life])?;
    // A runner is ended by its timer alone: a signal meant for the session must not cost a turn.
    signals::block_endings()?;
    Ok((identity, state, deadline))
}
