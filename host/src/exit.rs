//! How a session ends. Nothing else ends a session's process; the steps stand here in their order.

use std::cell::RefCell;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use exeunt_ledger::{Chain, Entered, Outcome as Told, Place, State, Step};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, Shutdown, recv, shutdown};
use std::sync::atomic::Ordering::Relaxed;

use crate::api::{self, Entry, Outcome, Subject};
use crate::cause::Cause;
use crate::clock;
use crate::config::Exit;
use crate::deadline::Deadline;
use crate::events::{EXIT, Listener, Plan};
use crate::posture::Posture;
use crate::request::{Asker, Request};
use crate::{config, log, modules, scoreboard, sys};

/// What each listener still gets when the budget of the chain is spent.
const FLOOR: Duration = Duration::from_millis(100);

/// What a session has when it comes to its end.
pub(crate) struct Leaving<'a> {
    pub(crate) subject: &'static Subject,
    pub(crate) listeners: &'static [Listener],
    pub(crate) settings: &'a Exit,
    pub(crate) scoreboard: &'a scoreboard::Entry,
    /// Where the zygote takes requests.
    pub(crate) requests: &'a Asker,
    pub(crate) connection: &'a OwnedFd,
    pub(crate) deadline: &'a RefCell<Deadline>,
}

/// Commits the cause of a session's end. The first cause wins; from here every road leads to `end`.
pub(crate) fn commit(state: &State, cause: Cause, detail: &str) -> bool {
    let first = Chain::new(state, &[], 0).commit(cause as u32);
    if first {
        state.detail.set(detail);
        state.ended.store(clock::unix_millis(), Relaxed);
    }
    first
}

/// Ends the session, whose cause is committed, and its process.
pub(crate) fn end(leaving: &Leaving<'_>) -> ! {
    let state = leaving.subject.state;
    let chain = Chain::new(state, leaving.subject.plan.roster(EXIT), 0);

    if chain.begin(Step::Scoreboard) {
        leaving.scoreboard.delete();
        leave_the_limits(leaving);
    }
    if chain.begin(Step::Farewell) {
        say_farewell(leaving);
    }
    let course = Course {
        plan: leaving.subject.plan,
        event: EXIT,
        listeners: leaving.listeners,
        settings: leaving.settings,
        state,
        chain,
        subject: Some(leaving.subject),
        what: &leaving.subject.about.id,
        descriptors: &[0, 1, 2, leaving.requests.as_raw_fd(), leaving.connection.as_raw_fd()],
    };
    course.run(leaving.deadline);
    while let Some((turn, Place::Runner | Place::Root)) = chain.next_place() {
        have_it_taken(leaving, turn);
        let over = leaving.subject.identity.over();
        if over <= turn {
            // Nobody took it: the zygote is gone. Its successor goes on with what is not sealed.
            sys::leave(0)
        }
        chain.had_elsewhere(over);
        course.run(leaving.deadline);
    }
    if leaving.subject.identity.has_wtmp() && chain.begin(Step::Wtmp) {
        clean_up_wtmp(leaving);
    }
    if chain.begin(Step::Linger) {
        linger(leaving);
    }
    // Whatever is owed after all, a runner finds it: an unsealed chain is taken over.
    let _sealed = chain.seal();
    sys::leave(0)
}

/// Tells the zygote that this session is no longer to be counted. It also finds out by itself, at the
/// latest when the process is gone.
fn leave_the_limits(leaving: &Leaving<'_>) {
    let until = clock::after(clock::now(), FLOOR);
    let _untold = leaving.requests.tell(leaving.subject.identity, Request::Leave, until);
}

/// Has the protocol give its final reply, so that a slow listener does not delay it.
fn say_farewell(leaving: &Leaving<'_>) {
    let subject = leaving.subject;
    let Some(protocol) = subject.plan.protocol(&subject.about.protocol) else { return };
    let end = clock::after(clock::now(), leaving.settings.listener);
    arm(leaving.deadline, subject.state, end);
    subject.state.inside.store(protocol.number, Relaxed);
    let entry = Entry {
        subject: Some(subject),
        farewell: true,
        ..Entry::of(subject.plan, protocol.module, "farewell")
    };
    let outcome = api::enter(entry, |end| modules::farewell(&protocol.table, end));
    subject.state.inside.store(0, Relaxed);
    if let Outcome::Failed(why) = outcome {
        let module = &subject.plan.modules[protocol.module].name;
        let text = format!("the farewell of protocol {} failed: {why}", protocol.name);
        log::line(config::Level::Error, &subject.about.id, module, &text);
    }
}

/// Has the zygote write that the user is gone. It also does so by itself when the process is gone.
fn clean_up_wtmp(leaving: &Leaving<'_>) {
    let until = clock::after(clock::now(), leaving.settings.kill_after);
    arm(leaving.deadline, leaving.subject.state, clock::after(until, leaving.settings.kill_after));
    let _later = leaving.requests.ask(leaving.subject.identity, Request::LogOut, until);
}

/// Asks the zygote for a runner that takes this turn and those after it in the same place, and waits
/// until they are over. Each of them has its own bound.
fn have_it_taken(leaving: &Leaving<'_>, turn: usize) {
    let (state, settings) = (leaving.subject.state, leaving.settings);
    let floors = FLOOR * leaving.listeners.len() as u32;
    let budget = clock::after(state.chain_at.load(Relaxed), settings.chain);
    let until = clock::after(budget.max(clock::now()), floors + settings.kill_after);
    arm(leaving.deadline, state, clock::after(until, settings.kill_after));
    let request = Request::Run { turn: turn as u32 };
    // What came of it stands on the page, whatever is answered, or if nobody is left to answer.
    let _told = leaving.requests.ask(leaving.subject.identity, request, until);
}

/// Closes the connection so that what was sent arrives: no more is written, and what still comes is
/// thrown away until the client closes or the time is over. Closing with unread data would reset the
/// connection and could take the last reply with it.
fn linger(leaving: &Leaving<'_>) {
    let connection = leaving.connection;
    let end = clock::after(clock::now(), leaving.settings.linger);
    arm(leaving.deadline, leaving.subject.state, clock::after(end, leaving.settings.kill_after));
    if shutdown(connection.as_raw_fd(), Shutdown::Write).is_err() {
        return;
    }
    let mut thrown_away = [0; 4096];
    loop {
        let rest = clock::until(end, clock::now());
        let timeout = PollTimeout::try_from(rest).unwrap_or(PollTimeout::MAX);
        let mut fds = [PollFd::new(connection.as_fd(), PollFlags::POLLIN)];
        if rest.is_zero() || !matches!(poll(&mut fds, timeout), Ok(1..)) {
            return;
        }
        if !matches!(
            recv(connection.as_raw_fd(), &mut thrown_away, MsgFlags::MSG_DONTWAIT),
            Ok(1..)
        ) {
            return;
        }
    }
}

/// Arms the timer that kills this process, and says so in the ledger, so that the reaper can tell its
/// death from others.
pub(crate) fn arm(deadline: &RefCell<Deadline>, state: &State, moment: clock::Moment) {
    state.armed_until.store(moment, Relaxed);
    // The timer exists; setting it can only fail for a time that is not one.
    let _set = deadline.borrow_mut().arm(moment);
}

/// The listeners of an event on their way: for a session that ends itself, and for the runners that
/// go on after a death.
pub(crate) struct Course<'a> {
    pub(crate) plan: &'static Plan,
    pub(crate) event: &'a str,
    pub(crate) listeners: &'static [Listener],
    pub(crate) settings: &'a Exit,
    pub(crate) state: &'static State,
    pub(crate) chain: Chain<'static>,
    pub(crate) subject: Option<&'static Subject>,
    /// What ends: a session, by its id, or the daemon.
    pub(crate) what: &'a str,
    /// The descriptors that this process needs after a listener.
    pub(crate) descriptors: &'a [RawFd],
}

impl Course<'_> {
    /// Runs every listener that is still owed its turn, in order, each under its deadline. A listener
    /// that leaves the process in another state than it found ends it: a runner goes on.
    pub(crate) fn run(&self, deadline: &RefCell<Deadline>) {
        let posture = Posture::now(self.descriptors);
        let began = self.state.chain_at.load(Relaxed);
        // Both are for what a session says that lies.
        let began = if began == 0 { clock::now() } else { began.min(clock::now()) };
        self.state.chain_at.store(began, Relaxed);
        let budget = clock::after(began, self.settings.chain);
        while let Some(turn) = self.chain.claim() {
            let index = turn.index();
            let listener = &self.listeners[index];
            let now = clock::now();
            let own = clock::after(now, listener.deadline);
            let end = own.min(budget.max(clock::after(now, FLOOR)));
            self.state.inside.store(listener.number, Relaxed);
            let mut entered: Option<Entered<'_>> = None;
            let token = format!("{}/{}", self.what, self.plan.title(listener));
            let entry = Entry {
                subject: self.subject,
                attempt: listener.attempt,
                token: Some(&token),
                ..Entry::of(self.plan, listener.module, self.event)
            };
            let outcome = api::enter(entry, |about| {
                arm(deadline, self.state, end);
                entered = Some(turn.enter(now));
                modules::call(&listener.callback, about)
            });
            self.state.inside.store(0, Relaxed);
            let Some(entered) = entered else { continue };
            match posture.changed() {
                None => self.leave(entered, listener, outcome),
                Some(what) => {
                    let why = format!("it left the process with {what}");
                    self.leave(entered, listener, Outcome::Failed(why));
                    sys::leave(1)
                }
            }
        }
    }

    fn leave(&self, entered: Entered<'_>, listener: &Listener, outcome: Outcome) {
        let why = match outcome {
            Outcome::Done | Outcome::Ending => return entered.leave(Told::Done, clock::now()),
            Outcome::Failed(why) | Outcome::Denied(why) => why,
        };
        entered.leave(Told::Failed(&why), clock::now());
        let about = if self.subject.is_some() { self.what } else { "" };
        let title = self.plan.title(listener);
        let text = format!("listener {title} of {} failed: {why}", self.event);
        log::line(config::Level::Warn, about, "", &text);
    }
}
