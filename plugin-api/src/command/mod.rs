//! Commands of a session: hooks before and after them, modules that carry them out, and how a protocol
//! dispatches them (`dispatch`).

mod dispatch;

use std::fmt::{self, Display};

use crate::abi::{Class, Fact, Phase, status};
use crate::bridge::{self, Held};
use crate::log::Log;
use crate::registrar::{Registrar, accepted};
use crate::session::Session;
use crate::value::Value;
use crate::{Error, Result};

pub use dispatch::{Dispatched, Request, Told};

/// When a command hook runs.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.on_command(CommandPhase::Log, Pattern::any(), "journal", |command| {
///     command.log().info(format!("{}: {:?}", command.verb(), command.outcome()));
///     Ok(())
/// })
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandPhase {
    /// Before the command is carried out. A hook may deny it; then none of the later ones runs.
    Pre,
    /// After it was carried out, whether it succeeded or failed; not if it was denied.
    Post,
    /// At last, for every command: also for one that was denied or that ended the session.
    Log,
}

/// What kind of command it is, whatever the protocol calls it.
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// let writing = Pattern::class(CommandClass::Write);
/// reg.on_command(CommandPhase::Pre, writing, "read-only", |command| {
///     Err(command.deny("450 Backup is running."))
/// })
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[non_exhaustive]
pub enum CommandClass {
    /// Reads the content of files.
    Read = Class::READ,
    /// Changes files and folders.
    Write = Class::WRITE,
    /// Lists folders, moves between them.
    Dirs = Class::DIRS,
    /// Says or proves who the client is.
    Auth = Class::AUTH,
    /// Asks about the server or the session.
    Info = Class::INFO,
    /// Anything else.
    Misc = Class::MISC,
}

impl CommandClass {
    fn from_number(number: i64) -> Self {
        use CommandClass::{Auth, Dirs, Info, Misc, Read, Write};
        let all = [Read, Write, Dirs, Auth, Info];
        all.into_iter().find(|class| i64::from(*class as u32) == number).unwrap_or(Misc)
    }
}

/// Which commands a hook is for.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// let patterns = [Pattern::verb("RETR"), Pattern::class(CommandClass::Auth), Pattern::any()];
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    verb: Option<&'a str>,
    classes: u32,
}

impl<'a> Pattern<'a> {
    /// Those with this verb, in upper case. \[anywhere\]
    #[must_use]
    pub fn verb(verb: &'a str) -> Self {
        Self { verb: Some(verb), classes: 0 }
    }

    /// Those of this class. \[anywhere\]
    #[must_use]
    pub fn class(class: CommandClass) -> Self {
        Self { verb: None, classes: class as u32 }
    }

    /// Every command. \[anywhere\]
    #[must_use]
    pub fn any() -> Self {
        Self { verb: None, classes: 0 }
    }
}

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It was carried out.
    Done,
    /// It was tried, and failed.
    Failed,
    /// A hook denied it.
    Denied,
    /// It ended the session, or the session ended in the middle.
    Ending,
}

/// A command, for a hook or for the module that carries it out. \[in such a callback\]
///
/// ```no_run
/// # use exeunt_api::prelude::*;
/// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
/// reg.on_command(CommandPhase::Pre, Pattern::verb("DELE"), "keep-logs", |command| {
///     match command.argument() {
///         Some(path) if path.ends_with(".log") => Err(command.deny("550 Logs are kept.")),
///         _ => Ok(()),
///     }
/// })
/// # }
/// ```
pub struct Command<'a> {
    held: Held<'a>,
    session: Session<'a>,
}

impl<'a> Command<'a> {
    fn new(held: Held<'a>) -> Result<Self> {
        let living = held.living().ok_or("a command without a living session")?;
        Ok(Self { held, session: Session::new(living)? })
    }

    /// The verb, in upper case.
    #[must_use]
    pub fn verb(&self) -> &str {
        self.held.text(Fact::Verb).unwrap_or_default()
    }

    /// What follows the verb; `None` if nothing does, or a secret.
    #[must_use]
    pub fn argument(&self) -> Option<&str> {
        self.held.text(Fact::Argument)
    }

    /// What kind of command it is.
    #[must_use]
    pub fn class(&self) -> CommandClass {
        CommandClass::from_number(self.held.number(Fact::Class).unwrap_or_default())
    }

    /// The session that it is a command of.
    #[must_use]
    pub fn session(&self) -> &Session<'a> {
        &self.session
    }

    /// How it went; `None` before it was tried.
    #[must_use]
    pub fn outcome(&self) -> Option<CommandOutcome> {
        let number = self.held.number(Fact::Outcome)?;
        Some(match i32::try_from(number) {
            Ok(status::OK) => CommandOutcome::Done,
            Ok(status::DENIED) => CommandOutcome::Denied,
            Ok(status::ENDING) => CommandOutcome::Ending,
            _ => CommandOutcome::Failed,
        })
    }

    /// What the client is answered, once that is known; `None` if the protocol did not say.
    #[must_use]
    pub fn reply(&self) -> Option<&str> {
        self.held.text(Fact::Reply)
    }

    /// An error that denies the command: the client is answered with the reason, and the command is not
    /// carried out. A protocol with numbered replies, such as FTP, takes the number at the beginning of
    /// the reason. \[in hooks of [`CommandPhase::Pre`] and in handlers; elsewhere it is an error like any
    /// other\]
    #[must_use]
    pub fn deny(&self, reason: impl Display) -> Error {
        Error::denied(reason)
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command").field("verb", &self.verb()).finish_non_exhaustive()
    }
}

impl Registrar<'_> {
    /// Registers a hook for the commands of every protocol that dispatches them. Hooks of a phase run in
    /// the order of registration, each under the deadline of a listener.
    ///
    /// # Errors
    ///
    /// The name is not allowed, the verb is not in upper case, or the module has a hook of that name in
    /// that phase already. An error of the hook that is no denial is logged, and the command goes on.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let stored = reg.counter("stored", ["user"])?;
    /// let writing = Pattern::class(CommandClass::Write);
    /// reg.on_command(CommandPhase::Post, writing, "count", move |command| {
    ///     if command.outcome() == Some(CommandOutcome::Done) {
    ///         stored.add([command.session().user().unwrap_or("nobody")], 1);
    ///     }
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn on_command(
        &mut self,
        phase: CommandPhase,
        pattern: Pattern<'_>,
        name: &str,
        f: impl Fn(&Command<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let phase = match phase {
            CommandPhase::Pre => Phase::Pre,
            CommandPhase::Post => Phase::Post,
            CommandPhase::Log => Phase::Log,
        };
        let callback = bridge::listener(move |held| f(&Command::new(held)?));
        let Pattern { verb, classes } = pattern;
        let status = self.held().register_hook(phase as u32, verb, classes, name, callback);
        accepted(status, format_args!("the command hook `{name}`"))
    }

    /// Registers the module as the one that carries out a verb, in place of the protocol or in addition to
    /// what it knows. A verb has one such handler at most. What it returns is the reply: of success, or
    /// with the error the one of a failure. A protocol with numbered replies, such as FTP, takes the number
    /// at the beginning of the text.
    ///
    /// The handler serves the client as the protocol does: it may take its time, and waits through the
    /// session.
    ///
    /// # Errors
    ///
    /// The verb is not made of `A-Z`, `0-9`, `-` and `_`, or another module carries it out.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.command("WHOAMI", |command| {
    ///     let user = command.session().user().unwrap_or("nobody");
    ///     Ok(format!("200 You are {user}."))
    /// })
    /// # }
    /// ```
    pub fn command(
        &mut self,
        verb: &str,
        f: impl Fn(&Command<'_>) -> Result<String> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| {
            let reply = Value::build(&f(&Command::new(held)?)?)?;
            accepted(held.answer(status::OK, Some(reply.held())), "the reply")
        });
        let status = self.held().register_command(verb, callback);
        accepted(status, format_args!("the command `{verb}`"))
    }
}
