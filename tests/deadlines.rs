//! Time: an end that hangs everywhere is over within its bound, and no length of time is measured with
//! the wall clock, which somebody may set.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::*;

/// A daemon whose wall clock is off by the seconds in the file `step`. The daemon lets nobody put code
/// into its children by their environment: it is done in an /etc of its own.
fn stepped() -> Option<Setup> {
    if !needs("cc") || !needs("unshare") {
        return None;
    }
    if !is_root() {
        skip("only root can give the daemon another clock");
        return None;
    }
    // Sessions look at the file, too.
    let setup = three().module_with("reach", "read = ['step']").file("step", "0");
    std::fs::create_dir_all(setup.path("etc/work")).expect("a folder");
    let library = setup.path("libclock.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-o"]).arg(&library);
    assert!(compiler.arg("../tests/clock.c").status().expect("a compiler").success());
    let setup = setup.file("etc/own/ld.so.preload", library.display().to_string());
    let (own, work) = (setup.path("etc/own"), setup.path("etc/work"));
    let options = format!("lowerdir=/etc,upperdir={},workdir={}", own.display(), work.display());
    let step = setup.path("step");
    let mount = format!("mount -t overlay overlay -o {options} /etc");
    let tried = Command::new("unshare").args(["--mount", "sh", "-c", &mount]).status();
    if !tried.is_ok_and(|status| status.success()) {
        skip("the daemon cannot be given an /etc of its own");
        return None;
    }
    let setup = setup.mounts(&mount);
    Some(setup.env("STEPPED_CLOCK", &step.display().to_string()))
}

/// Steps the wall clock of the daemon.
fn step(daemon: &Daemon, seconds: i64) {
    std::fs::write(daemon.path("step"), seconds.to_string()).expect("written");
}

const DAY: i64 = 86_400;

/// The year, month and day in a field of the journal.
fn day<'a>(exit: &'a Exit, field: &str) -> &'a str {
    &exit.json[field].as_str().expect("a time")[..10]
}

#[test]
fn a_session_outlives_every_step_of_the_wall_clock() {
    let Some(setup) = stepped() else { return };
    let daemon = setup.timeouts("idle = '1h'\nsession = '2h'\nlogin = '1h'").start();
    let mut client = greeted(&daemon);
    for seconds in [DAY, -DAY, 400 * DAY, 2 * DAY] {
        step(&daemon, seconds);
        client.ask("still there?", "still there?");
    }
    client.ask("quit", "goodbye: ");
    let exit = daemon.wait_exit();
    assert_eq!((&*exit.cause, &*exit.outcomes()), ("client-quit", "done done done"));
    assert_ne!(day(&exit, "started"), day(&exit, "ended"), "the clock was stepped");
}

#[test]
fn a_timeout_comes_when_it_should_though_the_wall_clock_goes_back() {
    let Some(setup) = stepped() else { return };
    let daemon = setup.timeouts("idle = '400ms'").start();
    let mut client = greeted(&daemon);
    let begin = Instant::now();
    step(&daemon, -DAY);
    client.expect("goodbye: ");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    assert_eq!(daemon.wait_exit().cause, "timeout-idle");
}

#[test]
fn a_listener_that_hangs_is_ended_in_time_whatever_the_wall_clock_says() {
    let Some(setup) = stepped() else { return };
    let setup = setup.module_with("wishes", "places = ['session']\nfails = 1\nhow = 'hang'");
    let daemon = setup.exit("listener = '500ms'").start();
    let mut client = greeted(&daemon);
    client.ask("quit", "goodbye: ");
    wait_until(|| daemon.trace().iter().any(|line| line.starts_with("wishes/")));
    step(&daemon, -DAY);
    let exit = daemon.wait_exit();
    assert_eq!(exit.outcomes(), "done done done timed-out");
    assert!((500.0..5000.0).contains(&exit.listeners[3].ms), "{exit:?}");
}

#[test]
fn an_end_that_hangs_everywhere_is_over_within_its_bound() {
    // Eight listeners, in all places, each of which hangs at each of its two attempts.
    let places = "places = ['session', 'runner', 'session', 'runner']\nattempts = 2";
    let config = format!("{places}\nfails = 9\nhow = 'hang'");
    let setup = Setup::new().module_with("wishes", &config).listen("echo");
    let daemon = setup.exit("listener = '300ms'\nchain = '500ms'\nlinger = '200ms'").start();
    let mut client = greeted(&daemon);
    let begin = Instant::now();
    client.ask("quit", "goodbye: ");
    let exit = daemon.wait_exit();
    // The budget of the chain, then a floor of 100 ms for each; the rest is generous slack.
    let bound = Duration::from_millis(500 + 8 * 100) + Duration::from_secs(5);
    assert!(begin.elapsed() < bound, "{:?} of {bound:?}", begin.elapsed());
    assert_eq!(exit.outcomes(), ["timed-out"; 8].join(" "));
    assert!(exit.listeners.iter().all(|told| told.ms >= 99.0), "{exit:?}");
    let all: f64 = exit.listeners.iter().map(|told| told.ms).sum();
    assert!(all < 6000.0, "{all}");
}
