//! What a module had opened during its init, for use in every session. How it is opened is the
//! registrar's and the host's.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt;

use crate::{Error, Result};

/// A directory that [`Registrar::directory`](crate::Registrar::directory) opened. The host owns it; it stays open in every session
/// of this generation. \[anywhere\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(directory: Directory) -> Result<()> {
/// use std::os::fd::AsFd;
/// let own = directory.as_fd().try_clone_to_owned()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Directory(BorrowedFd<'static>);

impl Directory {
    pub(crate) fn new(fd: BorrowedFd<'static>) -> Self {
        Self(fd)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0
    }
}

/// A file that [`Registrar::file`](crate::Registrar::file) opened. The host owns it; it stays open in every session of this
/// generation. \[anywhere\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(users: OpenFile) -> Result<()> {
/// let text = users.read_to_string(1 << 20)?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OpenFile(BorrowedFd<'static>);

impl OpenFile {
    pub(crate) fn new(fd: BorrowedFd<'static>) -> Self {
        Self(fd)
    }

    /// What the file holds now, all of it. All processes share the place in the file at which `read` goes
    /// on; this reads from its beginning and leaves that place alone. \[anywhere\]
    ///
    /// # Errors
    ///
    /// It cannot be read, has more than `most` bytes, or is not UTF-8.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(users: OpenFile) -> Result<()> {
    /// let names: Vec<String> = users.read_to_string(65536)?.lines().map(str::to_owned).collect();
    /// # Ok(()) }
    /// ```
    pub fn read_to_string(&self, most: usize) -> Result<String> {
        let file = std::fs::File::from(self.0.try_clone_to_owned()?);
        let (mut bytes, mut chunk) = (Vec::new(), [0; 4096]);
        loop {
            let read = file.read_at(&mut chunk, bytes.len() as u64)?;
            bytes.extend_from_slice(&chunk[..read]);
            if bytes.len() > most {
                return Err(Error::new(format_args!("the file has more than {most} bytes")));
            }
            if read == 0 {
                return Ok(String::from_utf8(bytes)?);
            }
        }
    }
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0
    }
}
