//! The oracle of the tests: what listeners were entered, in which order, by which process, as the
//! listeners themselves write it down. The modules `trace_a`, `trace_b` and `trace_c` are this
//! library under three names; the ledger and the journal are never asked.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process;

use exeunt_api::prelude::*;

/// Settings of a tracing module.
#[derive(Settings)]
pub struct Config {
    /// The file that each listener appends a line to when it is entered. It must exist if sessions
    /// may not create it.
    trace: Option<PathBuf>,
    /// What to listen for beside the two ends: `startup`, `connect`, `login`.
    #[settings(default)]
    events: Vec<String>,
}

/// Appends one line in one write, so that lines of several processes do not mix.
///
/// # Errors
///
/// The file cannot be opened or written.
pub fn append(trace: Option<&Path>, line: &str) -> Result<()> {
    let Some(path) = trace else { return Ok(()) };
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(format!("{line}\n").as_bytes())?)
}

/// Declares that sessions append to that file, or make it.
///
/// # Errors
///
/// Neither it nor its folder is there.
pub fn declare(trace: Option<&Path>, reg: &mut Registrar<'_>) -> Result<()> {
    let Some(path) = trace else { return Ok(()) };
    let folder = path.parent().unwrap_or(path);
    reg.may_write(if path.exists() { path } else { folder })
}

/// The session that an event is about, as it stands in a line.
#[must_use]
pub fn subject<'a>(event: &'a Event<'_>) -> &'a str {
    event.session().map_or("daemon", |session| session.session())
}

/// Registers the listeners of the tracing module with that name.
///
/// # Errors
///
/// Those of the registrar.
pub fn register(module: &'static str, config: Config, reg: &mut Registrar<'_>) -> Result<()> {
    let Config { trace, events } = config;
    declare(trace.as_deref(), reg)?;
    for event in events {
        let (trace, name) = (trace.clone(), event.clone());
        reg.on(&format!("core.{event}"), &event, move |about| {
            let line = format!("{module}/{name} {} {}", subject(about), process::id());
            append(trace.as_deref(), &line)
        })?;
    }
    let of_exit = trace.clone();
    reg.on_exit("trace", move |exit| append(of_exit.as_deref(), &exit_line(module, exit)))?;
    reg.on_shutdown("trace", move |_| {
        let line = format!("{module}/trace daemon {} euid={}", process::id(), euid());
        append(trace.as_deref(), &line)
    })
}

fn exit_line(module: &str, exit: &Exit<'_>) -> String {
    let live = i32::from(matches!(exit.view(), View::Live(_)));
    let (session, pid, cause) = (exit.session(), process::id(), exit.cause());
    format!("{module}/trace {session} {pid} euid={} cause={cause} live={live}", euid())
}

fn euid() -> u32 {
    rustix::process::geteuid().as_raw()
}
