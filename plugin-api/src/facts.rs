//! The facts about a session that every view of it has.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::abi::Fact;
use crate::bridge::Held;

/// Where facts come from. Only the SDK's own types are sources.
pub trait Source {
    #[doc(hidden)]
    fn held(&self) -> Held<'_>;
}

/// What is known about a session, living or dead: on [`Session`](crate::Session),
/// [`Exit`](crate::Exit), [`Record`](crate::Record) and [`Ended`](crate::Ended).
///
/// \[in every callback that has such a view\] Text belongs to the host and lives as long as the view.
/// What is always there is returned as it is; what may be absent is an `Option`. Where a type has a
/// method of the same name that does something else (`session.command("NOOP", None)`), the fact is
/// read as `Facts::command(session)`.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// fn describe(facts: &impl Facts) -> String {
///     format!("{} from {}", facts.user().unwrap_or("nobody"), facts.peer())
/// }
/// ```
pub trait Facts: Source {
    /// The session's id: text, unique for this daemon and its successors.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// exit.log().info(format!("session {} is over", exit.session()));
    /// # }
    /// ```
    fn session(&self) -> &str {
        always(self.held(), Fact::Session)
    }

    /// The user that logged in; `None` before the login.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let user = exit.user().unwrap_or("nobody");
    /// # }
    /// ```
    fn user(&self) -> Option<&str> {
        self.held().text(Fact::User)
    }

    /// The client's address and port, `192.0.2.1:5000` or `[2001:db8::1]:5000`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let address: std::net::SocketAddr = session.peer().parse()?;
    /// # Ok(()) }
    /// ```
    fn peer(&self) -> &str {
        always(self.held(), Fact::Peer)
    }

    /// The address and port that the client connected to, in the same form.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>) -> Result<()> {
    /// let address: std::net::SocketAddr = session.local().parse()?;
    /// # Ok(()) }
    /// ```
    fn local(&self) -> &str {
        always(self.held(), Fact::Local)
    }

    /// The name of the `[[listen]]` in `modules.toml`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let public = exit.listen() == "public";
    /// # }
    /// ```
    fn listen(&self) -> &str {
        always(self.held(), Fact::Listen)
    }

    /// The name of the protocol that serves the session.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let is_ftp = exit.protocol() == "ftp";
    /// # }
    /// ```
    fn protocol(&self) -> &str {
        always(self.held(), Fact::Protocol)
    }

    /// The last command that the protocol reported, cut if it was long; `None` before the first.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// if let Some(command) = exit.command() {
    ///     exit.log().debug(format!("the last command was {command}"));
    /// }
    /// # }
    /// # fn other(session: &Session<'_>) {
    /// let last = Facts::command(session);
    /// # }
    /// ```
    fn command(&self) -> Option<&str> {
        self.held().text(Fact::Command)
    }

    /// The working directory or file that the protocol reported; `None` before the first.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let place = exit.path().unwrap_or("/");
    /// # }
    /// ```
    fn path(&self) -> Option<&str> {
        self.held().text(Fact::Path)
    }

    /// Bytes received from the client, on all its connections.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// let total = exit.bytes_in() + exit.bytes_out();
    /// # }
    /// ```
    fn bytes_in(&self) -> u64 {
        count(self.held(), Fact::BytesIn)
    }

    /// Bytes sent to the client, on all its connections.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) {
    /// exit.log().info(format!("{} bytes sent", exit.bytes_out()));
    /// # }
    /// ```
    fn bytes_out(&self) -> u64 {
        count(self.held(), Fact::BytesOut)
    }

    /// When the session started, to the millisecond.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(exit: &Exit<'_>) -> Result<()> {
    /// let lasted = exit.ended().duration_since(exit.started())?;
    /// # Ok(()) }
    /// ```
    fn started(&self) -> SystemTime {
        moment(self.held(), Fact::Started)
    }
}

/// A text that every session has.
fn always(held: Held<'_>, fact: Fact) -> &str {
    held.text(fact).unwrap_or_default()
}

/// A number that is never below zero.
pub(crate) fn count(held: Held<'_>, fact: Fact) -> u64 {
    held.number(fact).and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}

/// A time in milliseconds since 1970 UTC.
pub(crate) fn moment(held: Held<'_>, fact: Fact) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(count(held, fact))
}
