//! A living session: its facts, its state, its events and its end. Waiting and moving bytes live in
//! the files beside this one.

mod lines;
mod sockets;
mod streams;
#[cfg(test)]
mod tests;
mod transfer;
mod wait;

use std::cell::Cell;
use std::fmt;
use std::os::fd::{BorrowedFd, RawFd};

use serde::{Serialize, de::DeserializeOwned};

use crate::bridge::Held;
use crate::event::EventKey;
use crate::facts::{Facts, Source};
use crate::log::Log;
use crate::state::State;
use crate::value::Value;
use crate::{Error, Result};

pub use lines::{Line, LineReader};
pub use sockets::Listener;
pub use streams::Stream;
pub use transfer::Transfer;
pub use wait::Waiting;
pub(crate) use wait::milliseconds;

/// A living session. \[in the callback that received it\]
///
/// All waiting goes through its methods: only there the host sees that the session is to end (a kick,
/// a timeout, the daemon's end) and says so with [`Error::Ending`]. A module that blocks or computes
/// without them is killed at the session's deadline.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// fn greet(session: &Session<'_>) -> Result<()> {
///     session.write_all(&session.connection(), b"welcome\r\n")
/// }
/// ```
pub struct Session<'a> {
    held: Held<'a>,
    connection: BorrowedFd<'static>,
    since_look: Cell<wait::SinceLook>,
    transferring: Cell<Option<RawFd>>,
}

/// How a protocol ends its session, for [`Session::end`].
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>) -> Result<()> {
/// return Err(session.end(End::BadProtocol("the first line is not a greeting")));
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum End<'a> {
    /// The client said goodbye.
    Quit,
    /// The client closed the connection without saying goodbye.
    Eof,
    /// The client reset the connection.
    Reset,
    /// The client does not speak the protocol; the detail says what is wrong.
    BadProtocol(&'a str),
    /// The module wants the end for a reason of its own, which the detail says.
    Request(&'a str),
}

impl<'a> Session<'a> {
    pub(crate) fn new(held: Held<'a>) -> Result<Self> {
        match held.connection() {
            Ok(connection) => {
                let (since_look, transferring) = (Cell::default(), Cell::default());
                Ok(Self { held, connection, since_look, transferring })
            }
            Err(status) => Err(Error::refused("the client's connection", status)),
        }
    }

    /// The client's connection. It stays the host's, and open until the exit listeners have run.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let connection: Stream = session.connection();
    /// session.write_all(&connection, b"220 ready\r\n")
    /// # }
    /// ```
    #[must_use]
    pub fn connection(&self) -> Stream {
        Stream::of_host(self.connection)
    }

    /// The log.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) {
    /// session.log().debug("here we go");
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }

    /// The module's facts of this session; `T::default()` if none were ever written.
    ///
    /// # Errors
    ///
    /// What was written is not a `T`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, uploads: &State<u64>) -> Result<()> {
    /// let uploads: u64 = session.get(uploads)?;
    /// # Ok(()) }
    /// ```
    pub fn get<T: DeserializeOwned + Default>(&self, state: &State<T>) -> Result<T> {
        state.read(self.held)
    }

    /// Replaces the module's facts of this session. A death in the middle leaves the old ones.
    ///
    /// # Errors
    ///
    /// The value has more than 256 bytes when postcard has encoded it.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, uploads: &State<u64>) -> Result<()> {
    /// session.set(uploads, &(session.get(uploads)? + 1))
    /// # }
    /// ```
    pub fn set<T: Serialize>(&self, state: &State<T>, value: &T) -> Result<()> {
        state.write(self.held, value)
    }

    /// Reports the command that is being served, without secrets, and the working directory or file
    /// that it is about, for `exeunt who` and the journal. Long texts are cut.
    ///
    /// # Errors
    ///
    /// The session is ending.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.command("RETR a.txt", Some("/pub/a.txt"))
    /// # }
    /// ```
    pub fn command(&self, command: &str, path: Option<&str>) -> Result<()> {
        done(self.held.command(command, path), "reporting the command").map(drop)
    }

    /// The client has proved that it is `user`: admits it and runs the `core.login` listeners. Once in a
    /// session.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`] if a limit or a listener denies it: the session then has its cause, and the
    /// protocol's `farewell` gives the reply. Another one if somebody has logged in already.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// session.login("anonymous")?;
    /// session.write_all(&session.connection(), b"230 Logged in.\r\n")
    /// # }
    /// ```
    pub fn login(&self, user: &str) -> Result<()> {
        done(self.held.login(user), format_args!("the login of `{user}`")).map(drop)
    }

    /// The client failed to prove that it is `user`: runs the `core.login-failed` listeners. Returns
    /// how many attempts are left.
    ///
    /// # Errors
    ///
    /// [`Error::Ending`] if none are left.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, user: &str) -> Result<()> {
    /// session.login_failed(user)?;
    /// session.write_all(&session.connection(), b"530 Login incorrect.\r\n")
    /// # }
    /// ```
    pub fn login_failed(&self, user: &str) -> Result<u32> {
        done(self.held.login_failed(user), format_args!("the failed login of `{user}`"))
    }

    /// Commits how the session ends (the first cause that anybody commits wins) and returns the error
    /// to return.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// return Err(session.end(End::Quit));
    /// # }
    /// ```
    #[must_use = "return it from `serve`: `return Err(session.end(..))`"]
    pub fn end(&self, end: End<'_>) -> Error {
        let (cause, detail) = match end {
            End::Quit => ("client-quit", None),
            End::Eof => ("client-eof", None),
            End::Reset => ("client-reset", None),
            End::BadProtocol(detail) => ("bad-protocol", Some(detail)),
            End::Request(detail) => ("module-request", Some(detail)),
        };
        self.held.end(cause, detail);
        Error::Ending
    }

    /// Generates an event that this module declared: its listeners run now, in order.
    ///
    /// # Errors
    ///
    /// The payload has something that the value model has not (a whole number beyond 64 bits with
    /// sign, a table whose names are not text), or the session is ending.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// #[derive(serde::Serialize)]
    /// struct Uploaded<'a> {
    ///     path: &'a str,
    ///     bytes: u64,
    /// }
    /// # fn example(session: &Session<'_>, uploaded: &EventKey) -> Result<()> {
    /// session.generate(uploaded, &Uploaded { path: "/pub/a.txt", bytes: 1024 })
    /// # }
    /// ```
    pub fn generate(&self, event: &EventKey, payload: &impl Serialize) -> Result<()> {
        let payload = Value::build(payload)?;
        let status = self.held.generate(event.name(), Some(payload.held()));
        done(status, format_args!("the event `{}`", event.name())).map(drop)
    }
}

/// What the host returned, if it is no error.
fn done(status: i32, what: impl fmt::Display) -> Result<u32> {
    u32::try_from(status).map_err(|_| Error::refused(what, status))
}

impl Source for Session<'_> {
    fn held(&self) -> Held<'_> {
        self.held
    }
}

impl Facts for Session<'_> {}

impl fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("session", &self.session()).finish_non_exhaustive()
    }
}
