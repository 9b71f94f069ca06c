//! A small storm of kills: the code of `tests/storm`, with numbers that a test run can afford.

use std::path::Path;
use std::time::Duration;

use storm::kills::{self, Plan};
use storm::programs::Programs;
use storm::seed::Seed;

/// The daemon and the modules that cargo built for the tests.
fn programs() -> Programs {
    let own = std::env::current_exe().expect("the test has a path");
    let modules = own.parent().expect("it lies in a folder").to_owned();
    Programs { exeunt: Path::new(env!("CARGO_BIN_EXE_exeunt")).to_owned(), modules }
}

#[test]
fn kills_at_random_cost_no_listener_its_turn_and_give_none_a_second() {
    let seed = Seed::of_now();
    let number = seed.0;
    let pause = Duration::from_millis(2);
    let plan = Plan { sessions: 2000, clients: 48, pause, seed, keep: false };
    let summary = kills::run(&programs(), &plan).expect("the storm begins");
    println!("{summary}");
    assert!(
        summary.violations.is_empty(),
        "the same storm: cargo run --release -p storm -- kills --sessions 2000 --seed {number}"
    );
}
