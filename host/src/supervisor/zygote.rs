//! A zygote as the supervisor sees it: how it is started, and whether it became ready.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use exeunt_ledger::Header;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Failure;
use crate::channel::{Channel, Message, Received};
use crate::config::Config;
use crate::inheritance::Inheritance;
use crate::reap;
use crate::report::Report;
use crate::sys::{self, Polled};
use crate::{clock, privileges};

/// How long a candidate may take to become ready.
const READY: Duration = Duration::from_secs(30);

/// A conversation that the other side may have left.
pub(super) struct Line(Option<Channel>);

impl Line {
    pub(super) fn send(&self, message: Message, with: &[RawFd]) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.as_ref().ok_or_else(gone)?.send(message, with)
    }

    pub(super) fn receive(&self) -> io::Result<Received> {
        self.0.as_ref().map_or(Ok(Received::Nothing), Channel::receive)
    }

    /// The other side is gone: nothing more is expected.
    pub(super) fn close(&mut self) {
        self.0 = None;
    }

    /// Its number, or none that poll(2) would look at.
    pub(super) fn as_raw_fd(&self) -> RawFd {
        self.0.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }
}

/// A zygote that is ready.
pub(super) struct Zygote {
    pub(super) generation: u64,
    pub(super) pid: i32,
    pub(super) channel: Line,
    pub(super) header: &'static Header,
    /// It has said that no session is left and `core.shutdown` has run.
    pub(super) is_drained: bool,
}

impl Zygote {
    /// Whom its sessions become.
    pub(super) fn user(&self, config: &Config) -> Option<String> {
        privileges::are_root().then(|| config.host.user.clone())
    }
}

/// A zygote that was started and has not said yet whether it is ready.
pub(super) struct Candidate {
    pid: i32,
    channel: Channel,
    report: Report,
}

/// What a candidate is given besides its channel and its report.
pub(super) struct Dowry<'a> {
    pub(super) generation: u64,
    pub(super) incarnation: &'a str,
    pub(super) check: bool,
    pub(super) config: &'a Config,
    pub(super) text: &'a File,
    pub(super) life: &'a OwnedFd,
    pub(super) ledger: &'a File,
    pub(super) ledger_to_read: &'a File,
    pub(super) scoreboard: &'a File,
}

impl Candidate {
    /// Starts a candidate: this executable again, in a process group of its own, with a fresh address
    /// layout and no descriptor but those of the list.
    pub(super) fn start(dowry: &Dowry<'_>) -> io::Result<Self> {
        let (mine, its) = Channel::pair()?;
        let report = Report::new()?;
        let descriptors: [BorrowedFd<'_>; 7] = [
            its.as_fd(),
            dowry.text.as_fd(),
            report.file().as_fd(),
            dowry.life.as_fd(),
            dowry.ledger.as_fd(),
            dowry.ledger_to_read.as_fd(),
            dowry.scoreboard.as_fd(),
        ];
        let inheritance =
            Inheritance::new(dowry.generation, dowry.incarnation, dowry.check, descriptors);
        let mut command = Command::new("/proc/self/exe");
        command.arg0("exeunt").arg("--config").arg(&dowry.config.file).arg("zygote");
        command.stdin(Stdio::null()).process_group(0);
        let child = inheritance.spawn(&mut command)?;
        Ok(Self { pid: child.id().cast_signed(), channel: mine, report })
    }

    /// Waits until the candidate has said whether it is ready: its plan, or why it is refused.
    pub(super) fn decide(self) -> Result<(Self, String), Failure> {
        let cannot = |e: io::Error| Failure::no(format!("error: the zygote's report is lost: {e}"));
        match self.hear() {
            Some(Message::Ready) => {
                let plan = self.report.text().map_err(cannot)?;
                Ok((self, plan))
            }
            Some(_) => {
                let refusal = self.report.text().map_err(cannot)?;
                self.end();
                Err(Failure::refused(refusal))
            }
            None => Err(self.died_or_hangs()),
        }
    }

    /// The zygote of a candidate that is ready.
    pub(super) fn ready(self, generation: u64, header: &'static Header) -> Zygote {
        let channel = Line(Some(self.channel));
        Zygote { generation, pid: self.pid, channel, header, is_drained: false }
    }

    fn hear(&self) -> Option<Message> {
        let end = clock::after(clock::now(), READY);
        loop {
            let rest = clock::until(end, clock::now());
            let mut polled = [Polled::reading(self.channel.as_raw_fd())];
            if rest.is_zero() || sys::poll(&mut polled, Some(rest)).is_err() {
                return None;
            }
            match self.channel.receive() {
                Ok(Received::Nothing) => {}
                Ok(Received::Message(message, _)) => return Some(message),
                Ok(Received::End) | Err(_) => return None,
            }
        }
    }

    /// Its death, or its silence, named by what it was doing.
    fn died_or_hangs(self) -> Failure {
        let doing = self.report.was_doing();
        let doing = if doing.is_empty() { "it had begun nothing".to_owned() } else { doing };
        let pid = Pid::from_raw(self.pid);
        let fate = wait_for_end(pid);
        let why = match fate {
            Some(fate) => format!("the process ended ({})", fate.text()),
            None => format!("it was not ready within {READY:?}"),
        };
        self.end();
        Failure::refused(format!(
            "error: the modules cannot be started: {doing} when {why}\n  \
             hint: disable the module with `enabled = false` until it is mended"
        ))
    }

    /// Ends the candidate; nothing has changed.
    pub(super) fn end(&self) {
        let pid = Pid::from_raw(self.pid);
        // It may have ended by itself.
        let _dead = kill(pid, Signal::SIGKILL);
        reap::end_group(pid);
        let _reaped = nix::sys::wait::waitpid(pid, None);
    }
}

/// How a process ended that has closed its channel; nothing if it still runs a second later.
fn wait_for_end(pid: Pid) -> Option<reap::Fate> {
    let process = rustix::process::Pid::from_raw(pid.as_raw())?;
    let flags = rustix::process::PidfdFlags::empty();
    let end = rustix::process::pidfd_open(process, flags).ok()?;
    let mut polled = [Polled::reading(end.as_raw_fd())];
    sys::poll(&mut polled, Some(Duration::from_secs(1))).ok()?;
    reap::peek_at(pid)
}
