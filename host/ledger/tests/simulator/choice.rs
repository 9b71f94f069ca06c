//! Every decision of a schedule, from a seed or from a list. The list of a schedule that failed is made
//! shorter until nothing can be left out.

use std::cell::{Cell, RefCell};

/// Numbers that look random, and are the same for the same seed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(pub u64);

impl Seed {
    /// The next number (splitmix64).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Where decisions come from.
enum Source {
    Seed(Cell<Seed>),
    /// After its end every decision is the first choice: no fault, whoever comes first.
    List(Vec<u32>),
}

/// The decisions of one schedule.
pub(crate) struct Choices {
    source: Source,
    taken: RefCell<Vec<u32>>,
    at: Cell<usize>,
}

impl Choices {
    pub(crate) fn of_seed(seed: u64) -> Self {
        Self::new(Source::Seed(Cell::new(Seed(seed))))
    }

    pub(crate) fn of_list(list: Vec<u32>) -> Self {
        Self::new(Source::List(list))
    }

    fn new(source: Source) -> Self {
        Self { source, taken: RefCell::new(Vec::with_capacity(512)), at: Cell::new(0) }
    }

    /// One of `n`.
    pub(crate) fn pick(&self, n: u32) -> u32 {
        let at = self.at.replace(self.at.get() + 1);
        let taken = match &self.source {
            Source::List(list) => list.get(at).map_or(0, |choice| choice % n),
            Source::Seed(cell) => {
                let mut seed = cell.get();
                let number = (seed.next() >> 32) as u32;
                cell.set(seed);
                ((u64::from(number) * u64::from(n)) >> 32) as u32
            }
        };
        self.taken.borrow_mut().push(taken);
        taken
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&self, n: u32) -> bool {
        self.pick(n) == n - 1
    }

    /// What was decided.
    pub(crate) fn taken(&self) -> Vec<u32> {
        self.taken.borrow().clone()
    }
}

/// A shorter list that fails, too: decisions are taken away from the end, then set to the first choice.
pub(crate) fn shorter(mut list: Vec<u32>, fails: impl Fn(&[u32]) -> bool) -> Vec<u32> {
    let mut piece = list.len();
    while piece > 0 {
        if piece <= list.len() && fails(&list[..list.len() - piece]) {
            list.truncate(list.len() - piece);
        } else {
            piece /= 2;
        }
    }
    for at in (0..list.len()).rev() {
        let before = std::mem::take(&mut list[at]);
        if before != 0 && !fails(&list) {
            list[at] = before;
        }
    }
    list
}
