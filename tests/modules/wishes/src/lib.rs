//! Listeners for `core.exit` with wishes, one after the other, each of which writes down how it was
//! entered; the first attempts can be made to fail. What a listener that misbehaves does to the others
//! is the module `misbehave`'s.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "an attempt can be told to end the process")]

use std::path::PathBuf;
use std::time::Duration;
use std::{process, thread};

use exeunt_api::prelude::*;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The file that each listener appends a line to when it is entered.
    trace: Option<PathBuf>,
    /// Where the listeners run, in their order.
    places: Vec<Place>,
    /// How often each may be tried.
    #[settings(default = 1)]
    attempts: u32,
    /// How many of its first attempts fail.
    #[settings(default)]
    fails: u32,
    /// How they fail.
    #[settings(default)]
    how: How,
    /// How long each may take.
    #[settings(default)]
    deadline: Duration,
    /// How long each takes after it has written that it was entered.
    #[settings(default)]
    pause: Duration,
    /// Whether they are registered for `core.shutdown` instead.
    #[settings(default)]
    shutdown: bool,
}

/// Where a listener runs.
#[derive(Clone, Copy, Settings)]
enum Place {
    /// In the session.
    Session,
    /// In a runner.
    Runner,
    /// In a root runner.
    Root,
}

/// How an attempt fails.
#[derive(Clone, Copy, Default, Settings)]
enum How {
    /// It returns an error.
    #[default]
    Error,
    /// It ends the process by a signal.
    Abort,
    /// It does not come back.
    Hang,
}

impl How {
    fn fail(self) -> Result<()> {
        match self {
            How::Error => Err(Error::new("told to fail")),
            How::Abort => process::abort(),
            How::Hang => loop {
                thread::sleep(Duration::from_secs(60));
            },
        }
    }
}

struct Wishes;

impl Module for Wishes {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let Config { trace, places, attempts, fails, how, deadline, pause, shutdown } = config;
        for (number, place) in places.into_iter().enumerate() {
            let wish = Wish::new().retry(attempts).deadline(deadline);
            let (wish, place) = match place {
                Place::Session => (wish, "session"),
                Place::Runner => (wish.in_runner(), "runner"),
                Place::Root => (wish.as_root(), "root"),
            };
            let (name, trace) = (format!("{number}-{place}"), trace.clone());
            let turn = move |token: &str, about: &str, attempt: u32| {
                let euid = rustix::process::geteuid().as_raw();
                let title = token.split_once('/').map_or("", |(_, title)| title);
                let line = format!(
                    "{title} {about} {} euid={euid} attempt={attempt} token={token}",
                    process::id()
                );
                trace::append(trace.as_deref(), &line)?;
                thread::sleep(pause);
                if attempt <= fails { how.fail() } else { Ok(()) }
            };
            if shutdown {
                reg.on_shutdown_with(&name, wish, move |end| {
                    turn(end.token(), "daemon", end.attempt())
                })?;
            } else {
                reg.on_exit_with(&name, wish, move |exit| {
                    turn(exit.token(), exit.session(), exit.attempt())
                })?;
            }
        }
        Ok(())
    }
}

export_module!(Wishes);
