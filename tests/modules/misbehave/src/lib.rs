//! A module that misbehaves by name at a named point, for the tests of what the others then get. What
//! cannot be done through the SDK at all (null pointers, late registrations) is in the module `raw`.

mod asking;
mod deed;

use std::path::PathBuf;
use std::process;

use exeunt_api::prelude::*;

use deed::How;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// Where it misbehaves.
    #[settings(default)]
    event: Point,
    /// How it misbehaves.
    #[settings(default)]
    how: How,
    /// The file that it appends a line to before it misbehaves.
    trace: Option<PathBuf>,
    /// Where clients come from in whose `core.exit` it behaves.
    spared: Option<String>,
    /// Whether its protocol is there too, beside what it does at `event`.
    #[settings(default)]
    serve: bool,
    /// Whether it wishes to be root in `core.exit`.
    #[settings(default)]
    as_root: bool,
}

/// Where it misbehaves.
#[derive(Clone, Copy, Default, Settings)]
enum Point {
    /// In its init.
    Init,
    /// In a listener for `core.startup`.
    Startup,
    /// In a listener for `core.connect`.
    Connect,
    /// In a listener for `core.login`.
    Login,
    /// In its protocol `misbehave`, when the client sends the line `go`; a client may name some of the
    /// ways itself.
    Serve,
    /// In a listener for `core.exit`.
    #[default]
    Exit,
    /// In a listener for `core.shutdown`.
    Shutdown,
}

/// Writes that it was entered, then misbehaves.
#[derive(Clone)]
struct Act {
    how: How,
    trace: Option<PathBuf>,
}

impl Act {
    fn enter(&self, session: &str) -> Result<()> {
        self.say(session)?;
        match self.how {
            How::Ask => asking::ask(session),
            how => deed::misbehave(how),
        }
    }

    fn say(&self, session: &str) -> Result<()> {
        let line = format!("misbehave/misbehave {session} {}", process::id());
        trace::append(self.trace.as_deref(), &line)
    }
}

struct Misbehave;

impl Module for Misbehave {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let Config { event, how, trace, spared, serve, as_root } = config;
        let wish = if as_root { Wish::new().as_root() } else { Wish::new() };
        let name = "misbehave";
        trace::declare(trace.as_deref(), reg)?;
        reg.may_run(deed::PROGRAM)?;
        let act = Act { how, trace };
        if let How::DuplicateListener = how {
            reg.on_exit(name, |_| Ok(()))?;
            return reg.on_exit(name, |_| Ok(()));
        }
        if serve {
            reg.protocol(name, Server(act.clone()))?;
        }
        match event {
            Point::Init => act.enter("init"),
            Point::Startup => reg.on("core.startup", name, at_event(act)),
            Point::Connect => reg.on("core.connect", name, at_event(act)),
            Point::Login => reg.on("core.login", name, at_event(act)),
            Point::Serve => reg.protocol(name, Server(act)),
            Point::Exit => reg.on_exit_with(name, wish, move |exit| {
                let host = exit.peer().rsplit_once(':').map(|(host, _)| host);
                if spared.is_some() && host == spared.as_deref() {
                    return act.say(exit.session());
                }
                act.enter(exit.session())
            }),
            Point::Shutdown => reg.on_shutdown(name, move |_| act.enter("daemon")),
        }
    }
}

fn at_event(act: Act) -> impl Fn(&Event<'_>) -> Result<()> + 'static {
    move |event| act.enter(trace::subject(event))
}

/// Answers `ok` to every line, `quit` aside; misbehaves at `go` or at the name of a way to, and answers
/// then if it still can.
struct Server(Act);

impl Protocol for Server {
    type Config = Config;
    const REFUSAL: &'static str = "full\r\n";

    fn serve(&self, _config: &Config, session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(80));
        loop {
            match lines.read_line(session, &client)? {
                Line::Text(line) if line == "go" => self.0.enter(session.session())?,
                Line::Text(line) if line == "quit" => return Err(session.end(End::Quit)),
                Line::Eof => return Err(session.end(End::Eof)),
                Line::Text(line) => How::named(&line).map_or(Ok(()), deed::misbehave)?,
                Line::TooLong => {}
            }
            session.write_all(&client, b"ok\r\n")?;
        }
    }

    fn farewell(&self, end: &Ended<'_>) -> Option<String> {
        Some(format!("bye {}\r\n", end.cause()))
    }
}

export_module!(Misbehave);
