//! The reload storm: modules and settings change under a steady load, with sessions open in every
//! living generation; wrong changes in between are refused; the supervisor executes itself again and
//! zygotes are killed. Nothing of it may cost a connection, a session or a listener its turn.

mod mishaps;
mod verdict;

use std::collections::HashMap;
use std::fs;
use std::time::Instant;

use crate::Result;
use crate::changes::{Modules, WAYS};
use crate::daemon::Daemon;
use crate::held::Held;
use crate::load::Load;
use crate::oracle::Served;
use crate::processes::Holds;
use crate::programs::Programs;
use crate::seed::Seed;
use crate::site::{Config, Site};
use crate::summary::{Summary, spread};

/// How many generations have open sessions, the one that serves included.
const HELD: usize = 5;
/// How many sessions are open in each.
const EACH: usize = 2;

/// What a storm is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Reloads with changes.
    pub reloads: usize,
    /// New sessions a second, at least.
    pub rate: u32,
    /// Zygotes that are killed.
    pub kills: usize,
    /// Every so many reloads something wrong is tried.
    pub wrong_every: usize,
    /// Chance.
    pub seed: Seed,
    /// Whether the folder stays.
    pub keep: bool,
}

struct Storm {
    daemon: Daemon,
    modules: Modules,
    config: Config,
    codes: HashMap<String, u64>,
    seed: Seed,
    served: Vec<Served>,
    kills: Vec<Instant>,
    held: Held,
    summary: Summary,
    times: Vec<f64>,
    refusals: usize,
    most_generations: usize,
}

/// Runs the storm.
///
/// # Errors
///
/// The storm itself cannot go on; what the daemon does wrong is in the summary.
pub fn run(programs: &Programs, plan: &Plan) -> Result<Summary> {
    let mut storm = Storm::begin(programs, plan)?;
    let done = storm.rage(plan);
    if plan.keep || done.is_err() || !storm.summary.violations.is_empty() {
        storm.daemon.site.keep();
        storm.summary.figure("folder", storm.daemon.site.path("").display());
    }
    if let Err(why) = done {
        storm.summary.violation(format!("the storm could not go on: {why}"));
    }
    Ok(storm.summary)
}

impl Storm {
    fn begin(programs: &Programs, plan: &Plan) -> Result<Self> {
        let site = Site::new()?;
        let (modules, config) = (Modules::new(programs, &site)?, Config::default());
        for name in &config.marks {
            modules.put(name, WAYS[0], &modules.image(name, 1))?;
        }
        site.configure(&config)?;
        let codes = config.marks.iter().map(|name| (name.clone(), 1)).collect();
        let from = Instant::now();
        let held = Held::new(site.port);
        let mut storm = Self {
            daemon: Daemon::start(programs, site, None)?,
            modules,
            config,
            codes,
            seed: plan.seed.clone(),
            served: Vec::new(),
            kills: Vec::new(),
            held,
            summary: Summary::default(),
            times: Vec::new(),
            refusals: 0,
            most_generations: 0,
        };
        storm.serves(1, from);
        Ok(storm)
    }

    fn rage(&mut self, plan: &Plan) -> Result<()> {
        // What is there once only is there after the first changes.
        self.change(WAYS.len())?;
        self.change(0)?;
        self.daemon.wait_quiet()?;
        let before = Holds::at_rest(self.daemon.pid());
        // A little more than is asked for, so that the mean is not a little less.
        let load = Load::start(self.daemon.site.port, f64::from(plan.rate) * 1.05, &self.seed)?;
        let done = self.reloads(plan);
        let (mut sessions, took) = load.stop();
        let rate = sessions.len() as f64 / took.as_secs_f64();
        self.summary.figure("new sessions a second, mean", format!("{rate:.1}"));
        self.summary.figure("load went on for", format!("{:.1} s", took.as_secs_f64()));
        self.summary.require(rate >= f64::from(plan.rate), || {
            format!("only {rate:.1} new sessions a second instead of {}", plan.rate)
        });
        done?;
        self.held.keep(0);
        self.daemon.wait_quiet()?;
        self.compare_processes(before);
        self.summary.figure("sessions of the load", sessions.len());
        self.summary.figure("sessions held open", self.held.over.len());
        let greeted =
            sessions.iter().filter_map(|s| Some((s.greeted?.0 - s.begun).as_secs_f64() * 1e3));
        self.summary.figure("connect to greeting, with the changes", spread(greeted.collect()));
        sessions.append(&mut self.held.over);
        self.compare(&sessions);
        let ended = self.daemon.stop()?;
        self.summary.require(ended, || "the daemon did not end as it should".to_owned());
        self.summary.figure("reloads", self.times.len());
        self.summary
            .figure("reload, as its caller sees it", spread(std::mem::take(&mut self.times)));
        self.summary.figure("wrong changes refused", self.refusals);
        self.summary.figure("generations at the same time", self.most_generations);
        self.summary.figure("zygotes killed", self.kills.len());
        Ok(())
    }

    fn reloads(&mut self, plan: &Plan) -> Result<()> {
        let half = plan.reloads / 2;
        for number in 0..plan.reloads {
            if plan.wrong_every > 0 && number % plan.wrong_every == 0 {
                self.try_something_wrong(number / plan.wrong_every)?;
            }
            if number == half {
                self.re_exec()?;
            }
            let part = plan.reloads / (plan.kills + 1);
            let kill = (number % part.max(1) == 0).then(|| number / part.max(1)).filter(|n| *n > 0);
            match kill.filter(|kill| *kill <= plan.kills).map(|kill| kill % 3) {
                Some(1) => self.kill_while_quiet("active")?,
                Some(2) => self.kill_during_a_reload(number)?,
                Some(_) => self.kill_while_quiet("retiring")?,
                None => self.change(number)?,
            }
            self.held.keep(HELD - 1);
            self.held.open(EACH);
            self.held.ask_all();
            let generations = self.daemon.generations()?;
            self.most_generations = self.most_generations.max(generations.len());
            self.summary.require(generations.len() >= self.held.generations(), || {
                format!("sessions are held in {} of {generations:?}", self.held.generations())
            });
        }
        // Back to the code before, whatever lies on the disk by now.
        self.back_to_the_previous()
    }

    /// Changes a module, or only the settings, and reloads.
    fn change(&mut self, turn: usize) -> Result<()> {
        self.prepare(turn)?;
        self.reload(&["reload"])
    }

    fn prepare(&mut self, turn: usize) -> Result<()> {
        self.config.number += 1;
        let number = self.config.number;
        let ways = WAYS.len() + 1;
        for (nth, name) in self.config.marks.clone().iter().enumerate() {
            // Each in its turn keeps its code; one that was spoilt is mended in any case.
            if let Some(way) = WAYS.get((turn + nth) % ways) {
                self.modules.put(name, *way, &self.modules.image(name, number))?;
                self.codes.insert(name.clone(), number);
            } else {
                self.modules.put(name, WAYS[3], &self.modules.image(name, self.codes[name]))?;
            }
        }
        self.daemon.site.configure(&self.config)
    }

    fn reload(&mut self, words: &[&str]) -> Result<()> {
        let from = Instant::now();
        let (done, text) = self.daemon.exeunt(words)?;
        self.times.push(from.elapsed().as_secs_f64() * 1e3);
        let generation = text.strip_prefix("generation ").and_then(|text| text.split(' ').next());
        match generation.and_then(|number| number.parse().ok()).filter(|_| done) {
            Some(generation) => self.serves(generation, from),
            None => self.summary.violation(format!("a right change was refused: {text}")),
        }
        Ok(())
    }

    fn serves(&mut self, generation: u64, from: Instant) {
        let now = Instant::now();
        if let Some(last) = self.served.last_mut() {
            last.until = Some(now);
        }
        let (number, codes) = (self.config.number, self.codes.clone());
        self.served.push(Served { generation, number, codes, from, until: None });
    }

    fn back_to_the_previous(&mut self) -> Result<()> {
        let [.., before, _] = &self.served[..] else { return Ok(()) };
        let (number, codes) = (before.number, before.codes.clone());
        for name in self.config.marks.clone() {
            fs::remove_file(self.daemon.site.path("modules").join(format!("lib{name}.so")))?;
        }
        let newest = std::mem::replace(&mut self.config.number, number);
        self.codes = codes;
        self.reload(&["reload", "--previous"])?;
        self.config.number = newest;
        self.held.keep(HELD - 1);
        self.held.open(EACH);
        Ok(())
    }
}
