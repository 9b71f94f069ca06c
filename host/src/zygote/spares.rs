//! Spares: forked ahead of demand, each with a slot of its own. A spare that was handed a connection
//! is a session, and the zygote keeps no descriptor of it.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, ControlMessage, MsgFlags, SockFlag, SockType, sendmsg, socketpair,
};
use std::sync::atomic::Ordering::Relaxed;

use super::{Child, Phase, Zygote};
use crate::session::{self, Seat};
use crate::sys::{self, Fork};
use crate::{clock, log, scoreboard};

/// So many spares may be lost one after the other before forking pauses.
const LOST_MAX: u32 = 3;
/// How long it pauses.
const PAUSE: Duration = Duration::from_secs(1);

/// A spare that waits.
pub(super) struct Spare {
    pub(super) slot: usize,
    pub(super) pid: i32,
    handover: OwnedFd,
}

impl Spare {
    /// Gives the spare a connection; from here on it is a session.
    pub(super) fn hand_over(self, connection: &OwnedFd) -> io::Result<()> {
        let rights = [connection.as_raw_fd()];
        sendmsg::<()>(
            self.handover.as_raw_fd(),
            &[IoSlice::new(&[0])],
            &[ControlMessage::ScmRights(&rights)],
            MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL,
            None,
        )?;
        Ok(())
    }
}

impl Zygote {
    /// Whether there should be more spares than there are.
    pub(super) fn wants_spares(&self) -> bool {
        let wanted = self.generation.config.host.spares as usize;
        self.phase == Phase::Active && self.spares.len() < wanted && !self.free.is_empty()
    }

    /// Forks spares until there are enough.
    pub(super) fn refill_spares(&mut self) {
        while self.wants_spares() && clock::now() >= self.spares_from {
            match self.fork_spare() {
                Some(spare) => self.spares.push_back(spare),
                None => self.spares_from = clock::after(clock::now(), PAUSE),
            }
        }
    }

    /// A spare that waits, or one that is forked now; none if every slot is taken.
    pub(super) fn take_spare(&mut self) -> Option<Spare> {
        self.spares.pop_front().or_else(|| self.fork_spare())
    }

    fn fork_spare(&mut self) -> Option<Spare> {
        let slot = self.free.pop()?;
        let forked = self.fork_into(slot);
        if let Err(e) = &forked {
            log::error(format!("no process for a session: {e}"));
            self.free.push(slot);
        }
        forked.ok()
    }

    fn fork_into(&mut self, slot: usize) -> io::Result<Spare> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (mine, its) = socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?;
        if slot >= self.header.used.load(Relaxed) as usize {
            self.ledger.reserve(slot)?;
            scoreboard::reserve(&self.scoreboard, slot)?;
            self.header.used.store(slot as u32 + 1, Relaxed);
        }
        self.succession(slot).reserve();
        let forked = sys::fork().inspect_err(|_| self.succession(slot).release())?;
        match forked {
            Fork::Child => {
                drop(mine);
                let seat = Seat {
                    slot,
                    ledger: &self.ledger,
                    scoreboard: &self.scoreboard,
                    handover: its,
                    requests: self.requests.for_sessions(),
                    life: self.life.as_raw_fd(),
                };
                session::wait_for_connection(self.generation, seat)
            }
            Fork::Parent(pid) => {
                self.slots[slot].identity.pid.store(pid.as_raw().cast_unsigned(), Relaxed);
                self.children.insert(pid.as_raw(), Child::Session { slot });
                Ok(Spare { slot, pid: pid.as_raw(), handover: mine })
            }
        }
    }

    /// Sends the spares away: they end when their socket closes.
    pub(super) fn dismiss_spares(&mut self) {
        self.spares.clear();
    }

    /// A spare has died before it served.
    pub(super) fn spare_is_lost(&mut self, pid: i32) {
        self.spares.retain(|spare| spare.pid != pid);
        self.lost_spares += 1;
        if self.lost_spares >= LOST_MAX && self.phase == Phase::Active {
            log::error("spares die before they serve; the next is tried in a second");
            self.spares_from = clock::after(clock::now(), PAUSE);
        }
    }
}
