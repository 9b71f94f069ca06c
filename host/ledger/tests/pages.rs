//! The pages byte by byte: what a reader makes of bytes that somebody else wrote, and what a death in
//! the middle of a write leaves. How a chain moves is tested in `chain`.

#![allow(unsafe_code, reason = "a hostile page is made by writing raw bytes over it")]

use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::{
    Chain, Death, Entry, LISTENERS, MODULES, ModuleCell, Outcome, Phase, Place, STATE_MAX, State,
    Text,
};
use proptest::prelude::*;

/// A page on which `pattern` stands over and over.
fn hostile(pattern: &[u8]) -> Box<State> {
    let mut page: Box<State> = Box::default();
    let start = (&raw mut *page).cast::<u8>();
    for (at, byte) in pattern.iter().cycle().take(size_of::<State>()).enumerate() {
        // SAFETY: `at` is less than the size of the page, which is ours alone and, being made of
        // atomic integers, may hold any bytes.
        unsafe { start.wrapping_add(at).write(*byte) };
    }
    page
}

/// The bytes of a module's cell. Its turn is the first word.
fn bytes(cell: &mut ModuleCell) -> &mut [u8; size_of::<ModuleCell>()] {
    // SAFETY: the cell is ours alone, made of atomic integers without padding between them (four-byte
    // words, then bytes), and may hold any bytes.
    unsafe { &mut *(&raw mut *cell).cast() }
}

fn facts(cell: &ModuleCell) -> Vec<u8> {
    let mut to = [0; STATE_MAX];
    let len = cell.read(&mut to);
    to[..len].to_vec()
}

fn some_facts() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..=STATE_MAX)
}

/// Every listener has one turn, in the session's place.
const ROSTER: [Entry; LISTENERS] = [Entry { place: Place::Session, again: false }; LISTENERS];

proptest! {
    #[test]
    fn a_hostile_page_is_taken_over_bounded_and_its_chain_comes_to_an_end(
        pattern in prop::collection::vec(any::<u8>(), 1..64),
        listeners in 0..=LISTENERS,
    ) {
        let (from, to) = (hostile(&pattern), Box::<State>::default());
        to.take(&from, &ROSTER[..listeners], MODULES);
        for text in [to.detail.get(), to.user.get(), to.command.get(), to.path.get()] {
            prop_assert!(text.chars().count() <= 256 && !text.contains(char::is_control));
        }
        for cell in &to.modules {
            prop_assert!(facts(cell).len() <= STATE_MAX);
        }
        let chain = Chain::new(&to, &ROSTER[..listeners], 1);
        // As for any dead worker; here more than one listener may stand in RUNNING.
        chain.settle(Death::Killed, "", 0);
        while let Some(turn) = chain.claim() {
            turn.enter(0).leave(Outcome::Done, 0);
        }
        prop_assert_eq!(chain.owed(), None);
    }

    #[test]
    fn what_is_taken_is_what_was_there(facts_of in some_facts(), user in ".{0,80}") {
        let (from, to) = (Box::<State>::default(), hostile(&[0xa5]));
        prop_assert!(from.modules[1].write(&facts_of));
        from.user.set(&user);
        from.bytes_in.store(7, Relaxed);
        Chain::new(&from, &ROSTER[..2], 0).claim().expect("a turn").enter(0).leave(Outcome::Failed("no"), 5);
        to.take(&from, &ROSTER[..2], 2);
        let chain = Chain::new(&to, &ROSTER[..2], 1);
        prop_assert_eq!(facts(&to.modules[1]), facts_of);
        prop_assert_eq!(to.user.get(), from.user.get());
        prop_assert_eq!(to.bytes_in.load(Relaxed), 7);
        prop_assert_eq!((chain.phase(0), chain.phase(1)), (Phase::Failed, Phase::Pending));
        prop_assert_eq!(chain.error(0), "no");
    }

    #[test]
    fn facts_are_the_last_ones_written(writes in prop::collection::vec(some_facts(), 1..8)) {
        let page = Box::<State>::default();
        for write in writes {
            prop_assert!(page.modules[0].write(&write));
            prop_assert_eq!(facts(&page.modules[0]), write);
        }
    }

    #[test]
    fn a_death_in_the_middle_of_a_write_leaves_the_old_facts(
        (old, new) in (some_facts(), some_facts()),
        landed in prop::collection::vec(any::<bool>(), size_of::<ModuleCell>()),
    ) {
        let mut page = Box::<State>::default();
        let cell = &mut page.modules[0];
        prop_assert!(cell.write(&old));
        let before = *bytes(cell);
        prop_assert!(cell.write(&new));
        // The turn is stored last: whatever else has landed, it has not.
        for (at, byte) in bytes(cell).iter_mut().enumerate() {
            if at < size_of::<u32>() || !landed[at] {
                *byte = before[at];
            }
        }
        prop_assert_eq!(facts(cell), old);
    }

    #[test]
    fn text_is_what_was_set_as_far_as_it_fits(said in "[^\\p{Cc}]{0,40}") {
        let text = Text::<24>::new();
        text.set("something longer before");
        text.set(&said);
        let kept = text.get();
        prop_assert!(said.starts_with(&kept));
        prop_assert!(kept == said || kept.len() > 24 - 4);
    }
}

#[test]
fn long_text_is_cut_at_a_character() {
    let text = Text::<4>::new();
    text.set("abcé");
    assert_eq!(text.get(), "abc");
}

#[test]
fn text_that_somebody_else_wrote_is_bounded_and_printable() {
    let page = hostile(b"\n\xff");
    assert_eq!(page.user.get().chars().count(), 64);
    assert!(page.user.get().chars().all(|c| c == char::REPLACEMENT_CHARACTER));
}

#[test]
fn too_many_facts_are_refused_and_the_old_ones_stay() {
    let page = Box::<State>::default();
    assert!(page.modules[0].write(b"old"));
    assert!(!page.modules[0].write(&[0; STATE_MAX + 1]));
    assert_eq!(facts(&page.modules[0]), b"old");
}

#[test]
fn a_page_that_is_reset_is_as_good_as_new() {
    let page = hostile(&[0xff]);
    page.reset(LISTENERS, MODULES);
    let chain = Chain::new(&page, &ROSTER, 0);
    assert_eq!((chain.cause(), chain.owed(), chain.is_sealed()), (None, Some(0), false));
    assert!(page.user.is_empty() && page.modules.iter().all(|cell| facts(cell).is_empty()));
}
