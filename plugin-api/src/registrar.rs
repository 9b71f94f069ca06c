//! The registrar: what a module registers during its init.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::abi::Callback;
use crate::bridge::{self, Held};
use crate::event::{Event, EventKey};
use crate::exit::{Exit, Shutdown};
use crate::log::Log;
use crate::opened::{Directory, OpenFile};
use crate::protocol::{self, Protocol};
use crate::state::{self, State};
use crate::wish::Wish;
use crate::{Error, Result};

/// Registers what a module does. It exists only while [`Module::init`](crate::Module::init) runs: it
/// has no constructor, cannot be kept and cannot be sent to a thread.
///
/// \[all methods: init\] Names are made of `a-z`, `0-9`, `-` and `_`, at most 32 of them. What is
/// registered belongs to the host; if init fails all of it is undone.
///
/// ```no_run
/// use exeunt_api::prelude::*;
///
/// fn register(reg: &mut Registrar<'_>) -> Result<()> {
///     reg.on_exit("goodbye", |exit| {
///         exit.log().info(format!("goodbye, {}", exit.peer()));
///         Ok(())
///     })
/// }
/// ```
pub struct Registrar<'init> {
    held: Held<'init>,
    /// Neither a longer nor a shorter `'init` will do.
    invariant: PhantomData<fn(&'init ()) -> &'init ()>,
}

impl<'init> Registrar<'init> {
    pub(crate) fn new(held: Held<'init>) -> Self {
        Self { held, invariant: PhantomData }
    }

    pub(crate) fn held(&self) -> Held<'init> {
        self.held
    }

    /// Registers a listener for the end of each session: `core.exit`. It is entered exactly once for
    /// each session, whatever ends it, in the order of registration; in the session's own process, or
    /// in a runner after its death.
    ///
    /// # Errors
    ///
    /// The name is not allowed or the module has a listener of that name for this event already.
    /// What the listener returns is shown by `exeunt exits`; the next listener runs in any case.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_exit("report", |exit| {
    ///     exit.log().info(format!("{}: {}", exit.session(), exit.cause()));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn on_exit(
        &mut self,
        name: &str,
        f: impl Fn(&Exit<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| f(&Exit::new(held)));
        self.register("core.exit", name, callback)
    }

    /// The same as [`on_exit`](Self::on_exit), with wishes how it is run: tried again, in a runner, as
    /// root, with a deadline of its own.
    ///
    /// # Errors
    ///
    /// As for [`on_exit`](Self::on_exit); or the wish cannot be had: root that `modules.toml` does not
    /// grant, more than 8 attempts.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_exit_with("report", Wish::new().retry(3), |exit| {
    ///     exit.log().info(format!("{} attempts so far", exit.attempt()));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn on_exit_with(
        &mut self,
        name: &str,
        wish: Wish,
        f: impl Fn(&Exit<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| f(&Exit::new(held)));
        self.register_with("core.exit", name, wish, callback)
    }

    /// Registers a listener for the end of the daemon: `core.shutdown`. It is entered once, after the
    /// last session has ended, as root if the daemon was started as root.
    ///
    /// # Errors
    ///
    /// As for [`on_exit`](Self::on_exit).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_shutdown("remove-socket", |_| Ok(std::fs::remove_file("/run/example/socket")?))
    /// # }
    /// ```
    pub fn on_shutdown(
        &mut self,
        name: &str,
        f: impl Fn(&Shutdown<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| f(&Shutdown::new(held)));
        self.register("core.shutdown", name, callback)
    }

    /// The same as [`on_shutdown`](Self::on_shutdown), with wishes how it is run: tried again, with a
    /// deadline of its own. It runs in a runner with the daemon's rights in any case.
    ///
    /// # Errors
    ///
    /// As for [`on_exit_with`](Self::on_exit_with).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on_shutdown_with("sync", Wish::new().retry(2), |shutdown| {
    ///     shutdown.log().info(format!("attempt {}", shutdown.attempt()));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn on_shutdown_with(
        &mut self,
        name: &str,
        wish: Wish,
        f: impl Fn(&Shutdown<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let callback = bridge::listener(move |held| f(&Shutdown::new(held)));
        self.register_with("core.shutdown", name, wish, callback)
    }

    /// Registers a listener for any other event: the host's (`core.startup`, `core.connect`,
    /// `core.login`, …) or a module's (`owner.what-happened`).
    ///
    /// # Errors
    ///
    /// As for [`on_exit`](Self::on_exit); or the host has no such event; or the event is `core.exit`
    /// or `core.shutdown`, which have methods of their own.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.on("core.login", "no-root", |event| {
    ///     match event.session().and_then(|session| session.user()) {
    ///         Some("root") => Err(event.deny("root may not log in")),
    ///         _ => Ok(()),
    ///     }
    /// })
    /// # }
    /// ```
    pub fn on(
        &mut self,
        event: &str,
        name: &str,
        f: impl Fn(&Event<'_>) -> Result<()> + 'static,
    ) -> Result<()> {
        let own_method = match event {
            "core.exit" => "on_exit",
            "core.shutdown" => "on_shutdown",
            _ => {
                let callback = bridge::listener(move |held| f(&Event::new(held)));
                return self.register(event, name, callback);
            }
        };
        Err(Error::new(format_args!(
            "the listener `{name}` for `{event}` was refused: register it with `{own_method}`"
        )))
    }

    fn register(&self, event: &str, name: &str, callback: Callback) -> Result<()> {
        let status = self.held.register_listener(event, name, callback);
        accepted(status, format_args!("the listener `{name}` for `{event}`"))
    }

    fn register_with(&self, event: &str, name: &str, wish: Wish, callback: Callback) -> Result<()> {
        let status = self.held.register_listener_with(event, name, callback, wish.numbers());
        accepted(status, format_args!("the listener `{name}` for `{event}`"))
    }

    /// Asks for room for the module's facts of each session: a `T` of at most 256 bytes (encoded by
    /// postcard) that survives the session's process. Once for each module.
    ///
    /// # Errors
    ///
    /// The module has asked before.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let uploads = reg.session_state::<u64>()?;
    /// reg.on_exit("uploads", move |exit| {
    ///     exit.log().info(format!("{} uploads", exit.get(&uploads)?));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    pub fn session_state<T>(&mut self) -> Result<State<T>>
    where
        T: Serialize + DeserializeOwned + Default + 'static,
    {
        let status = self.held.register_state(state::ROOM);
        accepted(status, "the session state")?;
        Ok(State::new())
    }

    /// Registers a protocol. Each `[[listen]]` with `protocol = "name"` is served by it.
    ///
    /// # Errors
    ///
    /// The name is not allowed, another module has it, or the settings of a listen are wrong (each
    /// problem is shown at its place in `modules.toml`).
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// struct Time;
    ///
    /// impl Protocol for Time {
    ///     type Config = ();
    ///     const REFUSAL: &'static str = "";
    ///
    ///     fn serve(&self, _config: &(), session: &Session<'_>) -> Result<()> {
    ///         session.write_all(&session.connection(), b"late\r\n")
    ///     }
    /// }
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// reg.protocol("time", Time)
    /// # }
    /// ```
    pub fn protocol<P: Protocol>(&mut self, name: &str, protocol: P) -> Result<()> {
        let table = protocol::table(self.held, name, protocol)?;
        let status = self.held.register_protocol(name, &table);
        accepted(status, format_args!("the protocol `{name}`"))
    }

    /// Declares an event of the module's own, `owner.what-happened` with the module's name as the
    /// owner. The version grows when the meaning of its payload changes.
    ///
    /// # Errors
    ///
    /// The name is not of that form, or the event is declared already.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let uploaded: EventKey = reg.event("ftp.uploaded", 1)?;
    /// # Ok(()) }
    /// ```
    pub fn event(&mut self, name: &str, version: u32) -> Result<EventKey> {
        let status = self.held.declare_event(name, version);
        accepted(status, format_args!("the event `{name}`"))?;
        Ok(EventKey::new(name))
    }

    /// Opens a directory as the identity that init runs with (root, if the daemon was started as
    /// root), for use in every session. A relative path is relative to the folder of `modules.toml`.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or the path is not UTF-8.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let root: Directory = reg.directory("/srv/ftp")?;
    /// # Ok(()) }
    /// ```
    pub fn directory(&mut self, path: impl AsRef<Path>) -> Result<Directory> {
        let path = path.as_ref();
        let Some(text) = path.to_str() else {
            return Err(Error::new(format_args!("the path `{}` is not UTF-8", path.display())));
        };
        match self.held.open_directory(text) {
            Ok(fd) => Ok(Directory::new(fd)),
            Err(_) => Err(Error::told(format_args!("could not open the directory `{text}`"))),
        }
    }

    /// Opens a file to be read, as the identity that init runs with (root, if the daemon was started as
    /// root), for use in every session. A relative path is relative to the folder of `modules.toml`.
    ///
    /// It is the file that was there when the generation began: one that takes its place by a rename is
    /// seen after a reload, what is written into it at once.
    ///
    /// # Errors
    ///
    /// It cannot be opened or is not a plain file, or the path is not UTF-8.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) -> Result<()> {
    /// let users: OpenFile = reg.file("users")?;
    /// # Ok(()) }
    /// ```
    pub fn file(&mut self, path: impl AsRef<Path>) -> Result<OpenFile> {
        let path = path.as_ref();
        let Some(text) = path.to_str() else {
            return Err(Error::new(format_args!("the path `{}` is not UTF-8", path.display())));
        };
        match self.held.open_file(text) {
            Ok(fd) => Ok(OpenFile::new(fd)),
            Err(_) => Err(Error::told(format_args!("could not open the file `{text}`"))),
        }
    }

    /// The log.
    ///
    /// ```no_run
    /// # use exeunt_api::prelude::*;
    /// # fn example(reg: &mut Registrar<'_>) {
    /// reg.log().debug("registering");
    /// # }
    /// ```
    #[must_use]
    pub fn log(&self) -> Log {
        Log::new()
    }
}

impl fmt::Debug for Registrar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registrar").finish_non_exhaustive()
    }
}

/// An error that names `what`, unless the status is a success.
pub(crate) fn accepted(status: i32, what: impl Display) -> Result<()> {
    if status < 0 { Err(Error::refused(what, status)) } else { Ok(()) }
}
