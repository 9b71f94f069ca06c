//! The numbers that cross the border: results, facts, kinds of values, levels. Numbers are only added.

/// What a function of the host and a callback of a module return. Zero and above is success.
pub mod status {
    /// Done.
    pub const OK: i32 = 0;
    /// It failed; the text was given to the host with `fail`.
    pub const FAILED: i32 = -1;
    /// The session is ending: return to the host as soon as possible.
    pub const ENDING: i32 = -2;
    /// The handle is not, or no longer, valid here.
    pub const BAD_HANDLE: i32 = -3;
    /// The function may not be called at this time (registration outside init, for instance).
    pub const BAD_PHASE: i32 = -4;
    /// A null pointer, text that is not UTF-8, a number out of range, a name with other characters.
    pub const BAD_ARGUMENT: i32 = -5;
    /// The same thing was registered before.
    pub const DUPLICATE: i32 = -6;
    /// The function pointer does not lie in an executable segment of the module itself.
    pub const FOREIGN_POINTER: i32 = -7;
    /// There is none: no such key, no such fact in this case.
    pub const NONE: i32 = -8;
    /// More than there is room for.
    pub const TOO_BIG: i32 = -9;
    /// A connect or login listener denies; the reason was given with `fail`.
    pub const DENIED: i32 = -10;
    /// The module's code panicked; the message was given with `fail`.
    pub const PANICKED: i32 = -11;
}

/// A fact about a session or its end, for `fact_str` (text) and `fact_int` (number).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Text: the session's id, unique for this daemon and its successors.
    Session = 1,
    /// Text: the user that logged in; none before login.
    User = 2,
    /// Text: the client's address and port.
    Peer = 3,
    /// Text: the local address and port.
    Local = 4,
    /// Text: the name of the listen in `modules.toml`.
    Listen = 5,
    /// Text: the name of the protocol.
    Protocol = 6,
    /// Text: the last command that the protocol reported; none before the first.
    Command = 7,
    /// Text: the working directory or file that the protocol reported; none before the first.
    Path = 8,
    /// Text: the name of the event that is being delivered.
    Event = 9,
    /// Text: the name of the cause of the end, `client-quit` for instance; only at an end.
    Cause = 10,
    /// Text: the detail of the cause: which limit, signal, module; none if there is none.
    Detail = 11,
    /// Text: the verb of the command that a command hook or handler is about.
    Verb = 12,
    /// Text: its argument; none if it has none, or is a secret.
    Argument = 13,
    /// Text: the reply to it, once there is one.
    Reply = 14,
    /// Text: the user that somebody claims to be, for an authenticator.
    Claimed = 15,
    /// Text: what they prove it with, for an authenticator.
    Secret = 16,
    /// Text: names this turn of a listener: the same for all its attempts at one end, and for no other.
    Token = 17,
    /// Number: bytes received from the client.
    BytesIn = 32,
    /// Number: bytes sent to the client.
    BytesOut = 33,
    /// Number: when the session started, in milliseconds since 1970 UTC.
    Started = 34,
    /// Number: when the end was committed, in milliseconds since 1970 UTC; only at an end.
    Ended = 35,
    /// Number: 1 if the session's process is alive and the callback runs in it, else 0.
    Live = 36,
    /// Number: how often this listener was entered for this session, this time included.
    Attempt = 37,
    /// Number: the index of the listen among those of the protocol, in the order of the file.
    ListenIndex = 38,
    /// Number: the class of the command that a command hook or handler is about.
    Class = 39,
    /// Number: how it went, as a [`status`]: OK, FAILED, DENIED or ENDING; none before it was tried.
    Outcome = 40,
    /// Number: the version of the event that is delivered; none for those of the host.
    EventVersion = 41,
}

impl Fact {
    /// The fact with the number `n`, if there is one.
    #[must_use]
    pub fn from_number(n: u32) -> Option<Self> {
        const ALL: [Fact; 27] = [
            Fact::Session,
            Fact::User,
            Fact::Peer,
            Fact::Local,
            Fact::Listen,
            Fact::Protocol,
            Fact::Command,
            Fact::Path,
            Fact::Event,
            Fact::Cause,
            Fact::Detail,
            Fact::Verb,
            Fact::Argument,
            Fact::Reply,
            Fact::Claimed,
            Fact::Secret,
            Fact::Token,
            Fact::BytesIn,
            Fact::BytesOut,
            Fact::Started,
            Fact::Ended,
            Fact::Live,
            Fact::Attempt,
            Fact::ListenIndex,
            Fact::Class,
            Fact::Outcome,
            Fact::EventVersion,
        ];
        ALL.into_iter().find(|fact| *fact as u32 == n)
    }
}

/// When a command hook runs.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before the command is carried out; may deny it.
    Pre = 1,
    /// After it was carried out, whether it succeeded or failed.
    Post = 2,
    /// At last, for every command that was dispatched.
    Log = 3,
}

impl Phase {
    /// The phase with the number `n`, if there is one.
    #[must_use]
    pub fn from_number(n: u32) -> Option<Self> {
        [Phase::Pre, Phase::Post, Phase::Log].into_iter().find(|phase| *phase as u32 == n)
    }
}

/// What kind of command it is: the bits of `command_begin` and `register_hook`.
pub struct Class;

impl Class {
    /// Reads the content of files.
    pub const READ: u32 = 1;
    /// Changes files and folders.
    pub const WRITE: u32 = 2;
    /// Lists folders, moves between them.
    pub const DIRS: u32 = 4;
    /// Says or proves who the client is.
    pub const AUTH: u32 = 8;
    /// Asks about the server or the session.
    pub const INFO: u32 = 16;
    /// Anything else.
    pub const MISC: u32 = 32;
}

/// Where an authenticator runs.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the session, with its identity.
    Session = 1,
}

impl Place {
    /// The place with the number `n`, if there is one.
    #[must_use]
    pub fn from_number(n: u32) -> Option<Self> {
        (n == Place::Session as u32).then_some(Place::Session)
    }
}

/// Where a listener for `core.exit` runs, for `register_listener_with`.
pub struct Station;

impl Station {
    /// In the session's process while that lives; else in a runner.
    pub const SESSION: u32 = 1;
    /// In a runner, a clean process with the session's identity, in any case.
    pub const RUNNER: u32 = 2;
    /// In a runner with root's rights, if the daemon has them and `modules.toml` grants them.
    pub const ROOT: u32 = 3;
}

/// What an authenticator gives with `answer`. Nothing given is [`Verdict::UNKNOWN`].
pub struct Verdict;

impl Verdict {
    /// It does not know the user: the next one is asked.
    pub const UNKNOWN: i32 = 0;
    /// It is the user; with the account: a table with `user` and perhaps `home`, `root` (text) and
    /// `groups` (a list of texts).
    pub const ACCEPTED: i32 = 1;
    /// It knows the user, and it is not them.
    pub const REJECTED: i32 = 2;
}

/// What `command_begin` returns beside a [`status`].
pub struct Begun;

impl Begun {
    /// The protocol is to carry the command out itself, and then to call `command_end`.
    pub const OWN: i32 = 0;
    /// A module has carried it out, and here is its reply.
    pub const HANDLED: i32 = 1;
}

/// What `session_transfer` is told.
pub struct Transferring;

impl Transferring {
    /// None is going on: from now on the time without one counts.
    pub const NOTHING: u32 = 0;
    /// One is going on, and has just moved.
    pub const MOVING: u32 = 1;
}

/// The kind of a value in the value model, as `value_kind` returns it.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Null = 0,
    /// True or false.
    Bool = 1,
    /// A whole number, 64 bits, signed.
    Int = 2,
    /// A floating point number, 64 bits.
    Float = 3,
    /// UTF-8 text.
    Str = 4,
    /// Bytes.
    Bytes = 5,
    /// Values in order.
    List = 6,
    /// Values by name, in order.
    Table = 7,
}

impl Kind {
    /// The kind with the number `n`, if there is one.
    #[must_use]
    pub fn from_number(n: i32) -> Option<Self> {
        use Kind::{Bool, Bytes, Float, Int, List, Null, Str, Table};
        [Null, Bool, Int, Float, Str, Bytes, List, Table].into_iter().find(|k| *k as i32 == n)
    }
}

/// How important a line of the log is.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed that should not.
    Error = 1,
    /// Something is odd; the work goes on.
    Warn = 2,
    /// What an operator wants to read.
    Info = 3,
    /// What only a developer wants to read.
    Debug = 4,
}

impl Level {
    /// The level with the number `n`, if there is one.
    #[must_use]
    pub fn from_number(n: u32) -> Option<Self> {
        [Level::Error, Level::Warn, Level::Info, Level::Debug].into_iter().find(|l| *l as u32 == n)
    }
}

/// What to wait for on a descriptor: the bits of [`Waiting`](super::Waiting).
pub struct Interest;

impl Interest {
    /// It can be read, or is at its end.
    pub const READ: u32 = 1;
    /// It can be written.
    pub const WRITE: u32 = 2;
}
