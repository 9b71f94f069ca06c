//! The host's side of the border as it is implemented: a trait without pointers, and the table that is
//! made of an implementation. The conversion of raw arguments lives in `border`; what the functions do
//! is not known here.

use std::ffi::c_void;

use abi_stable::prefix_type::PrefixTypeTrait;

use super::border as raw;
use super::{Bytes, CHost, Callback, Handle, Host, HostRef, ProtocolTable, Str, Waiting};

/// A result of a host function: a value, or a [`status`](super::status) code below zero.
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

    /// See [`Host::register_counter`].
    fn register_counter(registrar: Handle, name: &str, labels: &[&str]) -> Answer<i32>;
    /// See [`Host::counter_add`].
    fn counter_add(counter: u32, values: &[&str], amount: u64) -> Answer<()>;

    /// See [`Host::register_timer`].
    fn register_timer(registrar: Handle, name: &str, callback: Callback) -> Answer<()>;
    /// See [`Host::timer_set`].
    fn timer_set(session: Handle, name: &str, millis: i64) -> Answer<()>;

    /// See [`Host::register_hook`].
    fn register_hook(
        registrar: Handle,
        phase: u32,
        verb: Option<&str>,
        classes: u32,
        name: &str,
        callback: Callback,
    ) -> Answer<()>;
    /// See [`Host::register_command`].
    fn register_command(registrar: Handle, verb: &str, callback: Callback) -> Answer<()>;
    /// See [`Host::command_begin`]: which of [`Begun`](super::Begun) or a status below zero, and the reply.
    fn command_begin(
        session: Handle,
        verb: &str,
        argument: Option<&str>,
        class: u32,
    ) -> Answer<(i32, Str)>;
    /// See [`Host::command_end`].
    fn command_end(session: Handle, outcome: i32, reply: Option<&str>) -> Answer<()>;
    /// See [`Host::answer`].
    fn answer(about: Handle, number: i32, value: Option<Handle>) -> Answer<()>;

    /// See [`Host::register_authenticator`].
    fn register_authenticator(
        registrar: Handle,
        name: &str,
        place: u32,
        callback: Callback,
    ) -> Answer<()>;
    /// See [`Host::authenticate`].
    fn authenticate(session: Handle, user: &str, secret: &str) -> Answer<Handle>;
    /// See [`Host::open_file`].
    fn open_file(registrar: Handle, path: &str) -> Answer<i32>;

    /// See [`Host::register_control`].
    fn register_control(registrar: Handle, action: &str, callback: Callback) -> Answer<()>;

    /// See [`Host::register_listener_with`].
    fn register_listener_with(
        registrar: Handle,
        event: &str,
        name: &str,
        callback: Callback,
        place: u32,
        attempts: u32,
        millis: u64,
    ) -> Answer<()>;

    /// See [`Host::session_transfer`].
    fn session_transfer(session: Handle, state: u32) -> Answer<()>;
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
        log: raw::log::<O>,
        fail: raw::fail::<O>,
        fail_at: raw::fail_at::<O>,
        value_kind: raw::value_kind::<O>,
        value_bool: raw::value_bool::<O>,
        value_int: raw::value_int::<O>,
        value_float: raw::value_float::<O>,
        value_str: raw::value_str::<O>,
        value_bytes: raw::value_bytes::<O>,
        value_len: raw::value_len::<O>,
        value_at: raw::value_at::<O>,
        value_key: raw::value_key::<O>,
        value_get: raw::value_get::<O>,
        value_new: raw::value_new::<O>,
        value_push: raw::value_push::<O>,
        value_put: raw::value_put::<O>,
        settings: raw::settings::<O>,
        register_listener: raw::register_listener::<O>,
        register_protocol: raw::register_protocol::<O>,
        listen_settings: raw::listen_settings::<O>,
        declare_event: raw::declare_event::<O>,
        register_state: raw::register_state::<O>,
        open_directory: raw::open_directory::<O>,
        fact_str: raw::fact_str::<O>,
        fact_int: raw::fact_int::<O>,
        payload: raw::payload::<O>,
        living: raw::living::<O>,
        state_read: raw::state_read::<O>,
        state_write: raw::state_write::<O>,
        session_wait: raw::session_wait::<O>,
        session_connection: raw::session_connection::<O>,
        session_count: raw::session_count::<O>,
        session_command: raw::session_command::<O>,
        session_login: raw::session_login::<O>,
        session_login_failed: raw::session_login_failed::<O>,
        session_end: raw::session_end::<O>,
        generate: raw::generate::<O>,
        farewell: raw::farewell::<O>,
        register_counter: raw::register_counter::<O>,
        counter_add: raw::counter_add::<O>,
        register_timer: raw::register_timer::<O>,
        timer_set: raw::timer_set::<O>,
        register_hook: raw::register_hook::<O>,
        register_command: raw::register_command::<O>,
        command_begin: raw::command_begin::<O>,
        command_end: raw::command_end::<O>,
        answer: raw::answer::<O>,
        register_authenticator: raw::register_authenticator::<O>,
        authenticate: raw::authenticate::<O>,
        open_file: raw::open_file::<O>,
        register_control: raw::register_control::<O>,
        register_listener_with: raw::register_listener_with::<O>,
        session_transfer: raw::session_transfer::<O>,
        reserved: std::ptr::null::<c_void>(),
    }
}
