//! A process to be killed: held by a descriptor, so that its number cannot become somebody else's
//! between the look and the signal.

use std::fs;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process of the daemon.
#[derive(Debug)]
pub struct Victim {
    process: OwnedFd,
}

impl Victim {
    /// The process with that number, if it has that name. Whoever has other reasons to know that it is
    /// the right one looks again afterwards.
    #[must_use]
    pub fn named(pid: i32, name: &str) -> Option<Self> {
        let process = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        let own = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        (own.trim_end() == name).then_some(Self { process })
    }

    /// Kills it; false if it was reaped before.
    #[must_use]
    pub fn kill(&self) -> bool {
        self.signal(Signal::KILL)
    }

    /// Sends it a signal; false if it was reaped before.
    #[must_use]
    pub fn signal(&self, signal: Signal) -> bool {
        pidfd_send_signal(&self.process, signal).is_ok()
    }
}
