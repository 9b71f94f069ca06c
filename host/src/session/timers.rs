//! The timers that modules have set in a session: when the next is due, and in which order.

use std::cell::RefCell;
use std::time::Duration;

use crate::clock::{self, Moment};

/// The timers that are set; each timer of the plan at most once.
#[derive(Default)]
pub(super) struct Timers(RefCell<Vec<(Moment, usize)>>);

impl Timers {
    /// Sets a timer of the plan, moves it, or takes it back. One that was set from a timer's callback
    /// is due in a millisecond at the earliest, so that the session gets its turn.
    pub(super) fn set(&self, timer: usize, time: Option<Duration>, now: Moment) {
        let mut set = self.0.borrow_mut();
        set.retain(|(_, other)| *other != timer);
        if let Some(time) = time {
            let moment = clock::after(now, time.max(Duration::from_millis(1)));
            let place = set.partition_point(|(other, _)| *other <= moment);
            set.insert(place, (moment, timer));
        }
    }

    /// When the next is due.
    pub(super) fn next(&self) -> Option<Moment> {
        self.0.borrow().first().map(|(moment, _)| *moment)
    }

    /// Takes the next one that is due.
    pub(super) fn take_due(&self, now: Moment) -> Option<usize> {
        let mut set = self.0.borrow_mut();
        let (moment, timer) = *set.first()?;
        (moment <= now).then(|| {
            set.remove(0);
            timer
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn timers_are_due_in_the_order_of_their_moments_and_once() {
        let timers = Timers::default();
        timers.set(0, Some(SECOND * 2), 0);
        timers.set(1, Some(SECOND), 0);
        timers.set(2, Some(SECOND * 2), 0);
        let now = clock::after(0, SECOND * 2);
        let due: Vec<_> = std::iter::from_fn(|| timers.take_due(now)).collect();
        assert_eq!((due, timers.next()), (vec![1, 0, 2], None));
    }

    #[test]
    fn a_timer_that_is_set_again_is_moved_and_one_taken_back_is_gone() {
        let timers = Timers::default();
        timers.set(7, Some(SECOND), 0);
        timers.set(7, Some(SECOND * 3), 0);
        assert_eq!(timers.take_due(clock::after(0, SECOND)), None);
        timers.set(7, None, 0);
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_sets_itself_at_once_is_not_due_in_the_same_moment() {
        let timers = Timers::default();
        timers.set(7, Some(Duration::ZERO), 5);
        assert_eq!(timers.take_due(5), None);
    }
}
