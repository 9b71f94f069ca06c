//! After a death: look, record, reap. The wait status is on the ledger before the process is gone, so
//! that whoever comes next knows how it ended. What follows from it is decided by the zygote.

use exeunt_ledger::{Death, Identity, State};
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::cause::Cause;
use crate::clock::Moment;
use crate::sys::{self, Polled};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(Signal),
    /// By the kernel, for want of memory: by SIGKILL.
    KilledForMemory,
}

impl Fate {
    fn from_status(status: WaitStatus) -> Option<(Pid, Self)> {
        match status {
            WaitStatus::Exited(pid, code) => Some((pid, Fate::Exited(code))),
            WaitStatus::Signaled(pid, signal, _) => Some((pid, Fate::Killed(signal))),
            _ => None,
        }
    }

    /// What a raw wait status says; a signal that does not exist counts as SIGKILL.
    pub(crate) fn from_raw(raw: i32) -> Self {
        match raw & 0x7f {
            0 => Fate::Exited(raw >> 8 & 0xff),
            signal => Fate::Killed(Signal::try_from(signal).unwrap_or(Signal::SIGKILL)),
        }
    }

    /// As wait(2) would have it, for the ledger.
    pub(crate) fn raw(self) -> i32 {
        match self {
            Fate::Exited(code) => (code & 0xff) << 8,
            Fate::Killed(signal) => signal as i32,
            Fate::KilledForMemory => Signal::SIGKILL as i32,
        }
    }

    fn is_kill(self) -> bool {
        matches!(self, Fate::Killed(Signal::SIGKILL) | Fate::KilledForMemory)
    }

    /// In words.
    pub(crate) fn text(self) -> String {
        match self {
            Fate::Exited(code) => format!("exit status {code}"),
            Fate::Killed(signal) => signal.as_str().to_owned(),
            Fate::KilledForMemory => Signal::SIGKILL.as_str().to_owned(),
        }
    }

    fn is_crash(self) -> bool {
        use Signal::{SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
        let crashes = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP];
        matches!(self, Fate::Killed(signal) if crashes.contains(&signal))
    }
}

/// A child that has died and is not reaped yet: its number is still its own.
pub(crate) fn peek() -> Option<(Pid, Fate)> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    loop {
        match waitid(Id::All, flags) {
            Ok(status) => return Fate::from_status(status),
            Err(Errno::EINTR) => {}
            Err(_) => return None,
        }
    }
}

/// Waits for the end of a child that is about to end, and leaves it to be reaped.
pub(crate) fn wait_for(pid: i32) -> Option<Fate> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    loop {
        match waitid(Id::Pid(Pid::from_raw(pid)), flags) {
            Err(Errno::EINTR) => {}
            status => return status.ok().and_then(Fate::from_status).map(|(_, fate)| fate),
        }
    }
}

/// Waits for the end of a child for at most that long, and reaps it; then it is killed.
pub(crate) fn wait_until(pid: i32, patience: Duration) -> Option<Fate> {
    let number = rustix::process::Pid::from_raw(pid)?;
    let end = rustix::process::pidfd_open(number, rustix::process::PidfdFlags::empty()).ok()?;
    let mut polled = [Polled::reading(end.as_raw_fd())];
    let in_time = matches!(sys::poll(&mut polled, Some(patience)), Ok(1..));
    if !in_time {
        let _dead = rustix::process::pidfd_send_signal(&end, rustix::process::Signal::KILL);
    }
    let fate = wait_for(pid);
    reap(Pid::from_raw(pid));
    fate.filter(|_| in_time)
}

/// Waits for the end of a child that is about to end, and reaps it.
pub(crate) fn wait(pid: i32) {
    if wait_for(pid).is_some() {
        reap(Pid::from_raw(pid));
    }
}

/// Ends what a dead process left behind in its group: it could keep the client's connection open.
pub(crate) fn end_group(pid: Pid) {
    // The group is gone, in most cases.
    let _none = killpg(pid, Signal::SIGKILL);
}

/// Reaps a process that was looked at.
pub(crate) fn reap(pid: Pid) {
    // It is dead and ours: there is nothing that could go wrong but a signal in between.
    while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) == Err(Errno::EINTR) {}
}

/// Whether a timer that was armed had gone off by `now`.
fn was_due(state: &State, now: Moment) -> bool {
    let armed = state.armed_until.load(Relaxed);
    armed != 0 && armed <= now
}

/// Why a session ended that died without a committed cause. An order that somebody gave before stands.
pub(crate) fn cause(
    identity: &Identity,
    state: &State,
    fate: Fate,
    now: Moment,
) -> (Cause, String) {
    if let Some(order) = identity.order().and_then(Cause::from_number) {
        return (order, identity.order_detail.get());
    }
    let cause = match fate {
        Fate::Exited(_) => Cause::Exited,
        fate if fate.is_crash() => Cause::Crashed,
        fate if fate.is_kill() && was_due(state, now) => Cause::Deadline,
        Fate::KilledForMemory => Cause::OutOfMemory,
        Fate::Killed(_) => Cause::Signal,
    };
    (cause, fate.text())
}

/// What the death of a worker means for the listener that it was in.
pub(crate) fn death(state: &State, fate: Fate, now: Moment) -> (Death, String) {
    match fate {
        fate if fate.is_kill() && was_due(state, now) => {
            (Death::Deadline, "its deadline passed".to_owned())
        }
        Fate::Exited(code) => (Death::Fault, format!("it ended the process with status {code}")),
        fate if fate.is_crash() => (Death::Fault, format!("it crashed with {}", fate.text())),
        Fate::Killed(signal) => (Death::Killed, format!("the process was killed by {signal}")),
        Fate::KilledForMemory => {
            (Death::Killed, "the kernel killed the process for want of memory".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> (Box<Identity>, Box<State>) {
        (Box::default(), Box::default())
    }

    #[test]
    fn a_kill_after_the_armed_moment_is_the_deadline_and_before_it_a_signal() {
        let (identity, state) = pages();
        state.armed_until.store(100, Relaxed);
        let kill = Fate::Killed(Signal::SIGKILL);
        assert_eq!(cause(&identity, &state, kill, 99).0, Cause::Signal);
        assert_eq!(cause(&identity, &state, kill, 100).0, Cause::Deadline);
        assert_eq!(death(&state, kill, 99).0, Death::Killed);
        assert_eq!(death(&state, kill, 100).0, Death::Deadline);
    }

    #[test]
    fn a_kill_for_want_of_memory_has_its_own_cause_unless_the_deadline_had_passed() {
        let (identity, state) = pages();
        state.armed_until.store(100, Relaxed);
        let kill = Fate::KilledForMemory;
        assert_eq!(cause(&identity, &state, kill, 99).0, Cause::OutOfMemory);
        assert_eq!(cause(&identity, &state, kill, 100).0, Cause::Deadline);
        assert_eq!(death(&state, kill, 99).0, Death::Killed);
    }

    #[test]
    fn a_crash_is_a_fault_and_an_exit_is_one_too() {
        let (identity, state) = pages();
        let (segv, exit) = (Fate::Killed(Signal::SIGSEGV), Fate::Exited(0));
        assert_eq!(cause(&identity, &state, segv, 0), (Cause::Crashed, "SIGSEGV".to_owned()));
        assert_eq!(cause(&identity, &state, exit, 0).0, Cause::Exited);
        assert_eq!(
            (death(&state, segv, 0).0, death(&state, exit, 0).0),
            (Death::Fault, Death::Fault)
        );
    }

    #[test]
    fn an_order_is_the_cause_however_the_process_died() {
        let (identity, state) = pages();
        identity.set_order(Cause::Kicked as u32, "by uid 0", 1);
        let found = cause(&identity, &state, Fate::Killed(Signal::SIGKILL), 5);
        assert_eq!(found, (Cause::Kicked, "by uid 0".to_owned()));
    }
}
