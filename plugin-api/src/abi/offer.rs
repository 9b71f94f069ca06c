//! The host's side of the border: raw arguments become checked ones, once, here, so that whoever
//! implements the host's functions has no pointer in hand. What the functions do is not known here.

use std::ffi::c_void;

use abi_stable::prefix_type::PrefixTypeTrait;

use super::numbers::status;
use super::{Bytes, CHost, Callback, Handle, Host, HostRef, ProtocolTable, Str, Waiting};

/// The most descriptors that one wait may name.
const WAIT_MAX: usize = 64;

/// A result of a host function: a value, or a [`status`] code below zero.
pub type Answer<T> = Result<T, i32>;

/// The host's functions with checked arguments; each is described at its field in [`Host`]. An
/// implementation must not unwind.
pub trait Offer: 'static {
    /// See [`Host::log`].
    fn log(level: u32, text: &str) -> Answer<()>;
    /// See [`Host::fail`].
    fn fail(text: &str) -> Answer<()>;
    /// See [`Host::fail_at`].
    fn fail_at(value: Handle, text: &str, hint: Option<&str>) -> Answer<()>;

    /// See [`Host::value_kind`].
    fn value_kind(value: Handle) -> Answer<i32>;
    /// See [`Host::value_bool`].
    fn value_bool(value: Handle) -> Answer<bool>;
    /// See [`Host::value_int`].
    fn value_int(value: Handle) -> Answer<i64>;
    /// See [`Host::value_float`].
    fn value_float(value: Handle) -> Answer<f64>;
    /// See [`Host::value_str`].
    fn value_str(value: Handle) -> Answer<Str>;
    /// See [`Host::value_bytes`].
    fn value_bytes(value: Handle) -> Answer<Bytes>;
    /// See [`Host::value_len`].
    fn value_len(value: Handle) -> Answer<usize>;
    /// See [`Host::value_at`].
    fn value_at(value: Handle, index: usize) -> Option<Handle>;
    /// See [`Host::value_key`].
    fn value_key(value: Handle, index: usize) -> Answer<Str>;
    /// See [`Host::value_get`].
    fn value_get(value: Handle, key: &str) -> Option<Handle>;
    /// See [`Host::value_new`].
    fn value_new(kind: i32, int: i64, float: f64, bytes: Option<&[u8]>) -> Option<Handle>;
    /// See [`Host::value_push`].
    fn value_push(list: Handle, entry: Handle) -> Answer<()>;
    /// See [`Host::value_put`].
    fn value_put(table: Handle, key: &str, entry: Handle) -> Answer<()>;

    /// See [`Host::settings`].
    fn settings(registrar: Handle) -> Option<Handle>;
    /// See [`Host::register_listener`].
    fn register_listener(
        registrar: Handle,
        event: &str,
        name: &str,
        callback: Callback,
    ) -> Answer<()>;
    /// See [`Host::register_protocol`].
    fn register_protocol(
        registrar: Handle,
        name: &str,
        table: Option<ProtocolTable>,
        refusal: Option<&str>,
    ) -> Answer<()>;
    /// See [`Host::listen_settings`].
    fn listen_settings(registrar: Handle, protocol: &str, index: u32) -> Option<Handle>;
    /// See [`Host::declare_event`].
    fn declare_event(registrar: Handle, name: &str, version: u32) -> Answer<()>;
    /// See [`Host::register_state`].
    fn register_state(registrar: Handle, size: u32) -> Answer<()>;
    /// See [`Host::open_directory`].
    fn open_directory(registrar: Handle, path: &str) -> Answer<i32>;

    /// See [`Host::fact_str`].
    fn fact_str(subject: Handle, fact: u32) -> Answer<Str>;
    /// See [`Host::fact_int`].
    fn fact_int(subject: Handle, fact: u32) -> Answer<i64>;
    /// See [`Host::payload`].
    fn payload(subject: Handle) -> Option<Handle>;
    /// See [`Host::living`].
    fn living(subject: Handle) -> Option<Handle>;
    /// See [`Host::state_read`].
    fn state_read(subject: Handle, to: &mut [u8]) -> Answer<usize>;
    /// See [`Host::state_write`].
    fn state_write(subject: Handle, bytes: &[u8]) -> Answer<()>;

    /// See [`Host::session_wait`].
    fn session_wait(session: Handle, on: &mut [Waiting], millis: i64) -> Answer<usize>;
    /// See [`Host::session_connection`].
    fn session_connection(session: Handle) -> Answer<i32>;
    /// See [`Host::session_count`].
    fn session_count(session: Handle, received: u64, sent: u64) -> Answer<()>;
    /// See [`Host::session_command`].
    fn session_command(session: Handle, command: &str, path: Option<&str>) -> Answer<()>;
    /// See [`Host::session_login`].
    fn session_login(session: Handle, user: &str) -> Answer<()>;
    /// See [`Host::session_login_failed`].
    fn session_login_failed(session: Handle, user: &str) -> Answer<u32>;
    /// See [`Host::session_end`].
    fn session_end(session: Handle, cause: &str, detail: Option<&str>) -> Answer<()>;
    /// See [`Host::generate`].
    fn generate(session: Handle, event: &str, payload: Option<Handle>) -> Answer<()>;
    /// See [`Host::farewell`].
    fn farewell(ended: Handle, bytes: &[u8]) -> Answer<()>;
}

/// The table of an implementation, for the modules of this process. It lives for ever.
#[must_use]
pub fn offer<O: Offer>() -> HostRef {
    table::<O>().leak_into_prefix()
}

/// The same table for modules that are written in C. It lives for ever.
#[must_use]
pub fn offer_to_c<O: Offer>() -> &'static CHost {
    Box::leak(Box::new(CHost::new(table::<O>())))
}

fn table<O: Offer>() -> Host {
    Host {
        log: log::<O>,
        fail: fail::<O>,
        fail_at: fail_at::<O>,
        value_kind: value_kind::<O>,
        value_bool: value_bool::<O>,
        value_int: value_int::<O>,
        value_float: value_float::<O>,
        value_str: value_str::<O>,
        value_bytes: value_bytes::<O>,
        value_len: value_len::<O>,
        value_at: value_at::<O>,
        value_key: value_key::<O>,
        value_get: value_get::<O>,
        value_new: value_new::<O>,
        value_push: value_push::<O>,
        value_put: value_put::<O>,
        settings: settings::<O>,
        register_listener: register_listener::<O>,
        register_protocol: register_protocol::<O>,
        listen_settings: listen_settings::<O>,
        declare_event: declare_event::<O>,
        register_state: register_state::<O>,
        open_directory: open_directory::<O>,
        fact_str: fact_str::<O>,
        fact_int: fact_int::<O>,
        payload: payload::<O>,
        living: living::<O>,
        state_read: state_read::<O>,
        state_write: state_write::<O>,
        session_wait: session_wait::<O>,
        session_connection: session_connection::<O>,
        session_count: session_count::<O>,
        session_command: session_command::<O>,
        session_login: session_login::<O>,
        session_login_failed: session_login_failed::<O>,
        session_end: session_end::<O>,
        generate: generate::<O>,
        farewell: farewell::<O>,
        reserved: std::ptr::null::<c_void>(),
    }
}

/// A code for C: the value, or the status below zero.
trait Code {
    fn code(self) -> i32;
}

impl Code for Answer<()> {
    fn code(self) -> i32 {
        self.err().unwrap_or(status::OK)
    }
}

impl Code for Answer<i32> {
    fn code(self) -> i32 {
        self.unwrap_or_else(|code| code)
    }
}

fn counted<T: TryInto<i32>>(answer: Answer<T>) -> i32 {
    answer.and_then(|n| n.try_into().map_err(|_| status::TOO_BIG)).code()
}

fn named(handle: Option<Handle>) -> Handle {
    handle.unwrap_or(Handle::NONE)
}

/// Text that has to be there.
///
/// # Safety
///
/// As for [`Str::get`].
unsafe fn text<'a>(text: Str) -> Answer<&'a str> {
    // SAFETY: passed on to the caller.
    unsafe { text.get() }.ok_or(status::BAD_ARGUMENT)
}

/// Writes an answer to where the module wants it.
///
/// # Safety
///
/// `to` must be null or writable.
unsafe fn store<T>(answer: Answer<T>, to: *mut T) -> i32 {
    if to.is_null() || !to.is_aligned() {
        return status::BAD_ARGUMENT;
    }
    match answer {
        Ok(value) => {
            // SAFETY: not null, aligned, and the caller vouches that it may be written.
            unsafe { to.write(value) };
            status::OK
        }
        Err(code) => code,
    }
}

/// Defines the functions whose arguments are plain data, text or bytes: the conversion is the same
/// for each. `str`: text that must be there; `opt`: text that may be missing; `bytes`: bytes that must
/// be there; `plain`: as it is.
macro_rules! border {
    ($( $name:ident ( $($arg:ident : $kind:ident $(($ty:ty))?),* ) -> $answer:ident; )*) => { $(
        unsafe extern "C" fn $name<O: Offer>($($arg: border!(@type $kind $(($ty))?)),*) -> border!(@return $answer) {
            $( border!(@check $answer $arg $kind); )*
            border!(@answer $answer O::$name($($arg),*))
        }
    )* };
    (@type str) => { Str };
    (@type opt) => { Str };
    (@type bytes) => { Bytes };
    (@type optbytes) => { Bytes };
    (@type plain($ty:ty)) => { $ty };
    (@return code) => { i32 };
    (@return count) => { i32 };
    (@return long) => { i64 };
    (@return handle) => { Handle };
    (@check handle $arg:ident str) => {
        // SAFETY: a module passes text that lives until this function returns (rules of `Str`).
        let Ok($arg) = (unsafe { text($arg) }) else { return Handle::NONE };
    };
    (@check $answer:ident $arg:ident str) => {
        // SAFETY: a module passes text that lives until this function returns (rules of `Str`).
        let $arg = match unsafe { text($arg) } { Ok(text) => text, Err(code) => return code.into() };
    };
    (@check $answer:ident $arg:ident opt) => {
        // SAFETY: a module passes text that lives until this function returns (rules of `Str`).
        let $arg = unsafe { $arg.get() };
    };
    (@check $answer:ident $arg:ident bytes) => {
        // SAFETY: a module passes bytes that live until this function returns (rules of `Bytes`).
        let Some($arg) = (unsafe { $arg.get() }) else { return status::BAD_ARGUMENT.into() };
    };
    (@check $answer:ident $arg:ident optbytes) => {
        // SAFETY: a module passes bytes that live until this function returns (rules of `Bytes`).
        let $arg = unsafe { $arg.get() };
    };
    (@check $answer:ident $arg:ident plain) => {};
    (@answer code $call:expr) => { $call.code() };
    (@answer count $call:expr) => { counted($call) };
    (@answer long $call:expr) => {
        $call.and_then(|n| i64::try_from(n).map_err(|_| status::TOO_BIG)).unwrap_or_else(i64::from)
    };
    (@answer handle $call:expr) => { named($call) };
}

border! {
    log(level: plain(u32), text: str) -> code;
    fail(text: str) -> code;
    fail_at(value: plain(Handle), text: str, hint: opt) -> code;
    value_kind(value: plain(Handle)) -> code;
    value_len(value: plain(Handle)) -> long;
    value_get(value: plain(Handle), key: str) -> handle;
    value_new(kind: plain(i32), int: plain(i64), float: plain(f64), bytes: optbytes) -> handle;
    value_push(list: plain(Handle), entry: plain(Handle)) -> code;
    value_put(table: plain(Handle), key: str, entry: plain(Handle)) -> code;
    settings(registrar: plain(Handle)) -> handle;
    register_listener(registrar: plain(Handle), event: str, name: str, callback: plain(Callback)) -> code;
    listen_settings(registrar: plain(Handle), protocol: str, index: plain(u32)) -> handle;
    declare_event(registrar: plain(Handle), name: str, version: plain(u32)) -> code;
    register_state(registrar: plain(Handle), size: plain(u32)) -> code;
    open_directory(registrar: plain(Handle), path: str) -> code;
    payload(subject: plain(Handle)) -> handle;
    living(subject: plain(Handle)) -> handle;
    state_write(subject: plain(Handle), bytes: bytes) -> code;
    session_connection(session: plain(Handle)) -> code;
    session_count(session: plain(Handle), received: plain(u64), sent: plain(u64)) -> code;
    session_command(session: plain(Handle), command: str, path: opt) -> code;
    session_login(session: plain(Handle), user: str) -> code;
    session_login_failed(session: plain(Handle), user: str) -> count;
    session_end(session: plain(Handle), cause: str, detail: opt) -> code;
    farewell(ended: plain(Handle), bytes: bytes) -> code;
}

unsafe extern "C" fn value_bool<O: Offer>(value: Handle) -> i32 {
    O::value_bool(value).map(i32::from).code()
}

unsafe extern "C" fn value_int<O: Offer>(value: Handle, to: *mut i64) -> i32 {
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(O::value_int(value), to) }
}

unsafe extern "C" fn value_float<O: Offer>(value: Handle, to: *mut f64) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_float(value), to) }
}

unsafe extern "C" fn value_str<O: Offer>(value: Handle, to: *mut Str) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_str(value), to) }
}

unsafe extern "C" fn value_bytes<O: Offer>(value: Handle, to: *mut Bytes) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_bytes(value), to) }
}

unsafe extern "C" fn value_at<O: Offer>(value: Handle, index: u64) -> Handle {
    named(usize::try_from(index).ok().and_then(|index| O::value_at(value, index)))
}

unsafe extern "C" fn value_key<O: Offer>(value: Handle, index: u64, to: *mut Str) -> i32 {
    let key = usize::try_from(index).map_err(|_| status::NONE);
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(key.and_then(|index| O::value_key(value, index)), to) }
}

unsafe extern "C" fn register_protocol<O: Offer>(
    registrar: Handle,
    name: Str,
    table: *const ProtocolTable,
) -> i32 {
    // SAFETY: a module passes null or a table that lives until this function returns.
    let table = unsafe { table.as_ref() }.copied();
    // SAFETY: a module passes text that lives until this function returns.
    let name = unsafe { text(name) };
    // SAFETY: as above.
    let refusal = table.and_then(|table| unsafe { table.refusal.get() });
    name.and_then(|name| O::register_protocol(registrar, name, table, refusal)).code()
}

unsafe extern "C" fn fact_str<O: Offer>(subject: Handle, fact: u32, to: *mut Str) -> i32 {
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(O::fact_str(subject, fact), to) }
}

unsafe extern "C" fn fact_int<O: Offer>(subject: Handle, fact: u32, to: *mut i64) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::fact_int(subject, fact), to) }
}

unsafe extern "C" fn state_read<O: Offer>(subject: Handle, to: *mut u8, size: usize) -> i64 {
    if to.is_null() && size != 0 || isize::try_from(size).is_err() {
        return status::BAD_ARGUMENT.into();
    }
    let to = if size == 0 {
        &mut []
    } else {
        // SAFETY: not null; a module passes a buffer of that size that nobody else uses meanwhile.
        unsafe { std::slice::from_raw_parts_mut(to, size) }
    };
    O::state_read(subject, to).map_or_else(i64::from, |n| n as i64)
}

unsafe extern "C" fn session_wait<O: Offer>(
    session: Handle,
    on: *mut Waiting,
    count: usize,
    millis: i64,
) -> i32 {
    if on.is_null() && count != 0 || !on.is_aligned() || count > WAIT_MAX {
        return status::BAD_ARGUMENT;
    }
    let on = if count == 0 {
        &mut []
    } else {
        // SAFETY: not null, aligned; a module passes that many entries that nobody else uses meanwhile.
        unsafe { std::slice::from_raw_parts_mut(on, count) }
    };
    counted(O::session_wait(session, on, millis))
}

unsafe extern "C" fn generate<O: Offer>(session: Handle, event: Str, payload: Handle) -> i32 {
    // SAFETY: a module passes text that lives until this function returns.
    let event = unsafe { text(event) };
    let payload = Some(payload).filter(|payload| !payload.is_none());
    event.and_then(|event| O::generate(session, event, payload)).code()
}
