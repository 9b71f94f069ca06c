//! The session's side: it sends a request, and waits on its identity page for the answer.

use std::cell::Cell;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use exeunt_ledger::Identity;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::getppid;
use rustix::thread::futex;
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::Answer;
use super::wire::{Request, Wire};
use crate::clock::{self, Moment};
use crate::sys::{self, Polled};

/// How long a wait lasts at most before it is looked whether there is still somebody to answer.
const SLICE: Duration = Duration::from_millis(100);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// The zygote is gone.
    Gone,
    /// The time is over, or the session was ordered to end.
    Late,
}

/// A session's way to its zygote.
pub(crate) struct Asker {
    socket: RawFd,
    sequence: Cell<u16>,
}

impl Asker {
    pub(crate) fn new(socket: RawFd) -> Self {
        Self { socket, sequence: Cell::new(0) }
    }

    /// Sends a request that has no answer; waits for room until then.
    pub(crate) fn tell(
        &self,
        identity: &Identity,
        request: Request,
        until: Moment,
    ) -> Result<(), NoAnswer> {
        let sequence = self.sequence.get().checked_add(1).unwrap_or(1);
        self.sequence.set(sequence);
        let session = identity.session.load(Relaxed);
        let until = Until { moment: until, orders: request.is_for_the_living() };
        let words = Wire { sequence, session, request }.encode();
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        loop {
            match send(self.socket, &words, flags) {
                Ok(_) => return Ok(()),
                Err(Errno::EINTR) => {}
                // Others are asking, too.
                Err(Errno::EAGAIN | Errno::ENOBUFS) => {
                    let room = [Polled::new(self.socket, false, true)];
                    let rest = until.rest(identity)?;
                    sys::poll(&mut { room }, Some(rest)).map_err(|_| NoAnswer::Gone)?;
                }
                Err(_) => return Err(NoAnswer::Gone),
            }
        }
    }

    /// Sends a request and waits for the answer. The caller stands under a timer whose signal is
    /// SIGKILL; what it does without an answer is its own business.
    pub(crate) fn ask(
        &self,
        identity: &Identity,
        request: Request,
        until: Moment,
    ) -> Result<Answer, NoAnswer> {
        // The zygote is the parent of its sessions: when it dies that is somebody else. One that was
        // dead before does not take the request.
        let zygote = getppid();
        let end = Until { moment: until, orders: request.is_for_the_living() };
        self.tell(identity, request, until)?;
        loop {
            let is_gone = getppid() != zygote;
            let word = identity.answer.load(Acquire);
            if let Some(answer) = Answer::read(identity, word, self.sequence.get()) {
                return Ok(answer);
            }
            if is_gone {
                return Err(NoAnswer::Gone);
            }
            let slice = rustix::time::Timespec::try_from(end.rest(identity)?);
            // Woken, changed before, time over: the next look tells.
            let _look =
                futex::wait(&identity.answer, futex::Flags::empty(), word, slice.as_ref().ok());
        }
    }
}

/// How long to wait for an answer.
struct Until {
    moment: Moment,
    /// Only as long as the session is not ordered to end.
    orders: bool,
}

impl Until {
    /// How long to wait now.
    fn rest(&self, identity: &Identity) -> Result<Duration, NoAnswer> {
        let rest = clock::until(self.moment, clock::now()).min(SLICE);
        let is_over = rest.is_zero() || self.orders && identity.order().is_some();
        if is_over { Err(NoAnswer::Late) } else { Ok(rest) }
    }
}

impl AsRawFd for Asker {
    fn as_raw_fd(&self) -> RawFd {
        self.socket
    }
}
