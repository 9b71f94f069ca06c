//! What a protocol is, and how its two callbacks reach it.

use std::fmt;
use std::rc::Rc;

use crate::abi::{Fact, ProtocolTable};
use crate::bridge::{self, Held};
use crate::cause::Cause;
use crate::facts::{Facts, Source, count};
use crate::session::{End, Session};
use crate::settings::{Setting, Settings};
use crate::value::Value;
use crate::{Error, Result};

/// A protocol: it serves a session from its first byte to its last.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// struct Parrot;
///
/// impl Protocol for Parrot {
///     type Config = ();
///     const REFUSAL: &'static str = "too many parrots\r\n";
///
///     fn serve(&self, _config: &(), session: &Session<'_>) -> Result<()> {
///         let (connection, mut lines) = (session.connection(), LineReader::new(512));
///         loop {
///             match lines.read_line(session, &connection)? {
///                 Line::Text(line) => session.write_all(&connection, line.as_bytes())?,
///                 Line::TooLong => session.write_all(&connection, b"squawk\r\n")?,
///                 Line::Eof => return Err(session.end(End::Eof)),
///             }
///         }
///     }
///
///     fn farewell(&self, end: &Ended<'_>) -> Option<String> {
///         Some(format!("goodbye: {}\r\n", end.cause().text()))
///     }
/// }
/// ```
pub trait Protocol: 'static {
    /// The settings of one listen: the module's own with the listen's `config` laid over. They are
    /// read once for each listen, in init.
    type Config: Settings;

    /// What a client gets that is turned away because the daemon is full, line end included; may be
    /// empty.
    const REFUSAL: &'static str;

    /// Serves a session. \[called in the session's process, once\]
    ///
    /// It returns when the session is over: after [`Session::end`], or with [`Error::Ending`], which `?`
    /// carries out. If nothing has been committed `Ok(())` ends the session as
    /// [`Cause::ModuleRequest`].
    ///
    /// # Errors
    ///
    /// An error that [is a reset](Error::is_reset) ends the session as [`Cause::ClientReset`]; another
    /// error or a panic as [`Cause::ModuleRequest`] or [`Cause::Crashed`], with its text as the detail.
    fn serve(&self, config: &Self::Config, session: &Session<'_>) -> Result<()>;

    /// The final reply for a session that ends, if the protocol has one. \[called in the session's
    /// process, once, before the `core.exit` listeners\] It is sent without waiting.
    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        let _ = end;
        None
    }
}

/// The table of `protocol`, with the settings of every listen that names it.
pub(crate) fn table<P: Protocol>(
    registrar: Held<'_>,
    name: &str,
    protocol: P,
) -> Result<ProtocolTable> {
    let listens = (0..).map_while(|index| registrar.listen_settings(name, index));
    // Every listen is read, so that the problems of all are shown.
    let configs: Vec<_> = listens.map(|settings| P::Config::read(Value::new(settings))).collect();
    let configs: Option<Vec<_>> = configs.into_iter().collect();
    let Some(configs) = configs else {
        return Err(Error::told("the settings of a listen were refused"));
    };
    let protocol = Rc::new(protocol);
    let for_farewell = Rc::clone(&protocol);
    Ok(bridge::protocol_table(
        move |held| serve(&*protocol, &configs, held),
        move |held| {
            if let Some(reply) = for_farewell.farewell(&Ended(held)) {
                held.farewell(reply.as_bytes());
            }
            Ok(())
        },
        P::REFUSAL,
    ))
}

fn serve<P: Protocol>(protocol: &P, configs: &[P::Config], held: Held<'_>) -> Result<()> {
    let listen = usize::try_from(count(held, Fact::ListenIndex)).unwrap_or(usize::MAX);
    let Some(config) = configs.get(listen) else {
        return Err(Error::new("the host names a listen that init was not asked about"));
    };
    let session = Session::new(held)?;
    match protocol.serve(config, &session) {
        Err(error) if error.is_reset() => Err(session.end(End::Reset)),
        result => result,
    }
}

/// A session that ends, for [`Protocol::farewell`]. \[in `farewell`\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// fn reply(end: &Ended<'_>) -> String {
///     match end.cause() {
///         Cause::ClientQuit => "221 Goodbye.\r\n".to_owned(),
///         cause => format!("421 {}.\r\n", cause.text()),
///     }
/// }
/// ```
pub struct Ended<'a>(Held<'a>);

impl Ended<'_> {
    /// Why the session ends.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(end: &Ended<'_>) {
    /// let polite = end.cause() == Cause::ClientQuit;
    /// # }
    /// ```
    #[must_use]
    pub fn cause(&self) -> Cause {
        Cause::from_name(self.0.text(Fact::Cause).unwrap_or_default())
    }

    /// The detail of the cause: which limit, signal, module; `None` if there is none.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(end: &Ended<'_>) {
    /// let why = end.detail().unwrap_or(end.cause().text());
    /// # }
    /// ```
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.0.text(Fact::Detail)
    }
}

impl Source for Ended<'_> {
    fn held(&self) -> Held<'_> {
        self.0
    }
}

impl Facts for Ended<'_> {}

impl fmt::Debug for Ended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").field("cause", &self.cause()).finish_non_exhaustive()
    }
}
