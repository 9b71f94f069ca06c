//! Tallies the bytes that each user moved after the login; right for a session that was killed, too.
#![forbid(unsafe_code)]
use exeunt_api::prelude::*;
use std::{fs::File, io::Write, path::PathBuf};

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The file that gets a line `session user bytes` for each session.
    tally: PathBuf,
}

struct Quota;

impl Module for Quota {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let before_login = reg.session_state::<u64>()?;
        reg.on("core.login", "begin", move |event| {
            let Some(session) = event.session() else { return Ok(()) };
            session.set(&before_login, &(session.bytes_in() + session.bytes_out()))
        })?;
        reg.may_write(config.tally.parent().unwrap_or(&config.tally))?;
        reg.on_exit("tally", move |exit| {
            let Some(user) = exit.user() else { return Ok(()) };
            let moved = exit.bytes_in() + exit.bytes_out() - exit.get(&before_login)?;
            let mut file = File::options().append(true).create(true).open(&config.tally)?;
            Ok(file.write_all(format!("{} {user} {moved}\n", exit.session()).as_bytes())?)
        })
    }
}

export_module!(Quota);
