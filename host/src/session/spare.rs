//! A spare: everything that a session needs is made ready, and its privileges are gone, before there
//! is a client.

use std::cell::{Cell, RefCell};
use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use exeunt_ledger::{Identity, State};
use nix::errno::Errno;
use nix::sys::prctl;
use nix::sys::signalfd::SignalFd;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use nix::unistd::{Pid, setpgid};
use std::sync::atomic::Ordering::Relaxed;

use super::live::Session;
use super::timers::Timers;
use crate::deadline::Deadline;
use crate::generation::Generation;
use crate::pages::Ledger;
use crate::request::Asker;
use crate::{api, clock, log, privileges, scoreboard, signals, sys};

/// What a spare is given by the zygote.
pub(crate) struct Seat<'a> {
    pub(crate) slot: usize,
    /// Whether it keeps what it takes to become somebody at the login.
    pub(crate) keeps_root: bool,
    pub(crate) ledger: &'a Ledger,
    pub(crate) scoreboard: &'a std::fs::File,
    /// The connection comes over this.
    pub(crate) handover: OwnedFd,
    /// Requests to the zygote go here.
    pub(crate) requests: RawFd,
    /// Root helpers are asked for here.
    pub(crate) help_desk: RawFd,
    /// At its end the supervisor is gone.
    pub(crate) life: RawFd,
}

/// What is ready before there is a client.
struct Ready {
    identity: &'static Identity,
    state: &'static State,
    entry: &'static scoreboard::Entry,
    deadline: Deadline,
    signals: SignalFd,
}

/// The life of a spare and of the session that it becomes. Never returns.
pub(crate) fn wait_for_connection(generation: &'static Generation, seat: Seat<'_>) -> ! {
    log::set_role("session");
    let slot = seat.slot;
    let ready = match prepare(generation, &seat) {
        Ok(ready) => ready,
        Err(why) => {
            log::error(format!("a session cannot be prepared: {why}"));
            sys::leave(1)
        }
    };
    let (requests, help_desk, life) = (seat.requests, seat.help_desk, seat.life);
    let is_root = seat.keeps_root && generation.account.is_some();
    // A spare that gets no connection owes nothing: the zygote has closed its end, or is gone.
    let Some(connection) = receive(&seat.handover) else { sys::leave(0) };
    drop(seat.handover);
    let session = Session {
        generation,
        subject: subject(generation, &ready),
        entry: ready.entry,
        deadline: RefCell::new(ready.deadline),
        signals: ready.signals,
        requests: Asker::new(requests),
        help_desk,
        life,
        connection,
        last_activity: Cell::new(clock::now()),
        transfers: Cell::default(),
        slot,
        timers: Timers::default(),
        bound: Cell::new(None),
        is_root: Cell::new(is_root),
        vouched: RefCell::new(None),
        own: RefCell::new(None),
        handling: Cell::new(false),
    };
    Box::leak(Box::new(session)).live()
}

fn prepare(generation: &Generation, seat: &Seat<'_>) -> io::Result<Ready> {
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    prctl::set_name(c"exeunt-session")?;
    let identity = seat.ledger.identity(seat.slot)?;
    let state = seat.ledger.state(seat.slot)?;
    let entry = scoreboard::entry(seat.scoreboard, seat.slot)?;
    let deadline = Deadline::new()?;
    match &generation.account {
        Some(_) if seat.keeps_root => privileges::keep_for_login()?,
        account => privileges::give_up(account.as_ref())?,
    }
    generation.confinement.enter()?;
    // Not before: the descriptor of the rules goes here, too, by which they could be changed.
    let own = [seat.handover.as_raw_fd(), seat.requests, seat.help_desk, seat.life];
    generation.part_from_the_zygote(&own)?;
    let signals = signals::descriptor(&signals::ENDINGS)?;
    Ok(Ready { identity, state, entry, deadline, signals })
}

/// Waits for the connection; none if the zygote closed its end.
fn receive(handover: &OwnedFd) -> Option<OwnedFd> {
    let mut word = [0; 1];
    let mut space = nix::cmsg_space!(RawFd);
    loop {
        let mut parts = [IoSliceMut::new(&mut word)];
        let flags = MsgFlags::MSG_CMSG_CLOEXEC;
        let got = match recvmsg::<()>(handover.as_raw_fd(), &mut parts, Some(&mut space), flags) {
            Err(Errno::EINTR) => continue,
            got => got.ok()?,
        };
        return got.cmsgs().ok()?.find_map(|part| match part {
            ControlMessageOwned::ScmRights(numbers) => sys::adopt(*numbers.first()?).ok(),
            _ => None,
        });
    }
}

fn subject(generation: &'static Generation, ready: &Ready) -> &'static api::Subject {
    let subject = api::Subject::new(generation, ready.identity, ready.state);
    subject.state.inside.store(0, Relaxed);
    Box::leak(Box::new(subject))
}
