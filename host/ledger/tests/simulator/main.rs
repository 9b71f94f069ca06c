//! The simulator: sessions, runners, a zygote and a supervisor as step machines on the ledger's real
//! code, which dies before any write. Every schedule is decided by a seed; the promises are checked by
//! what the listeners saw, never by what a page says.
//!
//! At full speed: `cargo test --release -p exeunt-ledger --test simulator -- --ignored --nocapture`.

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "these are the sources of the ledger, over other atomics"
)]
#[path = "../../src/lib.rs"]
mod ledger;

mod adoption;
mod atoms;
mod choice;
mod oracle;
mod schedule;
mod speed;
mod supervisor;
mod worker;
mod world;
mod zygote;

// What the sources name by `crate::`.
use atoms as sync;
use ledger::*;

/// As many cells as the rosters here have turns.
const LISTENERS: usize = 8;
/// One module keeps facts.
const MODULES: usize = 1;
/// Of few bytes.
const STATE_MAX: usize = 8;
