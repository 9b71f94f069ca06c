//! The tables that bound what sessions and generations take: `[limits]`, `[timeouts]`, `[exit]` and
//! `[reload]`.

use std::time::Duration;

use super::problem::Problems;
use super::read::{Reader, Refusal, duration, duration_or_off, limit, number};
use super::section::Section;
use super::shape::{EXIT, LIMITS, RELOAD, TIMEOUTS};
use super::value::Node;

/// The longest timeout of a client.
const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
/// The longest part of an end.
const HOUR: Duration = Duration::from_secs(3600);

/// `[limits]`: how much is admitted; nothing where a limit is off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Sessions at the same time.
    pub(crate) sessions: Option<u32>,
    /// Sessions at the same time from one address.
    pub(crate) sessions_per_address: Option<u32>,
    /// Connections within a minute from one address.
    pub(crate) connections_per_minute: Option<u32>,
    /// Sessions that have logged in, at the same time.
    pub(crate) logins: Option<u32>,
    /// The same from one address.
    pub(crate) logins_per_address: Option<u32>,
    /// The same of one user.
    pub(crate) logins_per_user: Option<u32>,
    /// Failed logins in one session.
    pub(crate) login_attempts: Option<u32>,
}

#[cfg(test)]
impl Limits {
    /// No limit at all.
    pub(crate) const OFF: Self = Self {
        sessions: None,
        sessions_per_address: None,
        connections_per_minute: None,
        logins: None,
        logins_per_address: None,
        logins_per_user: None,
        login_attempts: None,
    };
}

/// `[timeouts]`: what a client may take; nothing where a timeout is off.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Timeouts {
    /// From the connection to the login.
    pub(crate) login: Option<Duration>,
    /// Without a command, while nothing is transferred.
    pub(crate) idle: Option<Duration>,
    /// Without a transfer, from the login on.
    pub(crate) no_transfer: Option<Duration>,
    /// Without a byte, while something is transferred.
    pub(crate) stalled: Option<Duration>,
    /// The whole session.
    pub(crate) session: Option<Duration>,
}

/// `[exit]`: what an end may take.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exit {
    /// One listener, unless its module has a time of its own.
    pub(crate) listener: Duration,
    /// All listeners of one end.
    pub(crate) chain: Duration,
    /// Waiting for the client to take the last reply.
    pub(crate) linger: Duration,
    /// Waiting for sessions to end by themselves when the daemon is to end.
    pub(crate) grace: Duration,
    /// From the order to end to SIGKILL.
    pub(crate) kill_after: Duration,
}

/// `[reload]`: what a new generation may take, and how many there may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reload {
    /// From the start of a candidate until it is ready.
    pub(crate) ready: Duration,
    /// Generations at the same time: one that serves, the others finishing their sessions.
    pub(crate) generations: u32,
}

pub(super) fn limits(node: Option<&Node>, reader: &Reader<'_>, problems: &mut Problems) -> Limits {
    let table = Section::open(node, &LIMITS, reader, problems);
    let mut read = |key, default| table.read(key, problems, limit).unwrap_or(default);
    Limits {
        sessions: read("sessions", Some(1000)),
        sessions_per_address: read("sessions_per_address", None),
        connections_per_minute: read("connections_per_minute", None),
        logins: read("logins", None),
        logins_per_address: read("logins_per_address", None),
        logins_per_user: read("logins_per_user", None),
        login_attempts: read("login_attempts", Some(3)),
    }
}

pub(super) fn timeouts(
    node: Option<&Node>,
    reader: &Reader<'_>,
    problems: &mut Problems,
) -> Timeouts {
    let table = Section::open(node, &TIMEOUTS, reader, problems);
    let mut read = |key, default: Option<u64>| {
        table
            .read(key, problems, |node| duration_or_off(node, YEAR))
            .unwrap_or(default.map(Duration::from_secs))
    };
    Timeouts {
        login: read("login", Some(300)),
        idle: read("idle", Some(600)),
        no_transfer: read("no_transfer", Some(600)),
        stalled: read("stalled", Some(300)),
        session: read("session", None),
    }
}

pub(super) fn exit(node: Option<&Node>, reader: &Reader<'_>, problems: &mut Problems) -> Exit {
    let table = Section::open(node, &EXIT, reader, problems);
    let mut read =
        |key, default| table.read(key, problems, end_time).unwrap_or(Duration::from_secs(default));
    Exit {
        listener: read("listener", 5),
        chain: read("chain", 30),
        linger: read("linger", 2),
        grace: read("grace", 30),
        kill_after: read("kill_after", 5),
    }
}

pub(super) fn reload(node: Option<&Node>, reader: &Reader<'_>, problems: &mut Problems) -> Reload {
    let table = Section::open(node, &RELOAD, reader, problems);
    Reload {
        ready: table.read("ready", problems, end_time).unwrap_or(Duration::from_secs(30)),
        generations: table.read("generations", problems, |node| number(node, 2..=32)).unwrap_or(8),
    }
}

/// A length of time that an end may take; also of a module's own listeners.
pub(super) fn end_time(node: &Node) -> Result<Duration, Refusal> {
    duration(node, HOUR)
}
