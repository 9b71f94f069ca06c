//! The start: every step in its order, each with its own refusal. Until the commit nothing is served,
//! and a refusal leaves nothing behind.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;

use nix::fcntl::{FcntlArg, OFlag, SealFlag, fcntl};
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signalfd::SignalFd;
use nix::unistd::{Gid, Group, pipe2};

use super::clients::Clients;
use super::files::Files;
use super::sockets;
use super::zygote::{Candidate, Dowry};
use super::{Failure, Supervisor};
use crate::channel::{LISTENS, Message};
use crate::config::{Config, Problem, Problems, Source};
use crate::{clock, control, log, pages, privileges};

fn failed(what: &str) -> impl Fn(io::Error) -> Failure + use<'_> {
    move |e| Failure::no(format!("error: {what}: {e}"))
}

/// Starts the daemon: lock, candidate, sockets, commit.
pub(super) fn start<'a>(
    source: &Source,
    config: &'a Config,
    signals: SignalFd,
) -> Result<Supervisor<'a>, Failure> {
    const GENERATION: u64 = 1;
    let started = clock::unix_millis();
    let incarnation = base36(started / 1000);
    let group = control_group(source, config)?;
    let files = Files::claim(&config.host, group)?;
    make_room_for_timers(config.host.capacity);
    let text = sealed(&source.text).map_err(failed("no memory for the configuration"))?;
    let (life_end, life) =
        pipe2(OFlag::O_CLOEXEC).map_err(|e| failed("no pipe for the zygote")(e.into()))?;
    let capacity = config.host.capacity;
    let (ledger, scoreboard) =
        files.create(GENERATION, capacity).map_err(failed("the ledger cannot be made"))?;
    let ledger_to_read =
        files.ledger_to_read(GENERATION).map_err(failed("the ledger cannot be read"))?;
    let candidate = Candidate::start(&Dowry {
        generation: GENERATION,
        incarnation: &incarnation,
        check: false,
        config,
        text: &text,
        life: &life_end,
        ledger: &ledger,
        ledger_to_read: &ledger_to_read,
        scoreboard: &scoreboard,
    });
    let decided =
        candidate.map_err(failed("the zygote cannot be started")).and_then(Candidate::decide);
    let (candidate, plan) = decided.inspect_err(|_| files.clean_up())?;
    let open = || -> Result<_, Failure> {
        let sockets = sockets::bind(source, config)?;
        files.write_plan(GENERATION, &plan).map_err(failed("the plan cannot be written"))?;
        let clients = control::listen(&config.host.runtime_dir, group)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(failed("the control socket cannot be made"))?;
        files.write_pid()?;
        let header = pages::header(&ledger_to_read).map_err(failed("the ledger cannot be read"))?;
        Ok((sockets, clients, header))
    };
    let (sockets, listener, header) = open().inspect_err(|_| {
        candidate.end();
        files.clean_up();
    })?;
    let zygote = candidate.ready(GENERATION, header);
    let numbers: Vec<i32> = sockets.iter().map(AsRawFd::as_raw_fd).collect();
    let committed = zygote.channel.send(Message::Commit, &numbers);
    committed
        .map_err(failed("the zygote cannot be told to serve"))
        .inspect_err(|_| files.clean_up())?;
    tell(config);
    let clients = Clients::new(listener);
    Ok(Supervisor {
        config,
        started,
        incarnation,
        files,
        zygote,
        clients,
        signals,
        _life: life,
        endings: 0,
    })
}

fn tell(config: &Config) {
    for listen in &config.listens {
        log::info(format!(
            "listens on {} for {} ({})",
            listen.address, listen.protocol, listen.name
        ));
    }
    if !privileges::are_root() {
        log::info(
            "started without root: sessions keep this user, ports below 1024 are out of reach",
        );
    }
    log::info(format!("serves with {}; pid {}", config.file.display(), std::process::id()));
}

/// Does everything that a start would check, and binds nothing. Returns the plan.
pub(crate) fn check(source: &Source, config: &Config) -> Result<String, Failure> {
    control_group(source, config)?;
    let text = sealed(&source.text).map_err(failed("no memory for the configuration"))?;
    let (life_end, _life) =
        pipe2(OFlag::O_CLOEXEC).map_err(|e| failed("no pipe for the candidate")(e.into()))?;
    let candidate = Candidate::start(&Dowry {
        generation: 0,
        incarnation: "check",
        check: true,
        config,
        text: &text,
        life: &life_end,
        // A check has no ledger and no scoreboard: nobody looks at these.
        ledger: &text,
        ledger_to_read: &text,
        scoreboard: &text,
    });
    let (candidate, plan) =
        candidate.map_err(failed("the candidate cannot be started"))?.decide()?;
    candidate.end();
    Ok(plan)
}

/// The group that may ask the daemon.
fn control_group(source: &Source, config: &Config) -> Result<Option<Gid>, Failure> {
    let Some(name) = &config.control.group else { return Ok(None) };
    let why = match Group::from_name(name) {
        Ok(Some(group)) => return Ok(Some(group.gid)),
        Ok(None) => "there is no such group".to_owned(),
        Err(e) => format!("the group database cannot be read: {e}"),
    };
    let mut problem = Problem::new(format!("the group `{name}` cannot be used: {why}"))
        .hint(format!("make it with `groupadd --system {name}`, or leave `group` out"));
    if let Some(span) = &config.control.group_span {
        problem = problem.at(span.clone());
    }
    let mut problems = Problems::default();
    problems.push(problem);
    Err(Failure::refused(problems.render(source, false)))
}

/// The text of the configuration as every zygote of this generation reads it: nobody can change it.
fn sealed(text: &str) -> io::Result<File> {
    let flags = MFdFlags::MFD_CLOEXEC | MFdFlags::MFD_ALLOW_SEALING;
    let mut file: File = memfd_create(c"modules.toml", flags)?.into();
    file.write_all(text.as_bytes())?;
    let seals = SealFlag::F_SEAL_WRITE | SealFlag::F_SEAL_GROW | SealFlag::F_SEAL_SHRINK;
    fcntl(&file, FcntlArg::F_ADD_SEALS(seals | SealFlag::F_SEAL_SEAL))?;
    Ok(file)
}

/// Each session has a timer, and each timer counts as a pending signal of its user.
fn make_room_for_timers(capacity: u32) {
    let wanted = u64::from(capacity) * 2;
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_SIGPENDING) else { return };
    if soft < wanted && setrlimit(Resource::RLIMIT_SIGPENDING, wanted, hard.max(wanted)).is_err() {
        log::warn(format!(
            "RLIMIT_SIGPENDING stays at {soft}: not all of {capacity} sessions may get a timer"
        ));
    }
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut digits = Vec::new();
    while number > 0 {
        digits.push(char::from(DIGITS[(number % 36) as usize]));
        number /= 36;
    }
    digits.iter().rev().collect()
}

const _: () =
    assert!(LISTENS >= 64, "the configuration allows as many listens as a message carries");
