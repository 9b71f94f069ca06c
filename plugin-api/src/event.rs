//! Events other than the two ends.

use std::fmt::{self, Display};

use crate::Error;
use crate::abi::Fact;
use crate::bridge::Held;
use crate::log::Log;
use crate::session::Session;
use crate::value::Value;

/// An event, for a listener of [`Registrar::on`](crate::Registrar::on). \[in such a listener\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.on("core.connect", "greet", |event| {
///     if let Some(session) = event.session() {
///         event.log().info(format!("welcome, {}", session.peer()));
///     }
///     Ok(())
/// })
/// # }
/// ```
pub struct Event<'a> {
    held: Held<'a>,
    session: Option<Session<'a>>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(held: Held<'a>) -> Self {
        let session = held.living().and_then(|held| Session::new(held).ok());
        Self { held, session }
    }

    /// The event's name, `core.login` for instance.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) {
    /// event.log().debug(event.name());
    /// # }
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        self.held.text(Fact::Event).unwrap_or_default()
    }

    /// The version that the module which declared the event gave it; `None` for an event of the host.
    /// It grows when the meaning of the payload changes.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) {
    /// let understood = event.version() == Some(1);
    /// # }
    /// ```
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        self.held.number(Fact::EventVersion).and_then(|version| u32::try_from(version).ok())
    }

    /// The living session that the event is about; `None` for an event of the daemon, such as
    /// `core.startup`.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) {
    /// let user = event.session().and_then(|session| session.user());
    /// # }
    /// ```
    #[must_use]
    pub fn session(&self) -> Option<&Session<'a>> {
        self.session.as_ref()
    }

    /// What came with the event. It belongs to the host.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) -> Result<()> {
    /// if let Some(payload) = event.payload() {
    ///     let (path, bytes): (String, u64) = payload.read()?;
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn payload(&self) -> Option<Value<'a>> {
        self.held.payload().map(Value::new)
    }

    /// An error that denies what the event is about; the session then ends as
    /// [`Cause::AccessDenied`](crate::Cause::AccessDenied) with the reason as its detail. \[in
    /// `core.connect` and `core.login` listeners; elsewhere it is an error like any other\]
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) -> Result<()> {
    /// return Err(event.deny("closed on Sundays"));
    /// # }
    /// ```
    #[must_use]
    pub fn deny(&self, reason: impl Display) -> Error {
        Error::denied(reason)
    }

    /// The log.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(event: &Event<'_>) {
    /// event.log().info("noted");
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// An event that the module declared with [`Registrar::event`](crate::Registrar::event), for
/// [`Session::generate`].
///
/// One module declares and generates it; any module listens. They agree on the payload by its form alone,
/// and on its meaning by the version:
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize)]
/// struct Stored<'a> {
///     path: &'a str,
///     bytes: u64,
/// }
///
/// // In the module `ftp`:
/// fn declare(reg: &mut Registrar<'_>) -> Result<EventKey> {
///     reg.event("ftp.stored", 1)
/// }
///
/// fn tell(session: &Session<'_>, stored: &EventKey, path: &str, bytes: u64) -> Result<()> {
///     session.generate(stored, &Stored { path, bytes })
/// }
///
/// // In another one:
/// #[derive(Deserialize)]
/// struct Seen<'a> {
///     path: &'a str,
/// }
///
/// fn listen(reg: &mut Registrar<'_>) -> Result<()> {
///     reg.on("ftp.stored", "scan", |event| {
///         if let (Some(1), Some(payload)) = (event.version(), event.payload()) {
///             let stored: Seen<'_> = payload.read()?;
///             event.log().info(format!("{} is new", stored.path));
///         }
///         Ok(())
///     })
/// }
/// ```
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(session: &Session<'_>, uploaded: &EventKey) -> Result<()> {
/// session.generate(uploaded, &("/pub/a.txt", 1024))
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EventKey {
    name: String,
}

impl EventKey {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
