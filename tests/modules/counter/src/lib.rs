//! Counts the sessions of the daemon: a byte in a file for each, as sessions share no memory.
#![forbid(unsafe_code)]
use exeunt_api::prelude::*;
use std::{fs, fs::File, io::Write, os::unix::fs::PermissionsExt, path::PathBuf};

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The file that counts.
    count: PathBuf,
}

struct Counter;

impl Module for Counter {
    type Config = Config;

    fn init(Config { count }: Config, reg: &mut Registrar<'_>) -> Result<()> {
        reg.may_write(count.parent().unwrap_or(&count))?;
        let (of_startup, of_exit) = (count.clone(), count.clone());
        reg.on("core.startup", "reset", move |_| {
            Ok(File::create(&of_startup)?.set_permissions(PermissionsExt::from_mode(0o666))?)
        })?;
        reg.on_exit("count", move |_| {
            Ok(File::options().append(true).open(&of_exit)?.write_all(b".")?)
        })?;
        reg.on_shutdown("report", move |shutdown| {
            shutdown.log().info(format!("{} sessions", fs::metadata(&count)?.len()));
            Ok(())
        })
    }
}

export_module!(Counter);
