//! Waiting, which is where the host sees that a session is to end.

use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use super::{Session, Stream};
use crate::abi::{self, Interest};
use crate::{Error, Result};

/// After so many operations without waiting the host is asked whether the session is to end.
const OPERATIONS: u32 = 64;
/// After so many bytes likewise.
const BYTES: u64 = 1 << 20;

/// What was done since the host last looked at the session.
#[derive(Clone, Copy, Default)]
pub(super) struct SinceLook {
    operations: u32,
    bytes: u64,
}

/// A descriptor that [`Session::wait`] waits for. It stays the caller's.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>, data: &Stream) -> Result<()> {
/// let control = session.connection();
/// let mut waiting = [Waiting::readable(&control), Waiting::writable(data)];
/// session.wait(&mut waiting, None)?;
/// let interrupted = waiting[0].is_ready();
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[repr(transparent)]
pub struct Waiting<'fd> {
    inner: abi::Waiting,
    borrowed: PhantomData<BorrowedFd<'fd>>,
}

impl<'fd> Waiting<'fd> {
    /// Waits until it can be read, is at its end or has failed. \[anywhere\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.wait(&mut [Waiting::readable(&session.connection())], None).map(drop)
    /// # }
    /// ```
    pub fn readable(fd: &'fd impl AsFd) -> Self {
        Self::new(fd.as_fd(), Interest::READ)
    }

    /// Waits until it can be written or has failed. \[anywhere\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, data: &Stream) -> Result<()> {
    /// session.wait(&mut [Waiting::writable(data)], None).map(drop)
    /// # }
    /// ```
    pub fn writable(fd: &'fd impl AsFd) -> Self {
        Self::new(fd.as_fd(), Interest::WRITE)
    }

    fn new(fd: BorrowedFd<'fd>, interest: u32) -> Self {
        let inner = abi::Waiting { fd: fd.as_raw_fd(), interest, ready: 0 };
        Self { inner, borrowed: PhantomData }
    }

    /// Whether the last wait found it ready. \[anywhere\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, data: &Stream) -> Result<()> {
    /// let mut waiting = [Waiting::readable(data)];
    /// session.wait(&mut waiting, None)?;
    /// assert!(waiting[0].is_ready());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.inner.ready != 0
    }
}

impl Session<'_> {
    /// Waits until one of the descriptors is ready or the time has passed (`None`: no limit). Returns
    /// how many are ready, 0 when the time has passed. At most 64 descriptors.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`] as soon as the session is to end.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// use std::time::Duration;
    /// let connection = session.connection();
    /// let mut waiting = [Waiting::readable(&connection)];
    /// if session.wait(&mut waiting, Some(Duration::from_secs(5)))? == 0 {
    ///     session.write_all(&connection, b"still there?\r\n")?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn wait(&self, waiting: &mut [Waiting<'_>], timeout: Option<Duration>) -> Result<usize> {
        self.since_look.take();
        match self.held.wait(waiting, milliseconds(timeout)) {
            status if status < 0 => Err(Error::refused("waiting", status)),
            ready => Ok(usize::try_from(ready).unwrap_or_default()),
        }
    }

    /// Lets the time pass.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`] as soon as the session is to end.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.sleep(std::time::Duration::from_millis(200))
    /// # }
    /// ```
    pub fn sleep(&self, time: Duration) -> Result<()> {
        self.wait(&mut [], Some(time)).map(drop)
    }

    /// Waits for one descriptor until `end`; whether it is ready.
    pub(super) fn wait_until(&self, one: Waiting<'_>, end: Option<Instant>) -> Result<bool> {
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        Ok(self.wait(&mut [one], left)? > 0)
    }

    /// Counts an operation that did not have to wait. A client that always has data, or always takes
    /// some, must not keep the host from looking at the session.
    pub(super) fn moved(&self, stream: &Stream, bytes_in: u64, bytes_out: u64) -> Result<()> {
        self.held.count(bytes_in, bytes_out);
        if bytes_in + bytes_out > 0 {
            self.went_over(stream);
        }
        let mut since = self.since_look.get();
        since.operations += 1;
        since.bytes += bytes_in + bytes_out;
        self.since_look.set(since);
        if since.operations >= OPERATIONS || since.bytes >= BYTES {
            self.wait(&mut [], Some(Duration::ZERO))?;
        }
        Ok(())
    }
}

/// The time for the host, rounded up; negative for no limit.
pub(crate) fn milliseconds(time: Option<Duration>) -> i64 {
    let Some(time) = time else { return -1 };
    i64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}
