//! Raw arguments become checked ones, once, here, so that whoever implements [`Offer`] has no pointer
//! in hand. Which functions there are is decided in `host`.

use super::numbers::status;
use super::{Answer, Bytes, Callback, Handle, Offer, ProtocolTable, Str, Waiting};

/// The most descriptors that one wait may name.
const WAIT_MAX: usize = 64;
/// The most texts that one list may hold.
const LABELS_MAX: usize = 16;

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
        pub(super) unsafe extern "C" fn $name<O: Offer>($($arg: border!(@type $kind $(($ty))?)),*) -> border!(@return $answer) {
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
    register_listener_with(registrar: plain(Handle), event: str, name: str, callback: plain(Callback), place: plain(u32), attempts: plain(u32), millis: plain(u64)) -> code;
    register_control(registrar: plain(Handle), action: str, callback: plain(Callback)) -> code;
    register_authenticator(registrar: plain(Handle), name: str, place: plain(u32), callback: plain(Callback)) -> code;
    open_file(registrar: plain(Handle), path: str) -> code;
    session_transfer(session: plain(Handle), state: plain(u32)) -> code;
    register_hook(registrar: plain(Handle), phase: plain(u32), verb: opt, classes: plain(u32), name: str, callback: plain(Callback)) -> code;
    register_command(registrar: plain(Handle), verb: str, callback: plain(Callback)) -> code;
    command_end(session: plain(Handle), outcome: plain(i32), reply: opt) -> code;
    register_timer(registrar: plain(Handle), name: str, callback: plain(Callback)) -> code;
    timer_set(session: plain(Handle), name: str, millis: plain(i64)) -> code;
}

pub(super) unsafe extern "C" fn value_bool<O: Offer>(value: Handle) -> i32 {
    O::value_bool(value).map(i32::from).code()
}

pub(super) unsafe extern "C" fn value_int<O: Offer>(value: Handle, to: *mut i64) -> i32 {
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(O::value_int(value), to) }
}

pub(super) unsafe extern "C" fn value_float<O: Offer>(value: Handle, to: *mut f64) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_float(value), to) }
}

pub(super) unsafe extern "C" fn value_str<O: Offer>(value: Handle, to: *mut Str) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_str(value), to) }
}

pub(super) unsafe extern "C" fn value_bytes<O: Offer>(value: Handle, to: *mut Bytes) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::value_bytes(value), to) }
}

pub(super) unsafe extern "C" fn value_at<O: Offer>(value: Handle, index: u64) -> Handle {
    named(usize::try_from(index).ok().and_then(|index| O::value_at(value, index)))
}

pub(super) unsafe extern "C" fn value_key<O: Offer>(
    value: Handle,
    index: u64,
    to: *mut Str,
) -> i32 {
    let key = usize::try_from(index).map_err(|_| status::NONE);
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(key.and_then(|index| O::value_key(value, index)), to) }
}

pub(super) unsafe extern "C" fn register_protocol<O: Offer>(
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

pub(super) unsafe extern "C" fn fact_str<O: Offer>(
    subject: Handle,
    fact: u32,
    to: *mut Str,
) -> i32 {
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(O::fact_str(subject, fact), to) }
}

pub(super) unsafe extern "C" fn fact_int<O: Offer>(
    subject: Handle,
    fact: u32,
    to: *mut i64,
) -> i32 {
    // SAFETY: as above.
    unsafe { store(O::fact_int(subject, fact), to) }
}

pub(super) unsafe extern "C" fn state_read<O: Offer>(
    subject: Handle,
    to: *mut u8,
    size: usize,
) -> i64 {
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

pub(super) unsafe extern "C" fn session_wait<O: Offer>(
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

pub(super) unsafe extern "C" fn generate<O: Offer>(
    session: Handle,
    event: Str,
    payload: Handle,
) -> i32 {
    // SAFETY: a module passes text that lives until this function returns.
    let event = unsafe { text(event) };
    let payload = Some(payload).filter(|payload| !payload.is_none());
    event.and_then(|event| O::generate(session, event, payload)).code()
}

/// The texts of a list, in order.
///
/// # Safety
///
/// `list` must be null or lead to `count` texts, each as for [`Str::get`].
unsafe fn texts<'a>(list: *const Str, count: usize) -> Answer<Vec<&'a str>> {
    if list.is_null() && count != 0 || !list.is_aligned() || count > LABELS_MAX {
        return Err(status::BAD_ARGUMENT);
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    // SAFETY: not null, aligned, and the caller vouches for the length.
    let list = unsafe { std::slice::from_raw_parts(list, count) };
    // SAFETY: passed on to the caller.
    list.iter().map(|one| unsafe { text(*one) }).collect()
}

pub(super) unsafe extern "C" fn register_counter<O: Offer>(
    registrar: Handle,
    name: Str,
    labels: *const Str,
    count: usize,
) -> i32 {
    // SAFETY: a module passes text that lives until this function returns.
    let name = unsafe { text(name) };
    // SAFETY: a module passes null or that many texts, which live until this function returns.
    let labels = unsafe { texts(labels, count) };
    name.and_then(|name| O::register_counter(registrar, name, &labels?)).code()
}

pub(super) unsafe extern "C" fn counter_add<O: Offer>(
    counter: u32,
    values: *const Str,
    count: usize,
    amount: u64,
) -> i32 {
    // SAFETY: a module passes null or that many texts, which live until this function returns.
    let values = unsafe { texts(values, count) };
    values.and_then(|values| O::counter_add(counter, &values, amount)).code()
}

pub(super) unsafe extern "C" fn command_begin<O: Offer>(
    session: Handle,
    verb: Str,
    argument: Str,
    class: u32,
    reply: *mut Str,
) -> i32 {
    // SAFETY: a module passes text that lives until this function returns.
    let verb = unsafe { text(verb) };
    // SAFETY: as above.
    let argument = unsafe { argument.get() };
    match verb.and_then(|verb| O::command_begin(session, verb, argument, class)) {
        Ok((begun, text)) => {
            // SAFETY: a module passes null or a place for the answer.
            match unsafe { store(Ok(text), reply) } {
                status::OK => begun,
                wrong => wrong,
            }
        }
        Err(code) => code,
    }
}

pub(super) unsafe extern "C" fn answer<O: Offer>(about: Handle, number: i32, value: Handle) -> i32 {
    O::answer(about, number, Some(value).filter(|value| !value.is_none())).code()
}

pub(super) unsafe extern "C" fn authenticate<O: Offer>(
    session: Handle,
    user: Str,
    secret: Str,
    account: *mut Handle,
) -> i32 {
    // SAFETY: a module passes text that lives until this function returns.
    let user = unsafe { text(user) };
    // SAFETY: as above.
    let secret = unsafe { text(secret) };
    let found = user.and_then(|user| O::authenticate(session, user, secret?));
    // SAFETY: a module passes null or a place for the answer.
    unsafe { store(found, account) }
}
