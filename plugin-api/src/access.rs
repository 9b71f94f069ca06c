//! What a module needs of the file system beside what the host opens for it, declared in init.

use std::path::Path;

use crate::Result;
use crate::abi::Access;
use crate::registrar::{Registrar, accepted, text};

/// What is not declared here, and is no part of the system (programs, libraries, `/etc`, `/proc`), the
/// kernel refuses to sessions, listeners of `core.exit` and control actions, if it has Landlock; the
/// permissions of files count in any case. `exeunt listeners` shows what was declared. Listeners of
/// the daemon's own events (`core.startup`, `core.shutdown`) are not confined.
///
/// A path must exist. It stands for what is there when the generation begins: a file that is to be
/// made, or that another takes the place of, is declared by its folder.
impl Registrar<'_> {
    /// Sessions may read this file, or everything beneath this folder. A relative path is relative to
    /// the folder of `modules.toml`.
    ///
    /// # Errors
    ///
    /// There is nothing of that name, or the path is not UTF-8.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.may_read("messages")?;
    /// reg.on_exit("message", |exit| {
    ///     exit.log().info(std::fs::read_to_string("/etc/exeunt/messages/goodbye")?);
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn may_read(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.may(Access::Read, path.as_ref())
    }

    /// Sessions may read and write this file; or read, write, make and remove everything beneath this
    /// folder.
    ///
    /// # Errors
    ///
    /// As for [`may_read`](Self::may_read).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.may_write("/var/spool/example")
    /// # }
    /// ```
    pub fn may_write(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.may(Access::Write, path.as_ref())
    }

    /// Sessions may run this program, or every program beneath this folder; for a script also the
    /// program that its first line names. What the program runs has to be declared, too. It has the
    /// rights of the session and no more.
    ///
    /// # Errors
    ///
    /// As for [`may_read`](Self::may_read).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.may_run("/usr/bin/logger")
    /// # }
    /// ```
    pub fn may_run(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.may(Access::Run, path.as_ref())
    }

    fn may(&self, access: Access, path: &Path) -> Result<()> {
        let status = self.held().may_access(access as u32, text(path)?);
        accepted(status, format_args!("the access to `{}`", path.display()))
    }
}
