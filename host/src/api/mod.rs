//! The host's functions that modules call. Each file implements a part of the table that
//! `exeunt_api::abi` describes; here the parts are put together. Raw pointers were checked before
//! they come here; what a session is, and who serves it, is behind [`Living`].

mod facts;
mod frames;
mod init;
mod offer;
mod values;

use std::rc::Rc;
use std::time::Duration;

use exeunt_api::abi::{CHost, Handle, HostRef, Waiting};

use crate::cause::Cause;
use crate::config::Node;

pub(crate) use facts::Subject;
pub(crate) use frames::{Command, Credentials, Entry, Given, Matter, Outcome, ask, enter};
pub(crate) use init::{Site, initialise};
pub(crate) use values::json;

/// The session is to end: return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending;

/// What only a living session can do; the session's process implements it.
pub(crate) trait Living {
    /// Waits for descriptors, the end of the session, or the time.
    fn wait(&self, on: &mut [Waiting], millis: i64) -> Result<usize, WaitError>;
    /// The descriptor of the client's connection.
    fn connection(&self) -> i32;
    /// Counts what was received and sent.
    fn count(&self, received: u64, sent: u64);
    /// Something is transferred and has just moved, or nothing is transferred from now on.
    fn transfer(&self, moving: bool);
    /// Shows what is being served.
    fn command(&self, command: &str, path: Option<&str>);
    /// Somebody has logged in, once in a session.
    fn log_in(&self, user: &str) -> Result<(), Refused>;
    /// Somebody failed to; the attempts that are left.
    fn login_failed(&self, user: &str) -> Result<u32, Ending>;
    /// Commits a cause.
    fn end(&self, cause: Cause, detail: Option<&str>);
    /// Delivers an event that a module declared.
    fn generate(&self, event: &crate::events::Event, payload: Option<Handle>);
    /// Sets a timer of the plan, or takes it back.
    fn set_timer(&self, timer: usize, time: Option<Duration>);
    /// Begins a command of the protocol.
    fn begin_command(&self, command: Command) -> Begun;
    /// Ends the command that the protocol has carried out; false if there is none.
    fn end_command(&self, outcome: i32, reply: Option<&str>) -> bool;
    /// Asks the authenticators: the account; nothing if none knows the user.
    fn authenticate(&self, credentials: Credentials) -> Result<Option<Node>, Refused>;
    /// Gives the final reply.
    fn farewell(&self, bytes: &[u8]);
}

/// What came of a command's beginning.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The protocol is to carry it out.
    Own,
    /// A module has, with this reply.
    Done(String),
    /// A module tried and failed, with this reply.
    Failed(String),
    /// It was denied, and why.
    Denied(String),
    /// The session is to end.
    Ending,
    /// This is not the time: a callback of another module is running.
    Refused,
}

/// Why nobody is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// An authenticator rejects, or failed.
    Rejected,
    /// The session is to end.
    Ending,
    /// This is not the time: a callback of another module is running, or somebody has logged in.
    NotNow,
}

/// Why a wait did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitError {
    /// The session is to end.
    Ending,
    /// A descriptor is not open, or the kernel would not wait.
    Bad,
}

/// Lends a value to the callback that is entered next.
pub(crate) fn lend(value: &Rc<Node>) -> Option<Handle> {
    values::ValueStore::lend(value)
}

/// The table that modules get.
pub(crate) fn table() -> HostRef {
    exeunt_api::abi::offer::<offer::HostFunctions>()
}

/// The same for modules that are written in C.
fn c_table() -> &'static CHost {
    exeunt_api::abi::offer_to_c::<offer::HostFunctions>()
}
