//! The reload storm: modules and settings change under a steady load, with sessions open in every
//! living generation; wrong changes in between are refused; the supervisor executes itself again and
//! zygotes are killed. Nothing of it may cost a connection, a session or a listener its turn.

use std::collections::HashMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Result;
use crate::changes::{Modules, WAYS, WRONG};
use crate::daemon::{Daemon, Generation};
use crate::held::Held;
use crate::load::{Load, Session};
use crate::oracle::{self, Evidence, Served};
use crate::processes::{self, Holds};
use crate::programs::Programs;
use crate::seed::Seed;
use crate::site::{Config, Site};
use crate::summary::{Summary, spread};

/// How many generations have open sessions, the one that serves included.
const HELD: usize = 5;
/// How many sessions are open in each.
const EACH: usize = 2;
/// Settings that are refused have numbers from here on.
const REFUSED: u64 = 1_000_000;

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

    /// Tries what must be refused, for the right reason; who is greeted with its number is found by
    /// the oracle.
    fn try_something_wrong(&mut self, turn: usize) -> Result<()> {
        let wrong = WRONG[turn % WRONG.len()];
        let config = Config { number: REFUSED + turn as u64, ..self.config.clone() };
        let before = identity(&self.daemon.generations()?);
        self.modules.spoil(&self.daemon.site, &config, wrong, &mut self.seed)?;
        let (done, text) = match wrong.what {
            // Without a table there is no way to the daemon by the file.
            "no TOML" => (false, self.refused_by_signal()?),
            _ => self.daemon.exeunt(&["reload"])?,
        };
        self.daemon.site.configure(&self.config)?;
        let refused = !done && text.contains(wrong.reason);
        self.summary.require(refused, || {
            format!("{}: not refused because of {:?}: {text}", wrong.what, wrong.reason)
        });
        let after = identity(&self.daemon.generations()?);
        self.summary.require(after.last() == before.last(), || {
            format!("{}: refused, but {before:?} became {after:?}", wrong.what)
        });
        self.refusals += usize::from(refused);
        Ok(())
    }

    /// What the log says when a reload by signal was refused.
    fn refused_by_signal(&mut self) -> Result<String> {
        let before = self.daemon.site.read("log").len();
        let said = |daemon: &Daemon| daemon.site.read("log").split_off(before);
        self.daemon.signal(Signal::SIGHUP)?;
        self.daemon.wait("the refusal", |daemon| said(daemon).contains("modules.toml:"))?;
        Ok(said(&self.daemon))
    }

    /// The supervisor executes its program again.
    fn re_exec(&mut self) -> Result<()> {
        let said = |daemon: &Daemon| daemon.site.read("log").matches("goes on with ").count();
        let before = said(&self.daemon);
        self.daemon.signal(Signal::SIGUSR2)?;
        self.daemon.wait("the supervisor goes on", |daemon| said(daemon) > before)?;
        self.summary.figure("executed again", "once");
        Ok(())
    }

    fn kill_while_quiet(&mut self, state: &str) -> Result<()> {
        if state == "active" {
            self.held.strand(EACH);
        }
        self.kill(state)?;
        self.held.see_stranded_end();
        self.prepare(self.kills.len())?;
        self.reload(&["reload"])
    }

    fn kill_during_a_reload(&mut self, turn: usize) -> Result<()> {
        self.prepare(turn)?;
        let usual = self.times.iter().sum::<f64>() / self.times.len().max(1) as f64;
        let after = Duration::from_secs_f64(usual / 1e3 * self.seed.below(100) as f64 / 100.0);
        let victim = self.victim("active")?;
        let killer = thread::spawn(move || {
            thread::sleep(after);
            (Instant::now(), kill(Pid::from_raw(victim.pid), Signal::SIGKILL))
        });
        self.reload(&["reload"])?;
        let (at, killed) = killer.join().map_err(|_| "the killer panicked")?;
        killed?;
        self.kills.push(at);
        self.wait_for_successors()
    }

    fn victim(&self, state: &str) -> Result<Generation> {
        let all = self.daemon.generations()?;
        let victim = all.into_iter().find(|generation| generation.state == state);
        victim.ok_or_else(|| format!("no generation is {state}").into())
    }

    fn kill(&mut self, state: &str) -> Result<()> {
        let victim = self.victim(state)?;
        self.kills.push(Instant::now());
        kill(Pid::from_raw(victim.pid), Signal::SIGKILL)?;
        self.daemon.wait("the next zygote", |daemon| {
            let all = daemon.generations().unwrap_or_default();
            all.iter().any(|g| g.number == victim.number && g.pid != victim.pid)
        })?;
        self.wait_for_successors()
    }

    fn wait_for_successors(&mut self) -> Result<()> {
        self.daemon.wait("every generation has its zygote", |daemon| {
            let all = daemon.generations().unwrap_or_default();
            !all.is_empty() && all.iter().all(|g| matches!(&*g.state, "active" | "retiring"))
        })
    }

    fn compare(&mut self, sessions: &[Session]) {
        let listeners: Vec<String> =
            ["mark00/first", "mark00/second", "mark01/first", "mark01/second"]
                .map(str::to_owned)
                .into();
        let evidence = Evidence {
            sessions,
            served: &self.served,
            kills: &self.kills,
            listeners: &listeners,
            trace: &self.daemon.site.read("trace"),
            journal: &self.daemon.site.read("state/exits.jsonl"),
        };
        oracle::judge(&evidence, &mut self.summary);
    }

    /// What the supervisor holds, and what is left of processes and files.
    fn compare_processes(&mut self, before: Holds) {
        let after = Holds::at_rest(self.daemon.pid());
        let summary = &mut self.summary;
        let pair = |a: u64, b: u64| format!("{a} before, {b} after");
        summary.figure(
            "supervisor's descriptors",
            pair(before.descriptors as u64, after.descriptors as u64),
        );
        summary
            .figure("supervisor's mappings", pair(before.mappings as u64, after.mappings as u64));
        summary.figure("supervisor's memory, KiB", pair(before.resident, after.resident));
        summary.figure(
            "supervisor's address space, KiB",
            pair(before.virtual_size, after.virtual_size),
        );
        summary.require(after.descriptors == before.descriptors, || {
            let open = processes::descriptors(self.daemon.pid());
            format!("descriptors of the supervisor: {before:?}, {after:?}, open: {open:?}")
        });
        // The heap may have been cut up a little; the pages of generations are larger.
        let stable =
            after.mappings <= before.mappings + 4 && after.resident <= before.resident + 2048;
        summary.require(stable, || format!("memory of the supervisor: {before:?}, {after:?}"));
        let processes = processes::below(self.daemon.pid());
        summary.figure("processes below it", format!("{processes:?}"));
        let zombies = processes.get("zombie").copied().unwrap_or(0);
        summary.require(zombies == 0, || format!("{zombies} zombies"));
        let others = processes.values().sum::<usize>() - zombies;
        summary.require(others == 5, || format!("one zygote and its spares, not {processes:?}"));
        let (ledgers, kept) = (self.files("run", "ledger."), self.files("run/modules", ""));
        self.summary.figure("ledgers, kept modules", format!("{ledgers}, {kept}"));
        self.summary.require(ledgers == 1, || format!("{ledgers} ledgers are left"));
        // Two generations can be gone back to: the one that serves and the one before, of 3 modules.
        self.summary.require(kept <= 6, || format!("{kept} modules are kept"));
    }

    fn files(&self, folder: &str, begin: &str) -> usize {
        let all = fs::read_dir(self.daemon.site.path(folder)).into_iter().flatten().flatten();
        all.filter(|file| file.file_name().to_string_lossy().starts_with(begin)).count()
    }
}

/// What must not change when a reload is refused.
fn identity(generations: &[Generation]) -> Vec<(u64, i32, String)> {
    generations.iter().map(|g| (g.number, g.pid, g.state.clone())).collect()
}
