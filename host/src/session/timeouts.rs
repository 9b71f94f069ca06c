//! The timeouts of a session: which of them comes first. What happens then is decided in `live`.

use std::time::Duration;

use crate::cause::Cause;
use crate::clock::{self, Moment};
use crate::config::Timeouts;

/// How a session stands with its transfers.
#[derive(Clone, Copy, Default)]
pub(super) enum Transfers {
    /// Its protocol has not said that there will be any.
    #[default]
    Unknown,
    /// There is none, from this moment on.
    NoneSince(Moment),
    /// There is one, which moved then.
    Moved(Moment),
}

/// What the timeouts of a session count from.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) started: Moment,
    pub(super) logged_in: bool,
    pub(super) active: Moment,
    pub(super) transfers: Transfers,
}

impl Times {
    /// The timeout that comes first: when, for which cause, and how long it is.
    pub(super) fn nearest(self, of: &Timeouts) -> Option<(Moment, Cause, Duration)> {
        let Times { started, logged_in, active, transfers } = self;
        let (quiet, waiting, moved) = match transfers {
            Transfers::Unknown => (Some(active), None, None),
            Transfers::NoneSince(then) => (Some(active), Some(then), None),
            Transfers::Moved(then) => (None, None, Some(then)),
        };
        [
            (Some(started).filter(|_| !logged_in), of.login, Cause::TimeoutLogin),
            (quiet, of.idle, Cause::TimeoutIdle),
            (waiting, of.no_transfer, Cause::TimeoutNoTransfer),
            (moved, of.stalled, Cause::TimeoutStalled),
            (Some(started), of.session, Cause::TimeoutSession),
        ]
        .into_iter()
        .filter_map(|(from, length, cause)| Some((clock::after(from?, length?), cause, length?)))
        .min_by_key(|(moment, _, _)| *moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(number: u64) -> Option<Duration> {
        Some(Duration::from_secs(number))
    }

    fn at(second: u64) -> Moment {
        clock::after(0, Duration::from_secs(second))
    }

    /// Second and cause of the first timeout of a session that was last active at 50.
    fn nearest(of: &Timeouts, logged_in: bool, transfers: Transfers) -> Option<(u64, Cause)> {
        let times = Times { started: at(0), logged_in, active: at(50), transfers };
        let second = |moment: Moment| clock::until(moment, 0).as_secs();
        times.nearest(of).map(|(moment, cause, _)| (second(moment), cause))
    }

    const OFF: Timeouts =
        Timeouts { login: None, idle: None, no_transfer: None, stalled: None, session: None };

    #[test]
    fn the_first_counts_and_after_the_login_not_that_of_the_login() {
        let of = Timeouts { login: seconds(60), idle: seconds(20), session: seconds(90), ..OFF };
        assert_eq!(nearest(&of, false, Transfers::Unknown), Some((60, Cause::TimeoutLogin)));
        assert_eq!(nearest(&of, true, Transfers::Unknown), Some((70, Cause::TimeoutIdle)));
        let of = Timeouts { idle: None, ..of };
        assert_eq!(nearest(&of, true, Transfers::Unknown), Some((90, Cause::TimeoutSession)));
        assert_eq!(nearest(&OFF, false, Transfers::Unknown), None);
    }

    #[test]
    fn in_a_transfer_only_its_standing_still_counts_and_without_one_its_absence() {
        let of =
            Timeouts { idle: seconds(20), no_transfer: seconds(30), stalled: seconds(40), ..OFF };
        let moved = Transfers::Moved(at(55));
        assert_eq!(nearest(&of, true, moved), Some((95, Cause::TimeoutStalled)));
        let none = Transfers::NoneSince(at(35));
        assert_eq!(nearest(&of, true, none), Some((65, Cause::TimeoutNoTransfer)));
        let none = Transfers::NoneSince(at(45));
        assert_eq!(nearest(&of, true, none), Some((70, Cause::TimeoutIdle)));
        assert_eq!(nearest(&of, true, Transfers::Unknown), Some((70, Cause::TimeoutIdle)));
        assert_eq!(nearest(&Timeouts { stalled: None, ..of }, true, moved), None);
    }
}
