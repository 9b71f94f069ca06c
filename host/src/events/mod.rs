//! Events and their listeners: collected while modules initialise (`registry`), frozen before the
//! first fork (`plan`). Calling them, and what an event is about, is not known here.

mod plan;
mod registry;

pub(crate) use plan::{
    CONNECT, EXIT, Event, LOGIN, LOGIN_FAILED, Listener, MODULE_UNLOAD, ModulePlan, Plan, RESTART,
    SHUTDOWN, STARTUP,
};
pub(crate) use registry::{Registration, Registry};
