//! Timers of a session.

use std::time::Duration;

use crate::bridge;
use crate::facts::Source;
use crate::registrar::{Registrar, accepted};
use crate::session::{Session, milliseconds};
use crate::{Error, Result};

/// A timer that [`Registrar::on_timer`] registered, for [`Session::after`].
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// use std::time::Duration;
/// let remind: Timer = reg.on_timer("remind", |session| {
///     session.write_all(&session.connection(), b"still there?\r\n")
/// })?;
/// reg.on("core.login", "remind", move |event| match event.session() {
///     Some(session) => session.after(Duration::from_secs(60), &remind),
///     None => Ok(()),
/// })
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Timer {
    name: String,
}

impl Registrar<'_> {
    /// Registers a timer of sessions. Each session may set it; the callback is then entered once in
    /// that session.
    ///
    /// It runs while the protocol waits, never in the middle of its work and never in another callback;
    /// timers that are due at the same wait run in the order of their moments. It has the deadline of a
    /// listener. What it writes counts as something that the session does.
    ///
    /// # Errors
    ///
    /// The name is not allowed, or the module has a timer of that name already. What the callback returns is
    /// logged; the session goes on, unless the callback ended it.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let curfew = reg.on_timer("curfew", |session| Err(session.end(End::Request("time is up"))))?;
    /// # Ok(()) }
    /// ```
    pub fn on_timer(
        &mut self,
        name: &str,
        f: impl Fn(&Session<'_>) -> Result<()> + 'static,
    ) -> Result<Timer> {
        let callback = bridge::listener(move |held| match held.living() {
            Some(held) => f(&Session::new(held)?),
            None => Err(Error::new("a timer without a living session")),
        });
        let status = self.held().register_timer(name, callback);
        accepted(status, format_args!("the timer `{name}`"))?;
        Ok(Timer { name: name.to_owned() })
    }
}

impl Session<'_> {
    /// Sets a timer of this module: it is entered in this session when the time has passed. Set again, it is
    /// moved. It dies with the session.
    ///
    /// # Errors
    ///
    /// The timer is another module's.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, remind: &Timer) -> Result<()> {
    /// session.after(std::time::Duration::from_secs(60), remind)
    /// # }
    /// ```
    pub fn after(&self, time: Duration, timer: &Timer) -> Result<()> {
        self.set_timer(timer, Some(time))
    }

    /// Takes a timer of this module back, if it is set.
    ///
    /// # Errors
    ///
    /// The timer is another module's.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, remind: &Timer) -> Result<()> {
    /// session.cancel(remind)
    /// # }
    /// ```
    pub fn cancel(&self, timer: &Timer) -> Result<()> {
        self.set_timer(timer, None)
    }

    fn set_timer(&self, timer: &Timer, time: Option<Duration>) -> Result<()> {
        let status = self.held().set_timer(&timer.name, milliseconds(time));
        accepted(status, format_args!("setting the timer `{}`", timer.name))
    }
}
