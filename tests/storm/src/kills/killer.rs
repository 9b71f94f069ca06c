//! Kills what clients do not know: runners, spares, zygotes, the supervisor with everything.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::Result;
use crate::daemon::Daemon;
use crate::ledgers::{Ledgers, Used};
use crate::seed::Seed;
use crate::victim::Victim;

/// How often a runner is looked for before there seems to be none.
const LOOKS: usize = 20;

/// What the killer is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Asks the daemon to end a session.
    Kick(String),
    /// Kills the next runner that is seen.
    Runner,
    /// Kills a process that serves a session, or waits to.
    Spare,
    /// Kills a zygote.
    Zygote,
    /// Begins another generation.
    Reload,
    /// Kills the supervisor alone; the daemon starts again at once.
    Supervisor,
    /// Kills all processes, before the eyes of nobody; the daemon starts again.
    Everything,
}

/// What was killed, and when.
#[derive(Debug, Default)]
pub(super) struct Killed {
    /// Runners.
    pub(super) runners: usize,
    /// Processes of sessions that were not asked, or spares.
    pub(super) spares: Vec<Instant>,
    /// Zygotes.
    pub(super) zygotes: Vec<Instant>,
    /// Supervisors, alone or with everything.
    pub(super) supervisors: Vec<Instant>,
    /// How many of those went with everything.
    pub(super) everything: usize,
    /// Generations that were begun in between.
    pub(super) reloads: usize,
}

/// Whoever kills.
#[derive(Debug)]
pub(super) struct Killer {
    /// The daemon.
    pub(super) daemon: Daemon,
    /// Chance.
    pub(super) seed: Seed,
    /// What it has done so far.
    pub(super) killed: Killed,
}

impl Killer {
    /// Does what it is told until nobody is there to tell.
    ///
    /// # Errors
    ///
    /// The daemon does not start again.
    pub(super) fn obey(&mut self, orders: &Receiver<Order>) -> Result<()> {
        for order in orders {
            match order {
                // It may have gone meanwhile.
                Order::Kick(session) => drop(self.daemon.exeunt(&["kick", &session])?),
                Order::Runner => self.kill_runner(),
                Order::Spare => self.kill_spare(),
                Order::Zygote => self.kill_zygote()?,
                Order::Reload => {
                    // It is refused if the candidate was killed.
                    let (done, _) = self.daemon.exeunt(&["reload"])?;
                    self.killed.reloads += usize::from(done);
                }
                Order::Supervisor => self.kill_supervisor()?,
                Order::Everything => self.kill_everything()?,
            }
        }
        Ok(())
    }

    fn ledgers(&self) -> Ledgers {
        Ledgers(self.daemon.site.path("run"))
    }

    /// A process that stands in a ledger, and still does when it is held.
    fn one(&mut self, name: &str, number: impl Fn(&Used) -> i32) -> Option<Victim> {
        let all = |ledgers: Ledgers| {
            ledgers.used().iter().map(&number).filter(|n| *n != 0).collect::<Vec<_>>()
        };
        let found = all(self.ledgers());
        let pid = *found.get(self.seed.below(found.len()))?;
        Victim::named(pid, name).filter(|_| all(self.ledgers()).contains(&pid))
    }

    fn kill_runner(&mut self) {
        for _ in 0..LOOKS {
            if let Some(runner) = self.one("exeunt-runner", |used| used.runner) {
                thread::sleep(Duration::from_micros(self.seed.below(2000) as u64));
                self.killed.runners += usize::from(runner.kill());
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn kill_spare(&mut self) {
        if let Some(spare) = self.one("exeunt-session", |used| used.pid) {
            self.killed.spares.push(Instant::now());
            let _reaped = spare.kill();
        }
    }

    /// Any of them: the one that serves, or one that retires.
    fn kill_zygote(&mut self) -> Result<()> {
        let zygotes = self.zygotes()?;
        if let Some(zygote) = zygotes.get(self.seed.below(zygotes.len())) {
            self.killed.zygotes.push(Instant::now());
            let _reaped = zygote.kill();
        }
        Ok(())
    }

    fn zygotes(&self) -> Result<Vec<Victim>> {
        let all = self.daemon.generations()?;
        Ok(all.iter().filter_map(|g| Victim::named(g.pid, "exeunt-zygote")).collect())
    }

    fn supervisor(&self) -> Result<Victim> {
        Ok(Victim::named(self.daemon.pid(), "exeunt").ok_or("the supervisor is gone")?)
    }

    /// What it leaves ends by itself, and by the next start.
    fn kill_supervisor(&mut self) -> Result<()> {
        let supervisor = self.supervisor()?;
        self.killed.supervisors.push(Instant::now());
        let _reaped = supervisor.kill();
        self.daemon.restart()
    }

    /// Whoever could see the others die is stopped first.
    fn kill_everything(&mut self) -> Result<()> {
        let (supervisor, zygotes) = (self.supervisor()?, self.zygotes()?);
        self.killed.supervisors.push(Instant::now());
        self.killed.everything += 1;
        let parents: Vec<_> = zygotes.iter().chain([&supervisor]).collect();
        for parent in &parents {
            let _reaped = parent.signal(Signal::STOP);
        }
        for used in self.ledgers().used() {
            let session = Victim::named(used.pid, "exeunt-session");
            let runner = Victim::named(used.runner, "exeunt-runner");
            let _reaped = session.iter().chain(&runner).all(Victim::kill);
        }
        let _reaped = parents.iter().all(|parent| parent.kill());
        self.daemon.restart()
    }
}
