//! Whom a session has become that was let in as a user of the system: numbers, written by the zygote.

use std::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// The most groups that a user may have.
pub const GROUPS: usize = 64;

/// A user of the system, or nobody yet.
#[repr(C)]
#[derive(Debug)]
pub struct Person {
    known: AtomicU32,
    uid: AtomicU32,
    gid: AtomicU32,
    count: AtomicU32,
    groups: [AtomicU32; GROUPS],
}

impl Person {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            known: AtomicU32::new(0),
            uid: AtomicU32::new(0),
            gid: AtomicU32::new(0),
            count: AtomicU32::new(0),
            groups: [const { AtomicU32::new(0) }; GROUPS],
        }
    }

    /// Writes who it is, once; false if somebody is written already, or there are too many groups.
    pub fn set(&self, uid: u32, gid: u32, groups: &[u32]) -> bool {
        if self.known.load(Relaxed) != 0 || groups.len() > GROUPS {
            return false;
        }
        self.uid.store(uid, Relaxed);
        self.gid.store(gid, Relaxed);
        for (to, group) in self.groups.iter().zip(groups) {
            to.store(*group, Relaxed);
        }
        self.count.store(groups.len() as u32, Relaxed);
        self.known.store(1, Release);
        true
    }

    /// User, group and groups, if somebody is written.
    #[must_use]
    pub fn get(&self) -> Option<(u32, u32, Vec<u32>)> {
        if self.known.load(Acquire) == 0 {
            return None;
        }
        let count = (self.count.load(Relaxed) as usize).min(GROUPS);
        let groups = self.groups[..count].iter().map(|group| group.load(Relaxed)).collect();
        Some((self.uid.load(Relaxed), self.gid.load(Relaxed), groups))
    }

    /// Makes it nobody.
    pub fn clear(&self) {
        self.known.store(0, Release);
    }
}

impl Default for Person {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_becomes_one_person_and_no_other() {
        let person = Person::new();
        assert_eq!(person.get(), None);
        assert!(!person.set(5, 60, &[0; GROUPS + 1]));
        assert!(person.set(5, 60, &[60, 7]));
        assert!(!person.set(6, 60, &[]));
        assert_eq!(person.get(), Some((5, 60, vec![60, 7])));
        person.clear();
        assert_eq!(person.get(), None);
    }
}
