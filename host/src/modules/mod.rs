//! The modules room: a module's file is found, staged, inspected and loaded here.
//!
//! The steps are [`find`] (which file), [`stage`] (read once, inspect before any of its code runs,
//! keep a copy, seal it in memory) and [`load`] (open it, compare the interfaces, find its entry).
//! What a module registers, and when its callbacks run, is not decided here. The room imports no
//! other room, and works in a process with one thread.

mod compat;
mod find;
mod footprint;
mod inspect;
mod load;
mod refusal;
mod stage;
mod threads;
mod trust;

pub(crate) use find::{default_dirs, find};
pub(crate) use footprint::Footprint;
pub(crate) use inspect::{Identity, inspect};
pub(crate) use load::{Loaded, call, farewell, load, serve};
pub(crate) use refusal::Refusal;
pub(crate) use stage::{Seen, Staged, see, stage};
pub(crate) use trust::Trust;
