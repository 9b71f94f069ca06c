//! Reaches for files, programs and processes as it is told, and says what came of it: what a session may
//! do, as the session itself finds out.
#![forbid(unsafe_code)]

mod vault;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use exeunt_api::prelude::*;
use rustix::process::{Pid, test_kill_process};

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// Where listeners write what came of their deeds.
    trace: Option<PathBuf>,
    /// What sessions may read.
    #[settings(default)]
    read: Vec<String>,
    /// What sessions may write.
    #[settings(default)]
    write: Vec<String>,
    /// What sessions may run.
    #[settings(default)]
    run: Vec<String>,
    /// A file with users and secrets, which an authenticator reads in a root helper.
    vault: Option<PathBuf>,
    /// Deeds of listeners, each an event and a deed: `core.exit read /etc/passwd`.
    #[settings(default)]
    deeds: Vec<String>,
}

struct Reach;

impl Module for Reach {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        trace::declare(config.trace.as_deref(), reg)?;
        config.read.iter().try_for_each(|path| reg.may_read(path))?;
        config.write.iter().try_for_each(|path| reg.may_write(path))?;
        config.run.iter().try_for_each(|path| reg.may_run(path))?;
        for (number, told) in config.deeds.iter().enumerate() {
            let (event, deed) = told.split_once(' ').ok_or("an event and a deed")?;
            let (name, deed, trace) =
                (format!("deed-{number}"), deed.to_owned(), config.trace.clone());
            let act = move || trace::append(trace.as_deref(), &format!("reach {}", done(&deed)));
            match event {
                "core.exit" => reg.on_exit(&name, move |_| act())?,
                "core.shutdown" => reg.on_shutdown(&name, move |_| act())?,
                event => reg.on(event, &name, move |_| act())?,
            }
        }
        reg.control("reach", |call| Ok(done(&call.arguments().collect::<Vec<_>>().join(" "))))?;
        reg.authenticator("guests", Where::Session, |credentials| {
            let account = Account::new(credentials.user());
            Ok(match credentials.secret() {
                "system" => Verdict::Accept(account.system()),
                "guest" => Verdict::Accept(account),
                _ => Verdict::Unknown,
            })
        })?;
        if let Some(vault) = config.vault {
            vault::register(vault, config.trace, reg)?;
        }
        reg.protocol("reach", Deeds)
    }
}

export_module!(Reach);

/// Does what each line says.
struct Deeds;

impl Protocol for Deeds {
    type Config = Config;
    const REFUSAL: &'static str = "";

    fn serve(&self, _config: &Config, session: &Session<'_>) -> Result<()> {
        let (client, mut lines) = (session.connection(), LineReader::new(512));
        session.write_all(&client, b"hello\r\n")?;
        loop {
            let Line::Text(line) = lines.read_line(session, &client)? else {
                return Err(session.end(End::Eof));
            };
            let answer = match line.split_once(' ') {
                Some(("login", who)) => log_in(session, who)?,
                _ => done(&line),
            };
            session.write_all(&client, format!("{answer}\r\n").as_bytes())?;
        }
    }
}

/// Logs in with the words for user and secret.
fn log_in(session: &Session<'_>, who: &str) -> Result<String> {
    let (user, secret) = who.split_once(' ').unwrap_or((who, ""));
    match session.authenticate(user, secret)? {
        Some(Account { user, home, groups, .. }) => {
            session.login(&user)?;
            let home = home.map(|home| format!(", at home in {home}")).unwrap_or_default();
            let groups: String = groups.iter().map(|group| format!(", of {group}")).collect();
            Ok(format!("welcome {user}{home}{groups}"))
        }
        None => session.login_failed(user).map(|left| format!("no, {left} left")),
    }
}

/// What came of a deed, in one line.
fn done(deed: &str) -> String {
    let (verb, of) = deed.split_once(' ').unwrap_or((deed, ""));
    match attempt(verb, of) {
        Ok(text) => format!("{verb}: {}", text.trim()),
        Err(why) => format!("{verb} failed: {why}"),
    }
}

fn attempt(verb: &str, of: &str) -> Result<String> {
    Ok(match verb {
        "read" => fs::read_to_string(of)?,
        "list" => fs::read_dir(of)?.count().to_string(),
        "append" => File::options().append(true).open(of)?.write(b"x")?.to_string(),
        "make" => File::create_new(of)?.write(b"x")?.to_string(),
        "remove" => fs::remove_file(of).map(|()| "gone".to_owned())?,
        "run" => Command::new(of).status()?.to_string(),
        "signal" => {
            let process = Pid::from_raw(of.parse()?).ok_or("no process")?;
            test_kill_process(process).map(|()| "there".to_owned()).map_err(std::io::Error::from)?
        }
        _ => return Err(Error::new("there is no such deed")),
    })
}
