//! The zygote: loads the modules once; every session and runner of its generation is a fork of it.
//! It accepts, admits, hands over, reaps, and sees to it that every chain comes to its end. It never
//! runs a listener itself, and has one thread and no descriptor per session.

mod accept;
mod admission;
mod candidate;
mod daemon;
mod deaths;
mod orders;
mod spares;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

use exeunt_ledger::{Header, Slot};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use std::sync::atomic::Ordering::Relaxed;

use crate::channel::{Channel, Message, Received};
use crate::clock::{self, Moment};
use crate::generation::Generation;
use crate::inheritance::{Heirloom, Inheritance};
use crate::journal::Journal;
use crate::pages::Ledger;
use crate::report::Report;
use crate::request::Requests;
use crate::sys::{self, Polled};
use crate::{config, counters, log, scoreboard, signals};
use admission::Admission;
use orders::Kill;
use spares::Spare;

/// What a zygote is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Ready; the supervisor has not decided yet.
    Waiting,
    /// `core.startup` is running.
    Starting,
    /// Connections are accepted.
    Active,
    /// None are accepted; the sessions are ordered to end at this moment, if they have not been.
    Draining { order_at: Option<Moment> },
    /// No session is left; `core.shutdown` is running.
    ShuttingDown,
    /// The supervisor is gone; the sessions are ending.
    Lost,
}

/// Which of its children a process is.
#[derive(Clone, Copy, Debug)]
enum Child {
    /// A spare, or the session that it has become.
    Session { slot: usize },
    /// Works on what a session left, or on an event of the daemon.
    Runner { slot: usize },
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
    requests: Requests,
    children: HashMap<i32, Child>,
    deaths: SignalFd,
    listeners: Vec<TcpListener>,
    spares: VecDeque<Spare>,
    free: VecDeque<usize>,
    admission: Admission,
    journal: Journal,
    phase: Phase,
    kills: VecDeque<Kill>,
    /// Chains that wait for a runner that could not be forked.
    waiting: Vec<usize>,
    /// Spares that died before they served, one after the other.
    lost_spares: u32,
    /// No spare is forked before this moment.
    spares_from: Moment,
}

/// The zygote's process: becomes ready, or says why not; then serves until it is told to end.
pub(crate) fn run(word: &str, config: Option<&std::path::Path>) -> ExitCode {
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
    let listens = generation.listens.iter().map(|listen| {
        serde_json::json!({
            "name": listen.name, "address": listen.address.to_string(), "protocol": listen.protocol,
        })
    });
    let plan = generation.plan.json(generation.number, &listens.collect());
    report.leave(&plan.to_string())?;
    channel.send(Message::Ready, &[])?;
    if inheritance.check {
        return Ok(ExitCode::SUCCESS);
    }
    log::open(&generation.config.log)?;
    Zygote::new(generation, inheritance, channel, life)?.live()?;
    Ok(ExitCode::SUCCESS)
}

impl Zygote {
    fn new(
        generation: &'static Generation,
        inheritance: &Inheritance,
        channel: Channel,
        life: OwnedFd,
    ) -> io::Result<Self> {
        let host = &generation.config.host;
        let (write, read) =
            (inheritance.take(Heirloom::Ledger)?, inheritance.take(Heirloom::LedgerToRead)?);
        let ledger = Ledger::new(write, read);
        counters::open(&host.runtime_dir, &generation.plan.wanted_counters())?;
        let (header, slots) = ledger.whole(host.capacity)?;
        for (cell, byte) in header.digest.iter().zip(generation.plan.digest()) {
            cell.store(byte, Relaxed);
        }
        let scoreboard: File = inheritance.take(Heirloom::Scoreboard)?.into();
        let board = scoreboard::Board::map(&scoreboard, host.capacity)?;
        Ok(Self {
            generation,
            channel,
            life,
            ledger,
            header,
            slots,
            scoreboard,
            board,
            requests: Requests::new()?,
            children: HashMap::new(),
            deaths: signals::descriptor(&[Signal::SIGCHLD])?,
            listeners: Vec::new(),
            spares: VecDeque::new(),
            free: (1..slots.len()).collect(),
            admission: Admission::new(generation.config.limits.clone()),
            journal: Journal::open(&host.state_dir, host.journal_max)?,
            phase: Phase::Waiting,
            kills: VecDeque::new(),
            waiting: Vec::new(),
            lost_spares: 0,
            spares_from: 0,
        })
    }

    /// Serves until there is nothing left to do.
    fn live(&mut self) -> io::Result<()> {
        const FIXED: usize = 4;
        let mut polled: Vec<Polled> = Vec::new();
        while !self.is_done() {
            let lost = self.phase == Phase::Lost;
            polled.clear();
            polled.push(Polled::reading(self.deaths.as_raw_fd()));
            polled.push(Polled::reading(self.requests.as_raw_fd()));
            polled.push(Polled::reading(if lost { -1 } else { self.channel.as_raw_fd() }));
            polled.push(Polled::reading(if lost { -1 } else { self.life.as_raw_fd() }));
            let active = self.phase == Phase::Active;
            let listener =
                |l: &TcpListener| Polled::reading(if active { l.as_raw_fd() } else { -1 });
            polled.extend(self.listeners.iter().map(listener));
            sys::poll(&mut polled, self.next_moment())?;
            if polled[0].is_ready() {
                while signals::next(&self.deaths).is_some() {}
                self.reap_all();
            }
            if polled[1].is_ready() {
                self.take_requests();
            }
            if polled[2].is_ready() {
                self.take_messages()?;
            }
            if polled[3].is_ready() {
                self.supervisor_is_gone();
            }
            for (listen, polled) in polled[FIXED..].iter().enumerate() {
                if polled.is_ready() && self.phase == Phase::Active {
                    self.accept(listen);
                }
            }
            self.keep_time();
            self.refill_spares();
        }
        Ok(())
    }

    fn take_messages(&mut self) -> io::Result<()> {
        loop {
            match self.channel.receive()? {
                Received::Nothing => return Ok(()),
                Received::End => {
                    self.supervisor_is_gone();
                    return Ok(());
                }
                Received::Message(Message::Commit, sockets) => self.commit(sockets)?,
                Received::Message(Message::Kick { session, token }, _) => {
                    let found = self.kick(session);
                    self.channel.send(Message::Kicked { found, token }, &[])?;
                }
                Received::Message(Message::Drain { grace }, _) => {
                    self.drain(Duration::from_millis(grace));
                }
                Received::Message(message, _) => log::warn(format!("no answer to {message:?}")),
            }
        }
    }

    /// The supervisor has decided: this generation serves.
    fn commit(&mut self, sockets: Vec<OwnedFd>) -> io::Result<()> {
        for socket in sockets {
            let listener = TcpListener::from(socket);
            listener.set_nonblocking(true)?;
            self.listeners.push(listener);
        }
        self.phase = Phase::Starting;
        self.start_daemon_event();
        Ok(())
    }

    /// When something is to be done without a message.
    fn next_moment(&self) -> Option<Duration> {
        let now = clock::now();
        let order = match self.phase {
            Phase::Draining { order_at } => order_at,
            _ => None,
        };
        let retry = (!self.waiting.is_empty()).then(|| clock::after(now, deaths::RETRY));
        let refill = (self.wants_spares() && self.spares_from > now).then_some(self.spares_from);
        let kill = self.kills.front().map(|kill| kill.at);
        let next = [order, retry, refill, kill].into_iter().flatten().min();
        next.map(|moment| clock::until(moment, now))
    }

    fn keep_time(&mut self) {
        let now = clock::now();
        if let Phase::Draining { order_at: Some(moment) } = self.phase
            && moment <= now
        {
            self.order_all_to_end();
        }
        self.kill_the_overdue(now);
        self.retry_runners();
        self.go_on_if_drained();
    }

    fn session_log(&self, slot: usize, level: config::Level, text: &str) {
        let number = self.slots[slot].identity.session.load(Relaxed);
        log::line(level, &self.generation.session_id(number), "", text);
    }
}
