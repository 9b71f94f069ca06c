//! The two clocks: the monotonic one for every decision, the wall clock for what people read.

use std::time::Duration;

use jiff::Timestamp;
use nix::time::{ClockId, clock_gettime};

/// A moment of the monotonic clock, in nanoseconds; the same in all processes of the machine.
pub(crate) type Moment = u64;

/// Now, on the monotonic clock.
pub(crate) fn now() -> Moment {
    // CLOCK_MONOTONIC exists on every Linux (clock_gettime(2)); 0 would only make deadlines early.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or(0, |t| t.tv_sec() as u64 * 1_000_000_000 + t.tv_nsec() as u64)
}

/// The moment that lies `length` after `moment`.
pub(crate) fn after(moment: Moment, length: Duration) -> Moment {
    moment.saturating_add(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
}

/// How long it is from `now` to `moment`; nothing if it has passed.
pub(crate) fn until(moment: Moment, now: Moment) -> Duration {
    Duration::from_nanos(moment.saturating_sub(now))
}

/// Milliseconds since 1970 UTC.
pub(crate) fn unix_millis() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// A time for people and journals: RFC 3339, UTC, with milliseconds.
pub(crate) fn rfc3339(unix_millis: u64) -> String {
    let time = i64::try_from(unix_millis).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map_or_else(|| "?".to_owned(), |t| format!("{t:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339_with_milliseconds() {
        assert_eq!(rfc3339(1_700_000_000_120), "2023-11-14T22:13:20.120Z");
        assert_eq!(rfc3339(u64::MAX), "?");
    }

    #[test]
    fn the_monotonic_clock_goes_on() {
        let before = now();
        assert!(before > 0 && now() >= before);
    }
}
