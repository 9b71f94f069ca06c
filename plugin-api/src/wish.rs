//! How a listener for an end wishes to be run: where, how often at most, for how long. The order is
//! nobody's wish. Registration itself is the registrar's.

use std::time::Duration;

use crate::abi::Station;

/// How a listener for an end wishes to be run, for [`Registrar::on_exit_with`] and
/// [`Registrar::on_shutdown_with`]. The default is what `on_exit` and `on_shutdown` do: once, as long
/// as any listener may take, and for `core.exit` in the session's process while that lives.
/// \[init\]
///
/// [`Registrar::on_exit_with`]: crate::Registrar::on_exit_with
/// [`Registrar::on_shutdown_with`]: crate::Registrar::on_shutdown_with
///
/// ```no_run
/// # use std::time::Duration;
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// let wish = Wish::new().retry(3).deadline(Duration::from_secs(10));
/// reg.on_exit_with("account", wish, |exit| {
///     // Whoever keeps the books knows by the token that it is the same end.
///     exit.log().info(format!("{} (attempt {})", exit.token(), exit.attempt()));
///     Ok(())
/// })
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a wish does nothing until it is registered"]
pub struct Wish {
    place: u32,
    attempts: u32,
    deadline: Duration,
}

impl Wish {
    /// No wish.
    ///
    /// ```
    /// # use exeunt_api::prelude::*;
    /// assert_eq!(Wish::new(), Wish::default());
    /// ```
    pub const fn new() -> Self {
        Self { place: Station::SESSION, attempts: 1, deadline: Duration::ZERO }
    }

    /// At most that many attempts, 1 to 8: the listener is entered again, at once and before the next
    /// one has its turn, after each attempt that returned an error, panicked, crashed, was killed or
    /// did not return in time. What an attempt did before it failed is there still: it must be able to
    /// tell what it has done, by its [`token`](crate::Exit::token).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_exit_with("post", Wish::new().retry(2), |_| Err(Error::new("the line is busy")))
    /// # }
    /// ```
    pub const fn retry(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// In a runner: a process that no code of the session has touched, with the session's identity. It
    /// has the session's facts and no connection. Only for `core.exit`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_exit_with("audit", Wish::new().in_runner(), |exit| {
    ///     exit.log().info(format!("audit: {}", exit.cause()));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub const fn in_runner(self) -> Self {
        Self { place: Station::RUNNER, ..self }
    }

    /// In a runner with root's rights, if the daemon was started as root. The operator has to grant it
    /// to the module, with `grant = ["root"]`; otherwise the module is refused. Only for `core.exit`:
    /// `core.shutdown` has them anyway.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_exit_with("ban", Wish::new().as_root(), |exit| {
    ///     exit.log().info(format!("{} would be banned now", exit.peer()));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub const fn as_root(self) -> Self {
        Self { place: Station::ROOT, ..self }
    }

    /// That long at most, in whole milliseconds, each attempt; zero is as long as any listener. What
    /// the operator writes as the module's `listener` is stronger, and so is the budget of the chain.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let wish = Wish::new().deadline(Duration::from_secs(20));
    /// reg.on_shutdown_with("flush", wish, |_| Ok(std::fs::write("flushed", "")?))
    /// # }
    /// ```
    pub const fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// As it crosses the border.
    pub(crate) fn numbers(self) -> (u32, u32, u64) {
        let millis = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        (self.place, self.attempts, millis)
    }
}

impl Default for Wish {
    fn default() -> Self {
        Self::new()
    }
}
