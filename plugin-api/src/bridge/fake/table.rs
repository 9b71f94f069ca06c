//! The fake host's functions, and the table of them.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use abi_stable::prefix_type::PrefixTypeTrait;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::values::{self, give, leaked, leaked_str};
use super::{Fake, with};
use crate::abi::{
    Bytes, Callback, Fact, Handle, Host, HostRef, Interest, ProtocolTable, Str, Waiting, status,
};
use crate::bridge::Held;
use crate::value::Value;

/// A function for the table, written like a closure.
macro_rules! c {
    (|$($name:tt: $kind:ty),*| -> $out:ty $body:block) => {{
        unsafe extern "C" fn function($($name: $kind),*) -> $out $body
        function
    }};
}

/// The table.
pub(super) fn host() -> HostRef {
    let host = Host {
        log: c!(|_: u32, text: Str| -> i32 { remember(|fake| &mut fake.logged, text) }),
        fail: c!(|text: Str| -> i32 { remember(|fake| &mut fake.failed, text) }),
        fail_at,
        value_kind: values::kind,
        value_bool: values::as_bool,
        value_int: values::as_int,
        value_float: values::as_float,
        value_str: values::as_str,
        value_bytes: values::as_bytes,
        value_len: values::len,
        value_at: values::at,
        value_key: values::key,
        value_get: values::get,
        value_new: values::new,
        value_push: values::push,
        value_put: values::put,
        settings: c!(|_: Handle| -> Handle { with(|fake| fake.settings).unwrap_or(Handle::NONE) }),
        register_listener,
        register_protocol,
        listen_settings,
        declare_event: c!(|_: Handle, _: Str, _: u32| -> i32 { status::OK }),
        register_state: c!(|_: Handle, _: u32| -> i32 { status::OK }),
        open_directory: c!(|_: Handle, _: Str| -> i32 { status::FAILED }),
        fact_str,
        fact_int: c!(|_: Handle, _: u32, _: *mut i64| -> i32 { status::NONE }),
        payload: c!(|_: Handle| -> Handle { Handle::NONE }),
        living,
        state_read,
        state_write,
        session_wait,
        session_connection: c!(|_: Handle| -> i32 {
            with(|fake| fake.connection.as_ref().map_or(status::BAD_HANDLE, AsRawFd::as_raw_fd))
        }),
        session_count,
        session_command: c!(|_: Handle, _: Str, _: Str| -> i32 { status::OK }),
        session_login: c!(|_: Handle, _: Str| -> i32 { status::ENDING }),
        session_login_failed: c!(|_: Handle, _: Str| -> i32 { 2 }),
        session_end: c!(|_: Handle, cause: Str, _: Str| -> i32 {
            remember(|fake| &mut fake.ended, cause)
        }),
        generate,
        farewell: c!(|_: Handle, reply: Bytes| -> i32 {
            let reply = String::from_utf8_lossy(leaked(reply));
            remember(|fake| &mut fake.farewells, Str::new(&reply))
        }),
        reserved: std::ptr::null(),
    };
    host.leak_into_prefix()
}

/// Remembers a text.
fn remember(place: impl FnOnce(&mut Fake) -> &mut Vec<String>, text: Str) -> i32 {
    with(|fake| place(fake).push(leaked_str(text).to_owned()));
    status::OK
}

fn shown(value: Handle) -> String {
    format!("{:?}", Value::new(Held::new(value)))
}

unsafe extern "C" fn fail_at(value: Handle, problem: Str, hint: Str) -> i32 {
    let told = (shown(value), leaked_str(problem).to_owned(), leaked_str(hint).to_owned());
    with(|fake| fake.problems.push(told));
    status::OK
}

unsafe extern "C" fn register_listener(_: Handle, event: Str, name: Str, call: Callback) -> i32 {
    let name = format!("{}/{}", leaked_str(event), leaked_str(name));
    with(|fake| {
        if fake.listeners.iter().any(|(other, _)| *other == name) {
            return status::DUPLICATE;
        }
        fake.listeners.push((name, call));
        status::OK
    })
}

unsafe extern "C" fn register_protocol(_: Handle, _: Str, table: *const ProtocolTable) -> i32 {
    // SAFETY: the caller of the host's function lent the table for the call.
    let table = unsafe { *table };
    with(|fake| fake.protocols.push(table));
    status::OK
}

unsafe extern "C" fn listen_settings(_: Handle, _: Str, index: u32) -> Handle {
    with(|fake| fake.listens.get(index as usize).copied()).unwrap_or(Handle::NONE)
}

unsafe extern "C" fn fact_str(_: Handle, fact: u32, out: *mut Str) -> i32 {
    let fact = Fact::from_number(fact);
    let find = |fake: &mut Fake| fake.facts.iter().find(|known| Some(known.0) == fact).copied();
    give(out, with(find).map(|(_, text)| Str::new(text)))
}

unsafe extern "C" fn living(handle: Handle) -> Handle {
    if with(|fake| fake.connection.is_some()) { handle } else { Handle::NONE }
}

unsafe extern "C" fn session_count(_: Handle, bytes_in: u64, bytes_out: u64) -> i32 {
    with(|fake| fake.bytes = (fake.bytes.0 + bytes_in, fake.bytes.1 + bytes_out));
    status::OK
}

unsafe extern "C" fn state_write(_: Handle, bytes: Bytes) -> i32 {
    with(|fake| fake.state = leaked(bytes).to_vec());
    status::OK
}

unsafe extern "C" fn state_read(_: Handle, out: *mut u8, room: usize) -> i64 {
    let state = with(|fake| fake.state.clone());
    for (i, byte) in state.iter().take(room).enumerate() {
        // SAFETY: the caller of the host's function lent `room` bytes for the call.
        give(unsafe { out.add(i) }, Some(*byte));
    }
    i64::try_from(state.len()).unwrap()
}

unsafe extern "C" fn session_wait(_: Handle, list: *mut Waiting, count: usize, ms: i64) -> i32 {
    if with(|fake| {
        fake.looks += 1;
        fake.ending
    }) {
        return status::ENDING;
    }
    // SAFETY: the caller of the host's function lent `count` entries for the call.
    let list = unsafe { std::slice::from_raw_parts_mut(list, count) };
    // SAFETY: the caller of the host's function keeps the descriptors open during the call.
    let fds = list.iter().map(|one| (unsafe { BorrowedFd::borrow_raw(one.fd) }, one.interest));
    let fds: Vec<_> = fds.collect();
    let mut polled: Vec<_> =
        fds.iter().map(|(fd, wanted)| PollFd::new(fd, flags(*wanted))).collect();
    // A test that waits without limit for what does not come fails.
    let time = Duration::from_millis(u64::try_from(ms).unwrap_or(10_000));
    let ready = poll(&mut polled, Some(&Timespec::try_from(time).unwrap())).unwrap();
    assert!(ready > 0 || ms >= 0, "nothing came");
    let found: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
    for (one, found) in list.iter_mut().zip(found) {
        one.ready = if found { one.interest } else { 0 };
    }
    i32::try_from(ready).unwrap()
}

fn flags(interest: u32) -> PollFlags {
    if interest == Interest::READ { PollFlags::IN } else { PollFlags::OUT }
}

unsafe extern "C" fn generate(_: Handle, name: Str, payload: Handle) -> i32 {
    let text = format!("{} {}", leaked_str(name), shown(payload));
    with(|fake| fake.generated.push(text));
    status::OK
}
