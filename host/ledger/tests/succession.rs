//! Who goes on after a death, case by case: what the simulator once found, and what must not come back.
//! That it holds for every schedule is the simulator's business.

use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{
    Chain, Death, Due, Entry, Outcome, Phase, Place, Slot, SlotStatus, State, Succession, Verdict,
};

const RUNNER: Entry = Entry { place: Place::Runner, again: false };
const SESSION: Entry = Entry { place: Place::Session, again: false };

/// An open slot whose session has come to its end.
fn ending(entries: &[Entry]) -> Box<Slot> {
    let slot = Box::new(Slot {
        identity: Default::default(),
        state: Default::default(),
        takeover: Default::default(),
    });
    Succession::new(&slot, entries, 0).reserve();
    slot.identity.pid.store(7, Relaxed);
    slot.identity.set_status(SlotStatus::Open);
    assert!(Chain::new(&slot.state, entries, 0).commit(1));
    slot
}

fn die(slot: &Slot, entries: &[Entry]) -> Due {
    let killed = |_: &State| {
        let (detail, why) = (String::new(), String::new());
        Verdict { cause: 2, detail, death: Death::Killed, why, ended: 1, now: 3 }
    };
    slot.identity.set_wait_status(9);
    Succession::new(slot, entries, 0).session_died(killed)
}

fn runner_dies(slot: &Slot, entries: &[Entry]) -> Due {
    Succession::new(slot, entries, 0).runner_died(|_| (Death::Killed, String::new()), 3)
}

fn one_turn(chain: &Chain<'_>) {
    chain.claim().expect("a turn").enter(1).leave(Outcome::Done, 2);
}

const BY_RUNNER: Due = Due::Runner { worker: 1, place: Place::Runner };
const BY_SESSION: Due = Due::Runner { worker: 1, place: Place::Session };

#[test]
fn a_runner_that_could_not_be_forked_is_not_put_beside_one_that_was() {
    let slot = ending(&[RUNNER]);
    let succession = Succession::new(&slot, &[RUNNER], 0);
    assert_eq!(succession.lend(0), Some(BY_RUNNER), "no process for it");
    assert_eq!(die(&slot, &[RUNNER]), BY_RUNNER);
    slot.identity.set_runner(8);
    assert_eq!(succession.retry(), Due::Wait);
}

#[test]
fn a_slot_that_is_free_again_owes_no_runner() {
    let slot = ending(&[RUNNER]);
    let succession = Succession::new(&slot, &[RUNNER], 0);
    succession.release();
    assert_eq!(succession.retry(), Due::Wait);
}

#[test]
fn a_session_that_asks_again_is_not_told_that_what_is_owed_is_over() {
    let entries = [RUNNER, RUNNER, SESSION];
    let slot = ending(&entries);
    let succession = Succession::new(&slot, &entries, 0);
    assert_eq!(succession.lend(0), Some(BY_RUNNER));
    slot.identity.set_runner(8);
    one_turn(&succession.chain(1).in_place(Place::Runner));
    assert_eq!(runner_dies(&slot, &entries), BY_RUNNER, "no process for it, and the zygote dies");
    assert_eq!(succession.lend(0), Some(BY_RUNNER));
    assert_eq!(slot.identity.over(), 0);
    one_turn(&succession.chain(1).in_place(Place::Runner));
    assert_eq!(runner_dies(&slot, &entries), Due::GoOn);
    assert_eq!(slot.identity.over(), 2);
}

#[test]
fn a_death_that_was_seen_to_is_not_seen_to_again() {
    let slot = ending(&[SESSION]);
    assert_eq!(die(&slot, &[SESSION]), BY_SESSION);
    assert_eq!(die(&slot, &[SESSION]), Due::Wait);
}

#[test]
fn how_one_runner_died_says_nothing_about_another() {
    let slot = ending(&[SESSION]);
    slot.identity.set_runner(9);
    slot.identity.set_runner_status(8, 11);
    assert_eq!(slot.identity.runner_status(), None);
    slot.identity.set_runner_status(9, 11);
    assert_eq!(slot.identity.runner_status(), Some(11));
}

#[test]
fn a_runner_that_comes_late_does_not_push_another_aside() {
    let slot = ending(&[SESSION]);
    let chain = Succession::new(&slot, &[SESSION], 0).chain(1);
    assert!(chain.report(9));
    assert!(!chain.report(8), "that of a zygote that died");
    assert_eq!(slot.takeover.worker.load(Relaxed), 9);
}

#[test]
fn a_runner_that_never_reported_is_not_waited_for() {
    let slot = ending(&[SESSION]);
    assert_eq!(die(&slot, &[SESSION]), BY_SESSION);
    slot.identity.set_runner(8);
    let succession = Succession::new(&slot, &[SESSION], 0);
    assert_eq!(succession.adopt(), None);
    assert_eq!(succession.resume(), Due::Runner { worker: 2, place: Place::Session });
}

#[test]
fn who_closes_what_another_began_to_close_is_told() {
    let slot = ending(&[]);
    let succession = Succession::new(&slot, &[], 0);
    assert_eq!(die(&slot, &[]), Due::Close);
    assert!(succession.close());
    assert!(!succession.close(), "the journal may have the line");
}

#[test]
fn a_slot_is_clean_when_it_is_reserved_whatever_was_left() {
    let entries = [SESSION, RUNNER];
    let slot = ending(&entries);
    assert_eq!(die(&slot, &entries), BY_SESSION);
    one_turn(&Succession::new(&slot, &entries, 0).chain(1));
    let succession = Succession::new(&slot, &entries, 0);
    succession.release();
    succession.reserve();
    let phases = [0, 1].map(|index| succession.chain(0).phase(index));
    assert_eq!((slot.identity.owner(), phases), (0, [Phase::Pending; 2]));
    assert_eq!((slot.identity.status(), slot.identity.over()), (SlotStatus::Reserved, 0));
}
