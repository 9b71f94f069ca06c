//! A simulated session, its runners and its zygote on one slot of the ledger: each worker lives for
//! some steps and dies where they end, however inconvenient that is. The oracle is what the
//! listeners themselves saw, not what the page says. What single fields hold is tested in `pages`.

use exeunt_ledger::{Chain, Death, Entry, Outcome, Phase, Place, Seal, Slot};
use proptest::prelude::*;

/// How a worker's life goes.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// The steps that it lives for.
    steps: usize,
    death: Death,
}

/// One step less to live.
fn breathe(life: &mut Life) -> Result<(), Death> {
    life.steps = life.steps.checked_sub(1).ok_or(life.death)?;
    Ok(())
}

/// What the listeners saw.
#[derive(Debug, Default)]
struct Seen {
    /// Which listener was entered, by which worker.
    entered: Vec<(usize, u32)>,
    /// What must become of each listener, in order of its entry.
    expected: Vec<Phase>,
}

/// That many listeners, each with one turn in the session's place.
const ROSTER: [Entry; 12] = [Entry { place: Place::Session, again: false }; 12];

fn chain(slot: &Slot, listeners: usize, worker: u32) -> Chain<'_> {
    let page = if worker == 0 { &slot.state } else { &slot.takeover };
    Chain::new(page, &ROSTER[..listeners], worker)
}

/// Sealed means that nothing is owed, however often and however early somebody seals.
fn seal_tells_the_truth(chain: &Chain<'_>) {
    match chain.owed() {
        Some(index) => assert_eq!((chain.seal(), chain.is_sealed()), (Seal::Owed(index), false)),
        None => assert_eq!((chain.seal(), chain.is_sealed()), (Seal::Sealed, true)),
    }
}

/// Works on the chain as a session and its runners do. Every step may be the last one.
fn work(chain: &Chain<'_>, worker: u32, mut life: Life, seen: &mut Seen) -> Result<(), Death> {
    breathe(&mut life)?;
    while let Some(turn) = chain.claim() {
        breathe(&mut life)?;
        let index = turn.index();
        let entered = turn.enter(0);
        seen.entered.push((index, worker));
        seen.expected.push(match life.death {
            Death::Deadline => Phase::TimedOut,
            Death::Fault => Phase::Failed,
            Death::Killed => Phase::Interrupted,
        });
        breathe(&mut life)?;
        let fails = index % 3 == 2;
        entered.leave(if fails { Outcome::Failed("no") } else { Outcome::Done }, 1);
        seen.expected.pop();
        seen.expected.push(if fails { Phase::Failed } else { Phase::Done });
        breathe(&mut life)?;
    }
    seal_tells_the_truth(chain);
    Ok(())
}

fn owed(chain: &Chain<'_>, listeners: usize) -> usize {
    (0..listeners).filter(|index| !chain.phase(*index).is_terminal()).count()
}

/// The zygote: puts worker after worker to work until the chain is sealed. Those beyond `lives` do
/// not die.
fn see_to_the_end(slot: &Slot, listeners: usize, lives: &[Life], seen: &mut Seen) {
    let immortal = Life { steps: usize::MAX, death: Death::Killed };
    for worker in 0..=lives.len() as u32 {
        let life = lives.get(worker as usize).copied().unwrap_or(immortal);
        let on = chain(slot, listeners, worker);
        let (before, entries) = (owed(&on, listeners), seen.entered.len());
        let end = work(&on, worker, life, seen);
        if on.is_sealed() {
            return;
        }
        let death = end.expect_err("a worker that lives to the end seals the chain");
        seal_tells_the_truth(&on);
        assert!(slot.identity.take_over(worker), "nobody else takes over");
        assert!(!slot.identity.take_over(worker), "and nobody does so twice");
        if worker == 0 {
            slot.takeover.take(&slot.state, &ROSTER[..listeners], 0);
        }
        let next = chain(slot, listeners, worker + 1);
        next.settle(death, "died", 1);
        assert_eq!(before - owed(&next, listeners), seen.entered.len() - entries, "progress");
    }
    panic!("the last worker did not die, and the chain is not sealed");
}

fn a_life() -> impl Strategy<Value = Life> {
    let death = prop_oneof![Just(Death::Deadline), Just(Death::Fault), Just(Death::Killed)];
    (0..16_usize, death).prop_map(|(steps, death)| Life { steps, death })
}

proptest! {
    #[test]
    fn whoever_dies_wherever_each_listener_is_entered_once_in_order_and_then_sealed(
        listeners in 0..12_usize,
        lives in prop::collection::vec(a_life(), 0..10),
    ) {
        let (slot, mut seen) = (a_slot(), Seen::default());
        see_to_the_end(&slot, listeners, &lives, &mut seen);
        let order: Vec<usize> = seen.entered.iter().map(|(index, _)| *index).collect();
        prop_assert_eq!(order, (0..listeners).collect::<Vec<_>>());
        let last = chain(&slot, listeners, slot.identity.owner());
        prop_assert!(last.is_sealed());
        for (index, worker) in seen.entered {
            prop_assert_eq!(last.phase(index), seen.expected[index]);
            prop_assert_eq!(u32::from(last.entered_by(index)), worker);
        }
    }
}

fn a_slot() -> Box<Slot> {
    Box::new(Slot {
        identity: Default::default(),
        state: Default::default(),
        takeover: Default::default(),
    })
}

#[test]
fn one_that_died_before_it_entered_did_not_use_up_the_turn() {
    let slot = a_slot();
    let _died = chain(&slot, 1, 0).claim().expect("a turn");
    slot.takeover.take(&slot.state, &ROSTER[..1], 0);
    let next = chain(&slot, 1, 1);
    assert_eq!(next.settle(Death::Killed, "died", 1), None);
    assert_eq!(next.claim().expect("the same turn").index(), 0);
}

#[test]
fn one_that_was_entered_is_never_claimed_again() {
    let slot = a_slot();
    let _died = chain(&slot, 2, 0).claim().expect("a turn").enter(0);
    slot.takeover.take(&slot.state, &ROSTER[..2], 0);
    let next = chain(&slot, 2, 1);
    assert!(next.claim().is_none(), "nobody overtakes it");
    assert_eq!(next.settle(Death::Killed, "died", 1), Some(0));
    assert_eq!(next.claim().expect("the next turn").index(), 1);
}

#[test]
fn the_mark_alone_is_not_believed() {
    let slot = a_slot();
    // A session that lies: it seals a chain without listeners.
    assert_eq!(chain(&slot, 0, 0).seal(), Seal::Sealed);
    assert!(!chain(&slot, 2, 0).is_sealed());
}

#[test]
fn after_the_take_over_the_old_page_moves_nothing() {
    let slot = a_slot();
    slot.takeover.take(&slot.state, &ROSTER[..2], 0);
    let stray = chain(&slot, 2, 0);
    let _committed = stray.commit(9);
    stray.abandon(None, "not its business");
    let next = chain(&slot, 2, 1);
    assert_eq!(
        (next.cause(), next.phase(0), next.phase(1)),
        (None, Phase::Pending, Phase::Pending)
    );
}

#[test]
fn the_first_cause_stands() {
    let slot = a_slot();
    let session = chain(&slot, 0, 0);
    assert!(session.commit(3));
    assert!(!session.commit(4));
    assert_eq!(session.cause(), Some(3));
}

#[test]
fn what_is_abandoned_is_failed_and_what_has_an_outcome_keeps_it() {
    let slot = a_slot();
    let session = chain(&slot, 2, 0);
    session.claim().expect("a turn").enter(0).leave(Outcome::Done, 1);
    session.abandon(None, "given up");
    assert_eq!((session.phase(0), session.phase(1)), (Phase::Done, Phase::Failed));
    assert_eq!((&*session.error(0), &*session.error(1)), ("", "given up"));
}
