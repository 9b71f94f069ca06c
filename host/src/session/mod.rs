//! A session's process: a spare that waits with its slot, becomes a session when it is handed a
//! connection, serves it and ends through `exit`. Admission, and whatever comes after the death of
//! the process, are the zygote's.

mod callbacks;
mod commands;
mod live;
mod logins;
mod spare;
mod timeouts;
mod timers;

pub(crate) use spare::{Seat, wait_for_connection};
