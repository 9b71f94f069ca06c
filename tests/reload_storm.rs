//! A small storm: the code of `tests/storm`, with numbers that a test run can afford.

use std::path::Path;

use storm::programs::Programs;
use storm::reload::{self, Plan};
use storm::seed::Seed;

/// The daemon and the modules that cargo built for the tests.
fn programs() -> Programs {
    let own = std::env::current_exe().expect("the test has a path");
    let modules = own.parent().expect("it lies in a folder").to_owned();
    Programs { exeunt: Path::new(env!("CARGO_BIN_EXE_exeunt")).to_owned(), modules }
}

#[test]
fn reloads_and_kills_under_load_cost_no_session_and_no_listener_its_turn() {
    let seed = Seed::of_now();
    println!("seed {}", seed.0);
    let plan = Plan { reloads: 10, rate: 20, kills: 2, wrong_every: 4, seed, keep: false };
    let summary = reload::run(&programs(), &plan).expect("the storm begins");
    assert!(summary.violations.is_empty(), "{summary}");
}
