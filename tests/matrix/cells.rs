//! The cells: which there are, which of them CI takes, and how one is named.

use std::fmt;

use super::causes::Cause;
use super::faults::Fault;

/// A way for a session to end, and what one of its three listeners does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) cause: Cause,
    pub(super) fault: Fault,
    pub(super) position: Position,
    pub(super) identity: Identity,
}

/// Which of the three modules is the faulty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    First,
    Middle,
    Last,
}

/// Who the daemon is: as root it drops what it has in every session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    Root,
    Nobody,
}

impl Position {
    pub(super) const ALL: [Self; 3] = [Self::First, Self::Middle, Self::Last];

    fn name(self) -> &'static str {
        ["first", "middle", "last"][self as usize]
    }
}

impl Identity {
    pub(super) const ALL: [Self; 2] = [Self::Root, Self::Nobody];

    pub(super) fn name(self) -> &'static str {
        ["root", "nobody"][self as usize]
    }
}

/// The full product.
pub(super) fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for fault in Fault::ALL {
        for position in Position::ALL {
            for identity in Identity::ALL {
                let cell = |cause| Cell { cause, fault, position, identity };
                cells.extend(Cause::ALL.into_iter().map(cell));
            }
        }
    }
    cells
}

/// Every pair of two values at least once. Every cause meets every fault, and the two that are left go
/// round with the sum of their numbers, so that each value of the one pair meets each of the other.
pub(super) fn pairs() -> Vec<Cell> {
    let is_taken = |cell: &Cell| {
        let turn = cell.cause as usize + cell.fault as usize;
        (cell.position as usize, cell.identity as usize) == (turn % 3, turn / 3 % 2)
    };
    all().into_iter().filter(is_taken).collect()
}

/// The cells with that name, in which a `*` stands for every value.
pub(super) fn named(name: &str) -> Vec<Cell> {
    let words: Vec<_> = name.split('/').collect();
    let is_it = |cell: &Cell| {
        let own = cell.words();
        words.len() == own.len() && words.iter().zip(own).all(|(w, own)| *w == "*" || *w == own)
    };
    all().into_iter().filter(is_it).collect()
}

impl Cell {
    /// The name of all cells that differ from it in the cause alone.
    pub(super) fn any_cause(self) -> String {
        let [_, rest @ ..] = self.words();
        format!("*/{}", rest.join("/"))
    }

    fn words(self) -> [&'static str; 4] {
        let Self { cause, fault, position, identity } = self;
        [cause.name(), fault.how(), position.name(), identity.name()]
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join("/"))
    }
}

#[test]
fn the_cells_of_ci_hold_every_pair_of_values() {
    let mut wanted = std::collections::BTreeSet::new();
    let pairs_of = |cell: Cell| {
        let words = cell.words();
        let (mut two, places) = (Vec::new(), [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]);
        two.extend(places.map(|(a, b)| (a, b, words[a], words[b])));
        two
    };
    wanted.extend(all().into_iter().flat_map(pairs_of));
    assert_eq!(all().len(), Cause::ALL.len() * Fault::ALL.len() * 6);
    assert_eq!(pairs().len(), Cause::ALL.len() * Fault::ALL.len());
    for pair in pairs().into_iter().flat_map(pairs_of) {
        wanted.remove(&pair);
    }
    assert!(wanted.is_empty(), "{wanted:?}");
}
