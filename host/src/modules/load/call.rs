//! The calls into a module's code. What may be called is decided at registration: the registry takes
//! a callback only if it is not null and [`Loaded::holds_code`] says that it is the module's own.

use exeunt_api::abi::{CHost, Callback, Handle, HostRef, ProtocolTable, status};

use super::{Entry, Loaded};

impl Loaded {
    /// Runs the module's init with the host's functions, in the form that it understands, and a
    /// registrar; returns its status.
    pub(crate) fn init(
        &self,
        for_rust: fn() -> HostRef,
        for_c: fn() -> &'static CHost,
        registrar: Handle,
    ) -> i32 {
        match self.entry {
            Entry::Rust(root) => {
                let init = root.init();
                // SAFETY: the function came with the module's root, whose layout was compared with
                // the host's; it does not unwind (it is `extern "C"`: a panic would abort).
                unsafe { init(for_rust(), registrar) }
            }
            // SAFETY: the function lies in the module's own code, behind a header of this version;
            // the table lives for ever. A C++ exception that leaves it aborts this process.
            Entry::C(init) => unsafe { init(for_c(), registrar) },
        }
    }
}

/// Calls a registered listener with a handle of what it is about; returns its status.
pub(crate) fn call(callback: &Callback, about: Handle) -> i32 {
    let Some(call) = callback.call else { return status::BAD_ARGUMENT };
    // SAFETY: the registry found the pointer in an executable segment of the module (`holds_code`),
    // and modules are never unloaded; `user` is what the module gave with it; the callback does not
    // unwind (it is `extern "C"`).
    unsafe { call(callback.user, about) }
}

/// Has a registered protocol serve a session from its first byte to its end; returns its status.
pub(crate) fn serve(protocol: &ProtocolTable, session: Handle) -> i32 {
    call(&Callback { call: protocol.serve, user: protocol.user }, session)
}

/// Asks a registered protocol for its final reply; `NONE` if it never has one.
pub(crate) fn farewell(protocol: &ProtocolTable, end: Handle) -> i32 {
    if protocol.farewell.is_none() {
        return status::NONE;
    }
    call(&Callback { call: protocol.farewell, user: protocol.user }, end)
}
