//! Making and leaving processes.

use std::io;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{ForkResult, Pid};

/// Which side of a fork this is.
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old one, and who the new one is.
    Parent(Pid),
}

/// Forks this process, which must have one thread.
pub(crate) fn fork() -> io::Result<Fork> {
    // SAFETY: the processes of the daemon that fork have a single thread (checked after each module's
    // init), so that no lock can be held by a thread that does not exist in the child.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => Ok(Fork::Child),
        ForkResult::Parent { child } => Ok(Fork::Parent(child)),
    }
}

/// Ends this process at once: `_exit(2)`, no destructors, no handlers.
#[expect(clippy::disallowed_methods, reason = "this is the one place that calls it")]
pub(crate) fn leave(status: u8) -> ! {
    // SAFETY: _exit has no precondition.
    unsafe { libc::_exit(i32::from(status)) }
}

/// Gives every signal its default action (SIGPIPE stays ignored): what the runtime set up is undone.
/// The daemon has no signal handlers.
pub(crate) fn restore_signals() -> io::Result<()> {
    for signal in Signal::iterator() {
        let handler = match signal {
            Signal::SIGKILL | Signal::SIGSTOP => continue,
            Signal::SIGPIPE => SigHandler::SigIgn,
            _ => SigHandler::SigDfl,
        };
        let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
        // SAFETY: the action is to ignore or the default; no handler is installed.
        unsafe { sigaction(signal, &action) }?;
    }
    Ok(())
}
