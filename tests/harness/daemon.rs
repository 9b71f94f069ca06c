//! A running daemon, as seen from outside: its files, its processes, its answers.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::client::Client;
use super::journal::{self, Exit};
use super::process::Process;
use super::scratch::Scratch;
use super::{comes, wait_until};

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Both.
    pub(crate) text: String,
}

impl Output {
    pub(super) fn new(status: i32, stdout: String, stderr: String) -> Self {
        let text = format!("{stdout}{stderr}");
        Self { status, stdout, stderr, text }
    }
}

/// A daemon that serves. Dropped, it ends, and its folder goes.
pub(crate) struct Daemon {
    scratch: Scratch,
    child: Child,
    listens: Vec<(String, u16)>,
}

impl Daemon {
    pub(super) fn new(scratch: Scratch, child: Child, listens: Vec<(String, u16)>) -> Self {
        Self { scratch, child, listens }
    }

    /// Connects to the first listen.
    #[track_caller]
    pub(crate) fn connect(&self) -> Client {
        Client::to(("127.0.0.1", self.port(None)))
    }

    /// Connects to the listen with that name.
    #[track_caller]
    pub(crate) fn connect_to(&self, listen: &str) -> Client {
        Client::to(("127.0.0.1", self.port(Some(listen))))
    }

    /// The port of the listen with that name, or of the first one.
    #[track_caller]
    pub(crate) fn port(&self, listen: Option<&str>) -> u16 {
        let mut listens = self.listens.iter();
        listens.find(|(name, _)| listen.is_none_or(|listen| listen == name)).expect("a listen").1
    }

    /// A path in the scratch folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path(name)
    }

    /// The sessions that have ended, in the order in which they did.
    #[track_caller]
    pub(crate) fn exits(&self) -> Vec<Exit> {
        journal::read(&self.path("state"))
    }

    /// Waits until that many sessions have ended.
    #[track_caller]
    pub(crate) fn wait_exits(&self, many: usize) -> Vec<Exit> {
        let mut exits = Vec::new();
        wait_until(|| {
            exits = self.exits();
            exits.len() >= many
        });
        assert_eq!(exits.len(), many, "ended sessions");
        exits
    }

    /// Waits until the only session has ended.
    #[track_caller]
    pub(crate) fn wait_exit(&self) -> Exit {
        self.wait_exits(1).remove(0)
    }

    /// What the listeners wrote down, a line each: who, for which session, in which process.
    pub(crate) fn trace(&self) -> Vec<String> {
        self.scratch.read("trace").lines().map(str::to_owned).collect()
    }

    /// Who was entered for a session, or for the `daemon`, in order: `trace_a/trace misbehave/…`.
    pub(crate) fn entered(&self, subject: &str) -> String {
        let trace = self.trace();
        let of_it = trace.iter().filter(|line| line.split(' ').nth(1) == Some(subject));
        of_it.filter_map(|line| line.split(' ').next()).collect::<Vec<_>>().join(" ")
    }

    /// Runs a client command against this daemon.
    #[track_caller]
    pub(crate) fn exeunt(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exeunt"));
        command.args(words).arg("-c").arg(self.path("modules.toml")).env_remove("EXEUNT_CONFIG");
        let output = command.output().expect("the command can be run");
        let text = |bytes| String::from_utf8(bytes).expect("it speaks UTF-8");
        let status = output.status.code().expect("the command exits");
        Output::new(status, text(output.stdout), text(output.stderr))
    }

    /// What a client command says with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, command: &str) -> Value {
        let output = self.exeunt(&[command, "--json"]);
        assert_eq!(output.status, 0, "{}", output.text);
        serde_json::from_str(&output.stdout).expect("it is JSON")
    }

    /// The supervisor.
    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).expect("a process id")
    }

    /// The zygote.
    #[track_caller]
    pub(crate) fn zygote(&self) -> i32 {
        number(&self.json("status")["generations"][0]["pid"])
    }

    /// The sessions that are open, by `who`.
    #[track_caller]
    pub(crate) fn session_pids(&self) -> Vec<i32> {
        let who = self.json("who");
        let sessions = who["sessions"].as_array().expect("a list of sessions");
        sessions.iter().map(|session| number(&session["pid"])).collect()
    }

    /// The process of the one session that is open.
    #[track_caller]
    pub(crate) fn session_pid(&self) -> i32 {
        let pids = self.session_pids();
        assert_eq!(pids.len(), 1, "open sessions");
        pids[0]
    }

    /// The process that wrote the last line into the trace, once somebody has.
    #[track_caller]
    pub(crate) fn wait_entered(&self, who: &str) -> i32 {
        let mut pid = None;
        wait_until(|| {
            let trace = self.trace();
            let line = trace.iter().rev().find(|line| line.starts_with(who));
            pid = line.and_then(|line| line.split(' ').nth(2)).and_then(|pid| pid.parse().ok());
            pid.is_some()
        });
        pid.expect("a process id")
    }

    /// Every process below the supervisor.
    pub(crate) fn processes(&self) -> Vec<Process> {
        Process::below(self.pid())
    }

    /// Sends the supervisor a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid()), signal).expect("the daemon runs");
    }

    /// What the daemon has said so far.
    pub(crate) fn log(&self) -> String {
        self.scratch.read("log")
    }

    /// Tells the daemon to end, waits until it has, and returns its exit status.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> i32 {
        self.signal(Signal::SIGTERM);
        self.wait_end().expect("the daemon exits")
    }

    /// Waits until the daemon has ended; its exit status, if no signal ended it.
    #[track_caller]
    pub(crate) fn wait_end(&mut self) -> Option<i32> {
        let mut status = None;
        wait_until(|| {
            status = self.child.try_wait().expect("the daemon can be waited for");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }

    /// Starts the daemon again, which has ended, with all that it left.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.begin_restart();
        assert!(self.scratch.serves(&mut self.child), "the daemon starts again");
    }

    /// Starts the daemon again and does not wait until it serves.
    #[track_caller]
    pub(crate) fn begin_restart(&mut self) {
        assert!(self.has_ended());
        self.child = self.scratch.run("run");
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            show(&self.scratch);
        }
        if self.has_ended() {
            return;
        }
        self.tell(Signal::SIGQUIT);
        if !comes(Duration::from_secs(1), || self.has_ended()) {
            self.end_by_force();
        }
    }
}

impl Daemon {
    /// Ends what a scenario has made to hang. The supervisor, stopped, adopts what loses its zygote.
    fn end_by_force(&mut self) {
        self.tell(Signal::SIGSTOP);
        while let Some(alive) = self.processes().iter().find(|process| process.is_alive()) {
            let _dead = kill(Pid::from_raw(alive.0), Signal::SIGKILL);
        }
        let _dead = self.child.kill().and_then(|()| self.child.wait());
    }

    fn tell(&self, signal: Signal) {
        // Not waited for, so that the number is its own even if it has ended.
        let _ended = kill(Pid::from_raw(self.pid()), signal);
    }
}

fn number(json: &Value) -> i32 {
    i32::try_from(json.as_i64().expect("a number")).expect("a process id")
}

/// What helps to understand a failure; libtest shows it for a failed test.
#[allow(clippy::print_stderr, reason = "the way to libtest")]
fn show(scratch: &Scratch) {
    for name in ["modules.toml", "log", "trace", "state/exits.jsonl"] {
        eprintln!("---- {name}\n{}", scratch.read(name));
    }
}
