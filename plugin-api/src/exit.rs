//! The end of a session and the end of the daemon, as their listeners see them.

use std::fmt;
use std::time::SystemTime;

use serde::de::DeserializeOwned;

use crate::Result;
use crate::abi::Fact;
use crate::bridge::Held;
use crate::cause::Cause;
use crate::facts::{Facts, Source, count, moment};
use crate::log::Log;
use crate::session::Session;
use crate::state::State;

/// The end of a session, for a `core.exit` listener. What is always known stands here; what only a
/// living session has is behind [`view`](Self::view). \[in a `core.exit` listener\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.on_exit("report", |exit| {
///     let user = exit.user().unwrap_or("nobody");
///     exit.log().info(format!("{user} is gone: {}", exit.cause().text()));
///     Ok(())
/// })
/// # }
/// ```
pub struct Exit<'a> {
    held: Held<'a>,
    living: Option<Session<'a>>,
    record: Record<'a>,
}

/// What there is of a session that ended.
#[derive(Debug)]
pub enum View<'a> {
    /// Its process is alive and the listener runs in it; the connection is still open. What would have
    /// to wait returns [`Error::Ending`](crate::Error::Ending).
    Live(&'a Session<'a>),
    /// Its process is dead, or the listener runs elsewhere: what the daemon has recorded.
    PostMortem(&'a Record<'a>),
}

impl<'a> Exit<'a> {
    pub(crate) fn new(held: Held<'a>) -> Self {
        let living = held.living().and_then(|held| Session::new(held).ok());
        Self { held, living, record: Record(held) }
    }

    /// Why the session ended.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// if exit.cause() == Cause::Crashed {
    ///     exit.log().error("crashed");
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause::from_name(self.held.text(Fact::Cause).unwrap_or_default())
    }

    /// The detail of the cause: which limit, signal, module; `None` if there is none.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let detail = exit.detail().unwrap_or_default();
    /// # }
    /// ```
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.held.text(Fact::Detail)
    }

    /// When the end was committed, to the millisecond.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) -> Result<()> {
    /// let lasted = exit.ended().duration_since(exit.started())?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn ended(&self) -> SystemTime {
        moment(self.held, Fact::Ended)
    }

    /// Which attempt this is: 1, unless the listener [may be tried again](crate::Wish::retry).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let again = exit.attempt() > 1;
    /// # }
    /// ```
    #[must_use]
    pub fn attempt(&self) -> u32 {
        u32::try_from(count(self.held, Fact::Attempt)).unwrap_or(u32::MAX)
    }

    /// Names this turn of this listener: the same text for each of its attempts at this end, and for
    /// nothing else, after a restart of the daemon either. Whoever keeps what was done under it can
    /// tell that it was done before.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) -> Result<()> {
    /// let name = exit.token().replace('/', ".");
    /// std::fs::write(format!("/var/spool/example/{name}"), exit.peer())?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn token(&self) -> &str {
        self.held.text(Fact::Token).unwrap_or_default()
    }

    /// What there is of the session.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// match exit.view() {
    ///     View::Live(session) => session.log().info("it left in good order"),
    ///     View::PostMortem(record) => exit.log().warn(format!("{} died", record.session())),
    /// }
    /// # }
    /// ```
    #[must_use]
    pub fn view(&self) -> View<'_> {
        match &self.living {
            Some(session) => View::Live(session),
            None => View::PostMortem(&self.record),
        }
    }

    /// The module's facts of this session; `T::default()` if none were ever written.
    ///
    /// # Errors
    ///
    /// What was written is not a `T`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>, uploads: &State<u64>) -> Result<()> {
    /// let uploads: u64 = exit.get(uploads)?;
    /// # Ok(()) }
    /// ```
    pub fn get<T: DeserializeOwned + Default>(&self, state: &State<T>) -> Result<T> {
        state.read(self.held)
    }

    /// The log.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// exit.log().info("gone");
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl Source for Exit<'_> {
    fn held(&self) -> Held<'_> {
        self.held
    }
}

impl Facts for Exit<'_> {}

impl fmt::Debug for Exit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exit").field("cause", &self.cause()).finish_non_exhaustive()
    }
}

/// What the daemon has recorded of a session whose process is gone. \[in a `core.exit` listener\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// fn last_words(record: &Record<'_>) -> String {
///     format!("{} was at {}", record.session(), record.command().unwrap_or("nothing"))
/// }
/// ```
pub struct Record<'a>(Held<'a>);

impl Source for Record<'_> {
    fn held(&self) -> Held<'_> {
        self.0
    }
}

impl Facts for Record<'_> {}

impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record").field("session", &self.session()).finish_non_exhaustive()
    }
}

/// The end of the daemon, for a `core.shutdown` listener. \[in a `core.shutdown` listener\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.on_shutdown("goodbye", |shutdown| {
///     shutdown.log().info("goodbye");
///     Ok(())
/// })
/// # }
/// ```
pub struct Shutdown<'a>(Held<'a>);

impl<'a> Shutdown<'a> {
    pub(crate) fn new(held: Held<'a>) -> Self {
        Self(held)
    }

    /// Which attempt this is: 1, unless the listener [may be tried again](crate::Wish::retry).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(shutdown: &Shutdown<'_>) {
    /// let again = shutdown.attempt() > 1;
    /// # }
    /// ```
    #[must_use]
    pub fn attempt(&self) -> u32 {
        u32::try_from(count(self.0, Fact::Attempt)).unwrap_or(u32::MAX)
    }

    /// Names this turn of this listener, as [`Exit::token`] does.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(shutdown: &Shutdown<'_>) {
    /// shutdown.log().info(shutdown.token());
    /// # }
    /// ```
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.text(Fact::Token).unwrap_or_default()
    }

    /// The log.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(shutdown: &Shutdown<'_>) {
    /// shutdown.log().info("goodbye");
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl fmt::Debug for Shutdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("attempt", &self.attempt()).finish_non_exhaustive()
    }
}
