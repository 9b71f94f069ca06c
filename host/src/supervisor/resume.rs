//! Another binary for the same daemon: on USR2 the supervisor executes the program that lies where it
//! was started from. The process, its children, the ledgers and the sockets stay; what the new program
//! has to know is handed over in memory. A program that does not understand it, or cannot be executed,
//! changes nothing.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::clients::Clients;
use super::files::Files;
use super::member::{Facts, Line, Member, Role, Why, sealed};
use super::notify::Notifier;
use super::{Failure, Previous, SIGNALS, Supervisor};
use crate::channel::Channel;
use crate::config::{self, Config, Source};
use crate::pages::Whole;
use crate::report::Report;
use crate::{log, reap, signals, sys};

/// The version of what is handed over; a program refuses any other.
const VERSION: u32 = 2;
/// How long the new program may take to say whether it understands.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the new program is given.
#[derive(Serialize, Deserialize)]
struct Estate {
    version: u32,
    started: u64,
    incarnation: String,
    program: PathBuf,
    last_generation: u64,
    lock: RawFd,
    control: RawFd,
    life: RawFd,
    life_end: RawFd,
    previous: Option<(RawFd, String)>,
    sockets: Vec<(SocketAddr, RawFd)>,
    passed: Vec<(String, SocketAddr)>,
    members: Vec<Heir>,
}

/// A zygote, as it is handed over.
#[derive(Serialize, Deserialize)]
struct Heir {
    generation: u64,
    pid: i32,
    is_active: bool,
    line: RawFd,
    report: RawFd,
    text: RawFd,
    plan: String,
    listens: Vec<SocketAddr>,
    capacity: u32,
    grace_ms: u64,
    generations: u32,
    files: [RawFd; 3],
}

impl Supervisor {
    /// Executes the program that lies where this one was started from. Returns only if that fails.
    pub(super) fn re_exec(&mut self) {
        match self.try_re_exec() {
            Ok(never) => match never {},
            Err(why) => log::error(format!("the program stays the same: {why}")),
        }
    }

    fn try_re_exec(&mut self) -> Result<std::convert::Infallible, String> {
        let estate = self.estate()?;
        let text = serde_json::to_vec(&estate).map_err(|e| e.to_string())?;
        let handed = sealed(c"exeunt-estate", &text).map_err(|e| format!("no memory: {e}"))?;
        let descriptors = estate.descriptors();
        let mut all = descriptors.clone();
        all.push(handed.as_raw_fd());
        let done = leave_to_programs(&all, true)
            .map_err(|e| format!("the descriptors cannot be kept: {e}"))
            .and_then(|()| self.probe(&handed))
            .and_then(|()| {
                log::info(format!("goes on as {}", self.program.display()));
                let error = self.command(&handed).exec();
                Err(format!("{} cannot be executed: {error}", self.program.display()))
            });
        // Still here: nothing has changed.
        leave_to_programs(&all, false).map_err(|e| format!("descriptors stay open: {e}"))?;
        done
    }

    fn command(&self, handed: &File) -> Command {
        let mut command = Command::new(&self.program);
        command.arg0("exeunt").arg("--config").arg(&self.config.file);
        command.arg("resume").arg(handed.as_raw_fd().to_string());
        command
    }

    /// Asks the new program whether it understands what it would be handed.
    fn probe(&self, handed: &File) -> Result<(), String> {
        let program = self.program.display();
        let mut command = self.command(handed);
        let child = command.arg("--probe").spawn();
        let child = child.map_err(|e| format!("{program} cannot be executed: {e}"))?;
        let pid = child.id().cast_signed();
        let fate = reap::wait_until(pid, PATIENCE);
        match fate {
            Some(reap::Fate::Exited(0)) => Ok(()),
            Some(fate) => {
                Err(format!("{program} does not understand the hand-over ({})", fate.text()))
            }
            None => Err(format!("{program} did not answer within {PATIENCE:?}")),
        }
    }

    fn estate(&self) -> Result<Estate, String> {
        if self.endings > 0 || self.then.is_some() {
            return Err("the daemon is beginning or ending".to_owned());
        }
        let members: Result<Vec<Heir>, String> = self.members.iter().map(heir).collect();
        Ok(Estate {
            version: VERSION,
            started: self.started,
            incarnation: self.incarnation.clone(),
            program: self.program.clone(),
            last_generation: self.last_generation,
            lock: self.files.lock_descriptor(),
            control: self.clients.listener().as_raw_fd(),
            life: self.life.as_raw_fd(),
            life_end: self.life_end.as_raw_fd(),
            previous: self.previous.as_ref().map(|p| (p.text.as_raw_fd(), p.plan.clone())),
            sockets: self.sockets.iter().map(|(a, s)| (*a, s.as_raw_fd())).collect(),
            passed: self.passed.clone(),
            members: members?,
        })
    }
}

fn heir(member: &Member) -> Result<Heir, String> {
    let busy = "a generation is on its way; ask again when it serves";
    let is_active = match member.role {
        Role::Active => true,
        Role::Retiring => false,
        _ => return Err(busy.to_owned()),
    };
    let (held, facts) = member.held.as_ref().zip(member.facts).ok_or(busy)?;
    Ok(Heir {
        generation: member.generation,
        pid: member.pid,
        is_active,
        line: member.line.as_raw_fd(),
        report: member.report.file().as_raw_fd(),
        text: member.text.as_raw_fd(),
        plan: member.plan.clone(),
        listens: member.listens.clone(),
        capacity: facts.capacity,
        grace_ms: u64::try_from(facts.grace.as_millis()).unwrap_or(u64::MAX),
        generations: facts.generations,
        files: held.descriptors(),
    })
}

impl Estate {
    fn descriptors(&self) -> Vec<RawFd> {
        let mut all = vec![self.lock, self.control, self.life, self.life_end];
        all.extend(self.previous.iter().map(|(text, _)| *text));
        all.extend(self.sockets.iter().map(|(_, socket)| *socket));
        for heir in &self.members {
            all.extend([heir.line, heir.report, heir.text]);
            all.extend(heir.files);
        }
        all.retain(|number| *number >= 0);
        all
    }

    fn read(number: RawFd) -> io::Result<Self> {
        let file: File = take(number)?.into();
        let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        let estate: Self = serde_json::from_slice(&bytes)?;
        if estate.version != VERSION {
            let what = format!("version {} of the hand-over is not known", estate.version);
            return Err(io::Error::other(what));
        }
        Ok(estate)
    }

    /// The configuration of the generation that serves.
    fn source(&self, config: PathBuf) -> io::Result<Source> {
        let active = self.members.iter().find(|heir| heir.is_active);
        let active = active.ok_or_else(|| io::Error::other("no generation serves"))?;
        let file = File::open(format!("/proc/self/fd/{}", active.text))?;
        let text = io::read_to_string(file)?;
        Ok(Source { path: config, text })
    }
}

fn take(number: RawFd) -> io::Result<OwnedFd> {
    sys::keep_from_programs(number, true)?;
    sys::adopt(number)
}

fn leave_to_programs(descriptors: &[RawFd], leave: bool) -> io::Result<()> {
    descriptors.iter().try_for_each(|number| sys::keep_from_programs(*number, !leave))
}

/// The new program: goes on as the supervisor, or, for a probe, says whether it could.
pub(crate) fn resume(number: RawFd, config: PathBuf, probe: bool) -> Result<ExitCode, Failure> {
    let failed = |e: io::Error| Failure::no(format!("error: the hand-over cannot be read: {e}"));
    let estate = Estate::read(number).map_err(failed)?;
    let source = estate.source(config).map_err(failed)?;
    let env = config::Environment::current().map_err(|e| Failure::no(e.to_string()))?;
    let config = config::parse(&source, &env)
        .map_err(|problems| Failure::refused(problems.render(&source, false)))?;
    log::open(&config.log).map_err(failed)?;
    log::set_role("supervisor");
    let mut supervisor = take_over(estate, source, config).map_err(failed)?;
    if probe {
        // Whatever could fail has been tried. The lock is still the other's: it is not given up here.
        std::mem::forget(supervisor);
        return Ok(ExitCode::SUCCESS);
    }
    log::info(format!("goes on with {} generations", supervisor.members.len()));
    supervisor.notify_new_program();
    supervisor.reap_all();
    supervisor.serve()
}

fn take_over(estate: Estate, source: Source, config: Config) -> io::Result<Supervisor> {
    let signals = signals::descriptor(&SIGNALS)?;
    let members: io::Result<Vec<Member>> = estate.members.into_iter().map(member).collect();
    let sockets = estate.sockets.into_iter();
    let sockets: io::Result<Vec<_>> =
        sockets.map(|(address, number)| Ok((address, TcpListener::from(take(number)?)))).collect();
    let previous = match estate.previous {
        Some((text, plan)) => Some(Previous { text: take(text)?.into(), plan }),
        None => None,
    };
    Ok(Supervisor {
        executable: File::open("/proc/self/exe")?.into(),
        program: estate.program,
        files: Files::inherit(
            &config.host,
            take(estate.lock)?.into(),
            config.control.group.as_deref(),
        )?,
        source,
        config,
        started: estate.started,
        incarnation: estate.incarnation,
        members: members?,
        last_generation: estate.last_generation,
        previous,
        sockets: sockets?,
        passed: estate.passed,
        notifier: Notifier::new(),
        clients: Clients::new(UnixListener::from(take(estate.control)?)),
        signals,
        life: take(estate.life)?,
        life_end: take(estate.life_end)?,
        reloading: None,
        reload_again: false,
        respawns: Vec::new(),
        then: None,
        endings: 0,
        ended: None,
    })
}

fn member(heir: Heir) -> io::Result<Member> {
    let [ledger, ledger_to_read, scoreboard] = heir.files;
    let ledger: File = take(ledger)?.into();
    // A zygote that has just ended has closed its side, and is reaped by the new program.
    let line = match heir.line {
        ..0 => Line::gone(),
        number => Line::new(Channel::adopt(take(number)?)),
    };
    let pages = Whole::map(&ledger, heir.capacity)?;
    let held = super::member::Held {
        ledger,
        ledger_to_read: take(ledger_to_read)?.into(),
        scoreboard: take(scoreboard)?.into(),
        pages,
    };
    Ok(Member {
        generation: heir.generation,
        pid: heir.pid,
        role: if heir.is_active { Role::Active } else { Role::Retiring },
        why: Why::Reload,
        line,
        report: Report::adopt(take(heir.report)?),
        text: take(heir.text)?.into(),
        plan: heir.plan,
        listens: heir.listens,
        facts: Some(Facts {
            capacity: heir.capacity,
            grace: Duration::from_millis(heir.grace_ms),
            generations: heir.generations,
        }),
        held: Some(held),
    })
}
