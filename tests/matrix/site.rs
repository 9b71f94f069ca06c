//! The daemon that some cells run on, one after the other, with a bystander that is there all the time. What is to be true of it stands in `verdict`.

use std::fs;

use super::cells::{Cell, Identity, Position};
use super::faults::Fault;
use super::verdict;
use crate::harness::*;

/// Where the bystander comes from; the faulty listener behaves for it.
const BYSTANDER: &str = "127.0.0.9";
/// Where clients come from that are turned away.
pub(super) const DENIED: &str = "127.0.0.3";
/// What all processes of a daemon may use: far more than they do.
const MEMORY: u64 = 256 << 20;

/// The one timeout that a daemon has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timeout {
    None,
    Idle,
    Login,
    Session,
}

/// A daemon with its clients, and what has happened to it so far.
pub(super) struct Site {
    pub(super) daemon: Daemon,
    /// Who is entered, in order.
    pub(super) chain: [&'static str; 3],
    /// Whether the kernel kills for want of memory; if not, allocations fail.
    pub(super) bounds_memory: bool,
    /// The connections that were opened.
    pub(super) opened: usize,
    /// The sessions under test; all others must be perfect.
    pub(super) subjects: Vec<String>,
    /// How often the daemon has come to its end.
    pub(super) ends: usize,
    serves: bool,
    bystander: Option<Client>,
    another: Option<Client>,
    /// Processes that were seen and that must be gone when the daemon is.
    seen: Vec<Process>,
}

impl Site {
    /// Starts the daemon for a cell and those that differ from it in the cause alone.
    pub(super) fn open(cell: Cell) -> Self {
        let (setup, chain) = modules(Setup::new(), cell);
        let timeout = cell.cause.timeout();
        let length = |of| if timeout == of { "150ms" } else { "off" };
        let [idle, login, session] = [Timeout::Idle, Timeout::Login, Timeout::Session].map(length);
        let mut setup = setup
            .module_with("deny", &format!("reason = 'no'\nonly = '{DENIED}'\ntrace = '/dev/null'"))
            .listen("ftp")
            .listen("misbehave")
            .file("srv/big", "")
            .host("spares = 1\ncapacity = 8")
            .limits("sessions = 2\nlogin_attempts = 2")
            .timeouts(&format!("idle = '{idle}'\nlogin = '{login}'\nsession = '{session}'"))
            .exit("listener = '5s'\nchain = '20s'\nlinger = '200ms'\ngrace = '100ms'");
        let big = fs::File::options().write(true).open(setup.path("srv/big"));
        big.and_then(|big| big.set_len(64 << 20)).expect("a file without content");
        if cell.identity == Identity::Nobody {
            setup = setup.as_nobody();
        }
        let group = MemoryGroup::new(MEMORY);
        let bounds_memory = group.is_some();
        let daemon = group.into_iter().fold(setup, Setup::within).start();
        let (opened, ends, subjects, seen) = (0, 0, Vec::new(), Vec::new());
        let (serves, bystander, another) = (true, None, None);
        Self {
            daemon,
            chain,
            bounds_memory,
            opened,
            subjects,
            ends,
            serves,
            bystander,
            another,
            seen,
        }
    }

    /// Runs a cell; what is wrong.
    pub(super) fn run(&mut self, cell: Cell) -> Vec<String> {
        self.have_a_bystander(cell.cause.timeout());
        let before = self.daemon.exits().len();
        let departing = cell.cause.bring_about(self);
        // The connection must end, by whatever it is that happens to the session.
        departing.client.into_iter().for_each(|mut client| drop(client.rest()));
        let mut found = None;
        wait_until(|| {
            let exits = self.daemon.exits().into_iter().skip(before);
            found = exits.into_iter().find(|exit| exit.json["peer"] == *departing.peer);
            found.is_some()
        });
        let exit = found.expect("it was waited for");
        self.subjects.push(exit.session.clone());
        let wrong = verdict::of(self, cell, &exit);
        self.settle();
        wrong
    }

    /// Ends the daemon, if it has not ended; what is wrong with the whole of it.
    pub(super) fn close(mut self) -> Vec<String> {
        if self.serves {
            self.end_daemon();
        }
        verdict::of_all(&self)
    }

    /// What the daemon has said.
    pub(super) fn log(&self) -> String {
        self.daemon.log()
    }

    /// The processes that this daemon had, or that hold something of it, and that still live.
    pub(super) fn left_running(&self) -> Vec<Process> {
        let all = fs::read_dir("/proc").expect("proc is mounted").flatten();
        let pids = all.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
        let place = self.daemon.path("").to_string_lossy().into_owned();
        let maps = |pid: i32| fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        let of_it = pids.filter(|pid| maps(*pid).contains(&place)).map(Process);
        of_it.chain(self.seen.iter().copied()).filter(|process| process.is_alive()).collect()
    }

    /// One that survives the zygote is logged in; where a timeout is at work there is no time for that.
    fn have_a_bystander(&mut self, timeout: Timeout) {
        if self.bystander.is_none() {
            let mut client = self.connect_from(BYSTANDER, "ftp");
            if timeout == Timeout::None {
                client.expect("220");
                client.ask("USER ftp", "331");
                client.ask("PASS x", "230");
            }
            self.bystander = Some(client);
        }
    }

    /// Waits until the daemon is as it was before the cell.
    fn settle(&mut self) {
        self.another = None;
        if !self.serves {
            return;
        }
        wait_until(|| {
            let ended = self.daemon.exits().len();
            if ended + 1 < self.opened || self.daemon.processes().len() > 3 {
                return false;
            }
            let generation = self.daemon.json("status")["generations"][0].clone();
            let open = generation["sessions"].as_u64().map_or(usize::MAX, |open| open as usize);
            // The zygote and its spare, and the bystander if it has not timed out.
            let all = open <= 1 && self.daemon.processes().len() == 2 + open;
            all && self.daemon.exits().len() + open == self.opened
                && generation["state"] == "active"
        });
    }
}

/// What the causes do.
impl Site {
    /// Connects as the client under test.
    pub(super) fn connect(&mut self, listen: &str) -> Client {
        self.opened += 1;
        self.daemon.connect_to(listen)
    }

    /// Connects from one of this machine's addresses.
    pub(super) fn connect_from(&mut self, own: &str, listen: &str) -> Client {
        self.opened += 1;
        Client::from(own, ("127.0.0.1", self.daemon.port(Some(listen))))
    }

    /// Opens a session that takes the last place.
    pub(super) fn hold_another(&mut self) {
        let mut another = self.connect_from(BYSTANDER, "ftp");
        another.expect("220");
        self.another = Some(another);
    }

    /// Sends a signal to the session of a client.
    pub(super) fn signal(&self, peer: &str, signal: Signal) {
        let who = self.daemon.json("who");
        let mut sessions = who["sessions"].as_array().expect("a list of sessions").iter();
        let session = sessions.find(|session| session["peer"] == *peer).expect("it is in who");
        kill(session["pid"].as_i64().expect("a process id") as i32, signal);
    }

    /// Kills the zygote.
    pub(super) fn kill_zygote(&self) {
        kill(self.daemon.zygote(), Signal::SIGKILL);
    }

    /// Kills every process of the daemon, and starts it again, which replays.
    pub(super) fn kill_everything(&mut self) {
        self.seen.extend(self.daemon.processes());
        kill_everything(&mut self.daemon);
        self.bystander = None;
        self.ends += 1;
        self.daemon.restart();
    }

    /// Tells the daemon to end, and waits until it has.
    pub(super) fn end_daemon(&mut self) {
        self.seen.extend(self.daemon.processes());
        assert_eq!(self.daemon.stop(), 0, "the exit status of the daemon");
        self.serves = false;
        self.ends += 1;
    }
}

/// The three modules, the faulty one in its place, and how their listeners are called.
fn modules(setup: Setup, cell: Cell) -> (Setup, [&'static str; 3]) {
    let faulty = cell.position as usize;
    // Only a listener that is root can become somebody else.
    let as_root = cell.fault == Fault::TamperIdentity;
    let how = cell.fault.how();
    let settings =
        format!("how = '{how}'\nserve = true\nspared = '{BYSTANDER}'\nas_root = {as_root}");
    let mut chain = ["trace_a/trace", "trace_b/trace", "trace_c/trace"];
    chain[faulty] = "misbehave/misbehave";
    // Soon where it is waited for; where it is not, a busy machine must not make it come.
    let hangs = cell.fault.outcome(cell.identity) == Some("timed-out");
    let mut keys = if hangs { "listener = '300ms'" } else { "" };
    if as_root {
        keys = "grant = ['root']";
    }
    let ftp = |setup: Setup| setup.module_with("ftp", "root = 'srv'\nanonymous = true");
    // It has a listener of its own, which must not come between the faulty one and its end of the chain.
    let is_last = cell.position == Position::Last;
    let setup = if is_last { ftp(setup) } else { setup };
    let setup = Position::ALL.iter().fold(setup, |setup, place| match *place as usize {
        place if place == faulty => setup.module_keyed("misbehave", keys, &settings),
        place => setup.module(["trace_a", "trace_b", "trace_c"][place]),
    });
    (if is_last { setup } else { ftp(setup) }, chain)
}
