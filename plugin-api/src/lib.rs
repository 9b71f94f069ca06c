//! What a module of exeunt is written against.
//!
//! A module is a shared library that the daemon loads. It registers what it does while it initialises,
//! in the order of `modules.toml`; the daemon calls it for each session, and for each end, exactly
//! once, whatever the session died of. Modules are written without `unsafe`.
//!
//! # A first module
//!
//! `Cargo.toml` (the name of the crate is the name of the module: `a-z`, `0-9` and `_`):
//!
//! ```toml
//! [package]
//! name = "hello"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! exeunt-api = "0.1"
//! ```
//!
//! `src/lib.rs`:
//!
//! ```standalone_crate
//! //! Says goodbye to every session that ends.
//! #![forbid(unsafe_code)]
//! use exeunt_api::prelude::*;
//!
//! /// Settings of the module.
//! #[derive(Settings)]
//! struct Config {
//!     /// The words to log.
//!     farewell: String,
//! }
//!
//! struct Hello;
//!
//! impl Module for Hello {
//!     type Config = Config;
//!
//!     fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
//!         reg.on_exit("farewell", move |exit| {
//!             exit.log().info(format!("{}, {} ({})", config.farewell, exit.session(), exit.cause()));
//!             Ok(())
//!         })?;
//!         reg.on_shutdown("farewell", |shutdown| {
//!             shutdown.log().info("bye");
//!             Ok(())
//!         })
//!     }
//! }
//!
//! export_module!(Hello);
//! # fn main() {}
//! ```
//!
//! In the daemon's `modules.toml`, after the modules whose exit listeners run before:
//!
//! ```toml
//! [[module]]
//! name = "hello"
//! file = "../hello/target/release/libhello.so"
//! [module.config]
//! farewell = "goodbye"
//! ```
//!
//! `cargo build --release`, then `exeunt check` shows every mistake with file, line and column, and
//! `exeunt run` starts the daemon. `exeunt listeners` shows what will run in which order, `exeunt exits`
//! what ran.
//!
//! # What is called where
//!
//! | callback | process | identity |
//! | --- | --- | --- |
//! | [`Module::init`] | the zygote of each generation, a candidate, `exeunt check` | root if the daemon is |
//! | [`Protocol::serve`], [`Protocol::farewell`], listeners of connect, login, a module's own events | the session's | what the session dropped to |
//! | [`Registrar::on_exit`] | the session's; a runner after its death | the session's |
//! | `core.startup`, [`Registrar::on_shutdown`] | a runner | root if the daemon is |
//!
//! * A session is a process, a fork of the zygote: what closures capture is a copy in each. Facts that
//!   must outlive it belong into [`Registrar::session_state`].
//! * A module waits only through [`Session`]: there the host sees timeouts, kicks and the daemon's end.
//! * A panic is one failed callback, and so is an error: the next listener has its turn in any case.
//! * A listener has a deadline (`[exit]` in `modules.toml`); one that passes it is killed and reported.
//!
//! In the documentation brackets say where a function may be called: \[init\], \[every callback\], …
//! Elsewhere it returns an error and does nothing.
#![deny(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
extern crate self as exeunt_api;

pub mod abi;
#[doc(hidden)]
pub mod bridge;
pub mod prelude;
pub mod settings;

mod account;
mod cause;
mod command;
mod control;
mod counter;
mod error;
mod event;
mod exit;
mod facts;
mod log;
mod module;
mod opened;
mod protocol;
mod registrar;
mod session;
mod state;
mod timer;
mod value;
mod wish;

pub use account::{Account, Credentials, Verdict, Where};
pub use cause::Cause;
pub use command::{
    Command, CommandClass, CommandOutcome, CommandPhase, Dispatched, Pattern, Request, Told,
};
pub use control::Control;
pub use counter::Counter;
pub use error::{Error, Failure, Result};
pub use event::{Event, EventKey};
pub use exeunt_api_derive::Settings;
pub use exit::{Exit, Record, Shutdown, View};
pub use facts::Facts;
pub use log::Log;
pub use module::Module;
pub use opened::{Directory, OpenFile};
pub use protocol::{Ended, Protocol};
pub use registrar::Registrar;
pub use session::{End, Line, LineReader, Listener, Session, Stream, Transfer, Waiting};
pub use state::State;
pub use timer::Timer;
pub use value::{Kind, Value};
pub use wish::Wish;
