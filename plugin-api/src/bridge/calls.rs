//! The host's functions for logging, facts and registration, as safe functions.

use std::os::fd::{BorrowedFd, RawFd};

use super::{Held, host, host_if_any};
use crate::abi::{Callback, Fact, Level, ProtocolTable, Str, status};

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

/// Registration.
impl Held<'_> {
    pub(crate) fn settings(self) -> Self {
        // SAFETY: the host checks the handle.
        Self::new(unsafe { host().settings()(self.handle) })
    }

    pub(crate) fn listen_settings(self, protocol: &str, index: u32) -> Option<Self> {
        // SAFETY: the host checks the handle and copies the text.
        Self::some(unsafe { host().listen_settings()(self.handle, Str::new(protocol), index) })
    }

    pub(crate) fn register_listener(self, event: &str, name: &str, callback: Callback) -> i32 {
        let (event, name) = (Str::new(event), Str::new(name));
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_listener()(self.handle, event, name, callback) }
    }

    pub(crate) fn register_protocol(self, name: &str, table: &ProtocolTable) -> i32 {
        // SAFETY: the host copies the table, which was made by `protocol_table`, so that what it points
        // to stays valid for ever.
        unsafe { host().register_protocol()(self.handle, Str::new(name), table) }
    }

    pub(crate) fn declare_event(self, name: &str, version: u32) -> i32 {
        // SAFETY: the host checks the handle and copies the text.
        unsafe { host().declare_event()(self.handle, Str::new(name), version) }
    }

    pub(crate) fn register_state(self, bytes: u32) -> i32 {
        // SAFETY: the host checks the handle.
        unsafe { host().register_state()(self.handle, bytes) }
    }

    pub(crate) fn open_directory(self, path: &str) -> Result<BorrowedFd<'static>, i32> {
        // SAFETY: the host checks the handle and copies the text.
        lent(unsafe { host().open_directory()(self.handle, Str::new(path)) })
    }

    pub(crate) fn register_counter(self, name: &str, labels: &[&str]) -> i32 {
        let labels: Vec<Str> = labels.iter().map(|label| Str::new(label)).collect();
        let (list, count) = (labels.as_ptr(), labels.len());
        // SAFETY: the host checks the handle and copies the texts, of which there are `count`.
        unsafe { host().register_counter()(self.handle, Str::new(name), list, count) }
    }
}

/// Adds to a counter that this module registered.
pub(crate) fn counter_add<const N: usize>(counter: u32, values: [&str; N], amount: u64) -> i32 {
    let values = values.map(Str::new);
    // SAFETY: the host copies the texts, of which there are `N`.
    unsafe { host().counter_add()(counter, values.as_ptr(), N, amount) }
}
