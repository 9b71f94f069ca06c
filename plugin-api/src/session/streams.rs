//! Reading and writing connections.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::sendfile;
use rustix::io::{Errno, pread, read, write};

use super::{Session, Waiting};
use crate::{Error, Result};

/// The most that one [`Session::send_file`] sends.
const CHUNK: usize = 1 << 20;
/// The most that it reads from a file which the kernel cannot send by itself.
const COPY: usize = 64 << 10;

/// A connection with the client: the one that the session began with, which is the host's, or another
/// one, which is closed when this is dropped. Non-blocking.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>) -> Result<()> {
/// let data: Stream = session.connect("192.0.2.1:2000".parse()?, None)?;
/// session.write_all(&data, b"here it comes")
/// # }
/// ```
#[derive(Debug)]
pub struct Stream(Owner);

#[derive(Debug)]
enum Owner {
    Host(BorrowedFd<'static>),
    Module(OwnedFd),
}

impl Stream {
    pub(super) fn of_host(fd: BorrowedFd<'static>) -> Self {
        Self(Owner::Host(fd))
    }

    pub(super) fn of_module(fd: OwnedFd) -> Self {
        Self(Owner::Module(fd))
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.0 {
            Owner::Host(fd) => *fd,
            Owner::Module(fd) => fd.as_fd(),
        }
    }
}

impl Session<'_> {
    /// Reads what there is, waiting for the first byte. Returns how many bytes were read; 0 at the end
    /// of what the client sends (or if the buffer is empty). They are counted as received.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`]; or the connection failed, see [`Error::is_reset`].
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let mut buffer = [0; 4096];
    /// let length = session.read(&session.connection(), &mut buffer)?;
    /// let received = &buffer[..length];
    /// # Ok(()) }
    /// ```
    pub fn read(&self, stream: &Stream, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match read(stream, &mut *buffer) {
                Ok(length) => {
                    self.moved(stream, length as u64, 0)?;
                    return Ok(length);
                }
                Err(Errno::AGAIN) => drop(self.wait(&mut [Waiting::readable(stream)], None)?),
                Err(Errno::INTR) => {}
                Err(error) => return Err(Error::system("could not receive", error)),
            }
        }
    }

    /// Writes all of it, waiting as long as the client takes. They are counted as sent.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`]; or the connection failed, see [`Error::is_reset`].
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.write_all(&session.connection(), b"220 ready\r\n")
    /// # }
    /// ```
    pub fn write_all(&self, stream: &Stream, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            match write(stream, bytes) {
                Ok(length) => {
                    bytes = &bytes[length..];
                    self.moved(stream, 0, length as u64)?;
                }
                Err(error) => self.writable_again(stream, error)?,
            }
        }
        Ok(())
    }

    /// Sends a part of a file, at most 1 MiB, from `offset` on, which it moves, waiting until the
    /// client takes some. Returns how many bytes were sent; 0 at the end of the file. They are counted
    /// as sent. The kernel copies them (sendfile(2)) where it can.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`]; the connection failed, see [`Error::is_reset`]; or the file cannot be read.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, data: &Stream) -> Result<()> {
    /// let file = std::fs::File::open("/srv/ftp/a.txt")?;
    /// let mut offset = 0;
    /// while session.send_file(&file, &mut offset, data)? > 0 {}
    /// # Ok(()) }
    /// ```
    pub fn send_file(&self, file: &File, offset: &mut u64, stream: &Stream) -> Result<u64> {
        loop {
            match sendfile(stream, file, Some(offset), CHUNK) {
                Ok(length) => {
                    self.moved(stream, 0, length as u64)?;
                    return Ok(length as u64);
                }
                Err(Errno::INVAL | Errno::NOSYS) => return self.copy_file(file, offset, stream),
                Err(error) => self.writable_again(stream, error)?,
            }
        }
    }

    /// What `send_file` does for a file that the kernel cannot send.
    fn copy_file(&self, file: &File, offset: &mut u64, stream: &Stream) -> Result<u64> {
        let mut buffer = vec![0; COPY];
        let length = pread(file, &mut buffer[..], *offset)
            .map_err(|error| Error::system("could not read the file", error))?;
        self.write_all(stream, &buffer[..length])?;
        *offset += length as u64;
        Ok(length as u64)
    }

    /// After an error while sending: waits, or says why it cannot go on.
    fn writable_again(&self, stream: &Stream, error: Errno) -> Result<()> {
        match error {
            Errno::AGAIN => self.wait(&mut [Waiting::writable(stream)], None).map(drop),
            Errno::INTR => Ok(()),
            error => Err(Error::system("could not send", error)),
        }
    }
}
