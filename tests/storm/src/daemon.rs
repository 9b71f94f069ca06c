//! The daemon under load: its start, its answers, its end.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::Result;
use crate::programs::Programs;
use crate::site::Site;

/// How long a state may take to come; far more than any needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that serves.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    programs: Programs,
    /// Where it lives.
    pub site: Site,
}

/// A generation, as `exeunt status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number.
    pub number: u64,
    /// Its zygote; 0 while there is none.
    pub pid: i32,
    /// `active`, `retiring`, …
    pub state: String,
    /// Open sessions.
    pub sessions: u64,
}

impl Daemon {
    /// Starts the daemon and waits until it serves; with `nofile`, under that RLIMIT_NOFILE.
    ///
    /// # Errors
    ///
    /// It does not come to serve.
    pub fn start(programs: &Programs, site: Site, nofile: Option<u32>) -> Result<Self> {
        let child = run(programs, &site, nofile)?;
        let mut daemon = Self { child, programs: programs.clone(), site };
        daemon.wait_until_it_serves(0)?;
        Ok(daemon)
    }

    /// Starts the daemon again, which was killed, with all that it left.
    ///
    /// # Errors
    ///
    /// It does not come to serve.
    pub fn restart(&mut self) -> Result<()> {
        self.child.wait()?;
        let said = self.site.read("log").len();
        self.child = run(&self.programs, &self.site, None)?;
        self.wait_until_it_serves(said)
    }

    /// Waits until the log says so behind that place.
    fn wait_until_it_serves(&mut self, said: usize) -> Result<()> {
        let mut ended = false;
        self.wait("the daemon serves", |daemon| {
            ended = daemon.child.try_wait().is_ok_and(|status| status.is_some());
            ended || daemon.site.read("log")[said..].contains(": serves with ")
        })?;
        if ended {
            return Err(format!("the daemon did not start:\n{}", self.site.read("log")).into());
        }
        Ok(())
    }

    /// The supervisor.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Runs a client command: whether it was done, and its answer, or why not.
    ///
    /// # Errors
    ///
    /// It cannot be run.
    pub fn exeunt(&self, words: &[&str]) -> Result<(bool, String)> {
        let mut command = Command::new(&self.programs.exeunt);
        command.args(words).arg("-c").arg(self.site.path("modules.toml"));
        let output = command.env_remove("EXEUNT_CONFIG").output()?;
        let text = if output.status.success() { output.stdout } else { output.stderr };
        Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }

    /// The generations that are there.
    ///
    /// # Errors
    ///
    /// The daemon does not answer as it should.
    pub fn generations(&self) -> Result<Vec<Generation>> {
        let (done, text) = self.exeunt(&["status", "--json"])?;
        if !done {
            return Err(format!("there is no status: {text}").into());
        }
        let status: Value = serde_json::from_str(&text)?;
        let one = |value: &Value| {
            let number = |key: &str| value[key].as_u64();
            Some(Generation {
                number: number("generation")?,
                pid: i32::try_from(value["pid"].as_i64().unwrap_or(0)).ok()?,
                state: value["state"].as_str()?.to_owned(),
                sessions: number("sessions")?,
            })
        };
        let all: Option<Vec<_>> =
            status["generations"].as_array().into_iter().flatten().map(one).collect();
        all.ok_or_else(|| format!("no such status: {text}").into())
    }

    /// Waits until something is so.
    ///
    /// # Errors
    ///
    /// It does not come.
    pub fn wait(&mut self, what: &str, mut is_so: impl FnMut(&mut Self) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_so(self) {
            if Instant::now() >= end {
                return Err(format!("waited {PATIENCE:?} in vain: {what}").into());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until one generation is left, and no session.
    ///
    /// # Errors
    ///
    /// It does not come.
    pub fn wait_quiet(&mut self) -> Result<()> {
        self.wait("one generation and no session", |daemon| {
            let all = daemon.generations().unwrap_or_default();
            matches!(&all[..], [one] if one.state == "active" && one.sessions == 0)
        })
    }

    /// Sends the supervisor a signal.
    ///
    /// # Errors
    ///
    /// It is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.pid()), signal)?)
    }

    /// How the daemon ended, if it has.
    pub fn has_ended(&mut self) -> Option<String> {
        let ended = self.child.try_wait().ok().flatten();
        ended.map(|status| status.to_string())
    }

    /// Ends the daemon and waits until it is gone; whether it ended as it should.
    ///
    /// # Errors
    ///
    /// It does not end.
    pub fn stop(&mut self) -> Result<bool> {
        self.signal(Signal::SIGTERM)?;
        self.wait("the daemon ends", |daemon| daemon.has_ended().is_some())?;
        Ok(self.child.wait()?.success())
    }
}

fn run(programs: &Programs, site: &Site, nofile: Option<u32>) -> Result<Child> {
    let limit = nofile.map_or("unlimited".to_owned(), |limit| limit.to_string());
    let script = match nofile {
        Some(_) => "ulimit -n \"$0\"; exec \"$@\"",
        None => "exec \"$@\"",
    };
    let mut command = Command::new("sh");
    command.args(["-c", script, &limit]).arg(&programs.exeunt);
    command.args(["run", "-c"]).arg(site.path("modules.toml"));
    command.env_remove("EXEUNT_CONFIG").stdin(Stdio::null()).stdout(Stdio::null());
    let log = File::options().append(true).create(true).open(site.path("log"))?;
    Ok(command.stderr(log).spawn()?)
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.has_ended().is_some() {
            return;
        }
        // Its zygotes see its death and leave, with their sessions.
        let _dead = self.child.kill().and_then(|()| self.child.wait());
    }
}
