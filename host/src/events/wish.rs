//! How a listener wishes to be run, beside the order, which is nobody's to choose: where, how often at
//! most, for how long. What it may not have is refused here; how it is run is the ledger's business.

use std::time::Duration;

use exeunt_api::abi::{Station, status};
use exeunt_ledger::Place;

use super::plan::{EXIT, Listener, MODULE_UNLOAD, ModulePlan, RESTART, SHUTDOWN, STARTUP};
use super::registry::{Registration, refuse};

/// The most attempts that a listener may have.
const ATTEMPTS: u32 = 8;

/// How a listener wishes to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Where, as a [`Station`] number.
    pub(crate) place: u32,
    /// How often at most: again after each failure.
    pub(crate) attempts: u32,
    /// How long it may take, unless the operator says how long.
    pub(crate) deadline: Option<Duration>,
}

impl Wish {
    /// None: in the session, once, as long as any.
    pub(crate) const NONE: Self = Self { place: Station::SESSION, attempts: 1, deadline: None };

    /// Grants it to a listener of `module`, or refuses it.
    pub(super) fn grant(
        self,
        what: &str,
        event: &str,
        module: &ModulePlan,
        listener: &mut Listener,
    ) -> Registration {
        let no = |why: &str| refuse(status::BAD_ARGUMENT, what, why);
        let daemons = [STARTUP, RESTART, MODULE_UNLOAD, SHUTDOWN].contains(&event);
        listener.place = match self.place {
            Station::SESSION => Place::Session,
            Station::RUNNER | Station::ROOT if daemons => {
                return no("the daemon's own events run in a runner of the daemon's rights anyway");
            }
            Station::RUNNER | Station::ROOT if event != EXIT => {
                return no("only a listener for `core.exit` can run outside the session");
            }
            Station::RUNNER => Place::Runner,
            Station::ROOT if !module.may_be_root => {
                return no("it asks for root, which its [[module]] table does not grant; \
                           if it may have it, write `grant = [\"root\"]` there");
            }
            Station::ROOT => Place::Root,
            other => return no(&format!("there is no place with the number {other}")),
        };
        if self.attempts == 0 || self.attempts > ATTEMPTS {
            return no(&format!("a listener has 1 to {ATTEMPTS} attempts, not {}", self.attempts));
        }
        if self.attempts > 1 && event != EXIT && !daemons {
            return no("only an end, or an event of the daemon, can be tried again");
        }
        match self.deadline {
            Some(time) if time.is_zero() => return no("a deadline of no time is none"),
            Some(time) if !module.is_bounded => listener.deadline = time,
            _ => {}
        }
        Ok(())
    }
}
