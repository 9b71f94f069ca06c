//! Layer 1 for Rust: the border between the SDK and the host's functions, and the only unsafe of the
//! crate beside `abi`.
//!
//! Here live: the host's table, stored once; [`Held`], a handle with the lifetime of the callback that
//! received it; one safe method for each function of the host; the functions that the host calls, which
//! catch every panic inside the module. What an author sees lives in the layer above.

#![allow(unsafe_code, reason = "the border to the host")]

mod callbacks;
mod calls;
mod export;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod hook_tests;
mod panics;
mod registration;
mod sessions;
#[cfg(test)]
mod tests;
mod values;

use std::marker::PhantomData;
use std::sync::OnceLock;

use crate::abi::{Handle, HostRef};

pub(crate) use callbacks::{guard, listener, protocol_table};
pub(crate) use calls::{counter_add, fail, log};
pub use export::{Exported, header, note_parts};

/// The host's functions. Each module has its own copy of this static.
static HOST: OnceLock<Table> = OnceLock::new();

/// The table, which every thread may use.
struct Table(HostRef);

// SAFETY: the table is never written to after the host made it, and it lives as long as the process.
unsafe impl Sync for Table {}
// SAFETY: as above.
unsafe impl Send for Table {}

/// Keeps the host's functions; the first table stays.
fn adopt(host: HostRef) {
    HOST.get_or_init(|| Table(host));
}

/// The host's functions, if init has been called.
fn host_if_any() -> Option<HostRef> {
    HOST.get().map(|table| table.0)
}

/// The host's functions.
fn host() -> HostRef {
    host_if_any().expect("the host calls a module's init before anything else of it")
}

/// A handle that the host keeps valid for `'a`, the time of the callback that received it. Not `Send`:
/// the host's functions are for the thread that was called.
#[derive(Clone, Copy)]
pub struct Held<'a> {
    handle: Handle,
    life: PhantomData<(&'a (), *const ())>,
}

impl Held<'_> {
    /// The caller takes care that `'a` ends with the callback.
    fn new(handle: Handle) -> Self {
        Self { handle, life: PhantomData }
    }

    #[cfg(test)]
    fn handle(self) -> Handle {
        self.handle
    }

    /// The same, or `None` for the handle that names nothing.
    fn some(handle: Handle) -> Option<Self> {
        (!handle.is_none()).then(|| Self::new(handle))
    }
}
