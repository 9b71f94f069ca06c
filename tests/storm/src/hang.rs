//! An end at which every listener hangs: how long it takes with the bounds that a daemon has if nobody
//! sets any, and how long it may.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Result;
use crate::client::{Client, next_address};
use crate::daemon::Daemon;
use crate::programs::Programs;
use crate::site::{Config, Site};
use crate::summary::Summary;

/// `[exit] chain`, and what each listener still gets when that is spent.
const BUDGET: Duration = Duration::from_secs(30);
const FLOOR: Duration = Duration::from_millis(100);
/// Forks, deaths and the journal, on a machine that does other things as well.
const SLACK: Duration = Duration::from_secs(2);

/// A session with that many listeners, every third of which runs in a runner, and all of which hang.
///
/// # Errors
///
/// The daemon does not start or serve.
pub fn run(programs: &Programs, listeners: u32) -> Result<Summary> {
    let site = Site::new()?;
    for name in ["echo", "trace_a", "wishes"] {
        fs::copy(programs.module(name), site.path(&format!("modules/lib{name}.so")))?;
    }
    let place = |n| if n % 3 == 2 { "runner" } else { "session" };
    let places: Vec<_> = (0..listeners).map(place).collect();
    let tail = format!(
        "[[module]]\nname = \"wishes\"\n[module.config]\nplaces = {places:?}\nfails = 9\n\
         how = \"hang\"\n"
    );
    site.configure(&Config { marks: Vec::new(), protocol: "echo", tail, ..Config::default() })?;
    let mut daemon = Daemon::start(programs, site, None)?;
    let mut client = Client::connect(next_address(), daemon.site.port)?;
    client.expect("hello")?;
    let began = Instant::now();
    client.ask("quit", "goodbye")?;
    daemon.wait("the end of the session", |d| d.site.read("state/exits.jsonl").ends_with('\n'))?;
    let took = began.elapsed();
    let bound = BUDGET + FLOOR * listeners;
    let line: Value = serde_json::from_str(&daemon.site.read("state/exits.jsonl"))?;
    daemon.stop()?;
    let outcomes = line["listeners"].as_array().into_iter().flatten();
    let hung = outcomes.filter(|told| told["outcome"] == "timed-out").count();
    let mut summary = Summary::default();
    summary.figure("listeners that hang", hung);
    summary.figure("from the quit to the journal's line", format!("{:.2} s", took.as_secs_f64()));
    summary.figure("chain, and a floor for each", format!("{:.2} s", bound.as_secs_f64()));
    summary.require(hung == listeners as usize, || format!("not all have timed out: {line}"));
    summary.require(took <= bound + SLACK, || "it took longer than it may".to_owned());
    Ok(summary)
}
