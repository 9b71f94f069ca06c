//! The host's functions for the value model, as safe functions.

use super::{Held, calls::text_of, host};
use crate::abi::{Bytes, Handle, Kind, Str, status};

/// Reading.
impl<'a> Held<'a> {
    pub(crate) fn kind(self) -> Kind {
        // SAFETY: the host checks the handle.
        let number = unsafe { host().value_kind()(self.handle) };
        Kind::from_number(number).unwrap_or(Kind::Null)
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        // SAFETY: the host checks the handle.
        let result = unsafe { host().value_bool()(self.handle) };
        (result >= 0).then_some(result != 0)
    }

    pub(crate) fn as_int(self) -> Option<i64> {
        let mut out = 0;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().value_int()(self.handle, &raw mut out) };
        (result >= status::OK).then_some(out)
    }

    pub(crate) fn as_float(self) -> Option<f64> {
        let mut out = 0.0;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().value_float()(self.handle, &raw mut out) };
        (result >= status::OK).then_some(out)
    }

    pub(crate) fn as_str(self) -> Option<&'a str> {
        let mut out = Str::NONE;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().value_str()(self.handle, &raw mut out) };
        text_of(result, out)
    }

    pub(crate) fn as_bytes(self) -> Option<&'a [u8]> {
        let mut out = Bytes::NONE;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().value_bytes()(self.handle, &raw mut out) };
        if result < status::OK {
            return None;
        }
        // SAFETY: the host keeps the bytes unchanged until the callback returns, which ends `'a`.
        unsafe { out.get() }
    }

    pub(crate) fn len(self) -> Option<u64> {
        // SAFETY: the host checks the handle.
        u64::try_from(unsafe { host().value_len()(self.handle) }).ok()
    }

    pub(crate) fn at(self, index: u64) -> Option<Self> {
        // SAFETY: the host checks handle and index.
        Self::some(unsafe { host().value_at()(self.handle, index) })
    }

    pub(crate) fn key(self, index: u64) -> Option<&'a str> {
        let mut out = Str::NONE;
        // SAFETY: `out` may be written to during the call.
        let result = unsafe { host().value_key()(self.handle, index, &raw mut out) };
        text_of(result, out)
    }

    pub(crate) fn get(self, key: &str) -> Option<Self> {
        // SAFETY: the host checks the handle and only reads the text.
        Self::some(unsafe { host().value_get()(self.handle, Str::new(key)) })
    }

    /// Reports a problem at this value of the settings.
    pub(crate) fn fail_at(self, problem: &str, hint: Option<&str>) {
        let hint = hint.map_or(Str::NONE, Str::new);
        // SAFETY: the host copies the texts before it returns.
        unsafe { host().fail_at()(self.handle, Str::new(problem), hint) };
    }
}

/// Building.
impl Held<'_> {
    fn new_value(kind: Kind, int: i64, float: f64, bytes: &[u8]) -> Option<Self> {
        // SAFETY: the host copies the bytes before it returns.
        let made = unsafe { host().value_new()(kind as i32, int, float, Bytes::new(bytes)) };
        Self::some(made)
    }

    pub(crate) fn new_empty(kind: Kind) -> Option<Self> {
        Self::new_value(kind, 0, 0.0, &[])
    }

    pub(crate) fn new_bool(value: bool) -> Option<Self> {
        Self::new_value(Kind::Bool, i64::from(value), 0.0, &[])
    }

    pub(crate) fn new_int(value: i64) -> Option<Self> {
        Self::new_value(Kind::Int, value, 0.0, &[])
    }

    pub(crate) fn new_float(value: f64) -> Option<Self> {
        Self::new_value(Kind::Float, 0, value, &[])
    }

    pub(crate) fn new_str(value: &str) -> Option<Self> {
        Self::new_value(Kind::Str, 0, 0.0, value.as_bytes())
    }

    pub(crate) fn new_bytes(value: &[u8]) -> Option<Self> {
        Self::new_value(Kind::Bytes, 0, 0.0, value)
    }

    pub(crate) fn push(self, entry: Self) -> i32 {
        // SAFETY: the host checks both handles.
        unsafe { host().value_push()(self.handle, entry.handle) }
    }

    pub(crate) fn put(self, key: &str, entry: Self) -> i32 {
        // SAFETY: the host checks both handles and copies the text.
        unsafe { host().value_put()(self.handle, Str::new(key), entry.handle) }
    }

    /// Generates the event `name` with that payload.
    pub(crate) fn generate(self, name: &str, payload: Option<Self>) -> i32 {
        let payload = payload.map_or(Handle::NONE, |value| value.handle);
        // SAFETY: the host checks the handles and copies the text.
        unsafe { host().generate()(self.handle, Str::new(name), payload) }
    }
}
