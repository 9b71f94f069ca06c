//! Control actions: what operators ask of a module.

use std::fmt;

use serde::Serialize;

use crate::Result;
use crate::abi::status;
use crate::bridge::{self, Held};
use crate::log::Log;
use crate::registrar::{Registrar, accepted};
use crate::value::Value;

/// A call of a control action: `exeunt ctl MODULE ACTION ARGUMENT...`. \[in a control action\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.control("sum", |call| {
///     let numbers: Result<Vec<i64>, _> = call.arguments().map(str::parse).collect();
///     Ok(numbers?.iter().sum::<i64>())
/// })
/// # }
/// ```
pub struct Control<'a> {
    held: Held<'a>,
}

impl<'a> Control<'a> {
    /// The arguments, in order.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(call: &Control<'_>) -> Result<()> {
    /// let user = call.arguments().next().ok_or("name a user")?;
    /// # Ok(()) }
    /// ```
    pub fn arguments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let all = self.held.payload().map(Value::new);
        all.into_iter().flat_map(Value::iter).filter_map(Value::as_str)
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl fmt::Debug for Control<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").finish_non_exhaustive()
    }
}

impl Registrar<'_> {
    /// Registers a control action: root and the daemon's own user call it with
    /// `exeunt ctl MODULE ACTION`. What it returns is the reply: text is shown as it is, anything else as
    /// JSON; an error is a refusal with exit status 1.
    ///
    /// It runs in a process of its own that has the identity of sessions and the deadline of a listener.
    /// What it changes in memory is gone with that process: it can read and answer, write where sessions
    /// may write, and add to [counters](crate::Counter).
    ///
    /// # Errors
    ///
    /// The name is not allowed, or the module has an action of that name already.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// #[derive(serde::Serialize)]
    /// struct About {
    ///     version: &'static str,
    ///     pid: u32,
    /// }
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.control("about", |_| {
    ///     Ok(About { version: env!("CARGO_PKG_VERSION"), pid: std::process::id() })
    /// })
    /// # }
    /// ```
    pub fn control<R: Serialize>(
        &mut self,
        action: &str,
        f: impl Fn(&Control<'_>) -> Result<R> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| {
            let reply = Value::build(&f(&Control { held })?)?;
            accepted(held.answer(status::OK, Some(reply.held())), "the reply")
        });
        let status = self.held().register_control(action, callback);
        accepted(status, format_args!("the control action `{action}`"))
    }
}
