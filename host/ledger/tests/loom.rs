//! The pages under every order that the memory model allows, by loom: the ledger's sources over loom's
//! atomics, with few cells and texts of one word. Who may die where is the simulator's business.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p exeunt-ledger --test loom --release`

#![cfg(loom)]

#[allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "these are the sources of the ledger, over other atomics"
)]
#[path = "../src/lib.rs"]
mod ledger;

/// What the sources name by `crate::sync`.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
}

use ledger::*;
use loom::sync::Arc;
use loom::thread;
use sync::{AtomicU32, Ordering::Relaxed};

/// As few cells as can go wrong.
const LISTENERS: usize = 2;
/// One module keeps facts.
const MODULES: usize = 1;
/// Of two bytes.
const STATE_MAX: usize = 2;

/// A text of one word: its length.
#[derive(Debug)]
struct Text<const N: usize>(AtomicU32);

impl<const N: usize> Text<N> {
    fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    fn set(&self, text: &str) {
        self.0.store(text.len() as u32, Relaxed);
    }

    fn get(&self) -> String {
        "x".repeat(self.0.load(Relaxed) as usize)
    }

    fn copy(&self, other: &Self) {
        self.0.store(other.0.load(Relaxed), Relaxed);
    }

    fn clear(&self) {
        self.0.store(0, Relaxed);
    }
}

/// Two turns, in the session's place.
const ROSTER: [Entry; 2] = [Entry { place: Place::Session, again: false }; 2];

fn a_slot() -> Arc<Slot> {
    let (identity, state, takeover) = (Identity::new(), State::new(), State::new());
    identity.set_status(SlotStatus::Open);
    identity.pid.store(7, Relaxed);
    Arc::new(Slot { identity, state, takeover })
}

/// Every order with at most three preemptions. The pages are larger than loom's first stack.
fn explore(test: fn()) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let whole = thread::Builder::new().stack_size(1 << 17).spawn(test);
        whole.expect("a thread").join().expect("no panic");
    });
}

fn run_to_the_end(chain: &Chain<'_>) {
    while let Some(turn) = chain.claim() {
        turn.enter(1).leave(Outcome::Failed("no"), 2);
    }
    let _sealed = chain.seal();
}

fn killed(_: &State) -> Verdict {
    let (detail, why) = (String::new(), String::new());
    Verdict { cause: 2, detail, death: Death::Killed, why, ended: 1, now: 3 }
}

#[test]
fn a_session_that_was_believed_dead_changes_nothing_after_the_take_over() {
    explore(|| {
        let slot = a_slot();
        let stray = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                let chain = Chain::new(&slot.state, &ROSTER, 0);
                let _first = chain.commit(1);
                run_to_the_end(&chain);
            })
        };
        let succession = Succession::new(&slot, &ROSTER, 0);
        if let Due::Runner { worker, .. } = succession.session_died(killed) {
            let chain = succession.chain(worker);
            run_to_the_end(&chain);
            let found = (chain.is_sealed(), chain.cause(), chain.phase(0), chain.phase(1));
            stray.join().expect("no panic");
            assert!(found.0 && found.2.is_terminal() && found.3.is_terminal());
            let now = (chain.is_sealed(), chain.cause(), chain.phase(0), chain.phase(1));
            assert_eq!(found, now);
        } else {
            stray.join().expect("no panic");
        }
    });
}

#[test]
fn whoever_sees_the_seal_sees_every_turn_over_with_all_that_is_written_of_it() {
    explore(|| {
        let slot = a_slot();
        let session = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                let chain = Chain::new(&slot.state, &ROSTER, 0);
                let _first = chain.commit(1);
                run_to_the_end(&chain);
            })
        };
        let succession = Succession::new(&slot, &ROSTER, 0);
        let due = succession.session_died(killed);
        if slot.identity.owner() == 0 {
            assert_eq!(due, Due::Close);
            let chain = Chain::new(succession.page(), &ROSTER, 0);
            for index in 0..2 {
                assert_eq!((chain.phase(index), chain.error(index).len()), (Phase::Failed, 2));
            }
            assert!(chain.is_sealed() && chain.cause().is_some());
        }
        session.join().expect("no panic");
    });
}

#[test]
fn of_two_that_take_over_one_does() {
    explore(|| {
        let slot = a_slot();
        let other = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.identity.take_over(0))
        };
        let mine = slot.identity.take_over(0);
        assert!(mine != other.join().expect("no panic"));
        assert_eq!(slot.identity.owner(), 1);
    });
}

#[test]
fn of_two_runners_that_report_one_works() {
    explore(|| {
        let slot = a_slot();
        let other = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || Chain::new(&slot.takeover, &ROSTER, 1).report(8))
        };
        let mine = Chain::new(&slot.takeover, &ROSTER, 1).report(9);
        assert!(mine != other.join().expect("no panic"));
    });
}

#[test]
fn an_order_is_seen_with_its_detail_and_one_cause_is_committed() {
    explore(|| {
        let slot = a_slot();
        let session = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || {
                let order = slot.identity.order();
                if order.is_some() {
                    assert_eq!(slot.identity.order_detail.get().len(), 3);
                    assert_eq!(slot.identity.ordered_at.load(Relaxed), 5);
                }
                let chain = Chain::new(&slot.state, &ROSTER, 0);
                assert!(chain.commit(order.unwrap_or(1)));
                chain.cause()
            })
        };
        slot.identity.set_order(4, "why", 5);
        let seen = Chain::new(&slot.state, &ROSTER, 0).cause();
        let committed = session.join().expect("no panic");
        assert!(matches!(committed, Some(1 | 4)) && (seen.is_none() || seen == committed));
    });
}

#[test]
fn who_reads_facts_while_they_are_replaced_reads_the_old_or_the_new() {
    explore(|| {
        let slot = a_slot();
        assert!(slot.state.modules[0].write(b"a"));
        let session = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || assert!(slot.state.modules[0].write(b"bc")))
        };
        let mut facts = [0; 2];
        let len = slot.state.modules[0].read(&mut facts);
        assert!(facts[..len] == *b"a" || facts[..len] == *b"bc", "{facts:?}");
        session.join().expect("no panic");
    });
}

#[test]
fn a_session_that_is_told_to_go_on_sees_what_its_runner_did_first() {
    const PLACED: [Entry; 2] = [
        Entry { place: Place::Runner, again: false },
        Entry { place: Place::Session, again: false },
    ];
    explore(|| {
        let slot = a_slot();
        let outside = Arc::new(AtomicU32::new(0));
        let _first = Chain::new(&slot.state, &PLACED, 0).commit(1);
        let session = {
            let (slot, outside) = (Arc::clone(&slot), Arc::clone(&outside));
            thread::spawn(move || {
                let over = slot.identity.over();
                let chain = Chain::new(&slot.state, &PLACED, 0);
                chain.had_elsewhere(over);
                if chain.claim().is_some() {
                    assert_eq!(outside.load(Relaxed), 1, "its turn has come too early");
                }
            })
        };
        let succession = Succession::new(&slot, &PLACED, 0);
        assert_eq!(succession.lend(0), Some(Due::Runner { worker: 1, place: Place::Runner }));
        let chain = succession.chain(1).in_place(Place::Runner);
        let entered = chain.claim().expect("a turn").enter(1);
        outside.store(1, Relaxed);
        entered.leave(Outcome::Done, 2);
        assert_eq!(succession.runner_died(|_| (Death::Killed, String::new()), 3), Due::GoOn);
        session.join().expect("no panic");
    });
}
