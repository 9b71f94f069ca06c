//! What the kernel says about the daemon's processes: signals, descriptors, identities, memory.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::*;

/// A session that is idle, and its process.
#[track_caller]
fn idle(daemon: &Daemon) -> (Client, Process) {
    let before = daemon.session_pids();
    let mut client = daemon.connect();
    client.expect("hello");
    let new = daemon.session_pids().into_iter().find(|pid| !before.contains(pid));
    (client, Process(new.expect("the session is listed")))
}

/// A daemon whose sessions hang in their only listener, with a time that no test lives to see.
fn hanging() -> Setup {
    let setup = Setup::new().module_with("misbehave", "how = 'sleep'").listen("echo");
    setup.exit("listener = '30s'")
}

/// The runner of a session that was killed, which hangs in a listener.
#[track_caller]
fn runner(daemon: &Daemon) -> Process {
    let (_client, session) = idle(daemon);
    session.signal(Signal::SIGKILL);
    let runner = Process(daemon.wait_entered("misbehave"));
    assert_eq!(runner.name(), "exeunt-runner");
    runner
}

/// The C library's own two, which it may take for threads.
const LIBRARY: u64 = 1 << 31 | 1 << 32;

#[test]
fn nobody_has_a_signal_handler() {
    let daemon = hanging().start();
    let (_client, session) = idle(&daemon);
    let (runner, zygote) = (runner(&daemon), Process(daemon.zygote()));
    let spares = Process::below(zygote.0);
    assert!(spares.len() > 2, "sessions, spares and a runner: {spares:?}");
    for process in [Process(daemon.pid()), zygote, session, runner].into_iter().chain(spares) {
        let caught = u64::from_str_radix(&process.status("SigCgt"), 16).expect("a set of signals");
        assert_eq!(caught & !LIBRARY, 0, "{}: {caught:x}", process.name());
    }
}

#[test]
fn no_zombie_stays() {
    let daemon = Setup::new().module("trace_a").listen("echo").start();
    for _ in 0..50 {
        daemon.connect().expect("hello");
    }
    daemon.wait_exits(50);
    wait_until(|| !daemon.processes().iter().any(|process| process.is_zombie()));
    // The zygote and the spares.
    wait_until(|| daemon.processes().len() == 5);
}

#[test]
fn a_session_has_its_own_connection_and_nothing_of_others() {
    if !needs_root() {
        return;
    }
    let daemon = Setup::new().module("trace_a").listen("echo").start();
    let (one, first) = idle(&daemon);
    let (two, second) = idle(&daemon);
    let sockets = Sockets::of(&daemon);
    let (mine, others) = (sockets.with(&one), sockets.with(&two));
    let open = first.descriptors();
    assert!(open.contains(&mine) && !open.contains(&others), "{open:?}");
    assert!(!open.contains(&sockets.listening), "{open:?}");
    assert!(second.descriptors().contains(&others));
    let run = daemon.path("run").display().to_string();
    assert!(!open.iter().any(|path| path.starts_with(&run)), "ledger, control: {open:?}");
    assert!(!open.iter().any(|path| path.contains("memfd")), "{open:?}");
}

#[test]
fn a_session_has_no_descriptor_of_the_supervisor() {
    if !needs_root() {
        return;
    }
    let daemon = Setup::new().listen("echo").start();
    let (_client, session) = idle(&daemon);
    let of = |process: Process| process.descriptors().into_iter().collect::<BTreeSet<_>>();
    let both: Vec<_> = of(Process(daemon.pid())).intersection(&of(session)).cloned().collect();
    let scratch = daemon.path("").display().to_string();
    // The standard streams; and what has no name of its own, so that all look the same.
    let common = [&*scratch, "/dev/null", "anon_inode:"];
    let is_common = |path: &&String| common.iter().any(|begin| path.starts_with(begin));
    let other: Vec<_> = both.iter().filter(|path| !is_common(path)).collect();
    // Two ends of one pipe, by which the session sees the supervisor's death.
    assert!(matches!(&other[..], [life] if life.starts_with("pipe:")), "{other:?}");
}

#[test]
fn a_zygote_has_no_descriptor_for_each_session() {
    let daemon = Setup::new().listen("echo").start();
    let zygote = Process(daemon.zygote());
    let _first = idle(&daemon);
    let spares_are_there = |sessions: usize| Process::below(zygote.0).len() == sessions + 4;
    wait_until(|| spares_are_there(1));
    let with_one = zygote.descriptors().len();
    let mut clients: Vec<_> = (1..50).map(|_| daemon.connect()).collect();
    clients.iter_mut().for_each(|client| drop(client.expect("hello")));
    wait_until(|| spares_are_there(50));
    assert_eq!(zygote.descriptors().len(), with_one);
}

#[test]
fn spares_that_are_killed_owe_nothing_and_are_replaced() {
    let daemon = Setup::new().module("trace_a").listen("echo").start();
    let spares = || Process::below(daemon.zygote());
    wait_until(|| spares().len() == 4);
    let first = spares();
    first.iter().for_each(|spare| spare.signal(Signal::SIGKILL));
    wait_until(|| spares().len() == 4 && !spares().iter().any(|spare| first.contains(spare)));
    daemon.connect().ask("hi", "hello");
    assert_eq!(daemon.wait_exit().outcomes(), "done");
    assert_eq!(daemon.trace().len(), 1);
}

/// Whom a process is, by the kernel.
#[track_caller]
fn is_nobody(process: Process) {
    let ids = ["65534"; 4].join(" ");
    assert_eq!((process.status("Uid"), process.status("Gid")), (ids.clone(), ids));
    assert_eq!(process.status("Groups"), "65534");
    has_given_up(process);
}

/// What every process that runs module code for a client has given up, root or not.
#[track_caller]
fn has_given_up(process: Process) {
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(process.status(set), "0000000000000000", "{set}");
    }
    assert_eq!(process.status("NoNewPrivs"), "1");
    assert_eq!(process.limit("Max core file size"), "0 0 bytes");
    assert!(!process.is_dumpable());
}

#[test]
fn sessions_and_runners_are_nobody_and_the_others_root() {
    if !needs_root() {
        return;
    }
    let daemon = hanging().start();
    let (_client, session) = idle(&daemon);
    is_nobody(session);
    is_nobody(runner(&daemon));
    for root in [daemon.pid(), daemon.zygote()] {
        assert_eq!(Process(root).status("Uid"), "0 0 0 0");
    }
}

#[test]
fn supplementary_groups_of_the_start_stay_with_supervisor_and_zygote() {
    if !needs_root() || !needs("setpriv") {
        return;
    }
    let daemon = hanging().setpriv("--groups 0,4,27").start();
    for root in [daemon.pid(), daemon.zygote()] {
        assert_eq!(Process(root).status("Groups"), "0 4 27");
    }
    let (_client, session) = idle(&daemon);
    for process in [session, runner(&daemon)] {
        assert_eq!(process.status("Groups"), "65534", "{}", process.name());
    }
}

#[test]
fn without_root_the_same_is_given_up() {
    let daemon = hanging().as_nobody().start();
    let (_client, session) = idle(&daemon);
    assert!(Process(daemon.zygote()).is_dumpable());
    has_given_up(session);
    has_given_up(runner(&daemon));
}

#[test]
fn capabilities_of_a_start_without_root_stay_with_supervisor_and_zygote() {
    if !needs_root() || !needs("setpriv") {
        return;
    }
    let caps = "--inh-caps=+net_bind_service --ambient-caps=+net_bind_service";
    let words = format!("--reuid=65534 --regid=65534 --clear-groups {caps}");
    let daemon = hanging().as_nobody().setpriv(words.leak()).start();
    assert_eq!(Process(daemon.zygote()).status("CapAmb"), "0000000000000400");
    let (_client, session) = idle(&daemon);
    has_given_up(session);
    has_given_up(runner(&daemon));
}

#[test]
fn a_spare_is_nobody_before_there_is_a_client() {
    if !needs_root() {
        return;
    }
    let daemon = Setup::new().listen("echo").start();
    let spares = || Process::below(daemon.zygote());
    wait_until(|| spares().len() == 4 && spares().iter().all(|s| s.name() == "exeunt-session"));
    wait_until(|| spares().iter().all(|spare| !spare.is_dumpable()));
    spares().into_iter().for_each(is_nobody);
}

#[test]
fn a_session_reads_its_identity_page_and_writes_its_state_page_only() {
    if !needs_root() {
        return;
    }
    let daemon = Setup::new().listen("echo").start();
    let (_client, session) = idle(&daemon);
    let maps = session.maps();
    let ledger: Vec<_> = maps.iter().filter(|line| line.contains("/run/ledger")).collect();
    let mut modes: Vec<_> = ledger.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    modes.sort_unstable();
    assert_eq!(modes, ["r--s", "rw-s"], "{ledger:?}");
    let of_board = maps.iter().filter(|line| line.contains("/run/scoreboard"));
    let board: Vec<_> = of_board.collect();
    assert_eq!(board.len(), 1, "its own entry: {board:?}");
}

#[test]
fn a_module_whose_file_is_overwritten_truncated_or_deleted_serves_on() {
    let setup = Setup::new();
    let files = ["echo", "trace_a"].map(|name| copy_of(&setup, name));
    let setup = setup.module("trace_a").listen("echo").host("module_dirs = ['mods']\nspares = 0");
    let daemon = setup.start();
    let spoil: [fn(&Path); 3] = [
        |path| fs::write(path, vec![0xcc; 30_000_000]).expect("it can be overwritten"),
        |path| fs::write(path, "").expect("it can be truncated"),
        |path| fs::remove_file(path).expect("it can be deleted"),
    ];
    for (done, spoil) in spoil.into_iter().enumerate() {
        files.iter().for_each(|file| spoil(file));
        let (mut quits, _) = idle(&daemon);
        quits.ask("quit", "goodbye: ");
        quits.close();
        let (_client, killed) = idle(&daemon);
        killed.signal(Signal::SIGKILL);
        let exits = daemon.wait_exits(2 * (done + 1));
        assert!(exits.iter().all(|exit| exit.outcomes() == "done"), "{exits:?}");
    }
}

fn copy_of(setup: &Setup, module: &str) -> PathBuf {
    let to = setup.path("mods").join(format!("lib{module}.so"));
    fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
    fs::copy(library(module), &to).expect("the module was built");
    to
}

/// The sockets of a listen, as descriptors are shown in `/proc`.
struct Sockets {
    listening: String,
    /// The port of the other end, and the socket at this end.
    connections: Vec<(u16, String)>,
}

impl Sockets {
    fn of(daemon: &Daemon) -> Self {
        let (mut listening, mut connections) = (String::new(), Vec::new());
        let table = fs::read_to_string("/proc/net/tcp").expect("proc is mounted");
        for line in table.lines().skip(1) {
            let words: Vec<_> = line.split_whitespace().collect();
            if port(words[1]) == daemon.port(None) {
                let socket = format!("socket:[{}]", words[9]);
                match words[3] {
                    "0A" => listening = socket,
                    _ => connections.push((port(words[2]), socket)),
                }
            }
        }
        Self { listening, connections }
    }

    /// The daemon's end of a client's connection.
    fn with(&self, client: &Client) -> String {
        let port = client.stream().local_addr().expect("it is connected").port();
        let mut connections = self.connections.iter();
        connections.find(|(other, _)| *other == port).expect("the connection").1.clone()
    }
}

fn port(address: &str) -> u16 {
    let (_, port) = address.split_once(':').expect("address and port");
    u16::from_str_radix(port, 16).expect("a port")
}
