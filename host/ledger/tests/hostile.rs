//! Pages on which anything stands, at any moment, and every way in which a zygote handles them: nothing
//! panics, everything comes to an end, and what is not the liar's own stays as it is. What a reader makes
//! of single fields is tested in `pages`.

#![allow(unsafe_code, reason = "a hostile page is made by writing raw bytes over it")]

use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{
    Chain, Death, Due, Entry, Outcome, Phase, Place, Slot, SlotStatus, State, Succession, Verdict,
};
use proptest::prelude::*;

/// Bytes that are written over and over, from a place in a page.
type Nonsense = (usize, Vec<u8>);

/// What a zygote may be told about a slot.
#[derive(Clone, Debug)]
enum Event {
    SessionDied,
    RunnerDied(bool),
    Lend(usize),
    Resume,
    Retry,
    Adopt,
    Scribble(Nonsense),
}

fn scribble(page: &State, (from, bytes): &Nonsense) {
    let start = std::ptr::from_ref(page).cast::<u8>().cast_mut();
    for (at, byte) in bytes.iter().cycle().take(size_of::<State>() - from).enumerate() {
        // SAFETY: `from + at` is less than the size of the page, which is made of atomic integers alone:
        // they may change through a shared reference, may hold any bytes, and no other thread has them.
        unsafe { start.wrapping_add(from + at).write(*byte) };
    }
}

fn bytes(page: &State) -> Vec<u8> {
    let start = std::ptr::from_ref(page).cast::<u8>();
    // SAFETY: the page has that many bytes, of integers only, and nobody writes meanwhile.
    unsafe { std::slice::from_raw_parts(start, size_of::<State>()) }.to_vec()
}

fn a_slot() -> Box<Slot> {
    let slot = Box::new(Slot {
        identity: Default::default(),
        state: Default::default(),
        takeover: Default::default(),
    });
    slot.identity.pid.store(7, Relaxed);
    slot.identity.set_status(SlotStatus::Open);
    slot
}

fn killed(_: &State) -> Verdict {
    let (detail, why) = (String::new(), String::new());
    Verdict { cause: 2, detail, death: Death::Killed, why, ended: 1, now: 3 }
}

/// Every accessor that the zygote, the journal or a client's question uses.
fn look_at_everything(slot: &Slot, entries: &[Entry]) {
    for page in [&slot.state, &slot.takeover] {
        let chain = Chain::new(page, entries, 300);
        let _what = (chain.cause(), chain.owed(), chain.is_sealed(), chain.next_place());
        for index in 0..entries.len() {
            let _how = (chain.phase(index), chain.took_micros(index), chain.entered_by(index));
            assert!(chain.error(index).chars().count() <= 96);
        }
        for text in [page.detail.get(), page.user.get(), page.command.get(), page.path.get()] {
            assert!(text.chars().count() <= 256 && !text.contains(char::is_control));
        }
        let mut facts = [0; 4];
        assert!(page.modules.iter().all(|cell| cell.read(&mut facts) <= 256));
    }
}

/// A runner that dies at once, or does all that is in its place. What it works on, nobody scribbles on.
fn put_to_work(slot: &Slot, entries: &[Entry], worker: u32, place: Place, lives: bool) -> u32 {
    slot.identity.set_runner(100 + worker);
    let chain = Chain::new(&slot.takeover, entries, worker).in_place(place);
    let mut entered = 0;
    while let Some(turn) = lives.then(|| chain.claim()).flatten() {
        turn.enter(1).leave(Outcome::Done, 2);
        entered += 1;
    }
    entered
}

fn an_entry() -> impl Strategy<Value = Entry> {
    let place = prop_oneof![Just(Place::Session), Just(Place::Runner), Just(Place::Root)];
    (place, any::<bool>()).prop_map(|(place, again)| Entry { place, again })
}

fn nonsense() -> impl Strategy<Value = Nonsense> {
    let near = prop_oneof![0..size_of::<State>(), 0..1500_usize];
    (near, prop::collection::vec(prop_oneof![any::<u8>(), 0..9_u8], 1..40))
}

fn an_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        Just(Event::SessionDied),
        any::<bool>().prop_map(Event::RunnerDied),
        (0..80_usize).prop_map(Event::Lend),
        Just(Event::Resume),
        Just(Event::Retry),
        Just(Event::Adopt),
        nonsense().prop_map(Event::Scribble),
    ]
}

fn happen(slot: &Slot, entries: &[Entry], event: &Event) -> Due {
    let succession = Succession::new(slot, entries, 2);
    match event {
        Event::SessionDied => {
            slot.identity.set_wait_status(9);
            succession.session_died(killed)
        }
        Event::RunnerDied(crashed) => {
            let death = if *crashed { Death::Fault } else { Death::Deadline };
            succession.runner_died(|_| (death, "died".to_owned()), 9)
        }
        Event::Lend(index) => succession.lend(*index).unwrap_or(Due::Wait),
        Event::Resume if slot.identity.status() == SlotStatus::Taken => succession.resume(),
        Event::Retry => succession.retry(),
        Event::Adopt => succession.adopt().map_or(Due::Wait, |_| succession.retry()),
        Event::Scribble(nonsense) => {
            scribble(&slot.state, nonsense);
            Due::Wait
        }
        Event::Resume => Due::Wait,
    }
}

proptest! {
    #[test]
    fn whatever_stands_on_both_pages_the_zygote_comes_to_an_end(
        (first, second) in (nonsense(), nonsense()),
        entries in prop::collection::vec(an_entry(), 0..=64),
        events in prop::collection::vec(an_event(), 0..12),
    ) {
        let (slot, other) = (a_slot(), a_slot());
        scribble(&slot.state, &first);
        scribble(&slot.takeover, &second);
        let before = (bytes(&other.state), bytes(&other.takeover));
        for event in &events {
            let _due = happen(&slot, &entries, event);
            look_at_everything(&slot, &entries);
        }
        slot.identity.set_runner(0);
        let succession = Succession::new(&slot, &entries, 2);
        let mut due = happen(&slot, &entries, &Event::SessionDied);
        for _ in 0..400 {
            due = match due {
                Due::Close => break,
                Due::Wait => succession.resume(),
                Due::Runner { worker, place } => {
                    put_to_work(&slot, &entries, worker, place, worker % 2 == 0);
                    happen(&slot, &entries, &Event::RunnerDied(true))
                }
                Due::Bury | Due::GoOn => happen(&slot, &entries, &Event::SessionDied),
            };
        }
        prop_assert_eq!(due, Due::Close);
        prop_assert!(Chain::new(succession.page(), &entries, 0).is_sealed());
        prop_assert!(before == (bytes(&other.state), bytes(&other.takeover)));
    }

    #[test]
    fn whatever_a_session_says_its_runners_turns_are_had_once(
        entries in prop::collection::vec(an_entry(), 1..=20),
        lies in prop::collection::vec((nonsense(), 0..20_usize, any::<bool>()), 1..12),
    ) {
        let entries: Vec<Entry> = entries.iter().map(|e| Entry { again: false, ..*e }).collect();
        let slot = a_slot();
        let (mut entered, mut dead) = (0, false);
        let mut due = Due::Wait;
        for (step, (nonsense, index, lives)) in lies.iter().cycle().take(400).enumerate() {
            scribble(&slot.state, nonsense);
            due = match due {
                Due::Close => break,
                Due::Runner { worker, place } => {
                    let had = put_to_work(&slot, &entries, worker, place, *lives);
                    entered += if place == Place::Session { 0 } else { had };
                    happen(&slot, &entries, &Event::RunnerDied(true))
                }
                Due::Wait if !dead => {
                    dead = !*lives || step > 100;
                    happen(&slot, &entries, &Event::Lend(*index))
                }
                _ => happen(&slot, &entries, &Event::SessionDied),
            };
        }
        prop_assert_eq!(due, Due::Close);
        let placed = (0..entries.len()).filter(|i| entries[*i].place != Place::Session);
        let chain = Chain::new(&slot.takeover, &entries, 0);
        let done = placed.clone().filter(|i| chain.phase(*i) == Phase::Done).count();
        // Those that no runner got to were given up; nobody else has had any.
        prop_assert_eq!(done as u32, entered);
        for index in placed.filter(|i| chain.phase(*i) != Phase::Done) {
            prop_assert!(chain.error(index).contains("gave up"), "{}", chain.error(index));
        }
    }
}
