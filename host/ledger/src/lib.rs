//! The exit ledger: who has to be called at the end of a session, and how far that has come.
//!
//! Pure protocol and layouts live here: no system call, no allocation on the way of a chain, no
//! dependency. Mapping the pages, forking runners and calling listeners is the host's work; the same
//! code serves the real processes and the simulator in the tests.
//!
//! A ledger is a [`Header`] and a number of [`Slot`]s. Every field is an atomic, so that a page which
//! somebody else writes can never be more than a wrong number: there is no pointer, offset or path in
//! it, and readers bound what they read.

mod chain;
mod identity;
mod layout;
mod logins;
mod roster;
mod state;
mod succession;
mod sync;
mod text;

pub use chain::{Chain, Entered, Outcome, Phase, Seal, Turn};
pub use identity::{Identity, SlotStatus};
pub use layout::{Header, LISTENERS, MAGIC, MODULES, PAGE, STATE_MAX, Slot, Stage, VERSION};
pub use logins::{Login, LoginCounts, LoginLog};
pub use roster::{Entry, Place};
pub use state::{Death, ListenerCell, ModuleCell, State, Step};
pub use succession::{Due, Succession, Verdict};
pub use text::Text;
