//! The host's functions for registration, as safe functions.

use std::os::fd::BorrowedFd;

use super::{Held, calls::lent, host};
use crate::abi::{Callback, ProtocolTable, Str};

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

    pub(crate) fn register_listener_with(
        self,
        event: &str,
        name: &str,
        callback: Callback,
        (place, attempts, millis): (u32, u32, u64),
    ) -> i32 {
        let (event, name, host) = (Str::new(event), Str::new(name), host());
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe {
            host.register_listener_with()(
                self.handle,
                event,
                name,
                callback,
                place,
                attempts,
                millis,
            )
        }
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

    pub(crate) fn register_timer(self, name: &str, callback: Callback) -> i32 {
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_timer()(self.handle, Str::new(name), callback) }
    }

    pub(crate) fn register_hook(
        self,
        phase: u32,
        verb: Option<&str>,
        classes: u32,
        name: &str,
        callback: Callback,
    ) -> i32 {
        let (verb, name) = (verb.map_or(Str::NONE, Str::new), Str::new(name));
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_hook()(self.handle, phase, verb, classes, name, callback) }
    }

    pub(crate) fn register_command(self, verb: &str, callback: Callback) -> i32 {
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_command()(self.handle, Str::new(verb), callback) }
    }

    pub(crate) fn register_authenticator(self, name: &str, place: u32, callback: Callback) -> i32 {
        let name = Str::new(name);
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_authenticator()(self.handle, name, place, callback) }
    }

    pub(crate) fn open_file(self, path: &str) -> Result<BorrowedFd<'static>, i32> {
        // SAFETY: the host checks the handle and copies the text.
        lent(unsafe { host().open_file()(self.handle, Str::new(path)) })
    }

    pub(crate) fn register_control(self, action: &str, callback: Callback) -> i32 {
        // SAFETY: the callback was made by `listener`, so it stays valid for ever.
        unsafe { host().register_control()(self.handle, Str::new(action), callback) }
    }
}
