//! Waiting for descriptors that are known by their number only: those that modules name.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

/// A descriptor to wait for, and what came of it.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub(crate) struct Polled(libc::pollfd);

impl Default for Polled {
    fn default() -> Self {
        Self::new(-1, false, false)
    }
}

impl Polled {
    pub(crate) fn new(fd: RawFd, read: bool, write: bool) -> Self {
        let read = if read { libc::POLLIN } else { 0 };
        let write = if write { libc::POLLOUT } else { 0 };
        Self(libc::pollfd { fd, events: read | write, revents: 0 })
    }

    pub(crate) fn reading(fd: RawFd) -> Self {
        Self::new(fd, true, false)
    }

    fn has(self, bits: i16) -> bool {
        self.0.revents & bits != 0
    }

    /// Whether anything happened.
    pub(crate) fn is_ready(self) -> bool {
        self.0.revents != 0
    }

    pub(crate) fn can_read(self) -> bool {
        self.has(libc::POLLIN)
    }

    pub(crate) fn can_write(self) -> bool {
        self.has(libc::POLLOUT)
    }

    /// Whether the other side is gone, or an error waits to be read.
    pub(crate) fn has_ended(self) -> bool {
        self.has(libc::POLLERR | libc::POLLHUP)
    }

    /// Whether the number is no open descriptor.
    pub(crate) fn is_invalid(self) -> bool {
        self.has(libc::POLLNVAL)
    }
}

/// Waits until one of them is ready or the time has passed; a signal ends the wait early.
pub(crate) fn poll(on: &mut [Polled], length: Option<Duration>) -> io::Result<usize> {
    let time = length.map(|length| libc::timespec {
        tv_sec: i64::try_from(length.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: length.subsec_nanos().into(),
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the array is ours and as long as it says (`Polled` is a transparent pollfd); the time is
    // null or lives until the call returns; a null signal mask leaves the mask as it is. Numbers that
    // are no descriptors are reported, not used.
    let ready = unsafe {
        libc::ppoll(on.as_mut_ptr().cast(), on.len() as libc::nfds_t, time, std::ptr::null())
    };
    match usize::try_from(ready) {
        Ok(ready) => Ok(ready),
        Err(_) => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => {
                on.iter_mut().for_each(|polled| polled.0.revents = 0);
                Ok(0)
            }
            error => Err(error),
        },
    }
}
