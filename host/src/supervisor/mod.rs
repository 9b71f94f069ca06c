//! The supervisor: owns the lock, the sockets and the ledgers, starts the zygote, takes signals and
//! control requests. It loads no module and runs none of their code; after its start it reads messages
//! and requests of fixed size only.

mod clients;
mod files;
mod sockets;
mod start;
mod zygote;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;

use crate::channel::{Message, Received};
use crate::config::{Config, Source};
use crate::sys::{self, Polled};
use crate::{clock, log, reap, signals};
use clients::Clients;
use files::Files;
use zygote::Zygote;

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

struct Supervisor<'a> {
    config: &'a Config,
    started: u64,
    incarnation: String,
    files: Files,
    zygote: Zygote,
    clients: Clients,
    signals: SignalFd,
    /// Whoever holds the other end sees the supervisor's death.
    _life: OwnedFd,
    /// How often the end was asked for.
    endings: u32,
}

/// Runs the daemon until it is told to end.
pub(crate) fn run(source: &Source, config: &Config) -> Result<ExitCode, Failure> {
    let failed = |what: &str, e: io::Error| Failure::no(format!("error: {what}: {e}"));
    // Whatever the starting program left open is none of the daemon's, nor of its sessions.
    sys::close_all_but(&[0, 1, 2]).map_err(|e| failed("descriptors cannot be closed", e))?;
    log::open(&config.log).map_err(|e| failed("the log cannot be opened", e))?;
    log::set_role("supervisor");
    let signals =
        signals::descriptor(&SIGNALS).map_err(|e| failed("signals cannot be received", e))?;
    prctl::set_name(c"exeunt")
        .and_then(|()| prctl::set_child_subreaper(true))
        .map_err(|e| failed("orphans cannot be adopted", e.into()))?;
    let mut supervisor = start::start(source, config, signals)?;
    let code = supervisor.watch().map_err(|e| failed("the daemon cannot go on", e));
    supervisor.files.clean_up();
    code
}

impl Supervisor<'_> {
    /// Takes what comes until the daemon has ended.
    fn watch(&mut self) -> io::Result<ExitCode> {
        const FIXED: usize = 3;
        let mut polled = Vec::new();
        loop {
            polled.clear();
            polled.push(Polled::reading(self.signals.as_raw_fd()));
            polled.push(Polled::reading(self.zygote.channel.as_raw_fd()));
            polled.push(Polled::reading(self.clients.listener().as_raw_fd()));
            polled.extend(self.clients.descriptors().map(Polled::reading));
            sys::poll(&mut polled, self.clients.next_moment())?;
            let asked: Vec<bool> = polled[FIXED..].iter().map(|polled| polled.is_ready()).collect();
            for request in self.clients.take(&asked, polled[2].is_ready()) {
                self.answer(request);
            }
            if polled[1].is_ready() {
                self.take_messages()?;
            }
            if polled[0].is_ready()
                && let Some(code) = self.take_signals()
            {
                return Ok(code);
            }
        }
    }

    fn take_messages(&mut self) -> io::Result<()> {
        loop {
            match self.zygote.channel.receive()? {
                Received::Nothing => return Ok(()),
                // Its death arrives as a signal.
                Received::End => {
                    self.zygote.channel.close();
                    return Ok(());
                }
                Received::Message(Message::Kicked { found, token }, _) => {
                    self.clients.kicked(token, found);
                }
                Received::Message(Message::Drained, _) => self.zygote.is_drained = true,
                Received::Message(message, _) => log::warn(format!("no answer to {message:?}")),
            }
        }
    }

    /// The exit status, if the daemon has ended.
    fn take_signals(&mut self) -> Option<ExitCode> {
        let mut ended = None;
        while let Some(signal) = signals::next(&self.signals) {
            match signal {
                Signal::SIGCHLD => ended = ended.or(self.reap()),
                Signal::SIGTERM | Signal::SIGINT => {
                    log::info(format!("{signal}: the daemon ends"));
                    self.end(None);
                }
                Signal::SIGQUIT => {
                    log::info(format!("{signal}: the daemon ends now"));
                    self.end(Some(Duration::ZERO));
                }
                _ => log::warn(format!("{signal} does nothing in this version")),
            }
        }
        ended
    }

    /// Begins the end of the daemon; asked for a second time, it ends now.
    fn end(&mut self, grace: Option<Duration>) {
        self.endings += 1;
        let grace = grace.unwrap_or(self.config.exit.grace);
        let grace = if self.endings > 1 { Duration::ZERO } else { grace };
        let millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        if let Err(e) = self.zygote.channel.send(Message::Drain { grace: millis }, &[]) {
            log::error(format!("the zygote cannot be told to end: {e}"));
        }
    }

    /// Reaps the zygote and whatever was left to the daemon by others.
    fn reap(&mut self) -> Option<ExitCode> {
        let mut ended = None;
        while let Some((pid, fate)) = reap::peek() {
            reap::reap(pid);
            if pid.as_raw() == self.zygote.pid {
                ended = Some(self.zygote_ended(fate));
            }
        }
        ended
    }

    fn zygote_ended(&self, fate: reap::Fate) -> ExitCode {
        // It may have said so with its last breath.
        let drained = self.zygote.is_drained
            || matches!(self.zygote.channel.receive(), Ok(Received::Message(Message::Drained, _)));
        if drained {
            log::info("ended");
            return ExitCode::SUCCESS;
        }
        log::error(format!("the zygote ended unasked ({}); the daemon ends", fate.text()));
        ExitCode::FAILURE
    }

    /// The daemon and its generation, as JSON.
    fn status(&self) -> String {
        let header = self.zygote.header;
        let read =
            |word: &std::sync::atomic::AtomicU64| word.load(std::sync::atomic::Ordering::Relaxed);
        let state = if self.endings > 0 { "draining" } else { "active" };
        serde_json::json!({
            "pid": std::process::id(),
            "started": clock::rfc3339(self.started),
            "config": self.config.file,
            "user": self.zygote.user(self.config),
            "incarnation": self.incarnation,
            "admitted": read(&header.admitted),
            "refused": { "capacity": read(&header.refused_capacity) },
            "journal_failures": read(&header.journal_failures),
            "generations": [{
                "generation": self.zygote.generation,
                "pid": self.zygote.pid,
                "state": state,
                "sessions": read(&header.open),
            }],
        })
        .to_string()
    }
}
