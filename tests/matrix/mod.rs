//! The fault matrix: every way for a session to end, with every fault of one of its listeners, in each
//! position, as root and not. CI takes a part of it in which every pair of values is; the rest by
//!
//! ```text
//! EXEUNT_MATRIX=full cargo test --release -p exeunt --test daemon matrix:: -- --nocapture
//! EXEUNT_MATRIX=kill-idle/spin/middle/root …one cell; a * stands for every value
//! ```

mod causes;
mod cells;
mod faults;
mod site;
mod verdict;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use crate::harness::is_root;
use cells::{Cell, Identity};
use site::Site;

/// So many daemons at a time.
const AT_ONCE: usize = 4;

#[test]
fn no_end_and_no_faulty_listener_costs_anybody_else_a_turn() {
    let choice = std::env::var("EXEUNT_MATRIX").unwrap_or_else(|_| "pairs".to_owned());
    let mut cells = match &*choice {
        "pairs" => cells::pairs(),
        "full" => cells::all(),
        name => cells::named(name),
    };
    cells.retain(|cell| cell.identity == Identity::Nobody || is_root());
    assert!(!cells.is_empty(), "there is no cell {choice} for whoever runs this");
    let begin = Instant::now();
    let violations = run(&mut cells);
    for violation in &violations {
        println!("{violation}");
    }
    let (number, wrong, time) = (cells.len(), violations.len(), begin.elapsed().as_secs());
    println!("matrix: {number} cells ({choice}), {wrong} violations, {time} s");
    assert_eq!(wrong, 0, "violations");
}

/// Runs the cells, those that can share a daemon on the same one; the violations.
fn run(cells: &mut [Cell]) -> Vec<String> {
    let daemon = |cell: &Cell| {
        let Cell { cause, fault, position, identity } = *cell;
        (fault as usize, position as usize, identity as usize, cause.timeout())
    };
    cells.sort_by_key(|cell| (daemon(cell), cell.cause));
    let is_one = cells.len() == 1;
    let sharing: Vec<&[Cell]> = cells.chunk_by(|a, b| daemon(a) == daemon(b)).collect();
    let (next, violations) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(cells) = sharing.get(next.fetch_add(1, Relaxed)) {
            let wrong = run_on_one_daemon(cells, is_one);
            violations.lock().expect("no holder panics").extend(wrong);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    violations.into_inner().expect("no holder panics")
}

fn run_on_one_daemon(cells: &[Cell], with_log: bool) -> Vec<String> {
    let (mut site, mut violations) = (None, Vec::new());
    for cell in cells {
        let run = || site.get_or_insert_with(|| Site::open(*cell)).run(*cell);
        let (wrong, has_panicked) = whatever_happens(run);
        violations.extend(wrong.iter().map(|wrong| violation(&cell.to_string(), wrong)));
        let of_site = site.as_ref().filter(|_| with_log && !wrong.is_empty());
        violations.extend(of_site.map(Site::log));
        if has_panicked {
            // Nobody knows what state it is in: the other cells get another daemon.
            site = None;
        }
    }
    if let (Some(site), Some(cell)) = (site, cells.first()) {
        let (wrong, _) = whatever_happens(|| site.close());
        violations.extend(wrong.iter().map(|wrong| violation(&cell.any_cause(), wrong)));
    }
    violations
}

fn violation(cell: &str, wrong: &str) -> String {
    let again = format!("EXEUNT_MATRIX='{cell}' cargo test -p exeunt --test daemon matrix::");
    format!("{cell}: {wrong}; again: {again}")
}

/// What is wrong, and whether it was found out by a panic, which is how the harness gives up.
fn whatever_happens(check: impl FnOnce() -> Vec<String>) -> (Vec<String>, bool) {
    let text = |panic: &(dyn Any + Send)| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
    };
    match catch_unwind(AssertUnwindSafe(check)) {
        Ok(wrong) => (wrong, false),
        Err(panic) => (vec![text(&*panic).unwrap_or_else(|| "it panicked".to_owned())], true),
    }
}
