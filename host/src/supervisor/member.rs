//! A zygote as the supervisor sees it: how it is started, what it has said, and which of the
//! generation's files are held for it.

use std::fs::File;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::notify;
use crate::channel::{Channel, Message, Received};
use crate::clock::Moment;
use crate::inheritance::Inheritance;
use crate::pages::Whole;
use crate::reap;
use crate::report::Report;

/// A conversation that the other side may have left.
pub(super) struct Line(Option<Channel>);

impl Line {
    pub(super) fn new(channel: Channel) -> Self {
        Self(Some(channel))
    }

    /// With nobody on the other side.
    pub(super) fn gone() -> Self {
        Self(None)
    }

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

/// What the supervisor has to know of a generation's configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) capacity: u32,
    /// How long sessions may go on when the daemon is to end.
    pub(super) grace: Duration,
    /// How many generations there may be.
    pub(super) generations: u32,
}

/// The files of a generation, held as long as it lives.
pub(super) struct Held {
    pub(super) ledger: File,
    pub(super) ledger_to_read: File,
    pub(super) scoreboard: File,
    pub(super) pages: Whole,
}

/// How far a zygote has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It loads its modules; it has until this moment.
    Starting(Moment),
    /// It was committed to; its first event is running.
    Preparing,
    /// It can serve, and waits until the generation before it has stopped accepting.
    Waiting,
    /// It accepts.
    Active,
    /// It finishes its sessions.
    Retiring,
    /// The daemon ends: it ends its sessions.
    Draining,
    /// It has no session left, and waits for the others.
    Empty,
    /// It runs its last event.
    Leaving,
}

/// Why a zygote was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The daemon starts.
    Start,
    /// A new generation was asked for.
    Reload,
    /// The zygote of this generation died; it goes on in this role.
    Adoption(Later),
}

/// What a zygote that died was about, for the one that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Later {
    Active,
    Retiring,
    Draining,
    Leaving,
}

/// A zygote.
pub(super) struct Member {
    pub(super) generation: u64,
    pub(super) pid: i32,
    pub(super) role: Role,
    pub(super) why: Why,
    pub(super) line: Line,
    pub(super) report: Report,
    /// The text of its `modules.toml`.
    pub(super) text: File,
    /// The plan, once it has said that it is ready.
    pub(super) plan: String,
    pub(super) listens: Vec<SocketAddr>,
    pub(super) facts: Option<Facts>,
    pub(super) held: Option<Held>,
}

/// What a candidate is started with.
pub(super) struct Dowry<'a> {
    pub(super) generation: u64,
    pub(super) incarnation: &'a str,
    /// None for a check.
    pub(super) runtime_dir: Option<&'a Path>,
    pub(super) config: &'a Path,
    pub(super) text: File,
    /// The plan whose very modules are to be loaded; empty for the files of today.
    pub(super) kept: &'a str,
    pub(super) passed: &'a [(String, SocketAddr)],
    pub(super) life: &'a OwnedFd,
    pub(super) why: Why,
    pub(super) until: Moment,
}

impl Member {
    /// Starts a candidate: this executable again, in a process group of its own, with a fresh address
    /// layout and no descriptor but those of the list.
    pub(super) fn start(executable: &OwnedFd, dowry: Dowry<'_>) -> io::Result<Self> {
        let (mine, its) = Channel::pair()?;
        let report = Report::new()?;
        let kept = sealed(c"exeunt-kept", dowry.kept.as_bytes())?;
        let inheritance = Inheritance::new(
            dowry.generation,
            dowry.incarnation,
            dowry.runtime_dir,
            dowry.passed,
            [
                its.as_fd(),
                dowry.text.as_fd(),
                report.file().as_fd(),
                dowry.life.as_fd(),
                kept.as_fd(),
            ],
        );
        let mut command = Command::new(format!("/proc/self/fd/{}", executable.as_raw_fd()));
        command.arg0("exeunt").arg("--config").arg(dowry.config).arg("zygote");
        command.stdin(Stdio::null()).process_group(0);
        // The service manager hears of the daemon from the supervisor alone.
        for name in notify::VARIABLES {
            command.env_remove(name);
        }
        let child = inheritance.spawn(&mut command)?;
        Ok(Self {
            generation: dowry.generation,
            pid: child.id().cast_signed(),
            role: Role::Starting(dowry.until),
            why: dowry.why,
            line: Line::new(mine),
            report,
            text: dowry.text,
            plan: String::new(),
            listens: Vec::new(),
            facts: None,
            held: None,
        })
    }

    /// Whether it serves sessions, or finishes them.
    pub(super) fn is_living(&self) -> bool {
        !matches!(self.role, Role::Starting(_) | Role::Preparing | Role::Waiting)
            || matches!(self.why, Why::Adoption(_))
    }

    /// Whether it accepts no more, or goes on for one that did not.
    pub(super) fn is_finishing(&self) -> bool {
        self.later() != Later::Active
    }

    /// Ends a candidate that is not wanted. Nothing outside has changed.
    pub(super) fn end(&self) {
        let pid = Pid::from_raw(self.pid);
        // It may have ended by itself; it is reaped with the others.
        let _dead = kill(pid, Signal::SIGKILL);
        reap::end_group(pid);
    }

    /// What it was about, for the one that goes on when it has died.
    pub(super) fn later(&self) -> Later {
        match (self.role, self.why) {
            (Role::Retiring, _) => Later::Retiring,
            (Role::Draining | Role::Empty, _) => Later::Draining,
            (Role::Leaving, _) => Later::Leaving,
            (Role::Active, _) => Later::Active,
            (_, Why::Adoption(later)) => later,
            (_, Why::Start | Why::Reload) => Later::Active,
        }
    }

    /// Why it is gone before it was ready, named by what it was doing.
    pub(super) fn epitaph(&self, why: &str) -> String {
        let doing = self.report.was_doing();
        let doing = if doing.is_empty() { "it had begun nothing".to_owned() } else { doing };
        format!(
            "error: the modules cannot be started: {doing} when {why}\n  \
             hint: disable the module with `enabled = false` until it is mended\n"
        )
    }

    /// Its state for `status`.
    pub(super) fn state(&self) -> &'static str {
        match self.role {
            Role::Starting(_) | Role::Preparing | Role::Waiting => "starting",
            Role::Active => "active",
            Role::Retiring => "retiring",
            Role::Draining | Role::Empty | Role::Leaving => "draining",
        }
    }
}

/// Text in memory that nobody can change any more.
pub(super) fn sealed(name: &std::ffi::CStr, text: &[u8]) -> io::Result<File> {
    let mut file: File =
        memfd_create(name, MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING)?.into();
    file.write_all(text)?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals | SealFlag::F_SEAL_SEAL))?;
    Ok(file)
}
