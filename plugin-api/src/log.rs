//! Logging.

use std::fmt::Display;

use crate::abi::Level;
use crate::bridge;

/// Writes lines to the daemon's log. The host adds time, level, module and session; `[log]` in
/// `modules.toml` says where they go and from which level on. \[anywhere after init has begun; a line
/// that is logged without a host is lost\]
///
/// One call is one line: control characters in the text are made visible by the host.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// fn started(log: Log, port: u16) {
///     log.info(format!("passive ports start at {port}"));
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Log(());

impl Log {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    /// Logs that something failed that should not.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// exit.log().error("could not write the tally");
    /// # }
    /// ```
    pub fn error(self, text: impl Display) {
        self.line(Level::Error, &text);
    }

    /// Logs that something is odd, while the work goes on.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) {
    /// session.log().warn("the client sends no line ends");
    /// # }
    /// ```
    pub fn warn(self, text: impl Display) {
        self.line(Level::Warn, &text);
    }

    /// Logs what an operator wants to read.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// exit.log().info(format_args!("{} is gone", exit.peer()));
    /// # }
    /// ```
    pub fn info(self, text: impl Display) {
        self.line(Level::Info, &text);
    }

    /// Logs what only a developer wants to read.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) {
    /// session.log().debug("the buffer is empty");
    /// # }
    /// ```
    pub fn debug(self, text: impl Display) {
        self.line(Level::Debug, &text);
    }

    fn line(self, level: Level, text: &dyn Display) {
        bridge::log(level, &text.to_string());
    }
}
