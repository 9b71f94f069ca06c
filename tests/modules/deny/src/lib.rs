//! Turns every client away when it connects.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process;

use exeunt_api::prelude::*;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The reason.
    reason: String,
    /// The file that the listener appends a line to when it is entered.
    trace: Option<PathBuf>,
}

struct Deny;

impl Module for Deny {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        trace::declare(config.trace.as_deref(), reg)?;
        reg.on("core.connect", "deny", move |event| {
            let line = format!("deny/deny {} {}", trace::subject(event), process::id());
            trace::append(config.trace.as_deref(), &line)?;
            Err(event.deny(&config.reason))
        })
    }
}

export_module!(Deny);
