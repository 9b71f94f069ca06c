//! The host's functions for sessions, as safe functions.

use std::os::fd::BorrowedFd;

use super::{Held, calls::lent, host};
use crate::abi::{Bytes, Handle, Str};
use crate::session::Waiting;

impl Held<'_> {
    /// Waits for one of `waiting`; negative milliseconds are no limit.
    pub(crate) fn wait(self, waiting: &mut [Waiting<'_>], milliseconds: i64) -> i32 {
        let list = waiting.as_mut_ptr().cast();
        // SAFETY: `Waiting` is a transparent wrapper of the border's type; there are `len` of them, which
        // the host may write to during the call; each names a descriptor that is borrowed meanwhile.
        unsafe { host().session_wait()(self.handle, list, waiting.len(), milliseconds) }
    }

    pub(crate) fn connection(self) -> Result<BorrowedFd<'static>, i32> {
        // SAFETY: the host checks the handle.
        lent(unsafe { host().session_connection()(self.handle) })
    }

    pub(crate) fn count(self, bytes_in: u64, bytes_out: u64) {
        // SAFETY: the host checks the handle.
        unsafe { host().session_count()(self.handle, bytes_in, bytes_out) };
    }

    pub(crate) fn transfer(self, state: u32) {
        // SAFETY: the host checks the handle.
        unsafe { host().session_transfer()(self.handle, state) };
    }

    pub(crate) fn command(self, command: &str, path: Option<&str>) -> i32 {
        let path = path.map_or(Str::NONE, Str::new);
        // SAFETY: the host checks the handle and copies the texts.
        unsafe { host().session_command()(self.handle, Str::new(command), path) }
    }

    pub(crate) fn login(self, user: &str) -> i32 {
        // SAFETY: the host checks the handle and copies the text.
        unsafe { host().session_login()(self.handle, Str::new(user)) }
    }

    pub(crate) fn login_failed(self, user: &str) -> i32 {
        // SAFETY: the host checks the handle and copies the text.
        unsafe { host().session_login_failed()(self.handle, Str::new(user)) }
    }

    pub(crate) fn end(self, cause: &str, detail: Option<&str>) {
        let detail = detail.map_or(Str::NONE, Str::new);
        // SAFETY: the host checks the handle and copies the texts.
        unsafe { host().session_end()(self.handle, Str::new(cause), detail) };
    }

    pub(crate) fn farewell(self, reply: &[u8]) {
        // SAFETY: the host checks the handle and copies the bytes.
        unsafe { host().farewell()(self.handle, Bytes::new(reply)) };
    }

    /// The module's facts of the session into `buffer`; their whole length, or a status below zero.
    pub(crate) fn state_read(self, buffer: &mut [u8]) -> i64 {
        // SAFETY: the buffer may be written to during the call, `len` bytes.
        unsafe { host().state_read()(self.handle, buffer.as_mut_ptr(), buffer.len()) }
    }

    pub(crate) fn state_write(self, bytes: &[u8]) -> i32 {
        // SAFETY: the host checks the handle and copies the bytes.
        unsafe { host().state_write()(self.handle, Bytes::new(bytes)) }
    }

    /// Sets a timer of this module; negative milliseconds take it back.
    pub(crate) fn set_timer(self, name: &str, milliseconds: i64) -> i32 {
        // SAFETY: the host checks the handle and copies the text.
        unsafe { host().timer_set()(self.handle, Str::new(name), milliseconds) }
    }

    /// Begins a command: what is to come of it, and the reply if there is one already.
    pub(crate) fn command_begin(
        self,
        verb: &str,
        argument: Option<&str>,
        class: u32,
    ) -> (i32, Option<String>) {
        let (verb, argument) = (Str::new(verb), argument.map_or(Str::NONE, Str::new));
        let mut reply = Str::NONE;
        let to = &raw mut reply;
        // SAFETY: the host checks the handle and copies the texts; `reply` may be written to.
        let begun = unsafe { host().command_begin()(self.handle, verb, argument, class, to) };
        // SAFETY: it is as it was, or the host's text, which stays until this callback returns.
        (begun, unsafe { reply.get() }.map(str::to_owned))
    }

    pub(crate) fn command_end(self, outcome: i32, reply: Option<&str>) {
        let reply = reply.map_or(Str::NONE, Str::new);
        // SAFETY: the host checks the handle and copies the text.
        unsafe { host().command_end()(self.handle, outcome, reply) };
    }

    /// Gives the answer of the callback that was entered with this handle.
    pub(crate) fn answer(self, number: i32, value: Option<Self>) -> i32 {
        let value = value.map_or(Handle::NONE, |value| value.handle);
        // SAFETY: the host checks both handles.
        unsafe { host().answer()(self.handle, number, value) }
    }

    /// The account of a user who has proved it, or a status.
    pub(crate) fn authenticate(self, user: &str, secret: &str) -> Result<Self, i32> {
        let (user, secret, mut account) = (Str::new(user), Str::new(secret), Handle::NONE);
        let to = &raw mut account;
        // SAFETY: the host checks the handle and copies the texts; `account` may be written to.
        match unsafe { host().authenticate()(self.handle, user, secret, to) } {
            status if status < 0 => Err(status),
            _ => Ok(Self::new(account)),
        }
    }
}
