//! Turns every client away when it connects, or those from one address.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process;

use exeunt_api::prelude::*;

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// The reason.
    reason: String,
    /// The address whose clients are turned away; those from everywhere if there is none.
    only: Option<String>,
    /// The file that the listener appends a line to when it is entered.
    trace: Option<PathBuf>,
}

struct Deny;

impl Module for Deny {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        trace::declare(config.trace.as_deref(), reg)?;
        reg.on("core.connect", "deny", move |event| {
            let peer = event.session().map_or("", |session| session.peer());
            let host = peer.rsplit_once(':').map_or("", |(host, _)| host);
            if config.only.as_ref().is_some_and(|only| only != host) {
                return Ok(());
            }
            let line = format!("deny/deny {} {}", trace::subject(event), process::id());
            trace::append(config.trace.as_deref(), &line)?;
            Err(event.deny(&config.reason))
        })
    }
}

export_module!(Deny);
