//! Transfers: what the timeouts `no_transfer` and `stalled` are about.

use std::os::fd::{AsFd, AsRawFd};

use super::{Session, Stream};
use crate::abi::Transferring;

/// A transfer that is going on, from [`Session::transfer`]; it is over when this is dropped.
#[derive(Debug)]
#[must_use = "the transfer is over when this is dropped"]
pub struct Transfer<'s>(&'s Session<'s>);

impl Session<'_> {
    /// From now on the client is expected to transfer something: if it does not, the session ends for
    /// the timeout `no_transfer`. A protocol that never says so has no such timeout.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.login("anonymous")?;
    /// session.expect_transfers();
    /// # Ok(()) }
    /// ```
    pub fn expect_transfers(&self) {
        self.held.transfer(Transferring::NOTHING);
    }

    /// Begins a transfer over a connection. Until it is over the timeout `stalled` counts, from the
    /// last byte that was read from or written to that connection, and not `idle`. One at a time.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example<'s>(session: &'s Session<'s>, data: &Stream) -> Result<()> {
    /// let transfer = session.transfer(data);
    /// session.write_all(data, b"here it comes")?;
    /// drop(transfer);
    /// # Ok(()) }
    /// ```
    pub fn transfer<'s>(&'s self, stream: &Stream) -> Transfer<'s> {
        self.transferring.set(Some(stream.as_fd().as_raw_fd()));
        self.held.transfer(Transferring::MOVING);
        Transfer(self)
    }

    /// Bytes went over a connection.
    pub(super) fn went_over(&self, stream: &Stream) {
        if self.transferring.get() == Some(stream.as_fd().as_raw_fd()) {
            self.held.transfer(Transferring::MOVING);
        }
    }
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.0.transferring.set(None);
        self.0.held.transfer(Transferring::NOTHING);
    }
}
