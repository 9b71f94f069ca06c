//! Events and their listeners: collected while modules initialise (`registry`), frozen before the
//! first fork (`plan`); what a registration has to be is said in `registry` and, for all but
//! listeners and protocols, in `extras`. Calling them, and what an event is about, is not known here.

mod extras;
mod plan;
mod registry;
mod wish;

pub(crate) use extras::{Pattern, is_verb};
pub(crate) use plan::{
    CONNECT, EXIT, Event, LOGIN, LOGIN_FAILED, Listener, MODULE_UNLOAD, ModulePlan, Plan, RESTART,
    SHUTDOWN, STARTUP,
};
pub(crate) use registry::{Registration, Registry};
pub(crate) use wish::Wish;
