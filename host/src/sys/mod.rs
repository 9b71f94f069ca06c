//! The system calls that need `unsafe`, each behind a function that cannot be misused. Beside the
//! loader this is the host's only unsafe code. What the calls are for is decided elsewhere.

#![allow(unsafe_code, reason = "the border to the kernel")]

mod descriptors;
mod map;
mod poll;
mod process;

pub(crate) use descriptors::{adopt, close_all_but, is_open, keep_from_programs};
pub(crate) use map::{
    Mapping, map_for_now, map_pages, map_read_only, map_read_only_for_now, not_for_children,
    reserve,
};
pub(crate) use poll::{Polled, poll};
pub(crate) use process::{Fork, fork, leave, restore_signals};
