//! The host's functions for logging, facts and counting, as safe functions.

use std::os::fd::{BorrowedFd, RawFd};

use super::{Held, host, host_if_any};
use crate::abi::{Fact, Level, Str, status};

/// Logs a line. Before init there is no host and the line is lost.
pub(crate) fn log(level: Level, text: &str) {
    if let Some(host) = host_if_any() {
        // SAFETY: the host copies the text before it returns.
        unsafe { host.log()(level as u32, Str::new(text)) };
    }
}

/// Says why the current callback is about to return an error.
pub(crate) fn fail(text: &str) {
    // SAFETY: the host copies the text before it returns.
    unsafe { host().fail()(Str::new(text)) };
}

/// The text that the host wrote to `out`, if the call succeeded.
pub(super) fn text_of<'a>(result: i32, out: Str) -> Option<&'a str> {
    if result < status::OK {
        return None;
    }
    // SAFETY: the host keeps text that it returns unchanged until the callback returns; every caller
    // bounds `'a` by the `Held` that it asked with.
    unsafe { out.get() }
}

/// The descriptor `fd`, which the host owns and never closes while this process lives.
pub(super) fn lent(fd: RawFd) -> Result<BorrowedFd<'static>, i32> {
    if fd < 0 {
        return Err(fd);
    }
    // SAFETY: not -1, and open until the process ends (see `open_directory` and `session_connection`).
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Facts.
impl<'a> Held<'a> {
    pub(crate) fn text(self, fact: Fact) -> Option<&'a str> {
        let mut out = Str::NONE;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().fact_str()(self.handle, fact as u32, &raw mut out) };
        text_of(result, out)
    }

    pub(crate) fn number(self, fact: Fact) -> Option<i64> {
        let mut out = 0;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().fact_int()(self.handle, fact as u32, &raw mut out) };
        (result >= status::OK).then_some(out)
    }

    pub(crate) fn payload(self) -> Option<Self> {
        // SAFETY: the host checks the handle.
        Self::some(unsafe { host().payload()(self.handle) })
    }

    pub(crate) fn living(self) -> Option<Self> {
        // SAFETY: the host checks the handle.
        Self::some(unsafe { host().living()(self.handle) })
    }
}

/// Adds to a counter that this module registered.
pub(crate) fn counter_add<const N: usize>(counter: u32, values: [&str; N], amount: u64) -> i32 {
    let values = values.map(Str::new);
    // SAFETY: the host copies the texts, of which there are `N`.
    unsafe { host().counter_add()(counter, values.as_ptr(), N, amount) }
}
