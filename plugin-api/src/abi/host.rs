//! The functions that the host offers to modules, Rust and C alike.
//!
//! In brackets: where a function may be called. `init`: while the module's init runs. `session`: in
//! a callback that got a handle of a living session. `end`: in `core.exit` and `core.shutdown`
//! listeners. `any`: in every callback. Elsewhere a function returns `BAD_PHASE` or `BAD_HANDLE` and
//! does nothing. Text and bytes that the host returns stay the host's and are valid until the
//! callback returns; what is passed in is copied before the function returns.

use std::ffi::c_void;

use abi_stable::StableAbi;

use super::{Bytes, Callback, Handle, ProtocolTable, Str, Waiting};

/// The host's functions. It grows only at its end; its fields never change.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostRef)))]
#[sabi(missing_field(panic))]
pub struct Host {
    /// \[any\] Logs a line: level, text. The host adds time, module and session.
    pub log: unsafe extern "C" fn(u32, Str) -> i32,
    /// \[any\] Says why the current callback is about to return an error. The last text counts.
    pub fail: unsafe extern "C" fn(Str) -> i32,
    /// \[init\] Reports a problem at a value of the settings: the value, what is wrong, a hint or
    /// [`Str::NONE`]. All are collected and shown with file, line and column; init then fails.
    pub fail_at: unsafe extern "C" fn(Handle, Str, Str) -> i32,

    /// \[any\] The kind of a value as a [`Kind`](super::Kind) number, or `BAD_HANDLE`.
    pub value_kind: unsafe extern "C" fn(Handle) -> i32,
    /// \[any\] 0 or 1, or `NONE` if it is not a bool.
    pub value_bool: unsafe extern "C" fn(Handle) -> i32,
    /// \[any\] Writes the whole number; `NONE` if it is not one.
    pub value_int: unsafe extern "C" fn(Handle, *mut i64) -> i32,
    /// \[any\] Writes the number; `NONE` if it is not a floating point or whole number.
    pub value_float: unsafe extern "C" fn(Handle, *mut f64) -> i32,
    /// \[any\] Writes the text; `NONE` if it is not text.
    pub value_str: unsafe extern "C" fn(Handle, *mut Str) -> i32,
    /// \[any\] Writes the bytes; `NONE` if it is not bytes.
    pub value_bytes: unsafe extern "C" fn(Handle, *mut Bytes) -> i32,
    /// \[any\] The number of entries of a list or table, or `NONE`.
    pub value_len: unsafe extern "C" fn(Handle) -> i64,
    /// \[any\] The entry at an index of a list or table; [`Handle::NONE`] beyond the end.
    pub value_at: unsafe extern "C" fn(Handle, u64) -> Handle,
    /// \[any\] Writes the name of the entry at an index of a table.
    pub value_key: unsafe extern "C" fn(Handle, u64, *mut Str) -> i32,
    /// \[any\] The entry with that name in a table; [`Handle::NONE`] if there is none.
    pub value_get: unsafe extern "C" fn(Handle, Str) -> Handle,
    /// \[any\] A new value: kind, then the number (bool, int), float, text or bytes that belong to it;
    /// the others are ignored. Owned by the host, valid until the callback returns.
    pub value_new: unsafe extern "C" fn(i32, i64, f64, Bytes) -> Handle,
    /// \[any\] Appends a value that `value_new` made to a list that `value_new` made; the entry then
    /// belongs to the list.
    pub value_push: unsafe extern "C" fn(Handle, Handle) -> i32,
    /// \[any\] Puts a value under a name into a table that `value_new` made; an older one is replaced.
    pub value_put: unsafe extern "C" fn(Handle, Str, Handle) -> i32,

    /// \[init\] The module's own settings: its `[module.config]`, an empty table if there is none.
    pub settings: unsafe extern "C" fn(Handle) -> Handle,
    /// \[init\] Registers a listener: the registrar, the event, the listener's name, the callback. In
    /// the callback the handle names the event. Listeners run in the order of these calls.
    pub register_listener: unsafe extern "C" fn(Handle, Str, Str, Callback) -> i32,
    /// \[init\] Registers a protocol under a name. The table is copied.
    pub register_protocol: unsafe extern "C" fn(Handle, Str, *const ProtocolTable) -> i32,
    /// \[init\] The settings for the n-th listen of a protocol, in the order of the file: the
    /// module's own with the listen's `config` laid over. [`Handle::NONE`] beyond the last.
    pub listen_settings: unsafe extern "C" fn(Handle, Str, u32) -> Handle,
    /// \[init\] Declares an event `owner.what-happened` of the module's own, with a version.
    pub declare_event: unsafe extern "C" fn(Handle, Str, u32) -> i32,
    /// \[init\] Asks for room for the module's facts of each session: at most 256 bytes, once.
    pub register_state: unsafe extern "C" fn(Handle, u32) -> i32,
    /// \[init\] Opens a directory (relative: to the folder of `modules.toml`) as the identity that
    /// init runs with. Returns a descriptor that the host owns and that every session of this
    /// generation has; never close it. On failure the reason has been given with `fail`.
    pub open_directory: unsafe extern "C" fn(Handle, Str) -> i32,

    /// \[any\] Writes a [`Fact`](super::Fact) that is text; `NONE` if there is none now.
    pub fact_str: unsafe extern "C" fn(Handle, u32, *mut Str) -> i32,
    /// \[any\] Writes a [`Fact`](super::Fact) that is a number; `NONE` if there is none now.
    pub fact_int: unsafe extern "C" fn(Handle, u32, *mut i64) -> i32,
    /// \[any\] What came with the event: a value, or [`Handle::NONE`].
    pub payload: unsafe extern "C" fn(Handle) -> Handle,
    /// \[session, end\] The living session that an event is about; [`Handle::NONE`] in a runner, after
    /// the death of the session's process.
    pub living: unsafe extern "C" fn(Handle) -> Handle,
    /// \[session, end\] Copies the calling module's facts of this session into a buffer of that many
    /// bytes. Returns their length, which may be more than the buffer holds; 0 if none were written.
    pub state_read: unsafe extern "C" fn(Handle, *mut u8, usize) -> i64,
    /// \[session, end\] Replaces the calling module's facts of this session; a death between the first
    /// and the last byte leaves the old ones.
    pub state_write: unsafe extern "C" fn(Handle, Bytes) -> i32,

    /// \[session\] Waits until one of the descriptors is ready or that many milliseconds have passed
    /// (negative: no limit). Returns the number of ready ones, 0 at the timeout, `ENDING` if the
    /// session is to end. All waiting of a module goes through here.
    pub session_wait: unsafe extern "C" fn(Handle, *mut Waiting, usize, i64) -> i32,
    /// \[session\] The descriptor of the client's connection, non-blocking. It stays the host's.
    pub session_connection: unsafe extern "C" fn(Handle) -> i32,
    /// \[session\] Reports bytes received and sent; also resets the idle timeout.
    pub session_count: unsafe extern "C" fn(Handle, u64, u64) -> i32,
    /// \[session\] Reports the command that is being served, and a path or [`Str::NONE`], for `who`
    /// and the journal. Longer texts are cut.
    pub session_command: unsafe extern "C" fn(Handle, Str, Str) -> i32,
    /// \[session\] The client has proved who it is: asks for its place and runs the `core.login`
    /// listeners, once in a session. `ENDING` if a limit or a listener denies or the session is to end.
    pub session_login: unsafe extern "C" fn(Handle, Str) -> i32,
    /// \[session\] The client failed to prove who it is: runs the `core.login-failed` listeners. The
    /// number of attempts that are left, or `ENDING` if there are none.
    pub session_login_failed: unsafe extern "C" fn(Handle, Str) -> i32,
    /// \[session\] Commits the cause of the end (`client-quit`, `client-eof`, `client-reset`,
    /// `bad-protocol` or `module-request`) with a detail. The first cause wins. Returns `ENDING`.
    pub session_end: unsafe extern "C" fn(Handle, Str, Str) -> i32,
    /// \[session\] Generates an event that the calling module declared: name, payload or
    /// [`Handle::NONE`].
    pub generate: unsafe extern "C" fn(Handle, Str, Handle) -> i32,
    /// \[farewell\] Gives the final reply. It is written without blocking, once.
    pub farewell: unsafe extern "C" fn(Handle, Bytes) -> i32,

    /// \[init\] Registers a counter that all sessions share: its name and the names of its labels (at
    /// most 4). Returns its number, for `counter_add`.
    pub register_counter: unsafe extern "C" fn(Handle, Str, *const Str, usize) -> i32,
    /// \[any but init\] Adds to a counter of the calling module: its number, a value for each label (of
    /// which 64 bytes count), how much. Of the combinations of values that come up, 64 are counted
    /// apart; the others are counted together.
    pub counter_add: unsafe extern "C" fn(u32, *const Str, usize, u64) -> i32,

    /// \[init\] Registers a timer of sessions: its name, the callback. In the callback the handle is
    /// that of the session in which the timer was set.
    pub register_timer: unsafe extern "C" fn(Handle, Str, Callback) -> i32,
    /// \[session\] Sets a timer of the calling module: its callback is entered once, while the protocol
    /// waits, when that many milliseconds have passed. Set again it is moved; a negative time takes it
    /// back.
    pub timer_set: unsafe extern "C" fn(Handle, Str, i64) -> i32,

    /// \[init\] Registers a command hook: the [`Phase`](super::Phase), the verb or [`Str::NONE`] for all,
    /// the classes of commands as a sum of bits or 0 for all, the hook's name, the callback. Hooks of a
    /// phase run in the order of these calls.
    pub register_hook: unsafe extern "C" fn(Handle, u32, Str, u32, Str, Callback) -> i32,
    /// \[init\] Registers who carries out a verb in place of the protocol; a verb has one at most.
    pub register_command: unsafe extern "C" fn(Handle, Str, Callback) -> i32,
    /// \[protocol\] Begins a command: verb, argument or [`Str::NONE`], the bit of its class. Runs the hooks
    /// of the phase `pre`. Returns one of [`Begun`](super::Begun); `DENIED` if a hook denies, `FAILED` if the
    /// module that carries it out failed, both with the reply written; or `ENDING`.
    pub command_begin: unsafe extern "C" fn(Handle, Str, Str, u32, *mut Str) -> i32,
    /// \[protocol\] Ends a command that the protocol was to carry out itself: how it went as a status, the
    /// reply or [`Str::NONE`]. Runs the hooks of the phases `post` and `log`.
    pub command_end: unsafe extern "C" fn(Handle, i32, Str) -> i32,
    /// \[command handler, authenticator, control action\] Gives the callback's answer: a number, and a value that `value_new` made or
    /// [`Handle::NONE`]; what they are depends on the callback. A command handler gives 0 and the reply
    /// as text, an authenticator a [`Verdict`](super::Verdict).
    pub answer: unsafe extern "C" fn(Handle, i32, Handle) -> i32,

    /// \[init\] Registers an authenticator: its name, the [`Place`](super::Place) where it runs, the
    /// callback. They are asked in the order of these calls; the first that knows the user decides.
    pub register_authenticator: unsafe extern "C" fn(Handle, Str, u32, Callback) -> i32,
    /// \[protocol\] Asks the authenticators about a user and a secret. `OK` with the account written, a
    /// table as in [`Verdict`](super::Verdict); `DENIED` if one rejects, `NONE` if none knows the user.
    pub authenticate: unsafe extern "C" fn(Handle, Str, Str, *mut Handle) -> i32,
    /// \[init\] Opens a file to be read, as `open_directory` does a directory.
    pub open_file: unsafe extern "C" fn(Handle, Str) -> i32,

    /// \[init\] Registers a control action, which operators call with `exeunt ctl`: its name, the
    /// callback. There the payload is the list of its arguments, texts; it may give any value with
    /// `answer` (and 0), which is the reply.
    pub register_control: unsafe extern "C" fn(Handle, Str, Callback) -> i32,

    /// \[init\] Registers a listener as `register_listener` does, with wishes: where it runs (a
    /// [`Station`](super::Station)), how often at most (1 to 8: again after each failure), for how many
    /// milliseconds at most (0: as long as any). Place and attempts only where an end or the daemon's
    /// own events are listened for.
    pub register_listener_with:
        unsafe extern "C" fn(Handle, Str, Str, Callback, u32, u32, u64) -> i32,

    /// \[session\] Says whether something is transferred, as in [`Transferring`](super::Transferring):
    /// while it is, the timeout `stalled` counts from the last time that this was said, in place of
    /// `idle`; while it is not, `no_transfer` does. Who never says it has neither.
    pub session_transfer: unsafe extern "C" fn(Handle, u32) -> i32,
    /// Reserved for the host; null.
    #[sabi(last_prefix_field)]
    pub reserved: *const c_void,
}

// SAFETY: the table is made of function pointers and a null pointer; it is never written to.
unsafe impl Sync for Host {}
// SAFETY: as above.
unsafe impl Send for Host {}
