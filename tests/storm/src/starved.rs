//! Many reloads with held sessions and few descriptors: a clear refusal at worst.

use std::time::Instant;

use crate::Result;
use crate::changes::{Modules, WAYS};
use crate::daemon::Daemon;
use crate::held::Held;
use crate::load::End;
use crate::processes::Holds;
use crate::programs::Programs;
use crate::site::{Config, Site};
use crate::summary::{Summary, spread};

/// As many generations as a configuration allows.
const GENERATIONS: u32 = 32;

/// Reloads with a session held in every generation, until and beyond what the descriptors allow.
///
/// # Errors
///
/// The daemon does not start, or does not answer.
pub fn run(programs: &Programs, reloads: usize, nofile: u32) -> Result<Summary> {
    let (mut summary, site) = (Summary::default(), Site::new()?);
    let (modules, config) =
        (Modules::new(programs, &site)?, Config { generations: GENERATIONS, ..Config::default() });
    for name in &config.marks {
        modules.put(name, WAYS[3], &modules.image(name, 1))?;
    }
    site.configure(&config)?;
    let mut daemon = Daemon::start(programs, site, Some(nofile))?;
    let mut held = Held::new(daemon.site.port);
    for _ in 0..2 {
        daemon.exeunt(&["reload"])?;
    }
    daemon.wait_quiet()?;
    let before = Holds::at_rest(daemon.pid());
    let (mut refusals, mut times, mut most) = (Vec::new(), Vec::new(), 0);
    for _ in 0..reloads {
        held.open(1);
        let began = Instant::now();
        let (done, text) = daemon.exeunt(&["reload"])?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        if !done {
            let clear = text.starts_with("error: ") && text.contains("oo many open files");
            summary.require(clear, || format!("no clear refusal: {text}"));
            refusals.push(text.lines().next().unwrap_or_default().to_owned());
        }
        summary.require(daemon.has_ended().is_none(), || "the daemon has ended".to_owned());
        most = most.max(Holds::of(daemon.pid()).descriptors);
        // The oldest are ended for the number of generations; those are no longer held.
        held.ask_all();
    }
    let broken = held.over.iter().filter(|session| is_broken(&session.end)).count();
    held.keep(0);
    daemon.wait_quiet()?;
    let after = Holds::at_rest(daemon.pid());
    let (done, text) = daemon.exeunt(&["reload"])?;
    summary.require(done, || format!("no reload in the end: {text}"));
    let same = before.descriptors == after.descriptors;
    summary.require(same, || "the supervisor's descriptors are not as many as before".to_owned());
    summary.require(broken == 0, || format!("{broken} sessions broke"));
    summary.figure("reloads", format!("{reloads}, of which {} were refused", refusals.len()));
    summary.figure("reload", spread(times));
    summary.figure("sessions held", held.over.len());
    summary.figure(
        "descriptors",
        format!("{} before, {most} at most, {} after", before.descriptors, after.descriptors),
    );
    summary.figure("memory, KiB", format!("{} before, {} after", before.resident, after.resident));
    refusals.dedup();
    for text in refusals {
        summary.figure("refusal", text);
    }
    daemon.stop()?;
    Ok(summary)
}

/// Ended otherwise than by the rule for the oldest generation.
fn is_broken(end: &End) -> bool {
    match end {
        End::Cause(_) => false,
        End::Unconnected(_) => true,
        End::Broken(why) => !why.contains("The operator has ended the session"),
    }
}
