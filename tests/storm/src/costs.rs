//! What the ledger and the timer cost a session: exactly the operations that a session's end does on
//! them, around listeners that do nothing, against the same loop without; turn about, so that whatever
//! else the machine does meets all of them. What a whole session costs is measured in the same run, by
//! the processor time of a real zygote and its children.

use std::fs;
use std::hint::black_box;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use exeunt_ledger::{Chain, Entry, Outcome, Seal, Slot, SlotStatus, Step, Succession};
use nix::sys::signal::{SigEvent, SigevNotify, Signal};
use nix::sys::time::TimeSpec;
use nix::sys::timer::{Expiration, Timer, TimerSetTimeFlags};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{SysconfVar, sysconf};

use crate::Result;
use crate::client::{Client, next_address};
use crate::daemon::Daemon;
use crate::programs::Programs;
use crate::site::{Config, Site};
use crate::summary::Summary;

/// How often the loops take turns.
const TURNS: usize = 200;
/// Sessions in each turn.
const SESSIONS: usize = 200;
/// Sessions of the real daemon.
const REAL: usize = 2000;

/// How far ahead the timer is set.
const HOUR: Duration = Duration::from_secs(3600);

/// What a loop does beside calling the listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With {
    Nothing,
    Ledger,
    Timer,
    Both,
}

const ALL: [With; 4] = [With::Nothing, With::Ledger, With::Timer, With::Both];

/// Measures with three listeners and with eight.
///
/// # Errors
///
/// There is no timer, or the daemon does not start or serve.
pub fn run(programs: &Programs) -> Result<Summary> {
    let mut summary = Summary::default();
    for listeners in [3, 8] {
        let mut figure = |name: &str, nanos: f64| {
            summary.figure(
                &format!("{listeners} listeners: {name}"),
                format!("{nanos:.0} ns a session"),
            );
        };
        let times = interleaved(listeners)?;
        let [nothing, ledger, timer, both] = times;
        figure("the loop alone", nothing);
        figure("with the ledger", ledger);
        figure("with the timer", timer);
        figure("with both", both);
        let whole = whole_session(programs, listeners)?;
        figure("a whole session, processor time", whole);
        let share = (both - nothing) / whole * 100.0;
        summary.figure(
            &format!("{listeners} listeners: ledger and timer"),
            format!("{:.0} ns, {share:.1} % of a session", both - nothing),
        );
    }
    Ok(summary)
}

/// The median time of a session in each loop, in nanoseconds.
fn interleaved(listeners: usize) -> Result<[f64; 4]> {
    let slot: Box<Slot> = Box::new(Slot {
        identity: Default::default(),
        state: Default::default(),
        takeover: Default::default(),
    });
    let mut times = [const { Vec::new() }; 4];
    for turn in 0..TURNS {
        for place in 0..ALL.len() {
            let which = (turn + place) % ALL.len();
            let began = Instant::now();
            for number in 0..SESSIONS {
                session(&slot, ALL[which], number as u64 + 1, listeners)?;
            }
            times[which].push(began.elapsed().as_nanos() as f64 / SESSIONS as f64);
        }
    }
    Ok(times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }))
}

/// One session as the host has it on the ledger and on its timer: the slot is taken and opened; the
/// cause is committed; the steps and the listeners have their turns, each after its deadline was set;
/// the chain is sealed, looked at by whoever reaps, and the slot is freed.
fn session(slot: &Slot, with: With, number: u64, listeners: usize) -> Result<()> {
    let entries = [Entry::default(); 8];
    let entries = &entries[..listeners];
    let on_ledger = matches!(with, With::Ledger | With::Both);
    let mut timer =
        if matches!(with, With::Timer | With::Both) { Some(new_timer()?) } else { None };
    let chain = Chain::new(&slot.state, entries, 0);
    if on_ledger {
        open(slot, entries, number);
        black_box(chain.commit(1) && chain.begin(Step::Scoreboard) && chain.begin(Step::Farewell));
    }
    // For the farewell.
    arm(timer.as_mut())?;
    for index in 0..listeners {
        let turn = if on_ledger { chain.claim() } else { None };
        arm(timer.as_mut())?;
        let entered = turn.map(|turn| turn.enter(now()));
        black_box(listener(black_box(index)));
        if let Some(entered) = entered {
            entered.leave(Outcome::Done, now());
        }
    }
    if on_ledger {
        black_box(chain.begin(Step::Linger));
    }
    // For the lingering connection.
    arm(timer.as_mut())?;
    if on_ledger {
        let sealed = chain.seal() == Seal::Sealed && chain.is_sealed();
        slot.identity.set_wait_status(0);
        let succession = Succession::new(slot, entries, 0);
        let first = succession.close();
        succession.release();
        if !sealed || !first {
            return Err("the chain was not sealed".into());
        }
    }
    Ok(())
}

fn open(slot: &Slot, entries: &[Entry], number: u64) {
    let identity = &slot.identity;
    Succession::new(slot, entries, 0).reserve();
    identity.pid.store(number as u32, Relaxed);
    identity.session.store(number, Relaxed);
    identity.started.store(number, Relaxed);
    identity.started_at.store(now(), Relaxed);
    identity.listeners.store(entries.len() as u32, Relaxed);
    identity.peer.set("127.0.0.1:40000");
    identity.local.set("127.0.0.1:2121");
    identity.set_status(SlotStatus::Open);
}

#[inline(never)]
fn listener(index: usize) -> usize {
    index
}

fn new_timer() -> Result<Timer> {
    let kill = SigevNotify::SigevSignal { signal: Signal::SIGKILL, si_value: 0 };
    Ok(Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::new(kill))?)
}

/// An hour ahead: it never goes off. The host looks at the clock for it, too.
fn arm(timer: Option<&mut Timer>) -> Result<()> {
    let Some(timer) = timer else { return Ok(()) };
    let end = now() + HOUR.as_nanos() as u64;
    let rest = Duration::from_nanos(end - now());
    timer.set(Expiration::OneShot(TimeSpec::from(rest)), TimerSetTimeFlags::empty())?;
    Ok(())
}

fn now() -> u64 {
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}

/// The processor time of a session from its fork to its reap, in nanoseconds: that of the zygote and
/// of the children that it has reaped.
fn whole_session(programs: &Programs, listeners: usize) -> Result<f64> {
    let site = Site::new()?;
    for name in ["echo", "trace_a", "trace_c", "wishes"] {
        fs::copy(programs.module(name), site.path(&format!("modules/lib{name}.so")))?;
    }
    let places = vec!["session"; listeners - 2];
    let more = format!(
        "[[module]]\nname = \"trace_a\"\n[[module]]\nname = \"wishes\"\nconfig.places = {places:?}\n\
         [[module]]\nname = \"trace_c\"\n"
    );
    let config = Config { marks: Vec::new(), protocol: "echo", more, ..Config::default() };
    site.configure(&config)?;
    let mut daemon = Daemon::start(programs, site, None)?;
    visits(daemon.site.port, REAL / 10)?;
    daemon.wait_quiet()?;
    let zygote = daemon.generations()?.first().ok_or("there is no zygote")?.pid;
    let before = ticks(zygote)?;
    visits(daemon.site.port, REAL)?;
    daemon.wait_quiet()?;
    let spent = ticks(zygote)? - before;
    daemon.stop()?;
    let a_second = sysconf(SysconfVar::CLK_TCK)?.ok_or("there are no ticks")?;
    Ok(spent as f64 * 1e9 / a_second as f64 / REAL as f64)
}

fn visits(port: u16, many: usize) -> Result<()> {
    for _ in 0..many {
        let mut client = Client::connect(next_address(), port)?;
        client.expect("hello")?;
        client.ask("quit", "goodbye")?;
        client.end()?;
    }
    Ok(())
}

/// The processor time of a process and its reaped children, in clock ticks.
fn ticks(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(") ").ok_or("no line of the kernel's")?;
    let words: Vec<&str> = rest.split(' ').collect();
    // utime, stime, cutime, cstime of proc_pid_stat(5).
    let times = words.get(11..15).ok_or("no line of the kernel's")?;
    Ok(times.iter().filter_map(|word| word.parse::<u64>().ok()).sum())
}
