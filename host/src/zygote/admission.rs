//! Who is let in: the soft limits, counted here alone. A session over a limit begins all the same and
//! ends for it, so that its listeners run; the hard limit is the number of slots.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::cause::Cause;
use crate::config::Limits;

/// The counters.
pub(super) struct Admission {
    limits: Limits,
    sessions: u32,
    by_address: HashMap<IpAddr, u32>,
}

impl Admission {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, sessions: 0, by_address: HashMap::new() }
    }

    /// Counts a session from `peer`, or says which limit it is over.
    pub(super) fn admit(&mut self, peer: SocketAddr) -> Result<(), (Cause, String)> {
        let over = |limit: Option<u32>, count: u32| limit.filter(|limit| count >= *limit);
        let address = peer.ip().to_canonical();
        if let Some(limit) = over(self.limits.sessions, self.sessions) {
            return Err((Cause::LimitSessions, format!("limit {limit}")));
        }
        let from_there = self.by_address.get(&address).copied().unwrap_or(0);
        if let Some(limit) = over(self.limits.sessions_per_address, from_there) {
            return Err((Cause::LimitPerAddress, format!("limit {limit} for {address}")));
        }
        self.sessions += 1;
        *self.by_address.entry(address).or_default() += 1;
        Ok(())
    }

    /// Counts a session from `peer` out that was counted in.
    pub(super) fn leave(&mut self, peer: SocketAddr) {
        let address = peer.ip().to_canonical();
        self.sessions = self.sessions.saturating_sub(1);
        if let Some(count) = self.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(sessions: Option<u32>, sessions_per_address: Option<u32>) -> Admission {
        Admission::new(Limits { sessions, sessions_per_address, login_attempts: None })
    }

    fn peer(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn exactly_as_many_as_allowed_come_in_and_one_more_when_one_leaves() {
        let mut admission = admission(Some(2), None);
        assert!(admission.admit(peer("10.0.0.1:1")).is_ok());
        assert!(admission.admit(peer("10.0.0.2:1")).is_ok());
        let over = admission.admit(peer("10.0.0.3:1"));
        assert_eq!(over, Err((Cause::LimitSessions, "limit 2".to_owned())));
        admission.leave(peer("10.0.0.1:1"));
        assert!(admission.admit(peer("10.0.0.3:1")).is_ok());
    }

    #[test]
    fn an_address_is_the_same_in_both_of_its_forms() {
        let mut admission = admission(None, Some(1));
        assert!(admission.admit(peer("10.0.0.1:1")).is_ok());
        let over = admission.admit(peer("[::ffff:10.0.0.1]:2"));
        assert_eq!(over, Err((Cause::LimitPerAddress, "limit 1 for 10.0.0.1".to_owned())));
        admission.leave(peer("10.0.0.1:1"));
        assert!(admission.by_address.is_empty());
    }
}
