//! The supervisor: owns the lock, the sockets and the ledgers, starts the zygotes, takes signals and
//! control requests. It loads no module and runs none of their code; after its start it reads messages
//! and requests of fixed size only.

mod clients;
mod files;
mod generations;
mod member;
mod notify;
mod orphans;
mod passed;
mod reload;
mod replay;
mod resume;
mod sockets;
mod start;

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::cause::Cause;
use crate::channel::{Message, Received};
use crate::clock::Moment;
use crate::config::{Config, Source};
use crate::sys::{self, Polled};
use crate::{clock, log, signals};
use clients::Clients;
use files::Files;
use member::{Member, Role};
use notify::Notifier;
use replay::Then;

pub(crate) use resume::resume;
pub(crate) use start::check;

/// The signals that the supervisor takes.
const SIGNALS: [Signal; 6] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGHUP,
    Signal::SIGUSR2,
    Signal::SIGCHLD,
];

/// Why the daemon does not run, as it is shown, and with which status it ends.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: u8,
    pub(crate) text: String,
}

impl Failure {
    /// The daemon said no.
    fn no(text: impl Into<String>) -> Self {
        Self { status: 1, text: text.into() }
    }

    /// The configuration or a module was refused.
    fn refused(text: impl Into<String>) -> Self {
        Self { status: 4, text: text.into() }
    }
}

/// What a reload brings back: the generation before the one that serves.
struct Previous {
    text: File,
    plan: String,
}

struct Supervisor {
    source: Source,
    config: Config,
    /// This program, as it was when it started: also if another lies there now.
    executable: OwnedFd,
    started: u64,
    incarnation: String,
    files: Files,
    /// Every zygote, in the order in which they were started.
    members: Vec<Member>,
    last_generation: u64,
    previous: Option<Previous>,
    sockets: Vec<(SocketAddr, TcpListener)>,
    /// Those of the sockets that the daemon was started with, by name.
    passed: Vec<(String, SocketAddr)>,
    notifier: Notifier,
    clients: Clients,
    signals: SignalFd,
    /// Where the program lies that this process was started from.
    program: PathBuf,
    /// Whoever holds the other end sees the supervisor's death.
    life: OwnedFd,
    /// That other end, for the zygotes.
    life_end: OwnedFd,
    /// Who waits for the reload that is under way.
    reloading: Option<UnixStream>,
    /// A reload was asked for while one was under way.
    reload_again: bool,
    /// Generations whose zygote died, and when the next is started.
    respawns: Vec<(u64, Moment)>,
    /// What comes when everything is finished that a daemon left that was killed; none when that is
    /// done.
    then: Option<Then>,
    /// How often the end was asked for.
    endings: u32,
    /// The daemon has ended, and how.
    ended: Option<Result<ExitCode, Failure>>,
}

/// Runs the daemon until it is told to end.
pub(crate) fn run(source: Source, config: Config) -> Result<ExitCode, Failure> {
    enter(source, config, Then::Start)
}

/// Finishes what a daemon left that was killed, and starts none.
pub(crate) fn replay(source: Source, config: Config) -> Result<ExitCode, Failure> {
    enter(source, config, Then::End)
}

fn enter(source: Source, config: Config, then: Then) -> Result<ExitCode, Failure> {
    let failed = |what: &str, e: io::Error| Failure::no(format!("error: {what}: {e}"));
    let passed = passed::take()?;
    log::open(&config.log).map_err(|e| failed("the log cannot be opened", e))?;
    log::set_role("supervisor");
    let signals =
        signals::descriptor(&SIGNALS).map_err(|e| failed("signals cannot be received", e))?;
    prctl::set_name(c"exeunt")
        .and_then(|()| prctl::set_child_subreaper(true))
        .map_err(|e| failed("orphans cannot be adopted", e.into()))?;
    start::start(source, config, signals, then, passed)?.serve()
}

impl Supervisor {
    /// Serves until the daemon has ended, and removes what was there for it.
    fn serve(&mut self) -> Result<ExitCode, Failure> {
        let ended = self.watch();
        if self.members.is_empty() {
            self.files.clean_up();
        }
        ended.map_err(|e| Failure::no(format!("error: the daemon cannot go on: {e}")))?
    }

    /// Takes what comes until the daemon has ended.
    fn watch(&mut self) -> io::Result<Result<ExitCode, Failure>> {
        let mut polled = Vec::new();
        loop {
            if let Some(ended) = self.ended.take() {
                return Ok(ended);
            }
            polled.clear();
            polled.push(Polled::reading(self.signals.as_raw_fd()));
            polled.push(Polled::reading(self.clients.listener().as_raw_fd()));
            polled.extend(self.members.iter().map(|m| Polled::reading(m.line.as_raw_fd())));
            let clients = polled.len();
            polled.extend(self.clients.descriptors().map(Polled::reading));
            sys::poll(&mut polled, self.next_moment())?;
            let asked: Vec<bool> = polled[clients..].iter().map(|p| p.is_ready()).collect();
            for request in self.clients.take(&asked, polled[1].is_ready()) {
                self.answer(request);
            }
            let spoke = polled[2..clients].iter().zip(&self.members);
            let spoke: Vec<i32> =
                spoke.filter(|(polled, _)| polled.is_ready()).map(|(_, m)| m.pid).collect();
            for pid in spoke {
                self.hear(pid)?;
            }
            if polled[0].is_ready() {
                self.take_signals();
            }
            self.keep_time();
        }
    }

    /// Takes the messages of a zygote.
    fn hear(&mut self, pid: i32) -> io::Result<()> {
        loop {
            let Some(member) = self.members.iter_mut().find(|m| m.pid == pid) else {
                return Ok(());
            };
            match member.line.receive()? {
                Received::Nothing => return Ok(()),
                // Its death arrives as a signal.
                Received::End => {
                    member.line.close();
                    return Ok(());
                }
                Received::Message(message, _) => self.take_message(pid, message),
            }
        }
    }

    fn take_signals(&mut self) {
        while let Some(signal) = signals::next(&self.signals) {
            match signal {
                Signal::SIGCHLD => self.reap_all(),
                Signal::SIGTERM | Signal::SIGINT => {
                    log::info(format!("{signal}: the daemon ends"));
                    self.end(None);
                }
                Signal::SIGQUIT => {
                    log::info(format!("{signal}: the daemon ends now"));
                    self.end(Some(Duration::ZERO));
                }
                Signal::SIGHUP => self.reload(None, false),
                Signal::SIGUSR2 => self.re_exec(),
                _ => {}
            }
        }
    }

    /// When something is to be done without a message.
    fn next_moment(&self) -> Option<Duration> {
        let starting = self.members.iter().filter_map(|member| match member.role {
            Role::Starting(until) => Some(until),
            _ => None,
        });
        let respawns = self.respawns.iter().map(|(_, moment)| *moment);
        let next = starting.chain(respawns).min();
        let next = next.map(|moment| clock::until(moment, clock::now()));
        let next = [next, self.clients.next_moment(), self.notifier.next_moment()];
        next.into_iter().flatten().min()
    }

    fn keep_time(&mut self) {
        let now = clock::now();
        let late = |member: &&Member| matches!(member.role, Role::Starting(until) if until <= now);
        let late: Vec<i32> = self.members.iter().filter(late).map(|m| m.pid).collect();
        for pid in late {
            self.is_late(pid);
        }
        self.respawn_due(now);
        self.notify_change(now);
        if self.reload_again && !self.is_reloading() {
            self.reload_again = false;
            self.reload(None, false);
        }
    }

    /// Begins the end of the daemon; asked for a second time, it ends now.
    fn end(&mut self, grace: Option<Duration>) {
        self.endings += 1;
        self.notify_ending();
        let active = self.active().and_then(|member| member.facts).map(|facts| facts.grace);
        let grace = grace.or(active).unwrap_or(self.config.exit.grace);
        let grace = if self.endings > 1 { Duration::ZERO } else { grace };
        let grace = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        let message = Message::Drain { grace, cause: Cause::DaemonShutdown as u32 };
        self.give_up_candidates("the daemon is ending");
        self.sockets.clear();
        for member in &mut self.members {
            if member.role == Role::Active {
                member.role = Role::Draining;
            }
            if matches!(member.role, Role::Draining | Role::Retiring) {
                tell(member, message);
            }
        }
        self.finish_if_last();
    }

    /// The daemon and its generations, as JSON.
    fn status(&self) -> String {
        let read = |pick: &dyn Fn(&exeunt_ledger::Header) -> &AtomicU64| -> u64 {
            let held = self.members.iter().filter_map(|member| member.held.as_ref());
            held.map(|held| pick(held.pages.header()).load(Relaxed)).sum()
        };
        let generations = self.members.iter().map(|member| {
            let open =
                member.held.as_ref().map_or(0, |held| held.pages.header().open.load(Relaxed));
            serde_json::json!({
                "generation": member.generation,
                "pid": (member.pid > 0).then_some(member.pid),
                "state": member.state(),
                "sessions": open,
            })
        });
        serde_json::json!({
            "pid": std::process::id(),
            "started": clock::rfc3339(self.started),
            "config": self.config.file,
            "user": crate::privileges::are_root().then_some(&self.config.host.user),
            "incarnation": self.incarnation,
            "admitted": read(&|header| &header.admitted),
            "refused": { "capacity": read(&|header| &header.refused_capacity) },
            "journal_failures": read(&|header| &header.journal_failures),
            "generations": generations.collect::<Vec<_>>(),
        })
        .to_string()
    }
}

/// Tells a zygote something; one that has died is found out by its death.
fn tell(member: &Member, message: Message) {
    if let Err(e) = member.line.send(message, &[]) {
        log::warn(format!("generation {} cannot be told {message:?}: {e}", member.generation));
    }
}
