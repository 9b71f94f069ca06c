//! What must be true: of the session that ended in a cell, and of a daemon when all its cells are done.
//! What was entered is asked of the listeners' own trace, the rest of the journal and of the kernel.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::ops::Range;

use super::causes::Cause;
use super::cells::Cell;
use super::site::Site;
use crate::harness::*;

/// When a listener that hangs is ended, in milliseconds: its deadline is 300, and nothing else that
/// could end it comes before 5000.
const ENDED_WITHIN: Range<f64> = 299.0..4000.0;

/// What is wrong with the session of a cell.
pub(super) fn of(site: &Site, cell: Cell, exit: &Exit) -> Vec<String> {
    let mut wrong = Wrong::default();
    let cause = match cell.cause {
        Cause::OutOfMemory if !site.bounds_memory => "crashed",
        cause => cause.journalled(),
    };
    wrong.unless_same("the cause", &*exit.cause, cause);
    let Some(outcome) = cell.fault.outcome(cell.identity) else { return lies(site, exit, wrong) };
    wrong.of_chain(site, exit, outcome);
    for told in exit.listeners.iter().filter(|told| told.outcome == "timed-out") {
        let in_time = ENDED_WITHIN.contains(&told.ms);
        wrong.unless_same(&format!("ended in time, after {} ms", told.ms), in_time, true);
    }
    wrong.0
}

/// A session that lies about its own slot is promised nothing but its line, and that it ends; but lie it
/// must, or nothing was tampered with.
fn lies(site: &Site, exit: &Exit, mut wrong: Wrong) -> Vec<String> {
    wrong.of_chain(site, exit, "done");
    let is_perfect = wrong.0.is_empty();
    is_perfect.then(|| "the page was not tampered with".to_owned()).into_iter().collect()
}

/// What is wrong with a daemon that has ended.
pub(super) fn of_all(site: &Site) -> Vec<String> {
    let (mut wrong, exits) = (Wrong::default(), site.daemon.exits());
    let ids: BTreeSet<_> = exits.iter().map(|exit| &exit.session).collect();
    wrong.unless_same("sessions in the journal", exits.len(), site.opened);
    wrong.unless_same("different sessions in the journal", ids.len(), site.opened);
    for exit in exits.iter().filter(|exit| !site.subjects.contains(&exit.session)) {
        wrong.of_chain(site, exit, "done");
    }
    let healthy = site.chain.iter().filter(|who| who.starts_with("trace"));
    let shutdown: Vec<_> = (0..site.ends).flat_map(|_| healthy.clone().copied()).collect();
    let entered = site.daemon.entered("daemon");
    wrong.unless_same("listeners of core.shutdown entered", &*entered, &*shutdown.join(" "));
    let left = site.left_running();
    if !left.is_empty() {
        wrong.0.push(format!("left running: {left:?}"));
    }
    wrong.0
}

/// The sentences about what is wrong.
#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn unless_same<T: Copy + PartialEq + Debug>(&mut self, what: &str, is: T, wanted: T) {
        if is != wanted {
            self.0.push(format!("{what}: {is:?} instead of {wanted:?}"));
        }
    }

    /// Each listener of the session was entered once, in order; the faulty one has this outcome.
    fn of_chain(&mut self, site: &Site, exit: &Exit, of_faulty: &str) {
        let of = |what: &str| format!("{what} of {} ({})", exit.session, exit.cause);
        let entered = site.daemon.entered(&exit.session);
        self.unless_same(&of("listeners entered"), &*entered, &*site.chain.join(" "));
        // Three, and the one of the module `ftp`.
        self.unless_same(&of("listeners"), exit.listeners.len(), 4);
        for told in &exit.listeners {
            let is_faulty = told.module == "misbehave";
            let outcome = if is_faulty { of_faulty } else { "done" };
            let what = of(&format!("outcome and attempts of {}", told.module));
            self.unless_same(&what, (&*told.outcome, told.attempt), (outcome, 1));
        }
        self.unless_same(&of("sealed"), exit.sealed, true);
    }
}
