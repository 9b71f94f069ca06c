//! A session that has been taken over writes what it likes into its own pages. Here somebody does it
//! from outside, with random bytes: neither zygote nor supervisor may die of it, wait for ever, or let
//! the session in the next slot pay for it. What such a session says about itself is worth nothing, but
//! a listener that runs in a runner has its turn all the same.

use std::fs::{self, File};
use std::io::Write;
use std::mem::offset_of;
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

use exeunt_ledger::{PAGE, Slot, State};
use serde_json::Value;
use storm::ledgers::{self, Ledgers};
use storm::seed::Seed;

use crate::harness::*;

/// The listeners in their order.
const CHAIN: &str = "trace_a/trace wishes/0-runner trace_c/trace";
/// How many sessions are scribbled upon at the same time.
const VICTIMS: usize = 3;

/// A session with its client.
struct Guest {
    client: Client,
    session: String,
    pid: i32,
    slot: usize,
}

/// A daemon, and chance.
struct Scene {
    daemon: Daemon,
    seed: Seed,
}

impl Scene {
    #[allow(clippy::print_stdout, reason = "libtest shows it for a failed test")]
    fn new() -> Self {
        let given = std::env::var("EXEUNT_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.map_or_else(Seed::of_now, Seed);
        let _shown = writeln!(std::io::stdout(), "to repeat it: EXEUNT_SEED={}", seed.0);
        let setup = Setup::new().module("trace_a").module_with("wishes", "places = ['runner']");
        let setup =
            setup.module("trace_c").listen("echo").exit("listener = '2s'\nlinger = '200ms'");
        Self { daemon: setup.start(), seed }
    }

    fn guest(&self) -> Guest {
        let client = greeted(&self.daemon);
        let peer = client.stream().local_addr().expect("an address").to_string();
        let who = self.daemon.json("who");
        let mut sessions = who["sessions"].as_array().into_iter().flatten();
        let own = sessions.find(|session| session["peer"] == *peer).expect("its session");
        let pid = own["pid"].as_i64().and_then(|pid| pid.try_into().ok()).expect("a number");
        let session = own["session"].as_str().expect("an id").to_owned();
        let used = Ledgers(self.daemon.path("run")).used();
        let slot =
            used.iter().position(|used| used.is_owed() && used.pid == pid).expect("a slot") + 1;
        Guest { client, session, pid, slot }
    }

    /// One whose pages are left alone, and the others.
    fn guests(&self) -> (Guest, Vec<Guest>) {
        (self.guest(), (0..VICTIMS).map(|_| self.guest()).collect())
    }

    /// Random bytes: everywhere, in some places, or numbers that could mean something.
    fn noise(&mut self, len: usize) -> Vec<(u64, Vec<u8>)> {
        let seed = &mut self.seed;
        match seed.below(3) {
            0 => vec![(0, (0..len).map(|_| seed.below(256) as u8).collect())],
            1 => vec![(0, (0..len).map(|_| seed.below(9) as u8).collect())],
            _ => (0..64).map(|_| (seed.below(len) as u64, vec![seed.below(256) as u8])).collect(),
        }
    }

    /// Writes into what a session may write, in the ledger and in the scoreboard.
    fn scribble(&mut self, slot: usize) {
        let state = ledgers::offset(slot) + offset_of!(Slot, state) as u64;
        let entry = (slot * PAGE) as u64;
        for (name, at, len) in
            [("ledger.1", state, size_of::<State>()), ("scoreboard.1", entry, PAGE)]
        {
            let path = self.daemon.path("run").join(name);
            let file = File::options().write(true).open(path).expect("a file");
            for (place, bytes) in self.noise(len) {
                file.write_all_at(&bytes, at + place).expect("written");
            }
        }
    }

    fn scribble_all(&mut self, guests: &[Guest]) {
        guests.iter().for_each(|guest| self.scribble(guest.slot));
    }

    /// A command is answered, and in time.
    #[track_caller]
    fn answers(&self, words: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exeunt"));
        command.args(words).arg("-c").arg(self.daemon.path("modules.toml"));
        let mut command = command.stdout(Stdio::null()).spawn().expect("it can be run");
        let mut status = None;
        wait_until(|| {
            status = command.try_wait().expect("it can be waited for");
            status.is_some()
        });
        assert!(status.is_some_and(|status| status.success()), "{words:?}: {status:?}");
    }

    fn answers_all(&self) {
        for words in [&["status"][..], &["who"], &["who", "--json"], &["exits"]] {
            self.answers(words);
        }
    }

    /// Ends a session in one of the ways. It may have ended before.
    fn end(&mut self, guest: &Guest) {
        let mut stream = guest.client.stream();
        match self.seed.below(3) {
            0 => drop(stream.write_all(b"quit\r\n")),
            1 => drop(stream.shutdown(std::net::Shutdown::Both)),
            _ => end_at_once(guest.pid),
        }
    }

    /// The lines of the journal about a session, waited for.
    #[track_caller]
    fn told(&self, session: &str) -> Value {
        let lines = || {
            let text = fs::read_to_string(self.daemon.path("state/exits.jsonl"));
            let text = text.unwrap_or_default();
            let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let lines = whole.map(|line| serde_json::from_str(line).expect("it is JSON"));
            lines.filter(|line: &Value| line["session"] == *session).collect::<Vec<_>>()
        };
        wait_until(|| !lines().is_empty());
        let mut lines = lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    /// Whatever they wrote about themselves: in the journal once, and the runner's listener entered once.
    #[track_caller]
    fn victims_are_over(&self, victims: &[Guest]) {
        for Guest { session, .. } in victims {
            self.told(session);
            let entered = self.daemon.entered(session);
            assert_eq!(entered.matches("wishes/0-runner").count(), 1, "{session}: {entered}");
        }
    }

    /// Every listener of the session that nobody scribbled upon was entered once and in order.
    #[track_caller]
    fn is_unharmed(&self, session: &str, cause: &str) {
        let told = self.told(session);
        let outcomes = told["listeners"].as_array().expect("a list").iter();
        assert!(outcomes.map(|l| &l["outcome"]).eq(["done"; 3]), "{told}");
        assert_eq!((&told["cause"], &told["sealed"]), (&cause.into(), &true.into()));
        assert_eq!(self.daemon.entered(session), CHAIN);
    }
}

/// Kills a process, which may be gone.
fn end_at_once(pid: i32) {
    let _gone = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
}

#[test]
fn what_a_session_writes_about_itself_harms_nobody_else() {
    let mut scene = Scene::new();
    let zygote = scene.daemon.zygote();
    for _ in 0..30 {
        let (mut bystander, victims) = scene.guests();
        scene.scribble_all(&victims);
        scene.answers_all();
        for victim in &victims {
            scene.end(victim);
            scene.scribble(victim.slot);
        }
        bystander.client.ask("still here", "still here");
        scene.victims_are_over(&victims);
        bystander.client.ask("quit", "goodbye: ");
        drop(bystander.client);
        scene.is_unharmed(&bystander.session, "client-quit");
    }
    assert_eq!(scene.daemon.zygote(), zygote);
    let open = |scene: &Scene| scene.daemon.json("status")["generations"][0]["sessions"] == 0;
    wait_until(|| open(&scene));
}

#[test]
fn a_generation_with_such_sessions_retires() {
    let mut scene = Scene::new();
    let (mut bystander, victims) = scene.guests();
    scene.scribble_all(&victims);
    scene.answers(&["reload"]);
    scene.scribble_all(&victims);
    scene.answers_all();
    victims.iter().for_each(|victim| scene.end(victim));
    scene.victims_are_over(&victims);
    bystander.client.ask("quit", "goodbye: ");
    drop(bystander.client);
    scene.is_unharmed(&bystander.session, "client-quit");
    let left = || scene.daemon.json("status")["generations"].as_array().map(Vec::len);
    wait_until(|| left() == Some(1));
}

#[test]
fn the_zygote_that_goes_on_for_a_dead_one_believes_them_nothing() {
    let mut scene = Scene::new();
    let (bystander, victims) = scene.guests();
    scene.scribble_all(&victims);
    kill(scene.daemon.zygote(), Signal::SIGKILL);
    scene.scribble_all(&victims);
    scene.is_unharmed(&bystander.session, "zygote-lost");
    // One that seems to be logged in goes on.
    victims.iter().for_each(|victim| end_at_once(victim.pid));
    scene.victims_are_over(&victims);
    scene.answers_all();
    greeted(&scene.daemon);
}

#[test]
fn a_replay_believes_them_nothing() {
    for _ in 0..3 {
        let mut scene = Scene::new();
        let (bystander, victims) = scene.guests();
        scene.scribble_all(&victims);
        kill_everything(&mut scene.daemon);
        scene.scribble_all(&victims);
        scene.daemon.restart();
        scene.victims_are_over(&victims);
        scene.is_unharmed(&bystander.session, "supervisor-lost");
        scene.answers_all();
        greeted(&scene.daemon);
    }
}
