//! What the scenarios are written in: a daemon in a scratch folder, a client, readers for the journal
//! and for `/proc`, and the one way to wait. What is to be true of them stands in the scenarios.

mod client;
mod config;
mod daemon;
mod journal;
mod memory;
pub(crate) mod ports;
mod process;
mod scenes;
mod scratch;
mod setup;

use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use client::Client;
pub(crate) use config::library;
pub(crate) use daemon::{Daemon, Output};
pub(crate) use journal::Exit;
pub(crate) use memory::MemoryGroup;
pub(crate) use nix::sys::signal::Signal;
pub(crate) use process::Process;
pub(crate) use scenes::{ALL, GEHEIM, greeted, kill_everything, log_in, three, with_users};
pub(crate) use setup::Setup;

/// Sends a signal to a process.
pub(crate) fn kill(pid: i32, signal: Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("a process");
}

/// How long a state may take to come; far more than any needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits until something is true. Nothing else in the tests waits for time to pass.
#[track_caller]
pub(crate) fn wait_until(is_so: impl FnMut() -> bool) {
    assert!(comes(PATIENCE, is_so), "waited {PATIENCE:?} in vain");
}

/// Whether something becomes true in that time.
pub(crate) fn comes(within: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + within;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

/// Whether a program is there. If not, says that the test is skipped, which then returns.
pub(crate) fn needs(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let is_there = found.is_ok_and(|found| found.status.success());
    if !is_there {
        skip(&format!("{program} is not installed"));
    }
    is_there
}

/// Whether the tests run as root. If not, says that the test is skipped, which then returns.
pub(crate) fn needs_root() -> bool {
    let is_root = is_root();
    if !is_root {
        skip("not started as root");
    }
    is_root
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Past libtest, which would show it for a failed test only.
pub(crate) fn skip(why: &str) {
    let name = thread::current().name().unwrap_or_default().to_owned();
    // A line that nobody reads is no failure.
    let _unread = writeln!(std::io::stderr(), "skipped: {why} ({name})");
}
