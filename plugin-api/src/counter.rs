//! Counters that all sessions share.

use std::fmt;

use crate::registrar::{Registrar, accepted};
use crate::{Result, bridge};

/// A counter that [`Registrar::counter`] registered, with `N` labels. The host keeps it for all
/// sessions and generations of the daemon: sessions are processes, and what each counts for itself
/// would be gone with it. `exeunt status --metrics` shows it. \[every callback but init\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// let logins: Counter<1> = reg.counter("logins", ["listen"])?;
/// reg.on("core.login", "count", move |event| {
///     if let Some(session) = event.session() {
///         logins.add([session.listen()], 1);
///     }
///     Ok(())
/// })
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Counter<const N: usize> {
    number: u32,
}

impl<const N: usize> Counter<N> {
    /// Adds `amount` for these values of the labels. It never fails and never waits: a value is cut after
    /// 64 bytes, and when 64 combinations of values have come up, further ones are counted together, with
    /// `other` for each value. In init nothing is counted.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(sent: &Counter<1>, bytes: u64) {
    /// sent.add(["image"], bytes);
    /// # }
    /// ```
    pub fn add(&self, values: [&str; N], amount: u64) {
        // What cannot be counted is no reason to do anything else otherwise.
        let _uncounted = bridge::counter_add(self.number, values, amount);
    }
}

impl<const N: usize> fmt::Debug for Counter<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counter").finish_non_exhaustive()
    }
}

impl Registrar<'_> {
    /// Registers a counter that all sessions share, with the names of its labels: at most 4. Its name in
    /// OpenMetrics is `exeunt_module_name_total`. Names of counters and labels are made of `a-z`, `0-9` and
    /// `_` and begin with a letter.
    ///
    /// # Errors
    ///
    /// A name is not allowed, or a counter of that name in OpenMetrics exists already.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let uploads = reg.counter("uploads", [])?;
    /// let refused = reg.counter("refused", ["reason"])?;
    /// # uploads.add([], 1);
    /// # refused.add(["quota"], 1);
    /// # Ok(()) }
    /// ```
    pub fn counter<const N: usize>(&mut self, name: &str, labels: [&str; N]) -> Result<Counter<N>> {
        let status = self.held().register_counter(name, &labels);
        accepted(status, format_args!("the counter `{name}`"))?;
        Ok(Counter { number: u32::try_from(status).unwrap_or_default() })
    }
}
