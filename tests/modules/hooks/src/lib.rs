//! A module that uses whatever can be registered beside listeners. It serves a protocol of lines, each
//! a verb and its argument, which do what the tests ask for.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use exeunt_api::prelude::*;
use serde::Serialize;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// Where each command hook appends a line.
    trace: Option<PathBuf>,
    /// The event of another module to write down, too.
    follow: Option<String>,
}

/// The module.
struct Hooks;

impl Module for Hooks {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        trace::declare(config.trace.as_deref(), reg)?;
        commands(reg, config.trace.as_deref())?;
        reg.authenticator("guests", Where::Session, |credentials| {
            match (credentials.user(), credentials.secret()) {
                ("guest", "welcome") => Ok(Verdict::Accept(Account::new("guest"))),
                ("guest", _) => Ok(Verdict::Reject),
                ("broken", _) => Err(Error::new("the guests are lost")),
                _ => Ok(Verdict::Unknown),
            }
        })?;
        actions(reg)?;
        let said = reg.event("hooks.said", 3)?;
        for event in ["hooks.said"].into_iter().chain(config.follow.as_deref()) {
            let trace = config.trace.clone();
            reg.on(event, "follow", move |event| {
                let (name, payload) = (event.name(), event.payload());
                let (version, payload) = (event.version(), payload.ok_or("it has no payload")?);
                let line = format!("event {name} {version:?} {payload:?}");
                trace::append(trace.as_deref(), &line)
            })?;
        }
        let lines = reg.counter("lines", [])?;
        let words = reg.counter("words", ["word"])?;
        let one = reg.on_timer("one", |session| rings(session, "one"))?;
        let two = reg.on_timer("two", |session| rings(session, "two"))?;
        let nap = reg.on_timer("nap", |session| session.sleep(Duration::from_secs(60)))?;
        let bye = reg.on_timer("bye", |session| Err(session.end(End::Request("time is up"))))?;
        reg.protocol("hooks", Lines { lines, words, said, timers: [one, two, nap, bye] })
    }
}

export_module!(Hooks);

/// Hooks that deny what is to be denied and write down what they see, and two handlers.
fn commands(reg: &mut Registrar<'_>, trace: Option<&Path>) -> Result<()> {
    reg.on_command(CommandPhase::Pre, Pattern::verb("DENY"), "deny", |command| {
        Err(command.deny("552 denied by hooks"))
    })?;
    reg.on_command(CommandPhase::Pre, Pattern::class(CommandClass::Write), "fail", |_| {
        Err(Error::new("a hook that fails denies nothing"))
    })?;
    for (phase, name) in [(CommandPhase::Post, "post"), (CommandPhase::Log, "log")] {
        let trace = trace.map(Path::to_owned);
        reg.on_command(phase, Pattern::any(), name, move |command| {
            let (argument, reply) = (command.argument(), command.reply());
            let line =
                format!("{name} {} {argument:?} {:?} {reply:?}", command.verb(), command.outcome());
            trace::append(trace.as_deref(), &line)
        })?;
    }
    reg.command("WHOAMI", |command| {
        Ok(format!("214 {}", command.session().user().unwrap_or("nobody")))
    })?;
    reg.command("NOWAY", |_| Err(Error::new("there is no way")))
}

/// Actions that answer, fail, crash and hang.
#[expect(clippy::disallowed_methods, reason = "what a bad module may do")]
fn actions(reg: &mut Registrar<'_>) -> Result<()> {
    let called = reg.counter("called", [])?;
    reg.control("echo", move |call| {
        called.add([], 1);
        Ok(call.arguments().map(str::to_owned).collect::<Vec<_>>())
    })?;
    reg.control("whoami", |_| Ok(std::fs::read_to_string("/proc/self/status")?))?;
    reg.control("no", |_| Err::<(), _>(Error::new("that cannot be done")))?;
    reg.control("panic", |_| -> Result<()> { panic!("no luck") })?;
    reg.control("abort", |_| -> Result<()> { std::process::abort() })?;
    reg.control("hang", |_| -> Result<()> {
        loop {
            std::thread::park();
        }
    })
}

fn rings(session: &Session<'_>, name: &str) -> Result<()> {
    session.write_all(&session.connection(), format!("{name} rings\r\n").as_bytes())
}

/// What comes with `hooks.said`.
#[derive(Serialize)]
struct Said<'a> {
    text: &'a str,
    length: usize,
}

/// The protocol.
struct Lines {
    lines: Counter<0>,
    words: Counter<1>,
    said: EventKey,
    timers: [Timer; 4],
}

impl Protocol for Lines {
    type Config = Config;
    const REFUSAL: &'static str = "";

    fn serve(&self, _config: &Config, session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(512));
        session.write_all(&client, b"hello\r\n")?;
        loop {
            let Line::Text(line) = lines.read_line(session, &client)? else {
                return Err(session.end(End::Eof));
            };
            self.lines.add([], 1);
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let argument = Some(argument).filter(|argument| !argument.is_empty());
            let request = Request { verb, argument, class: CommandClass::Write };
            let dispatched = session.dispatch(&request, |told| {
                let reply = self.obey(session, verb, argument.unwrap_or_default())?;
                told.done(&*reply);
                Ok(reply)
            })?;
            let reply = match dispatched {
                Dispatched::Own(reply) | Dispatched::Done(reply) => reply,
                Dispatched::Failed(why) | Dispatched::Denied(why) => format!("no: {why}"),
            };
            session.write_all(&client, format!("{reply}\r\n").as_bytes())?;
        }
    }
}

impl Lines {
    fn obey(&self, session: &Session<'_>, verb: &str, argument: &str) -> Result<String> {
        match verb {
            "COUNT" => self.words.add([argument], 1),
            "SAY" => {
                session.generate(&self.said, &Said { text: argument, length: argument.len() })?;
            }
            "AFTER" => self.set_timer(session, argument)?,
            "QUIT" => return Err(session.end(End::Quit)),
            _ => return Ok(format!("no {verb}")),
        }
        Ok(format!("{verb} done"))
    }

    /// `one 50` sets the timer, `one` takes it back.
    fn set_timer(&self, session: &Session<'_>, argument: &str) -> Result<()> {
        let mut words = argument.split(' ');
        let names = ["one", "two", "nap", "bye"];
        let name = words.next().unwrap_or_default();
        let place = names.iter().position(|known| *known == name);
        let timer = &self.timers[place.ok_or("there is no such timer")?];
        match words.next() {
            Some(time) => session.after(Duration::from_millis(time.parse()?), timer),
            None => session.cancel(timer),
        }
    }
}
