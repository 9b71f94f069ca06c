//! The kill storm: clients come and go in every way while sessions, runners, spares, zygotes and the
//! supervisor are killed at random. Nothing of it may cost a listener its turn, or give it a second.

mod figures;
mod killer;
mod verdict;
mod visit;
mod watch;

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::Result;
use crate::daemon::Daemon;
use crate::ledgers::Ledgers;
use crate::programs::Programs;
use crate::seed::Seed;
use crate::site::{Config, Site};
use crate::summary::Summary;
use killer::{Killed, Killer, Order};
use verdict::{Evidence, Turn};
use visit::{Door, IDLE, Visit};
use watch::{Line, Watch};

/// How often each listener with a wish may be tried.
const ATTEMPTS: u64 = 2;
/// Where those with a wish run, in their order.
const PLACES: [&str; 5] = ["session", "runner", "root", "session", "runner"];

/// What a storm is made of.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients that are greeted, at least.
    pub sessions: usize,
    /// So many of them at the same time.
    pub clients: usize,
    /// How long each listener with a wish takes.
    pub pause: Duration,
    /// Chance.
    pub seed: Seed,
    /// Whether the folder stays.
    pub keep: bool,
}

/// What the clients have in common.
#[derive(Debug, Default)]
struct Shared {
    tickets: AtomicUsize,
    greeted: AtomicUsize,
    /// The storm cannot go on.
    stop: AtomicBool,
    visits: Mutex<Vec<Visit>>,
}

/// Runs the storm.
///
/// # Errors
///
/// The storm itself cannot begin; what the daemon does wrong is in the summary.
pub fn run(programs: &Programs, plan: &Plan) -> Result<Summary> {
    let site = Site::new()?;
    configure(programs, &site, plan)?;
    let daemon = Daemon::start(programs, site, None)?;
    let mut killer = Killer { daemon, seed: plan.seed.of(u64::MAX), killed: Killed::default() };
    let mut summary = Summary::default();
    if let Err(why) = rage(&mut killer, plan, &mut summary) {
        summary.violation(format!("the storm could not go on: {why}"));
    }
    let site = &mut killer.daemon.site;
    if plan.keep || !summary.violations.is_empty() {
        site.keep();
        summary.figure("folder", site.path("").display());
    }
    Ok(summary)
}

fn rage(killer: &mut Killer, plan: &Plan, summary: &mut Summary) -> Result<()> {
    let began = Instant::now();
    let watch = Watch::start(&killer.daemon.site.path("state/exits.jsonl"))?;
    let (orders, taken) = channel();
    let shared = Arc::new(Shared::default());
    let end = plan.pause * PLACES.len() as u32 + Duration::from_millis(15);
    let door = Door { port: killer.daemon.site.port, orders, end };
    let clients = (0..plan.clients).map(|_| client(&shared, &door, plan)).collect::<Vec<_>>();
    drop(door);
    let obeyed = killer.obey(&taken);
    shared.stop.store(true, SeqCst);
    drop(taken);
    for client in clients {
        client.join().map_err(|_| "a client panicked")?;
    }
    obeyed?;
    let took = began.elapsed();
    killer.daemon.wait_quiet()?;
    let unsealed = Ledgers(killer.daemon.site.path("run")).used();
    let unsealed = unsealed.iter().filter(|used| used.is_owed()).count();
    let ended = killer.daemon.stop()?;
    summary.require(ended, || "the daemon did not end as it should".to_owned());
    summary.figure(
        "clients",
        format!("{} at the same time, {:.1} s", plan.clients, took.as_secs_f64()),
    );
    let visits = shared.visits.lock().unwrap_or_else(PoisonError::into_inner);
    compare(killer, &visits, &watch.stop()?, unsealed, summary);
    Ok(())
}

fn compare(
    killer: &Killer,
    visits: &[Visit],
    journal: &[Line],
    unsealed: usize,
    summary: &mut Summary,
) {
    let evidence = Evidence {
        visits,
        killed: &killer.killed,
        roster: &roster(),
        trace: &killer.daemon.site.read("trace"),
        journal,
        unsealed,
    };
    evidence.judge(summary);
}

/// A client after the other, until enough were greeted.
fn client(shared: &Arc<Shared>, door: &Door, plan: &Plan) -> JoinHandle<()> {
    let (shared, door, plan) = (Arc::clone(shared), door.clone(), plan.clone());
    thread::spawn(move || {
        while !shared.stop.load(SeqCst) && shared.greeted.load(SeqCst) < plan.sessions {
            let ticket = shared.tickets.fetch_add(1, SeqCst);
            let mut seed = plan.seed.of(ticket as u64);
            order(ticket, &mut seed, &door.orders);
            let Some(visit) = visit::visit(&door, &mut seed) else { return };
            shared.greeted.fetch_add(usize::from(visit.session.is_some()), SeqCst);
            shared.visits.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        }
    })
}

/// What else is killed when a client comes.
fn order(ticket: usize, seed: &mut Seed, orders: &Sender<Order>) {
    let order = match ticket % 2000 {
        667 => Some(Order::Supervisor),
        1557 => Some(Order::Everything),
        n if n % 200 == 50 => Some(Order::Zygote),
        n if n % 400 == 220 => Some(Order::Reload),
        _ => match seed.below(40) {
            0..8 => Some(Order::Runner),
            8 => Some(Order::Spare),
            _ => None,
        },
    };
    // Without a killer the storm is over.
    let _over = order.map(|order| orders.send(order));
}

/// Puts the modules in place and writes `modules.toml`: listeners in every place, between two that
/// wish nothing.
fn configure(programs: &Programs, site: &Site, plan: &Plan) -> Result<()> {
    for name in ["busy", "trace_a", "trace_c", "wishes"] {
        fs::copy(programs.module(name), site.path(&format!("modules/lib{name}.so")))?;
    }
    let (trace, pause) = (site.path("trace"), plan.pause.as_millis());
    let trace = format!("config.trace = \"{}\"", trace.display());
    let mut more = format!(
        "[timeouts]\nidle = \"{}ms\"\n[exit]\nlistener = \"1m\"\nchain = \"5m\"\n",
        IDLE.as_millis()
    );
    let _ = writeln!(more, "[[module]]\nname = \"trace_a\"\n{trace}");
    let _ = writeln!(more, "[[module]]\nname = \"wishes\"\ngrant = [\"root\"]\n{trace}");
    let _ = writeln!(more, "config.places = {PLACES:?}\nconfig.attempts = {ATTEMPTS}");
    let _ = writeln!(more, "config.pause = \"{pause}ms\"");
    let _ = writeln!(more, "[[module]]\nname = \"trace_c\"\n{trace}");
    let config = Config { marks: Vec::new(), protocol: "busy", more, ..Config::default() };
    site.configure(&config)
}

/// The listeners in their order.
fn roster() -> Vec<Turn> {
    let of_root = if nix::unistd::geteuid().is_root() { "root-runner" } else { "runner" };
    let placed = PLACES.iter().enumerate().map(|(number, place)| Turn {
        title: format!("wishes/{number}-{place}"),
        attempts: ATTEMPTS,
        by: match *place {
            "session" => &["session", "runner"],
            "root" if of_root == "root-runner" => &["root-runner"],
            _ => &["runner"],
        },
    });
    let plain =
        |title: &str| Turn { title: title.to_owned(), attempts: 1, by: &["session", "runner"] };
    let mut all = vec![plain("trace_a/trace")];
    all.extend(placed);
    all.push(plain("trace_c/trace"));
    all
}
