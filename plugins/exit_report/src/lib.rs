//! Logs one line for each session that ends, whatever ended it, and one when the daemon does.
//!
//! A small module to read first: settings, facts of its own that outlive the session's process, and
//! listeners for events, exits and the shutdown.
#![forbid(unsafe_code)]

use exeunt_api::prelude::*;
use serde::{Deserialize, Serialize};

/// Settings of the module.
#[derive(Settings)]
struct Config {
    /// What each line begins with.
    #[settings(default = "session")]
    prefix: String,
}

/// What the module counts in each session. It lies in the session's slot, so the number is right also
/// when the process that counted was killed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Logins {
    succeeded: u32,
    failed: u32,
}

struct ExitReport;

impl Module for ExitReport {
    type Config = Config;

    fn init(config: Config, reg: &mut Registrar<'_>) -> Result<()> {
        let logins = reg.session_state::<Logins>()?;
        reg.on("core.login", "count", move |event| {
            count(event, &logins, |logins| logins.succeeded += 1)
        })?;
        reg.on("core.login-failed", "count-failed", move |event| {
            count(event, &logins, |logins| logins.failed += 1)
        })?;
        reg.on_exit("report", move |exit| {
            exit.log().info(format!("{} {}", config.prefix, line(exit, exit.get(&logins)?)));
            Ok(())
        })?;
        reg.on_shutdown("report", |shutdown| {
            shutdown.log().info("no session is left: the daemon ends");
            Ok(())
        })
    }
}

export_module!(ExitReport);

fn count(event: &Event<'_>, kept: &State<Logins>, change: impl Fn(&mut Logins)) -> Result<()> {
    let Some(session) = event.session() else { return Ok(()) };
    let mut logins = session.get(kept)?;
    change(&mut logins);
    session.set(kept, &logins)
}

/// Everything here is known of every session: what needs a living one would be behind `exit.view()`.
fn line(exit: &Exit<'_>, logins: Logins) -> String {
    let detail = exit.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let seen_by = match exit.view() {
        View::Live(_) => "itself",
        View::PostMortem(_) => "a runner",
    };
    format!(
        "{} of {} from {} ended: {}{detail} after {:.3} s, {} bytes in, {} out, {} logins, {} failed, \
         last command {}, reported by {seen_by}",
        exit.session(),
        exit.user().unwrap_or("nobody"),
        exit.peer(),
        exit.cause(),
        exit.ended().duration_since(exit.started()).unwrap_or_default().as_secs_f64(),
        exit.bytes_in(),
        exit.bytes_out(),
        logins.succeeded,
        logins.failed,
        exit.command().unwrap_or("none"),
    )
}
