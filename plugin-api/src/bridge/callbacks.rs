//! The functions of a module that the host calls. Each catches every panic inside the module: a panic
//! cannot cross from one copy of std to another.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Held, fail, panics};
use crate::Result;
use crate::abi::{Callback, Handle, ProtocolTable, Str, status};

/// Runs a module's code for the host: an error or panic becomes a status, its text goes to `fail`.
pub(crate) fn guard(work: impl FnOnce() -> Result<()>) -> i32 {
    let watch = panics::Watch::begin();
    // What the module's code left half changed is the module's own affair.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => status::OK,
        Ok(Err(error)) => {
            if let Some(text) = error.untold() {
                fail(&text);
            }
            error.status()
        }
        Err(payload) => {
            fail(&watch.describe(payload.as_ref()));
            // Its drop could panic in turn.
            std::mem::forget(payload);
            status::PANICKED
        }
    }
}

/// A callback that runs `f` with the handle that the host passes. `f` is leaked: modules stay loaded.
pub(crate) fn listener<F>(f: F) -> Callback
where
    F: Fn(Held<'_>) -> Result<()> + 'static,
{
    Callback { call: Some(call::<F>), user: leak(f) }
}

/// The two callbacks of a protocol. Both functions are leaked: modules stay loaded.
pub(crate) fn protocol_table<S, F>(serve: S, farewell: F, refusal: &'static str) -> ProtocolTable
where
    S: Fn(Held<'_>) -> Result<()> + 'static,
    F: Fn(Held<'_>) -> Result<()> + 'static,
{
    ProtocolTable {
        serve: Some(call_serve::<S, F>),
        farewell: Some(call_farewell::<S, F>),
        user: leak((serve, farewell)),
        refusal: Str::new(refusal),
    }
}

fn leak<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)).cast()
}

unsafe extern "C" fn call<F>(user: *mut c_void, handle: Handle) -> i32
where
    F: Fn(Held<'_>) -> Result<()> + 'static,
{
    // SAFETY: the host passes the `user` that `listener` made of a leaked `F`; it is only read.
    let f = unsafe { &*user.cast::<F>() };
    guard(|| f(Held::new(handle)))
}

unsafe extern "C" fn call_serve<S, F>(user: *mut c_void, handle: Handle) -> i32
where
    S: Fn(Held<'_>) -> Result<()> + 'static,
{
    // SAFETY: the host passes the `user` that `protocol_table` made of a leaked `(S, F)`.
    let both = unsafe { &*user.cast::<(S, F)>() };
    guard(|| both.0(Held::new(handle)))
}

unsafe extern "C" fn call_farewell<S, F>(user: *mut c_void, handle: Handle) -> i32
where
    F: Fn(Held<'_>) -> Result<()> + 'static,
{
    // SAFETY: the host passes the `user` that `protocol_table` made of a leaked `(S, F)`.
    let both = unsafe { &*user.cast::<(S, F)>() };
    guard(|| both.1(Held::new(handle)))
}
