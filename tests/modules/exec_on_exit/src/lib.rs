//! Runs a command for each session that ended, with the facts of its end in the environment.
#![forbid(unsafe_code)]
use exeunt_api::prelude::*;
use std::{path::PathBuf, process::Command};

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The program to run.
    command: PathBuf,
}

struct ExecOnExit;

impl Module for ExecOnExit {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        reg.may_run(&config.command)?;
        reg.on_exit("exec", move |exit| {
            let status = Command::new(&config.command)
                .env("EXEUNT_SESSION", exit.session())
                .env("EXEUNT_USER", exit.user().unwrap_or_default())
                .env("EXEUNT_PEER", exit.peer())
                .env("EXEUNT_CAUSE", exit.cause().to_string())
                .env("EXEUNT_BYTES_OUT", exit.bytes_out().to_string())
                .status()?;
            if status.success() { Ok(()) } else { Err(Error::new(status)) }
        })
    }
}

export_module!(ExecOnExit);
