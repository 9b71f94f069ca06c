//! Who is let in: the soft limits, counted by the generation that accepts, over all generations that
//! are living. A session over a limit begins all the same and ends for it, so that its listeners run;
//! the hard limit is the number of slots.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering::Relaxed;

use exeunt_ledger::Identity;

use super::rate::Rate;
use crate::cause::Cause;
use crate::clock::Moment;
use crate::config::Limits;

/// Where a session comes from.
pub(super) fn address_of(identity: &Identity) -> Option<IpAddr> {
    let peer: SocketAddr = identity.peer.get().parse().ok()?;
    Some(peer.ip().to_canonical())
}

/// A session of another generation: counted until its ledger says that it has left.
struct Other {
    identity: &'static Identity,
    session: u64,
    address: IpAddr,
}

impl Other {
    fn is_counted(&self) -> bool {
        self.identity.counted.load(Relaxed) == 1
            && self.identity.session.load(Relaxed) == self.session
    }
}

/// The counters.
pub(super) struct Admission {
    limits: Limits,
    sessions: u32,
    by_address: HashMap<IpAddr, u32>,
    others: Vec<Other>,
    rate: Rate,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        let (by_address, others) = (HashMap::new(), Vec::new());
        Self { limits, sessions: 0, by_address, others, rate: Rate::default() }
    }

    /// Counts a session from `peer`, or says which limit it is over.
    pub(super) fn admit(&mut self, peer: SocketAddr, now: Moment) -> Result<(), (Cause, String)> {
        let address = peer.ip().to_canonical();
        if self.over(address).is_some() {
            // The others leave without a word: look before anybody is refused.
            self.drop_others_that_left();
        }
        if let Some(refusal) = self.over(address) {
            return Err(refusal);
        }
        if let Some(limit) = self.limits.connections_per_minute {
            if self.rate.of(address, now) >= limit {
                return Err((Cause::ConnectionRate, format!("limit {limit} for {address}")));
            }
            self.rate.count(address, now);
        }
        self.count(peer);
        Ok(())
    }

    fn over(&self, address: IpAddr) -> Option<(Cause, String)> {
        let over = |limit: Option<u32>, count: u32| limit.filter(|limit| count >= *limit);
        let from_there = self.by_address.get(&address).copied().unwrap_or(0);
        if let Some(limit) = over(self.limits.sessions, self.sessions) {
            return Some((Cause::LimitSessions, format!("limit {limit}")));
        }
        let limit = over(self.limits.sessions_per_address, from_there)?;
        Some((Cause::LimitPerAddress, format!("limit {limit} for {address}")))
    }

    /// Counts a session from `peer` in, whatever the limits say: it is there.
    pub(super) fn count(&mut self, peer: SocketAddr) {
        self.sessions += 1;
        *self.by_address.entry(peer.ip().to_canonical()).or_default() += 1;
    }

    /// Counts a session of another generation in.
    pub(super) fn count_other(&mut self, identity: &'static Identity, peer: SocketAddr) {
        let session = identity.session.load(Relaxed);
        self.count(peer);
        self.others.push(Other { identity, session, address: peer.ip().to_canonical() });
    }

    /// Counts a session from `peer` out that was counted in.
    pub(super) fn leave(&mut self, peer: SocketAddr) {
        self.uncount(peer.ip().to_canonical());
    }

    fn uncount(&mut self, address: IpAddr) {
        self.sessions = self.sessions.saturating_sub(1);
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    fn drop_others_that_left(&mut self) {
        let left: Vec<Other> = self.others.extract_if(.., |other| !other.is_counted()).collect();
        left.iter().for_each(|other| self.uncount(other.address));
    }

    /// Counts every session of other generations out.
    pub(super) fn forget_the_others(&mut self) {
        for other in std::mem::take(&mut self.others) {
            self.uncount(other.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    fn admission(sessions: Option<u32>, sessions_per_address: Option<u32>) -> Admission {
        Admission::new(Limits { sessions, sessions_per_address, ..Limits::OFF })
    }

    fn peer(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn admit(admission: &mut Admission, peer: SocketAddr) -> Result<(), (Cause, String)> {
        admission.admit(peer, 1)
    }

    #[test]
    fn exactly_as_many_as_allowed_come_in_and_one_more_when_one_leaves() {
        let mut admission = admission(Some(2), None);
        assert!(admit(&mut admission, peer("10.0.0.1:1")).is_ok());
        assert!(admit(&mut admission, peer("10.0.0.2:1")).is_ok());
        let over = admit(&mut admission, peer("10.0.0.3:1"));
        assert_eq!(over, Err((Cause::LimitSessions, "limit 2".to_owned())));
        admission.leave(peer("10.0.0.1:1"));
        assert!(admit(&mut admission, peer("10.0.0.3:1")).is_ok());
    }

    #[test]
    fn an_address_is_the_same_in_both_of_its_forms() {
        let mut admission = admission(None, Some(1));
        assert!(admit(&mut admission, peer("10.0.0.1:1")).is_ok());
        let over = admit(&mut admission, peer("[::ffff:10.0.0.1]:2"));
        assert_eq!(over, Err((Cause::LimitPerAddress, "limit 1 for 10.0.0.1".to_owned())));
        admission.leave(peer("10.0.0.1:1"));
        assert!(admission.by_address.is_empty());
    }

    #[test]
    fn a_session_of_another_generation_counts_until_its_ledger_lets_it_go() {
        let other: &'static Identity = Box::leak(Box::default());
        other.counted.store(1, Relaxed);
        let mut admission = admission(Some(1), None);
        admission.count_other(other, peer("10.0.0.1:1"));
        assert!(admit(&mut admission, peer("10.0.0.2:1")).is_err());
        other.counted.store(0, Relaxed);
        assert!(admit(&mut admission, peer("10.0.0.2:1")).is_ok());
        assert!(admit(&mut admission, peer("10.0.0.3:1")).is_err());
    }

    #[test]
    fn an_address_may_come_so_often_within_a_minute_and_refusals_do_not_count() {
        let limits = Limits { connections_per_minute: Some(2), ..Limits::OFF };
        let (mut admission, one) = (Admission::new(limits), peer("10.0.0.1:1"));
        let at = |second| clock::after(1, Duration::from_secs(second));
        assert!(admission.admit(one, at(0)).is_ok() && admission.admit(one, at(30)).is_ok());
        let over = Err((Cause::ConnectionRate, "limit 2 for 10.0.0.1".to_owned()));
        assert_eq!(admission.admit(one, at(59)), over);
        assert!(admission.admit(peer("10.0.0.2:1"), at(59)).is_ok());
        assert!(admission.admit(one, at(60)).is_ok());
        assert_eq!(admission.admit(one, at(89)), over);
    }
}
