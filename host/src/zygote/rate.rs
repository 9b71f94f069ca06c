//! How many connections came from each address within the last minute: exact for as long as a zygote
//! lives. What follows from it is `admission`'s business.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::clock::{self, Moment};

/// What is looked at.
const MINUTE: Duration = Duration::from_secs(60);
/// The most connections that are remembered, so that the memory is bounded; beyond, the oldest are
/// forgotten early.
const REMEMBERED: usize = 1 << 18;

/// The connections of the last minute, the oldest first.
#[derive(Default)]
pub(super) struct Rate {
    recent: VecDeque<(Moment, IpAddr)>,
    counts: HashMap<IpAddr, u32>,
}

impl Rate {
    /// How many came from there in the minute before `now`.
    pub(super) fn of(&mut self, address: IpAddr, now: Moment) -> u32 {
        while self.recent.front().is_some_and(|(at, _)| clock::after(*at, MINUTE) <= now) {
            self.forget_one();
        }
        self.counts.get(&address).copied().unwrap_or(0)
    }

    /// One came from there.
    pub(super) fn count(&mut self, address: IpAddr, now: Moment) {
        if self.recent.len() == REMEMBERED {
            self.forget_one();
        }
        self.recent.push_back((now, address));
        *self.counts.entry(address).or_default() += 1;
    }

    fn forget_one(&mut self) {
        let Some((_, address)) = self.recent.pop_front() else { return };
        if let Some(count) = self.counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(number).into()
    }

    fn second(number: u64) -> Moment {
        clock::after(1, Duration::from_secs(number))
    }

    #[test]
    fn a_connection_counts_for_a_minute_at_its_own_address() {
        let mut rate = Rate::default();
        rate.count(address(1), second(0));
        rate.count(address(1), second(30));
        rate.count(address(2), second(30));
        let counts = |rate: &mut Rate, at| [1, 2, 3].map(|one| rate.of(address(one), second(at)));
        assert_eq!(counts(&mut rate, 59), [2, 1, 0]);
        assert_eq!(counts(&mut rate, 60), [1, 1, 0]);
        assert_eq!(counts(&mut rate, 90), [0, 0, 0]);
        assert!(rate.recent.is_empty() && rate.counts.is_empty());
    }

    #[test]
    fn no_more_is_remembered_than_fits() {
        let mut rate = Rate::default();
        for number in 0..=REMEMBERED {
            rate.count(address(number as u32), second(0));
        }
        assert_eq!((rate.recent.len(), rate.counts.len()), (REMEMBERED, REMEMBERED));
        assert_eq!([rate.of(address(0), second(1)), rate.of(address(1), second(1))], [0, 1]);
    }
}
