//! The error of the SDK, and how a status of the host becomes one.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io;

use crate::abi::status;

/// The result of most functions here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. The error that a callback returns is shown to the operator, with
/// the module and the callback: write what could not be done and why, in lower case.
///
/// `?` turns the errors of std that a module meets into one; [`Error::new`] takes any other.
///
/// ```
/// use exeunt_api::prelude::*;
///
/// fn first_line(path: &std::path::Path) -> Result<String> {
///     let text = std::fs::read_to_string(path)?;
///     match text.lines().next() {
///         Some(line) => Ok(line.to_owned()),
///         None => Err(Error::new(format!("`{}` is empty", path.display()))),
///     }
/// }
///
/// let error = first_line("/nonexistent".as_ref()).unwrap_err();
/// assert!(!error.is_ending());
/// assert!(error.to_string().starts_with("No such file"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The session is ending: return to the host as soon as possible. Every method of
    /// [`Session`](crate::Session) that waits may return it; `?` carries it out of `serve`. It is not a
    /// failure and nothing is logged for it.
    Ending,
    /// Anything else; its text says what.
    Failed(Failure),
}

/// A failure: a text, and what the host needs to know about it.
#[derive(Debug)]
pub struct Failure {
    text: String,
    kind: FailureKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailureKind {
    /// Nothing particular.
    Plain,
    /// The other side of a connection has reset or closed it.
    Reset,
    /// A listener denies what the event is about.
    Denied,
    /// The host knows the reason better than the text.
    Told,
}

impl Error {
    /// An error with that text. \[anywhere\]
    ///
    /// ```
    /// use exeunt_api::prelude::*;
    ///
    /// assert_eq!(Error::new("no such user").to_string(), "no such user");
    /// ```
    pub fn new(text: impl Display) -> Self {
        Self::with(text, FailureKind::Plain)
    }

    /// Whether the session is ending, which is no failure. \[anywhere\]
    ///
    /// ```
    /// use exeunt_api::prelude::*;
    ///
    /// assert!(Error::Ending.is_ending());
    /// assert!(!Error::new("no such user").is_ending());
    /// ```
    #[must_use]
    pub fn is_ending(&self) -> bool {
        matches!(self, Self::Ending)
    }

    /// Whether the other side of a connection has reset it, or closed it while something was sent
    /// (`ECONNRESET` or `EPIPE`; see tcp(7)). \[anywhere\]
    ///
    /// ```
    /// use exeunt_api::prelude::*;
    ///
    /// assert!(Error::from(std::io::Error::from(std::io::ErrorKind::ConnectionReset)).is_reset());
    /// ```
    #[must_use]
    pub fn is_reset(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.kind == FailureKind::Reset)
    }

    fn with(text: impl Display, kind: FailureKind) -> Self {
        Self::Failed(Failure { text: text.to_string(), kind })
    }

    pub(crate) fn denied(reason: impl Display) -> Self {
        Self::with(reason, FailureKind::Denied)
    }

    /// An error whose reason the host has already recorded, better than `text` says it.
    pub(crate) fn told(text: impl Display) -> Self {
        Self::with(text, FailureKind::Told)
    }

    /// An error of the system: what could not be done, and why.
    pub(crate) fn system(what: impl Display, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        Self::with(format_args!("{what}: {error}"), kind_of(&error))
    }

    /// What a status of the host means for `what`, which it refused.
    pub(crate) fn refused(what: impl Display, status: i32) -> Self {
        if status == status::ENDING {
            return Self::Ending;
        }
        Self::new(format_args!("{what} was refused: {}", reason(status)))
    }

    /// The text, unless the host has it already or needs none.
    pub(crate) fn untold(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Failed(failure) if failure.kind != FailureKind::Told => {
                Some(Cow::Borrowed(&failure.text))
            }
            _ => None,
        }
    }

    /// The status that a callback returns for this error.
    pub(crate) fn status(&self) -> i32 {
        match self {
            Self::Ending => status::ENDING,
            Self::Failed(failure) if failure.kind == FailureKind::Denied => status::DENIED,
            Self::Failed(_) => status::FAILED,
        }
    }
}

/// A status in words.
fn reason(status: i32) -> &'static str {
    match status {
        status::BAD_HANDLE => "what it is about is no longer valid here",
        status::BAD_PHASE => "this is not the time for it",
        status::BAD_ARGUMENT => "a name or number is not allowed",
        status::DUPLICATE => "registered twice",
        status::FOREIGN_POINTER => "the function does not lie in the module itself",
        status::NONE => "there is none",
        status::TOO_BIG => "it is too big",
        status::DENIED => "a listener denied it",
        _ => "the host could not do it",
    }
}

fn kind_of(error: &io::Error) -> FailureKind {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FailureKind::Reset,
        _ => FailureKind::Plain,
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ending => f.write_str("the session is ending"),
            Self::Failed(failure) => f.write_str(&failure.text),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::with(&error, kind_of(&error))
    }
}

impl From<String> for Error {
    fn from(text: String) -> Self {
        Self::Failed(Failure { text, kind: FailureKind::Plain })
    }
}

macro_rules! from_display {
    ($($other:ty),* $(,)?) => {$(
        impl From<$other> for Error {
            fn from(other: $other) -> Self {
                Self::new(other)
            }
        }
    )*};
}

from_display!(
    &str,
    fmt::Error,
    Box<dyn std::error::Error>,
    Box<dyn std::error::Error + Send + Sync>,
    std::net::AddrParseError,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::num::TryFromIntError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::time::SystemTimeError,
);

impl serde::de::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::new(text)
    }
}

impl serde::ser::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::new(text)
    }
}
