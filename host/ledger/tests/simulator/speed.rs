//! Many schedules: how they are asked for, counted, and told.

use std::io::Write;
use std::time::Instant;

use crate::Slot;
use crate::choice::{Choices, Seed, shorter};
use crate::schedule::{Failure, run};

fn slots() -> &'static [Slot] {
    let slot = || Slot {
        identity: Default::default(),
        state: Default::default(),
        takeover: Default::default(),
    };
    Box::leak(Box::new([slot(), slot()]))
}

/// The seeds of many schedules are made of one.
fn seed_of(base: u64, number: u64) -> u64 {
    Seed(base ^ number.wrapping_mul(0xd134_2543_de82_ef95)).next()
}

fn tell(text: &str) {
    // A test's output that is gone is not missed.
    let _told = writeln!(std::io::stdout().lock(), "{text}");
}

/// What is said about a schedule that failed: how to repeat it, and what happened in the shortest that
/// fails in the same way.
fn explain(slots: &'static [Slot], seed: u64, failure: &Failure) -> String {
    let fails = |list: &[u32]| {
        let again = run(slots, Choices::of_list(list.to_vec()), false);
        again.is_err_and(|other| other.why == failure.why)
    };
    let list = shorter(failure.choices.clone(), fails);
    let last = run(slots, Choices::of_list(list.clone()), true);
    let trace = last.err().map_or_else(Vec::new, |failure| failure.trace);
    format!(
        "{}\nrepeat: EXEUNT_SEED={seed:#x} cargo test -p exeunt-ledger --test simulator seed_of_the_environment -- --nocapture\nshortest: {list:?}\n{}",
        failure.why,
        trace.join("\n")
    )
}

/// Runs schedules `from..to` of a base; the first that fails is explained.
fn schedules(base: u64, from: u64, to: u64) -> Result<(), String> {
    let slots = slots();
    for number in from..to {
        let seed = seed_of(base, number);
        if let Err(failure) = run(slots, Choices::of_seed(seed), false) {
            return Err(explain(slots, seed, &failure));
        }
    }
    Ok(())
}

fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

#[test]
fn no_schedule_breaks_a_promise() {
    let random = random();
    tell(&format!("random base: {random:#x}"));
    for base in [1, 2, random] {
        if let Err(why) = schedules(base, 0, 3000) {
            panic!("{why}");
        }
    }
}

#[test]
fn seed_of_the_environment() {
    let Some(seed) = number_in("EXEUNT_SEED") else { return };
    let slots = slots();
    if let Err(failure) = run(slots, Choices::of_seed(seed), true) {
        panic!("{}", explain(slots, seed, &failure));
    }
}

#[test]
#[ignore = "runs for a minute or more"]
fn at_full_speed() {
    let base = number_in("EXEUNT_BASE").unwrap_or_else(random);
    let count = number_in("EXEUNT_SCHEDULES").unwrap_or(1_000_000);
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let share = count.div_ceil(threads);
    let began = Instant::now();
    let threads: Vec<_> = (0..threads)
        .map(|n| std::thread::spawn(move || schedules(base, n * share, (n + 1) * share)))
        .collect();
    let ends: Vec<_> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();
    let took = began.elapsed().as_secs_f64();
    let violations: Vec<String> = ends.into_iter().filter_map(Result::err).collect();
    tell(&format!(
        "{count} schedules in {took:.1} s, {:.0} a minute, {} violations, base {base:#x}",
        count as f64 / took * 60.0,
        violations.len()
    ));
    assert!(violations.is_empty(), "{}", violations.join("\n\n"));
}
