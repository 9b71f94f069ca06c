//! Who a client is: authenticators, and the account that one of them vouches for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::abi::{Fact, Place, Verdict as Number, status};
use crate::bridge::{self, Held};
use crate::facts::Source;
use crate::log::Log;
use crate::registrar::{Registrar, accepted};
use crate::session::Session;
use crate::value::Value;
use crate::{Error, Result};

/// The account of a user, as an authenticator vouches for it. A protocol must heed `root`, and may heed
/// the rest.
///
/// ```
/// use exeunt_api::prelude::*;
///
/// let account = Account::new("anna").home("/incoming").group("staff");
/// assert_eq!((&*account.user, account.home.as_deref()), ("anna", Some("/incoming")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Account {
    /// Who it is from here on; perhaps spelt otherwise than the client did.
    pub user: String,
    /// Where the user begins: a path as the user sees it.
    #[serde(default)]
    pub home: Option<String>,
    /// The part of what the protocol serves that is everything to this user: a path as other users see
    /// it.
    #[serde(default)]
    pub root: Option<String>,
    /// The groups that the user belongs to.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether it is a user of the system: where `[[listen]] login_users` is set, the session becomes
    /// that user at the login.
    #[serde(default)]
    pub system: bool,
}

impl Account {
    /// The account of a user, and nothing else. \[anywhere\]
    #[must_use]
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), home: None, root: None, groups: Vec::new(), system: false }
    }

    /// The same with a place to begin at. \[anywhere\]
    #[must_use]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.home = Some(path.into());
        self
    }

    /// The same, confined to a part of what is served. \[anywhere\]
    #[must_use]
    pub fn root(mut self, path: impl Into<String>) -> Self {
        self.root = Some(path.into());
        self
    }

    /// The same with one group more. \[anywhere\]
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.groups.push(name.into());
        self
    }

    /// The same, as a user of the system: where `[[listen]] login_users` is set, the session becomes
    /// that user when [`Session::login`] is called with the name. \[anywhere\]
    #[must_use]
    pub fn system(mut self) -> Self {
        self.system = true;
        self
    }
}

/// What an authenticator says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this user.
    Accept(Account),
    /// It knows the user, and it is not them: nobody else is asked.
    Reject,
    /// It does not know the user: the next authenticator is asked.
    Unknown,
}

/// Where an authenticator runs. More places may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Where {
    /// In the session, with the identity that it dropped to.
    Session,
    /// In a process of its own for each login, which is no fork of the session: with root's rights, if
    /// the daemon has them, and without the session's confinement. For secrets that sessions must
    /// not read. The operator has to grant it to the module, with `grant = ["root"]`; otherwise the
    /// module is refused. What it knows of the session is how it began (peer, listen, …).
    RootHelper,
}

/// What a client claims, for an authenticator. \[in an authenticator\]
pub struct Credentials<'a> {
    held: Held<'a>,
}

impl Credentials<'_> {
    /// Whom the client claims to be.
    #[must_use]
    pub fn user(&self) -> &str {
        self.held.text(Fact::Claimed).unwrap_or_default()
    }

    /// What it is to be proved with. Neither log it nor keep it.
    #[must_use]
    pub fn secret(&self) -> &str {
        self.held.text(Fact::Secret).unwrap_or_default()
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl Source for Credentials<'_> {
    fn held(&self) -> Held<'_> {
        self.held
    }
}

impl crate::facts::Facts for Credentials<'_> {}

impl fmt::Debug for Credentials<'_> {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user()).finish_non_exhaustive()
    }
}

impl Registrar<'_> {
    /// Registers an authenticator. For each login that a protocol cannot decide itself they are asked in
    /// the order of registration, each under the deadline of a listener; the first that knows the user
    /// decides.
    ///
    /// # Errors
    ///
    /// The name is not allowed, or the module has an authenticator of that name already. If the callback
    /// returns an error or panics the login is refused, and no other is asked: it might have known the
    /// user.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.authenticator("guests", Where::Session, |credentials| {
    ///     Ok(match (credentials.user(), credentials.secret()) {
    ///         ("guest", "welcome") => Verdict::Accept(Account::new("guest").root("/guests")),
    ///         ("guest", _) => Verdict::Reject,
    ///         _ => Verdict::Unknown,
    ///     })
    /// })
    /// # }
    /// ```
    pub fn authenticator(
        &mut self,
        name: &str,
        place: Where,
        f: impl Fn(&Credentials<'_>) -> Result<Verdict> + 'static,
    ) -> Result<()> {
        let place = match place {
            Where::Session => Place::Session,
            Where::RootHelper => Place::RootHelper,
        };
        let callback = bridge::listener(move |held| {
            let (number, account) = match f(&Credentials { held })? {
                Verdict::Accept(account) => (Number::ACCEPTED, Some(Value::build(&account)?)),
                Verdict::Reject => (Number::REJECTED, None),
                Verdict::Unknown => (Number::UNKNOWN, None),
            };
            accepted(held.answer(number, account.map(Value::held)), "the verdict")
        });
        let status = self.held().register_authenticator(name, place as u32, callback);
        accepted(status, format_args!("the authenticator `{name}`"))
    }
}

impl Session<'_> {
    /// Asks the authenticators whether the client is `user`. The account if one vouches for it; `None` if
    /// one rejects the secret, fails, or none knows the user, which a client should not be able to tell
    /// apart. What follows is [`Session::login`] or [`Session::login_failed`]. \[in
    /// [`Protocol::serve`](crate::Protocol::serve)\]
    ///
    /// # Errors
    ///
    /// The session is ending.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(session: &Session<'_>, user: &str, secret: &str) -> Result<()> {
    /// match session.authenticate(user, secret)? {
    ///     Some(account) => session.login(&account.user)?,
    ///     None => drop(session.login_failed(user)?),
    /// }
    /// # Ok(()) }
    /// ```
    pub fn authenticate(&self, user: &str, secret: &str) -> Result<Option<Account>> {
        match self.held().authenticate(user, secret) {
            Ok(account) => Value::new(account).read().map(Some),
            Err(status::DENIED | status::NONE) => Ok(None),
            Err(status) => Err(Error::refused("asking the authenticators", status)),
        }
    }
}
