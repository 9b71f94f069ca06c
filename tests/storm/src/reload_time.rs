//! How long a reload of many modules takes.

use std::time::Instant;

use crate::Result;
use crate::changes::{Modules, WAYS};
use crate::daemon::Daemon;
use crate::programs::Programs;
use crate::site::{Config, Site};
use crate::summary::{Summary, spread};

/// So many reloads are measured of each kind.
const TIMES: usize = 20;

/// Reloads `many` modules, of which none, one or all have changed.
///
/// # Errors
///
/// The daemon does not start or reload.
pub fn run(programs: &Programs, many: usize) -> Result<Summary> {
    let (mut summary, site) = (Summary::default(), Site::new()?);
    let modules = Modules::new(programs, &site)?;
    let marks: Vec<String> =
        (0..many.saturating_sub(1)).map(|nth| format!("mark{nth:02}")).collect();
    let put = |name: &str, number| modules.put(name, WAYS[3], &modules.image(name, number));
    marks.iter().try_for_each(|name| put(name, 0))?;
    site.configure(&Config { marks: marks.clone(), protocol: "echo", ..Config::default() })?;
    let size = std::fs::metadata(programs.module("mark00"))?.len();
    let mut daemon = Daemon::start(programs, site, None)?;
    summary.figure(
        "modules",
        format!("{many}: {} copies of one, {size} bytes each, and echo", marks.len()),
    );
    for (kind, changed) in [("none", 0), ("one", 1), ("all", marks.len())] {
        let mut times = Vec::new();
        for number in 1..=TIMES {
            for name in &marks[..changed] {
                put(name, number as u64 + 100 * changed as u64)?;
            }
            let began = Instant::now();
            let (done, text) = daemon.exeunt(&["reload"])?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            summary.require(done, || format!("not reloaded: {text}"));
        }
        summary.figure(&format!("reload, {kind} changed"), spread(times));
    }
    daemon.wait_quiet()?;
    daemon.stop()?;
    Ok(summary)
}
