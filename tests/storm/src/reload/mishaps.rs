//! What happens between the changes: wrong changes, another program, deaths of zygotes.

use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{EACH, Storm};
use crate::Result;
use crate::changes::WRONG;
use crate::daemon::{Daemon, Generation};
use crate::site::Config;

/// Settings that are refused have numbers from here on.
const REFUSED: u64 = 1_000_000;

impl Storm {
    /// Tries what must be refused, for the right reason; who is greeted with its number is found by
    /// the oracle.
    pub(super) fn try_something_wrong(&mut self, turn: usize) -> Result<()> {
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
    pub(super) fn re_exec(&mut self) -> Result<()> {
        let said = |daemon: &Daemon| daemon.site.read("log").matches("goes on with ").count();
        let before = said(&self.daemon);
        self.daemon.signal(Signal::SIGUSR2)?;
        self.daemon.wait("the supervisor goes on", |daemon| said(daemon) > before)?;
        self.summary.figure("executed again", "once");
        Ok(())
    }

    pub(super) fn kill_while_quiet(&mut self, state: &str) -> Result<()> {
        if state == "active" {
            self.held.strand(EACH);
        }
        self.kill(state)?;
        self.held.see_stranded_end();
        self.prepare(self.kills.len())?;
        self.reload(&["reload"])
    }

    pub(super) fn kill_during_a_reload(&mut self, turn: usize) -> Result<()> {
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
}

/// What must not change when a reload is refused.
fn identity(generations: &[Generation]) -> Vec<(u64, i32, String)> {
    generations.iter().map(|g| (g.number, g.pid, g.state.clone())).collect()
}
