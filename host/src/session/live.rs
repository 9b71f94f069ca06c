//! A living session: what it may take, how it waits, and how it comes to its end. The steps of the
//! end itself are in `exit`.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use exeunt_api::abi::{Handle, Interest, Waiting, status};
use nix::sys::signalfd::SignalFd;
use nix::sys::socket::{MsgFlags, send};

use super::callbacks::About;
use super::timeouts::{Times, Transfers};
use super::timers::Timers;
use crate::api::{
    self, Begun, Command, Credentials, Ending, Entry, Living, Outcome, Refused, Subject, WaitError,
};
use crate::cause::Cause;
use crate::clock::{self, Moment};
use crate::deadline::Deadline;
use crate::events::{CONNECT, Event};
use crate::exit::{self, Leaving};
use crate::generation::Generation;
use crate::request::Asker;
use crate::sys::{self, Polled};
use crate::{config, log, modules, scoreboard, signals};

/// How much later than necessary the timer over a session may stand, to save system calls.
const SLACK: Duration = Duration::from_secs(1);

/// A session in its own process.
pub(super) struct Session {
    pub(super) generation: &'static Generation,
    pub(super) subject: &'static Subject,
    pub(super) entry: &'static scoreboard::Entry,
    pub(super) deadline: RefCell<Deadline>,
    pub(super) signals: SignalFd,
    pub(super) requests: Asker,
    pub(super) life: RawFd,
    pub(super) connection: OwnedFd,
    pub(super) last_activity: Cell<Moment>,
    pub(super) transfers: Cell<Transfers>,
    pub(super) slot: usize,
    pub(super) timers: Timers,
    /// The moment at which the callback that is running is killed; none in the protocol itself.
    pub(super) bound: Cell<Option<Moment>>,
    /// The command that the protocol is carrying out.
    pub(super) own: RefCell<Option<Rc<Command>>>,
    /// Whether a module is carrying out a command.
    pub(super) handling: Cell<bool>,
}

impl Session {
    /// Serves the connection, then ends.
    pub(super) fn live(&'static self) -> ! {
        let about = &self.subject.about;
        self.last_activity.set(clock::now());
        self.subject.living.set(Some(self));
        self.entry.begin(&scoreboard::Beginning {
            pid: std::process::id(),
            session: self.subject.identity.session.load(Relaxed),
            id: &about.id,
            listen: &about.listen,
            protocol: &about.protocol,
            peer: &about.peer,
            now: clock::unix_millis(),
        });
        self.log(config::Level::Debug, &format!("begins in slot {}", self.slot));
        self.stand_over(clock::now());
        if self.check().is_ok() && self.deliver(CONNECT, None).is_ok() {
            self.serve();
        }
        self.leave()
    }

    fn serve(&self) {
        let about = &self.subject.about;
        let Some(protocol) = self.subject.plan.protocol(&about.protocol) else { return };
        let name = &protocol.name;
        let entry = Entry {
            subject: Some(self.subject),
            ..Entry::of(self.subject.plan, protocol.module, "serve")
        };
        self.subject.state.inside.store(protocol.number, Relaxed);
        let outcome = api::enter(entry, |session| modules::serve(&protocol.table, session));
        self.subject.state.inside.store(0, Relaxed);
        self.end_own(status::FAILED, None);
        match outcome {
            Outcome::Ending => {}
            Outcome::Done => {
                self.end(Cause::ModuleRequest, Some(&format!("protocol {name} returned")));
            }
            Outcome::Denied(why) => self.end(Cause::AccessDenied, Some(&why)),
            Outcome::Failed(why) if why.starts_with("panicked") => {
                self.end(Cause::Crashed, Some(&format!("protocol {name} {why}")));
            }
            Outcome::Failed(why) => self.end(Cause::ModuleRequest, Some(&why)),
        }
    }

    fn leave(&'static self) -> ! {
        // A protocol that says that the session is ending, though nothing ended it, asks for the end.
        self.end(Cause::ModuleRequest, None);
        exit::end(&Leaving {
            subject: self.subject,
            listeners: self.generation.exits(),
            settings: &self.generation.config.exit,
            scoreboard: self.entry,
            requests: &self.requests,
            connection: &self.connection,
            deadline: &self.deadline,
        })
    }

    pub(super) fn log(&self, level: config::Level, text: &str) {
        log::line(level, &self.subject.about.id, "", text);
    }

    /// Commits a cause; if it is the first, the listeners of its event run.
    pub(super) fn commit(&self, cause: Cause, detail: &str) {
        if exit::commit(self.subject.state, cause, detail)
            && let Some(event) = cause.event()
        {
            for listener in self.subject.plan.listeners(event) {
                let outcome = self.call(event, listener, About::default());
                if let Outcome::Failed(why) | Outcome::Denied(why) = outcome {
                    self.failed("listener", listener, event, &why);
                }
            }
        }
    }

    /// Whether the session is to end already.
    pub(super) fn ending(&self) -> Result<(), Ending> {
        if self.subject.cause().is_some() { Err(Ending) } else { Ok(()) }
    }

    /// Looks for whatever may end the session: an order, a timeout.
    pub(super) fn check(&self) -> Result<(), Ending> {
        self.ending()?;
        if let Some(cause) = self.subject.identity.order().and_then(Cause::from_number) {
            self.commit(cause, &self.subject.identity.order_detail.get());
        } else if let Some((moment, cause, length)) = self.nearest_timeout()
            && clock::now() >= moment
        {
            self.commit(cause, &format!("after {length:?}"));
        }
        self.ending()
    }

    /// The timeout that comes first.
    fn nearest_timeout(&self) -> Option<(Moment, Cause, Duration)> {
        let times = Times {
            started: self.subject.identity.started_at.load(Relaxed),
            logged_in: self.subject.state.logged_in.load(Relaxed) != 0,
            active: self.last_activity.get(),
            transfers: self.transfers.get(),
        };
        times.nearest(&self.generation.config.timeouts)
    }

    /// Sets the timer that kills this process if its code does not come back in time.
    pub(super) fn stand_over(&self, now: Moment) {
        let settings = &self.generation.config.exit;
        let nearest = self
            .nearest_timeout()
            .map_or_else(|| clock::after(now, UNBOUNDED), |(moment, _, _)| moment);
        let moment = clock::after(nearest, settings.kill_after);
        if let Some(bound) = self.bound.get() {
            // Waiting in a callback is no way to have more time.
            return exit::arm(&self.deadline, self.subject.state, bound.min(moment));
        }
        let mut deadline = self.deadline.borrow_mut();
        // The timer exists; setting it can only fail for a time that is not one.
        let _set = deadline.arm_about(moment, SLACK);
        let armed = deadline.until().unwrap_or(0);
        self.subject.state.armed_until.store(armed, Relaxed);
    }

    /// Waits once; the number of descriptors that are ready.
    fn wait_once(&self, on: &mut [Waiting], until: Option<Moment>) -> Result<usize, WaitError> {
        self.check().map_err(|Ending| WaitError::Ending)?;
        self.run_timers().map_err(|Ending| WaitError::Ending)?;
        let now = clock::now();
        self.stand_over(now);
        let timeout = self.nearest_timeout().map(|(moment, _, _)| moment);
        let timer = self.timers.next().filter(|_| self.bound.get().is_none());
        let wake = [timeout, timer, until].into_iter().flatten().min();
        let mut polled = [Polled::default(); WATCHED + WAIT_MAX];
        let polled = polled.get_mut(..WATCHED + on.len()).ok_or(WaitError::Bad)?;
        polled[0] = Polled::reading(self.signals.as_raw_fd());
        polled[1] = Polled::reading(self.life);
        for (polled, waiting) in polled[WATCHED..].iter_mut().zip(&*on) {
            let (read, write) = (Interest::READ, Interest::WRITE);
            *polled = Polled::new(
                waiting.fd,
                waiting.interest & read != 0,
                waiting.interest & write != 0,
            );
        }
        sys::poll(polled, wake.map(|moment| clock::until(moment, now)))
            .map_err(|_| WaitError::Bad)?;
        if polled[0].is_ready() {
            self.signalled();
        }
        if polled[1].is_ready() {
            self.commit(Cause::SupervisorLost, "");
        }
        let mut ready = 0;
        for (waiting, polled) in on.iter_mut().zip(&polled[WATCHED..]) {
            if polled.is_invalid() {
                return Err(WaitError::Bad);
            }
            waiting.ready = if polled.has_ended() { waiting.interest } else { ready_bits(*polled) };
            ready += usize::from(waiting.ready != 0);
        }
        self.check().map_err(|Ending| WaitError::Ending)?;
        Ok(ready)
    }

    fn signalled(&self) {
        let Some(signal) = signals::next(&self.signals) else { return };
        // Who ordered the end has written why, before the signal.
        if self.check().is_ok() {
            self.commit(Cause::Signal, signal.as_str());
        }
    }
}

/// Over a session without any timeout the timer stands this far away: it is as good as none.
const UNBOUNDED: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// The descriptors that every wait watches: signals, and the supervisor's life.
const WATCHED: usize = 2;
/// The most descriptors of a module that one wait takes.
const WAIT_MAX: usize = 64;

fn ready_bits(polled: Polled) -> u32 {
    let read = if polled.can_read() { Interest::READ } else { 0 };
    let write = if polled.can_write() { Interest::WRITE } else { 0 };
    read | write
}

impl Living for Session {
    fn wait(&self, on: &mut [Waiting], millis: i64) -> Result<usize, WaitError> {
        let length = u64::try_from(millis).ok().map(Duration::from_millis);
        let until = length.map(|length| clock::after(clock::now(), length));
        loop {
            let ready = self.wait_once(on, until)?;
            if ready > 0 || until.is_some_and(|until| clock::now() >= until) {
                return Ok(ready);
            }
        }
    }

    fn connection(&self) -> i32 {
        self.connection.as_raw_fd()
    }

    fn count(&self, received: u64, sent: u64) {
        let state = self.subject.state;
        let bytes_in = state.bytes_in.fetch_add(received, Relaxed).wrapping_add(received);
        let bytes_out = state.bytes_out.fetch_add(sent, Relaxed).wrapping_add(sent);
        self.last_activity.set(clock::now());
        self.entry.count(bytes_in, bytes_out, clock::unix_millis());
    }

    fn transfer(&self, moving: bool) {
        let now = clock::now();
        let transfers = if moving { Transfers::Moved(now) } else { Transfers::NoneSince(now) };
        self.transfers.set(transfers);
        self.last_activity.set(now);
    }

    fn command(&self, command: &str, path: Option<&str>) {
        self.subject.state.command.set(command);
        self.subject.state.path.set(path.unwrap_or_default());
        self.entry.command(command, path);
    }

    fn log_in(&self, user: &str) -> Result<(), Refused> {
        self.check().map_err(|Ending| Refused::Ending)?;
        self.has_logged_in(user)
    }

    fn login_failed(&self, user: &str) -> Result<u32, Ending> {
        self.check()?;
        self.has_failed_to_log_in(user)
    }

    fn authenticate(&self, credentials: Credentials) -> Result<Option<config::Node>, Refused> {
        self.check().map_err(|Ending| Refused::Ending)?;
        self.ask_who(credentials)
    }

    fn end(&self, cause: Cause, detail: Option<&str>) {
        self.commit(cause, detail.unwrap_or_default());
    }

    fn generate(&self, event: &Event, payload: Option<Handle>) {
        // What a listener of a module's own event does to the session is found at the next wait.
        let _found_later = self.deliver(&event.name, payload);
    }

    fn set_timer(&self, timer: usize, time: Option<Duration>) {
        self.timers.set(timer, time, clock::now());
    }

    fn begin_command(&self, command: Command) -> Begun {
        if self.check().is_err() { Begun::Ending } else { self.begin(command) }
    }

    fn end_command(&self, outcome: i32, reply: Option<&str>) -> bool {
        self.end_own(outcome, reply)
    }

    fn farewell(&self, bytes: &[u8]) {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        // A client that has gone, or does not read, goes without the reply.
        let _unsent = send(self.connection.as_raw_fd(), bytes, flags);
    }
}
