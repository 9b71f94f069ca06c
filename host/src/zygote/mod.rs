//! The zygote: loads the modules once; every session and runner of its generation is a fork of it.
//! It accepts, admits, hands over, reaps, and sees to it that every chain comes to its end. It never
//! runs a listener itself, and has one thread and no descriptor per session.

mod accept;
mod actions;
mod admission;
mod adoption;
mod candidate;
mod daemon;
mod deaths;
mod helpers;
mod listens;
mod loading;
mod logins;
mod orders;
mod persons;
mod rate;
mod requests;
mod serving;
mod shortfalls;
mod spares;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use exeunt_ledger::{Header, Slot};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::cause::Cause;
use crate::channel::{Beginning, Channel, Message, Received};
use crate::clock::Moment;
use crate::generation::Generation;
use crate::inheritance::{Heirloom, Inheritance};
use crate::journal::Journal;
use crate::memory::Memory;
use crate::pages::Ledger;
use crate::report::Report;
use crate::request::{Desk, Plea};
use crate::sys::{self, Polled};
use crate::wtmp::Wtmp;
use crate::{config, counters, log, scoreboard, signals};
use admission::Admission;
use daemon::DaemonEvent;
use logins::Logins;
use orders::Kill;
use spares::Spare;

/// What a zygote is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Ready; the supervisor has not decided yet.
    Waiting,
    /// The event that its generation begins with is running.
    Preparing,
    /// It can serve, or has stopped for a moment: the supervisor says when to accept.
    Paused,
    /// Connections are accepted.
    Active,
    /// Another generation serves; the sessions go on.
    Retiring,
    /// The daemon ends: no connection is accepted.
    Draining,
    /// No session is left, and the supervisor knows.
    Empty,
    /// The event with which it leaves is running.
    Leaving,
    /// The supervisor is gone; the sessions are ending.
    Lost,
    /// Nothing is left to do, but for spares that are still leaving.
    Done,
}

/// Which of its children a process is.
#[derive(Clone, Copy, Debug)]
enum Child {
    /// A spare, or the session that it has become.
    Session { slot: usize },
    /// Works on what a session left, or on an event of the daemon.
    Runner { slot: usize },
    /// Calls a control action.
    Action,
    /// Asks an authenticator that needs root.
    Helper,
}

struct Zygote {
    generation: &'static Generation,
    channel: Channel,
    life: OwnedFd,
    ledger: Ledger,
    header: &'static Header,
    slots: &'static [Slot],
    scoreboard: File,
    board: scoreboard::Board,
    requests: Desk,
    help_desk: Desk,
    /// The slots that helpers work for, by process.
    helping: HashMap<i32, usize>,
    /// What sessions ask whose last helper has not been reaped, one each.
    waiting_pleas: HashMap<usize, Plea>,
    children: HashMap<i32, Child>,
    deaths: SignalFd,
    memory: Memory,
    listeners: Vec<TcpListener>,
    spares: VecDeque<Spare>,
    /// Slots that are nobody's; the one that was used last is used next.
    free: Vec<usize>,
    admission: Admission,
    logins: Logins,
    journal: Journal,
    /// Where logins of the system's users are recorded, if they are.
    wtmp: Option<Wtmp>,
    phase: Phase,
    /// The event that the daemon's slot is used for.
    daemon_event: DaemonEvent,
    /// When the sessions are ordered to end, and for which cause.
    order_at: Option<(Moment, Cause)>,
    kills: VecDeque<Kill>,
    /// The clients of the control actions that are running, by process.
    actions: HashMap<i32, UnixStream>,
    /// Some of its children are not its own: they were those of a zygote that died.
    has_adopted: bool,
    /// It finishes what a daemon left that was killed.
    is_replay: bool,
    /// The plan is another than that of the sessions that were adopted: nothing can be run for them.
    plan_differs: bool,
    /// Chains that wait for a runner that could not be forked.
    waiting: Vec<usize>,
    /// Sessions that wait for a runner to take their turns, by slot: the number of their request.
    lent: HashMap<usize, u16>,
    /// Spares that died before they served, one after the other.
    lost_spares: u32,
    /// No connection is accepted before this moment.
    accept_from: Moment,
    /// No spare is forked before this moment.
    spares_from: Moment,
}

/// The zygote's process: becomes ready, or says why not; then serves until it is told to end.
pub(crate) fn run(word: &std::ffi::OsStr, config: Option<&std::path::Path>) -> ExitCode {
    log::set_role("zygote");
    let Some(inheritance) = Inheritance::from_word(word) else {
        log::error("the zygote is started by the daemon, not by hand; use `exeunt run`");
        return ExitCode::from(2);
    };
    match serve(&inheritance, config) {
        Ok(code) => code,
        Err(e) => {
            log::error(format!("the zygote cannot go on: {e}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(inheritance: &Inheritance, config: Option<&std::path::Path>) -> io::Result<ExitCode> {
    prctl::set_name(c"exeunt-zygote")?;
    signals::block_endings()?;
    let channel = Channel::adopt(inheritance.take(Heirloom::Channel)?);
    let report = Report::adopt(inheritance.take(Heirloom::Report)?);
    let life = inheritance.take(Heirloom::Life)?;
    let config = config.ok_or_else(|| io::Error::other("no configuration was named"))?;
    let generation = match candidate::prepare(inheritance, config, &report) {
        Ok(generation) => &*Box::leak(Box::new(generation)),
        Err(refusal) => {
            report.leave(&refusal)?;
            channel.send(Message::Refused, &[])?;
            return Ok(ExitCode::from(4));
        }
    };
    for address in generation.listens.iter().filter_map(|listen| listen.bound) {
        channel.send(Message::Listen { address }, &[])?;
    }
    report
        .leave(&generation.plan.json(generation.number, &listens::shown(generation)).to_string())?;
    let (host, reload) = (&generation.config.host, &generation.config.reload);
    let grace = generation.config.exit.grace.as_millis();
    let grace = u64::try_from(grace).unwrap_or(u64::MAX);
    let (capacity, generations) = (host.capacity, reload.generations);
    channel.send(Message::Ready { capacity, grace, generations }, &[])?;
    if inheritance.check {
        return Ok(ExitCode::SUCCESS);
    }
    log::open(&generation.config.log)?;
    shortfalls::tell(generation);
    if let Some((beginning, descriptors)) = wait_for_commit(&channel, &life)? {
        let mut zygote = Zygote::new(generation, channel, life, descriptors)?;
        zygote.begin(beginning)?;
        zygote.live()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits for the supervisor's decision; nothing if it decided against this candidate, or is gone.
fn wait_for_commit(
    channel: &Channel,
    life: &OwnedFd,
) -> io::Result<Option<(Beginning, Vec<OwnedFd>)>> {
    loop {
        let mut polled = [Polled::reading(channel.as_raw_fd()), Polled::reading(life.as_raw_fd())];
        sys::poll(&mut polled, None)?;
        match channel.receive()? {
            Received::Message(Message::Commit(beginning), with) => {
                return Ok(Some((beginning, with)));
            }
            Received::Message(_, _) | Received::End => return Ok(None),
            Received::Nothing if polled[1].is_ready() => return Ok(None),
            Received::Nothing => {}
        }
    }
}

impl Zygote {
    /// A zygote of the generation whose ledger, scoreboard and sockets came with the commit.
    fn new(
        generation: &'static Generation,
        channel: Channel,
        life: OwnedFd,
        descriptors: Vec<OwnedFd>,
    ) -> io::Result<Self> {
        let host = &generation.config.host;
        let mut descriptors = descriptors.into_iter();
        let mut next = || descriptors.next().ok_or_else(|| io::Error::other("a file is missing"));
        let ledger = Ledger::new(next()?, next()?);
        let scoreboard: File = next()?.into();
        counters::open(&host.runtime_dir, &generation.plan.wanted_counters())?;
        let (header, slots) = ledger.whole(host.capacity)?;
        let board = scoreboard::Board::map(&scoreboard, host.capacity)?;
        let limits = &generation.config.limits;
        let dir = &host.runtime_dir;
        let logins = Logins::open(dir, generation.number, header, slots, limits.clone())?;
        let listeners: Vec<TcpListener> = descriptors.map(TcpListener::from).collect();
        listeners.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        Ok(Self {
            generation,
            channel,
            life,
            ledger,
            header,
            slots,
            scoreboard,
            board,
            requests: Desk::new()?,
            help_desk: Desk::new()?,
            helping: HashMap::new(),
            waiting_pleas: HashMap::new(),
            children: HashMap::new(),
            deaths: signals::descriptor(&[Signal::SIGCHLD])?,
            memory: Memory::of_own_group(),
            listeners,
            spares: VecDeque::new(),
            free: Vec::new(),
            admission: Admission::new(limits.clone()),
            logins,
            journal: Journal::open(&host.state_dir, host.journal_max)?,
            wtmp: host.wtmp.as_deref().map(Wtmp::at).transpose()?,
            phase: Phase::Waiting,
            daemon_event: DaemonEvent::Startup,
            order_at: None,
            kills: VecDeque::new(),
            actions: HashMap::new(),
            has_adopted: false,
            is_replay: false,
            plan_differs: false,
            waiting: Vec::new(),
            lent: HashMap::new(),
            lost_spares: 0,
            accept_from: 0,
            spares_from: 0,
        })
    }

    fn session_log(&self, slot: usize, level: config::Level, text: &str) {
        let number = self.slots[slot].identity.session.load(Relaxed);
        log::line(level, &self.generation.session_id(number), "", text);
    }
}
