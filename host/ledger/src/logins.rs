//! The logins of all living generations, as a log of changes that every zygote follows and counts for
//! itself. What is true stands on the identity pages; the log saves looking at them all. Who holds the
//! lock under which this is used, and where the pages are found, is the host's business.

use std::collections::HashMap;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::Text;

/// How many changes are kept: who missed more than that counts anew.
const KEPT: u64 = 1024;
/// The first word of the log.
const MAGIC: u64 = u64::from_le_bytes(*b"exeuntG\0");
/// The version of the layout.
const VERSION: u32 = 1;

/// Who has logged in, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The client's address, without its port.
    pub address: String,
    /// The user, of at most 64 bytes.
    pub user: String,
}

/// The log: in shared memory, changed under a lock that dies with its holder.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct LoginLog {
    magic: AtomicU64,
    version: AtomicU32,
    /// Somebody is changing something. Found set by the next who has the lock: its holder has died.
    busy: AtomicU32,
    /// Grows when what is in the log cannot be relied on.
    epoch: AtomicU64,
    /// How many changes were ever written.
    written: AtomicU64,
    changes: [Change; KEPT as usize],
}

/// A login that began to count, or that counts no more.
#[repr(C)]
#[derive(Debug)]
struct Change {
    comes: AtomicU32,
    address: Text<48>,
    user: Text<64>,
}

impl LoginLog {
    /// Makes pages that are all zero a log.
    pub fn begin(&self) {
        self.version.store(VERSION, Relaxed);
        self.magic.store(MAGIC, Release);
    }

    /// Whether the pages are a log of this layout.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.magic.load(Acquire) == MAGIC && self.version.load(Relaxed) == VERSION
    }

    /// The lock has been taken. If its last holder died in a change, everybody counts anew.
    pub fn enter(&self) {
        if self.busy.swap(0, Relaxed) != 0 {
            self.epoch.fetch_add(1, Relaxed);
        }
    }

    /// Has `mark` make a change where it is true, and writes it down for the others. A death between
    /// the first and the last step is found by `enter`.
    pub fn change(&self, comes: bool, login: &Login, mark: impl FnOnce()) {
        self.busy.store(1, Relaxed);
        mark();
        let written = self.written.load(Relaxed);
        let change = &self.changes[(written % KEPT) as usize];
        change.comes.store(comes.into(), Relaxed);
        change.address.set(&login.address);
        change.user.set(&login.user);
        self.written.store(written + 1, Relaxed);
        self.busy.store(0, Relaxed);
    }
}

/// The counts of one zygote.
#[derive(Debug, Default)]
pub struct LoginCounts {
    /// What of the log is in them; nothing before they were counted.
    known: Option<(u64, u64)>,
    all: u32,
    by_address: HashMap<String, u32>,
    by_user: HashMap<String, u32>,
}

impl LoginCounts {
    /// Follows the log to its end; false if that cannot be done, and all has to be counted.
    pub fn follow(&mut self, log: &LoginLog) -> bool {
        let (epoch, written) = (log.epoch.load(Relaxed), log.written.load(Relaxed));
        let Some((known_epoch, known)) = self.known else { return false };
        if known_epoch != epoch || written.wrapping_sub(known) > KEPT {
            return false;
        }
        for number in known..written {
            let change = &log.changes[(number % KEPT) as usize];
            let login = Login { address: change.address.get(), user: change.user.get() };
            self.add(&login, change.comes.load(Relaxed) != 0);
        }
        self.known = Some((epoch, written));
        true
    }

    /// Counts all anew: these are the logins now, at the end of the log.
    pub fn recount(&mut self, log: &LoginLog, logins: impl IntoIterator<Item = Login>) {
        *self = Self::default();
        logins.into_iter().for_each(|login| self.add(&login, true));
        self.known = Some((log.epoch.load(Relaxed), log.written.load(Relaxed)));
    }

    /// How many logins there are: in all, from that address, of that user.
    #[must_use]
    pub fn of(&self, login: &Login) -> [u32; 3] {
        let count = |map: &HashMap<String, u32>, key| map.get(key).copied().unwrap_or(0);
        [self.all, count(&self.by_address, &login.address), count(&self.by_user, &login.user)]
    }

    fn add(&mut self, login: &Login, comes: bool) {
        self.all = if comes { self.all + 1 } else { self.all.saturating_sub(1) };
        let maps = [(&mut self.by_address, &login.address), (&mut self.by_user, &login.user)];
        for (map, key) in maps {
            if comes {
                *map.entry(key.clone()).or_default() += 1;
            } else if let Some(count) = map.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    map.remove(key);
                }
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn log() -> Box<LoginLog> {
        let change =
            || Change { comes: AtomicU32::new(0), address: Text::new(), user: Text::new() };
        Box::new(LoginLog {
            magic: AtomicU64::new(0),
            version: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            epoch: AtomicU64::new(0),
            written: AtomicU64::new(0),
            changes: std::array::from_fn(|_| change()),
        })
    }

    fn login(user: &str) -> Login {
        Login { address: "10.0.0.1".to_owned(), user: user.to_owned() }
    }

    fn fresh(log: &LoginLog, truth: &[Login]) -> LoginCounts {
        let mut counts = LoginCounts::default();
        counts.recount(log, truth.iter().cloned());
        counts
    }

    #[test]
    fn who_follows_counts_what_others_wrote_and_forgets_who_left() {
        let log = log();
        let mut counts = fresh(&log, &[]);
        log.change(true, &login("anna"), || ());
        log.change(true, &login("ben"), || ());
        log.change(false, &login("anna"), || ());
        assert!(counts.follow(&log) && counts.follow(&log));
        assert_eq!(counts.of(&login("ben")), [1, 1, 1]);
        assert_eq!(counts.of(&login("anna")), [1, 1, 0]);
        assert!(!counts.by_user.contains_key("anna"));
    }

    #[test]
    fn who_missed_too_much_or_never_counted_has_to_count() {
        let log = log();
        assert!(!LoginCounts::default().follow(&log));
        let mut counts = fresh(&log, &[]);
        for _ in 0..KEPT / 2 {
            log.change(true, &login("anna"), || ());
            log.change(false, &login("anna"), || ());
        }
        assert!(counts.follow(&log), "just as much as is kept");
        for _ in 0..=KEPT {
            log.change(true, &login("anna"), || ());
        }
        assert!(!counts.follow(&log));
    }

    #[test]
    fn a_death_in_a_change_has_everybody_count_anew() {
        let log = log();
        let mut counts = fresh(&log, &[]);
        let death = std::panic::AssertUnwindSafe(|| log.change(true, &login("anna"), || panic!()));
        assert!(std::panic::catch_unwind(death).is_err());
        log.enter();
        assert!(!counts.follow(&log));
        counts.recount(&log, [login("anna")]);
        log.enter();
        assert!(counts.follow(&log));
    }

    proptest! {
        /// Three zygotes take turns, and one dies now and then; nobody ever counts anything but the
        /// truth.
        #[test]
        fn the_counts_are_the_truth(
            turns in prop::collection::vec((0..3_usize, 0..4_usize, any::<bool>(), 0..20_u8), 0..200),
        ) {
            let (log, mut truth) = (log(), Vec::new());
            let mut zygotes = [(); 3].map(|()| LoginCounts::default());
            for (who, user, comes, dies) in turns {
                let login = login(["anna", "ben", "carla", "dora"][user]);
                log.enter();
                if !zygotes[who].follow(&log) {
                    zygotes[who].recount(&log, truth.clone());
                }
                prop_assert_eq!(zygotes[who].of(&login), fresh(&log, &truth).of(&login));
                let place = truth.iter().position(|other| *other == login);
                if comes || place.is_some() {
                    let mut mark = || match place {
                        Some(place) if !comes => drop(truth.remove(place)),
                        _ => truth.push(login.clone()),
                    };
                    if dies == 0 {
                        // Marked, not written down.
                        log.busy.store(1, Relaxed);
                        mark();
                        zygotes[who] = LoginCounts::default();
                    } else {
                        log.change(comes, &login, mark);
                    }
                }
            }
        }
    }
}
