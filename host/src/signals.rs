//! Signals arrive as descriptors. There is no signal handler in any process of the daemon: code that
//! ends a process from within a handler is how daemons are broken into.

use std::io;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

pub(crate) use crate::sys::restore_signals as restore;

/// Blocks `signals` and returns the descriptor at which they arrive.
pub(crate) fn descriptor(signals: &[Signal]) -> io::Result<SignalFd> {
    let set = signals.iter().copied().collect::<SigSet>();
    set.thread_block()?;
    Ok(SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?)
}

/// Blocks the signals with which people and terminals end programs: a process that is ended by
/// messages alone.
pub(crate) fn block_endings() -> io::Result<()> {
    ENDINGS.iter().copied().collect::<SigSet>().thread_block()?;
    Ok(())
}

/// Blocks none: whatever the starting process blocked, arrives.
pub(crate) fn unblock() -> io::Result<()> {
    SigSet::empty().thread_set_mask()?;
    Ok(())
}

/// The signals with which people and terminals end programs.
pub(crate) const ENDINGS: [Signal; 4] =
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGQUIT];

/// The next signal that has arrived.
pub(crate) fn next(from: &SignalFd) -> Option<Signal> {
    let info = from.read_signal().ok().flatten()?;
    Signal::try_from(i32::try_from(info.ssi_signo).ok()?).ok()
}
