//! A deadline that needs nobody's courtesy: a timer whose signal is SIGKILL. The kernel ends the
//! process when the moment comes, whatever its code blocks, catches or computes.

use std::time::Duration;

use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::time::TimeSpec;
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::ClockId;

use crate::clock::{self, Moment};

/// The timer of this process. POSIX timers are not inherited by fork(2), so that each process that
/// needs one makes its own, before it drops its privileges.
pub(crate) struct Deadline {
    timer: Timer,
    until: Option<Moment>,
}

impl Deadline {
    /// Makes the timer; not armed.
    pub(crate) fn new() -> nix::Result<Self> {
        let kill = SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 };
        let timer = Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(kill))?;
        Ok(Self { timer, until: None })
    }

    /// Kills this process at `moment`.
    pub(crate) fn arm(&mut self, moment: Moment) -> nix::Result<()> {
        // Relative, and never zero: zero would disarm.
        let rest = clock::until(moment, clock::now()).max(Duration::from_nanos(1));
        self.timer.set(Expiration::OneShot(TimeSpec::from(rest)), TimerSetTimeFlags::empty())?;
        self.until = Some(moment);
        Ok(())
    }

    /// Kills this process not before `moment`, and within `slack` after it: saves the system call
    /// where the timer stands well enough.
    pub(crate) fn arm_about(&mut self, moment: Moment, slack: Duration) -> nix::Result<()> {
        let stands = self.until.is_some_and(|t| t >= moment && t <= clock::after(moment, slack));
        if stands { Ok(()) } else { self.arm(clock::after(moment, slack / 2)) }
    }

    /// The moment at which the process will be killed.
    pub(crate) fn until(&self) -> Option<Moment> {
        self.until
    }
}
